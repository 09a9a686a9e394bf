use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt as _;
use md5::{Digest as _, Md5};
use s3s::dto::StreamingBlob;
use s3s::stream::ByteStream as _;
use s3s::{S3Error, S3ErrorCode, S3Result, StdError, s3_error};

use crate::etag::Md5Digest;
use crate::rope::Rope;

/// The most bytes that one request may upload: 5 GiB.
const UPLOAD_MAX: u64 = 5 * 1024 * 1024 * 1024;

/// The body of an upload, whole and checked.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) body: Rope,
    /// Set if it was asked for, or if the client sent one.
    pub(super) md5: Option<Md5Digest>,
}

/// What the client says about the body.
#[derive(Debug)]
pub(super) struct Declared<'a> {
    pub(super) length: Option<i64>,
    pub(super) md5: Option<&'a str>,
}

impl Payload {
    /// Takes the body in without copying it.
    pub(super) async fn receive(
        stream: Option<StreamingBlob>,
        declared: Declared<'_>,
        hashed: bool,
    ) -> S3Result<Self> {
        let mut stream = stream.ok_or_else(|| s3_error!(IncompleteBody))?;
        let length = declared
            .length
            .and_then(|length| u64::try_from(length).ok())
            .or_else(|| {
                stream
                    .remaining_length()
                    .exact()
                    .map(|length| length as u64)
            })
            .ok_or_else(|| {
                s3_error!(
                    MissingContentLength,
                    "You must provide the Content-Length HTTP header."
                )
            })?;
        if length > UPLOAD_MAX {
            return Err(s3_error!(
                EntityTooLarge,
                "Your proposed upload exceeds the maximum allowed size"
            ));
        }
        let expected = declared.md5.map(parse_md5).transpose()?;
        let mut hash = (hashed || expected.is_some()).then(Md5::new);
        let mut body = Rope::default();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(broken)?;
            if let Some(hash) = &mut hash {
                hash.update(&chunk);
            }
            body.push(chunk);
        }
        if body.len() != length {
            return Err(incomplete());
        }
        let md5 = hash.map(|hash| hash.finalize().into());
        if expected.is_some() && expected != md5 {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            ));
        }
        Ok(Self {
            body: body.compact(),
            md5,
        })
    }
}

/// Parses a `Content-MD5` header.
pub(crate) fn parse_md5(text: &str) -> S3Result<Md5Digest> {
    STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| Md5Digest::try_from(bytes).ok())
        .ok_or_else(|| s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid."))
}

/// The stream's errors are private types of `s3s`, so their texts must do.
fn broken(error: StdError) -> S3Error {
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        let code = S3ErrorCode::from_bytes(b"XAmzContentSHA256Mismatch");
        let mut error = S3Error::new(code.unwrap_or(S3ErrorCode::BadDigest));
        error.set_message(
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        );
        error.set_status_code(http::StatusCode::BAD_REQUEST);
        return error;
    }
    if text.contains("SignatureMismatch") {
        return s3_error!(SignatureDoesNotMatch);
    }
    incomplete()
}

fn incomplete() -> S3Error {
    s3_error!(
        IncompleteBody,
        "You did not provide the number of bytes specified by the Content-Length HTTP header"
    )
}
