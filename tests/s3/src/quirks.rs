//! What some services do otherwise than Amazon S3.

use http::StatusCode;

/// What a server does otherwise than Amazon S3. The default is nothing.
///
/// [`Quirks::of`] has those of the services that Orlop knows, as their documents and the clients that ship tell
/// them, with sizes scaled down so that a test can go beyond them.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Quirks {
    /// The code with which a bucket in the path is refused (403).
    pub refuse_path_style: Option<&'static str>,
    /// The code with which a bucket in the host is refused (403).
    pub refuse_virtual_host: Option<&'static str>,
    /// ListObjectsV2 is not known (501).
    pub no_list_v2: bool,
    /// `encoding-type=url` is ignored, and not echoed.
    pub no_url_encoding: bool,
    /// With `encoding-type=url` the marker of a listing never gets on.
    pub url_encoding_sticks: bool,
    /// `CommonPrefixes` and `NextMarker` are not encoded, though the listing says so.
    pub prefixes_unencoded: bool,
    /// `NextMarker` is never given.
    pub no_next_marker: bool,
    /// Listings begin with the key that they were to begin behind.
    pub inclusive_start: bool,
    /// The page of a listing that does not say how many keys it wants; 0 for Amazon's 1000.
    pub default_page: usize,
    /// `x-amz-content-sha256: UNSIGNED-PAYLOAD` is refused (400).
    pub refuse_unsigned_payload: bool,
    /// `x-amz-checksum-*` and what goes with them are refused (400).
    pub refuse_checksum_headers: bool,
    /// `x-amz-security-token` is refused (400).
    pub refuse_session_token: bool,
    /// `Accept-Encoding` is changed on the way, before the signature is checked.
    pub rewrites_accept_encoding: bool,
    /// What DeleteObjects is answered with, where it is not known.
    pub no_delete_objects: Option<(StatusCode, &'static str)>,
    /// The most keys of a DeleteObjects, with 500 `InternalError` above; 0 for Amazon's 1000.
    pub delete_max: usize,
    /// The largest object that CopyObject copies, in bytes; 0 for Amazon's 5 GiB.
    pub copy_max: u64,
    /// UploadPartCopy is not known (501).
    pub no_upload_part_copy: bool,
    /// The most parts of an upload; 0 for Amazon's 10,000.
    pub parts_max: u32,
    /// All parts of an upload but the last must have one size.
    pub equal_parts: bool,
    /// The ETag in the answer to CompleteMultipartUpload is empty.
    pub empty_complete_etag: bool,
    /// `If-Match` and `If-None-Match` on uploads have no effect.
    pub ignores_conditions: bool,
    /// Errors have no message.
    pub empty_messages: bool,
    /// Keys that are refused (400).
    pub refused_keys: &'static [KeyRule],
    /// There is no file `a` beside a folder `a`: what comes second is refused, as by MinIO (409 or 400).
    pub file_folder_clash: bool,
    /// Requests over http are refused (403), which here are all of them.
    pub https_only: bool,
    /// Signed links work on the service's own hosts alone, and are refused elsewhere (403).
    pub no_presign_on_custom_domain: bool,
    /// What is read from the service's own hosts is for saving, whatever a link says.
    pub forced_download: bool,
    /// `Content-MD5` is refused (400), but where it is due: with a list of keys to delete.
    pub refuse_content_md5: bool,
}

/// A key that some service does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRule {
    /// It begins with `/`.
    LeadingSlash,
    /// It begins with `\`.
    LeadingBackslash,
    /// It holds `//`.
    DoubleSlash,
    /// A segment of it is `.` or `..`.
    DotSegments,
    /// It holds a control character.
    Control,
}

impl KeyRule {
    pub(crate) fn is_broken(self, key: &str) -> bool {
        match self {
            Self::LeadingSlash => key.starts_with('/'),
            Self::LeadingBackslash => key.starts_with('\\'),
            Self::DoubleSlash => key.contains("//"),
            Self::DotSegments => key.split('/').any(|segment| matches!(segment, "." | "..")),
            Self::Control => key.contains(|character: char| character.is_ascii_control()),
        }
    }
}

