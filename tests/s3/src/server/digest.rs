use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt as _, Limited};
use md5::{Digest as _, Md5};
use s3s::{S3Result, s3_error};

use crate::backend::payload::parse_md5;
use crate::etag::Md5Digest;
use crate::server::intake::Intake;

/// The largest list of keys to delete, in bytes: 1000 keys of 1024 bytes, all escaped.
const DELETE_LIST_MAX: usize = 8 * 1024 * 1024;

/// Reads the body of DeleteObjects, which must come with a digest. `s3s` looks at neither.
pub(super) async fn checked_list(headers: &HeaderMap, body: Intake) -> S3Result<Bytes> {
    let expected = match headers.get("content-md5") {
        Some(md5) => Some(parse_md5(md5.to_str().unwrap_or_default())?),
        None if has_checksum(headers) => None,
        None => {
            return Err(s3_error!(
                InvalidRequest,
                "Missing required header for this request: Content-MD5"
            ));
        }
    };
    let list = Limited::new(body, DELETE_LIST_MAX)
        .collect()
        .await
        .map_err(|_| s3_error!(IncompleteBody, "The list of keys is incomplete or too long"))?
        .to_bytes();
    if has_raw_controls(&list) {
        return Err(s3_error!(
            MalformedXML,
            "The XML you provided has control characters, which XML 1.0 does not allow, or a carriage return that is not written as &#13; and would be read as a line feed"
        ));
    }
    match expected {
        Some(expected) if expected != Md5Digest::from(Md5::digest(&list)) => Err(s3_error!(
            BadDigest,
            "The Content-MD5 you specified did not match what we received."
        )),
        _ => Ok(list),
    }
}

/// Whether there are bytes that a parser of XML 1.0 refuses, which `s3s` does not; or a carriage
/// return on its own, which it would turn into a line feed, so that another key would be deleted.
fn has_raw_controls(xml: &[u8]) -> bool {
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    let next = xml.iter().skip(1).map(Some).chain([None]);
    xml.iter().any(control)
        || xml
            .iter()
            .zip(next)
            .any(|(byte, next)| *byte == b'\r' && next != Some(&b'\n'))
}

fn has_checksum(headers: &HeaderMap) -> bool {
    headers
        .keys()
        .any(|name| name.as_str().starts_with("x-amz-checksum-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_controls() {
        let cases: [(&[u8], bool); 5] = [
            (b"<a>\r\n\t<b>x</b>\n</a>\n", false),
            (b"<a>x\ry</a>", true),
            (b"<a></a>\r", true),
            (b"<a>\x01</a>", true),
            ("<a>ä\u{85}</a>".as_bytes(), false),
        ];
        for (xml, expected) in cases {
            assert_eq!(has_raw_controls(xml), expected, "{xml:?}");
        }
    }
}
