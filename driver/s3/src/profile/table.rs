//! The table. What is not proven, by the vendor's documents or by clients that ship, has the value that asks
//! the least of a service. `docs/providers.md` says which is which.

use std::{borrow::Cow, time::Duration};

use super::{Addressing, ChecksumHeaders, KeyRule, PayloadHash, Profile, SessionToken};
use crate::config::ListVersion;

/// Signature version 4 allows no more.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
const MB: u64 = 1_000_000;
const MIB: u64 = 1 << 20;
const GB: u64 = 1_000_000_000;

/// A service that nobody knows: asked only for what all have.
const GENERIC: Profile = Profile {
    id: "generic",
    title: "Anything that speaks S3",
    hosts: &[],
    endpoints: &[],
    region: Some("us-east-1"),
    addressing: Addressing::Path,
    dotted_bucket_in_path: false,
    https_only: false,
    list_version: ListVersion::V1,
    list_url_encode: false,
    list_start_inclusive: false,
    payload_hash: PayloadHash::UnsignedOnHttps,
    checksum_headers: ChecksumHeaders::None,
    content_md5: true,
    delete_batch_max: 1000,
    copy_max: 5 * GB,
    upload_part_copy: true,
    part_min: 5 * MIB,
    parts_max: 10_000,
    equal_parts: false,
    etag_is_md5: false,
    multipart_etag_standard: false,
    session_token: SessionToken::Taken,
    conditional_put: false,
    presign_max: WEEK,
    presign_custom_domain: true,
    forced_download: false,
    key_rules: Cow::Borrowed(&[]),
};

pub(super) static GENERIC_ROW: Profile = GENERIC;