/// The largest copy in one call where a service has a limit at all, scaled down from gigabytes.
const SMALL: u64 = 1 << 20;

impl Quirks {
    /// Those of a service, by Orlop's name for its provider, or `ceph`.
    pub fn of(provider: &str) -> Option<Self> {
        let copy_max = SMALL;
        let cautious = Self {
            copy_max,
            refuse_checksum_headers: true,
            ignores_conditions: true,
            no_next_marker: true,
            no_url_encoding: true,
            ..Self::default()
        };
        Some(match provider {
            "aws" => Self {
                copy_max,
                ..Self::default()
            },
            "oss" => Self {
                refuse_path_style: Some("SecondLevelDomainForbidden"),
                default_page: 100,
                no_url_encoding: false,
                forced_download: true,
                refused_keys: &[KeyRule::LeadingSlash, KeyRule::LeadingBackslash],
                ..cautious
            },
            "cos" | "doge" => Self {
                refuse_path_style: Some("PathStyleDomainForbidden"),
                no_list_v2: true,
                forced_download: true,
                no_url_encoding: false,
                refused_keys: &[KeyRule::LeadingSlash],
                ..cautious
            },
            "obs" => Self {
                refuse_path_style: Some("VirtualHostDomainRequired"),
                no_list_v2: true,
                no_url_encoding: false,
                url_encoding_sticks: true,
                ..cautious
            },
            "kodo" => Self {
                refused_keys: &[KeyRule::Control],
                ..cautious
            },
            "bos" | "jd" => Self {
                no_list_v2: true,
                ..cautious
            },
            "oos" => Self {
                no_list_v2: true,
                inclusive_start: true,
                no_upload_part_copy: true,
                no_delete_objects: Some((StatusCode::NOT_IMPLEMENTED, "NotImplemented")),
                ..cautious
            },
            "eos" => Self {
                no_list_v2: true,
                no_url_encoding: false,
                prefixes_unencoded: true,
                empty_complete_etag: true,
                empty_messages: true,
                ..cautious
            },
            "upyun" => Self {
                no_list_v2: true,
                no_upload_part_copy: true,
                no_delete_objects: Some((StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed")),
                refuse_session_token: true,
                ..cautious
            },
            "r2" => Self {
                no_url_encoding: false,
                no_next_marker: false,
                ignores_conditions: false,
                delete_max: 700,
                equal_parts: true,
                no_presign_on_custom_domain: true,
                ..cautious
            },
            "b2" => Self {
                no_url_encoding: false,
                no_next_marker: false,
                refuse_session_token: true,
                ..cautious
            },
            "scaleway" => Self {
                no_url_encoding: false,
                no_next_marker: false,
                ignores_conditions: false,
                parts_max: 1000,
                ..cautious
            },
            "gcs" => Self {
                no_url_encoding: false,
                no_next_marker: false,
                rewrites_accept_encoding: true,
                no_upload_part_copy: true,
                no_delete_objects: Some((StatusCode::NOT_IMPLEMENTED, "NotImplemented")),
                refuse_session_token: true,
                copy_max: 0,
                ..cautious
            },
            "minio" => Self {
                copy_max,
                file_folder_clash: true,
                refused_keys: &[
                    KeyRule::LeadingSlash,
                    KeyRule::DoubleSlash,
                    KeyRule::DotSegments,
                ],
                ..Self::default()
            },
            "generic" => Self {
                no_list_v2: true,
                ..cautious
            },
            "ceph" => Self {
                prefixes_unencoded: true,
                empty_complete_etag: true,
                empty_messages: true,
                refuse_checksum_headers: true,
                copy_max,
                ..Self::default()
            },
            _ => return None,
        })
    }
}