/// A row for each service. A field that a row does not have is that of [`GENERIC`].
pub(super) static PROFILES: [Profile; 17] = [
    Profile {
        id: "aws",
        title: "Amazon S3",
        hosts: &[".amazonaws.com", ".amazonaws.com.cn"],
        endpoints: &[
            "s3.{region}.amazonaws.com",
            "s3-{region}.amazonaws.com",
            "s3.dualstack.{region}.amazonaws.com",
            "s3.{region}.amazonaws.com.cn",
            "s3.dualstack.{region}.amazonaws.com.cn",
            "s3.amazonaws.com",
            "s3-accelerate.amazonaws.com",
            "s3-accelerate.dualstack.amazonaws.com",
        ],
        addressing: Addressing::VirtualHost,
        dotted_bucket_in_path: true,
        list_version: ListVersion::V2,
        list_url_encode: true,
        checksum_headers: ChecksumHeaders::Sha256,
        etag_is_md5: true,
        multipart_etag_standard: true,
        conditional_put: true,
        ..GENERIC
    },
    Profile {
        id: "oss",
        title: "Alibaba Cloud OSS",
        hosts: &[".aliyuncs.com"],
        endpoints: &[
            "s3.oss-{region}.aliyuncs.com",
            "oss-{region}.aliyuncs.com",
            "s3.oss-{region}-internal.aliyuncs.com",
            "oss-{region}-internal.aliyuncs.com",
            "s3.oss-accelerate.aliyuncs.com",
            "oss-accelerate.aliyuncs.com",
        ],
        region: Some("cn-hangzhou"),
        addressing: Addressing::VirtualHost,
        list_version: ListVersion::V2,
        list_url_encode: true,
        copy_max: GB,
        etag_is_md5: true,
        forced_download: true,
        key_rules: Cow::Borrowed(&[KeyRule::LeadingSlash, KeyRule::LeadingBackslash]),
        ..GENERIC
    },
    Profile {
        id: "cos",
        title: "Tencent Cloud COS",
        hosts: &[".myqcloud.com"],
        endpoints: &["cos.{region}.myqcloud.com", "cos.accelerate.myqcloud.com"],
        region: None,
        addressing: Addressing::VirtualHost,
        list_url_encode: true,
        forced_download: true,
        key_rules: Cow::Borrowed(&[KeyRule::LeadingSlash]),
        ..GENERIC
    },
    Profile {
        id: "obs",
        title: "Huawei Cloud OBS",
        hosts: &[".myhuaweicloud.com"],
        endpoints: &["obs.{region}.myhuaweicloud.com"],
        region: None,
        addressing: Addressing::VirtualHost,
        multipart_etag_standard: true,
        ..GENERIC
    },
    Profile {
        id: "kodo",
        title: "Qiniu Kodo",
        hosts: &[".qiniucs.com"],
        endpoints: &["s3-{region}.qiniucs.com", "s3.{region}.qiniucs.com"],
        region: None,
        list_version: ListVersion::V2,
        key_rules: Cow::Borrowed(&[KeyRule::Control]),
        ..GENERIC
    },
    Profile {
        id: "bos",
        title: "Baidu AI Cloud BOS",
        hosts: &[".bcebos.com"],
        endpoints: &["s3.{region}.bcebos.com"],
        region: Some("bj"),
        addressing: Addressing::VirtualHost,
        presign_custom_domain: false,
        ..GENERIC
    },
    Profile {
        id: "jd",
        title: "JD Cloud OSS",
        hosts: &[".jdcloud-oss.com"],
        endpoints: &[
            "s3.{region}.jdcloud-oss.com",
            "s3-internal.{region}.jdcloud-oss.com",
            "s3-ipv6.{region}.jdcloud-oss.com",
        ],
        region: None,
        addressing: Addressing::VirtualHost,
        ..GENERIC
    },
    Profile {
        id: "oos",
        title: "China Telecom Tianyi OOS",
        hosts: &[".ctyunapi.cn"],
        endpoints: &["oos-{region}.ctyunapi.cn"],
        region: Some("cn"),
        list_start_inclusive: true,
        upload_part_copy: false,
        ..GENERIC
    },
    Profile {
        id: "eos",
        title: "China Mobile EOS (139)",
        hosts: &[".cmecloud.cn"],
        endpoints: &["eos-{region}.cmecloud.cn"],
        region: None,
        multipart_etag_standard: true,
        ..GENERIC
    },
    Profile {
        id: "upyun",
        title: "UpYun USS (its S3 side)",
        hosts: &[".upyun.com"],
        endpoints: &["s3.api.upyun.com"],
        upload_part_copy: false,
        session_token: SessionToken::Refused,
        ..GENERIC
    },
    Profile {
        id: "doge",
        title: "DogeCloud OSS (its S3 side)",
        // Its hosts are those of COS.
        endpoints: &["cos.{region}.myqcloud.com", "cos.accelerate.myqcloud.com"],
        region: None,
        addressing: Addressing::VirtualHost,
        list_url_encode: true,
        session_token: SessionToken::Required,
        presign_max: Duration::from_secs(2 * 3600),
        forced_download: true,
        key_rules: Cow::Borrowed(&[KeyRule::LeadingSlash]),
        ..GENERIC
    },
    Profile {
        id: "r2",
        title: "Cloudflare R2",
        hosts: &[".r2.cloudflarestorage.com"],
        region: Some("auto"),
        list_version: ListVersion::V2,
        list_url_encode: true,
        // With more it answers InternalError (OpenDAL's notes on compatible services).
        delete_batch_max: 700,
        copy_max: 4_995 * (1 << 30) / 1000,
        equal_parts: true,
        etag_is_md5: true,
        conditional_put: true,
        presign_custom_domain: false,
        https_only: true,
        ..GENERIC
    },
    Profile {
        id: "b2",
        title: "Backblaze B2",
        hosts: &[".backblazeb2.com"],
        endpoints: &["s3.{region}.backblazeb2.com"],
        region: None,
        https_only: true,
        list_version: ListVersion::V2,
        list_url_encode: true,
        part_min: 5 * MB,
        etag_is_md5: true,
        multipart_etag_standard: true,
        session_token: SessionToken::Refused,
        ..GENERIC
    },
    Profile {
        id: "scaleway",
        title: "Scaleway Object Storage",
        hosts: &[".scw.cloud"],
        endpoints: &["s3.{region}.scw.cloud"],
        region: None,
        addressing: Addressing::VirtualHost,
        dotted_bucket_in_path: true,
        list_version: ListVersion::V2,
        list_url_encode: true,
        parts_max: 1000,
        etag_is_md5: true,
        multipart_etag_standard: true,
        conditional_put: true,
        ..GENERIC
    },
    Profile {
        id: "gcs",
        title: "Google Cloud Storage",
        hosts: &["storage.googleapis.com", ".storage.googleapis.com"],
        endpoints: &["storage.googleapis.com"],
        region: Some("auto"),
        https_only: true,
        list_version: ListVersion::V2,
        list_url_encode: true,
        copy_max: u64::MAX,
        upload_part_copy: false,
        etag_is_md5: true,
        session_token: SessionToken::Refused,
        ..GENERIC
    },
    Profile {
        id: "minio",
        title: "MinIO and what behaves like it",
        list_version: ListVersion::V2,
        list_url_encode: true,
        etag_is_md5: true,
        multipart_etag_standard: true,
        conditional_put: true,
        copy_max: 5 << 30,
        key_rules: Cow::Borrowed(&[
            KeyRule::LeadingSlash,
            KeyRule::DoubleSlash,
            KeyRule::DotSegments,
        ]),
        ..GENERIC
    },
    GENERIC,
];
