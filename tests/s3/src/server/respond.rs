use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use s3s::{Body, S3Error};

static ANSWERS: AtomicU64 = AtomicU64::new(1);

/// An S3 error with elements besides `Code` and `Message`.
pub(super) fn error(
    status: StatusCode,
    code: &str,
    message: &str,
    more: &[(&str, &str)],
) -> Response<Body> {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    for (name, value) in [("Code", code), ("Message", message)].iter().chain(more) {
        let _ = write!(xml, "<{name}>{}</{name}>", escape(value));
    }
    xml.push_str("</Error>");
    let mut response = Response::new(Body::from(xml));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/xml"),
    );
    response
}

/// The answer that `s3s` makes of an error.
pub(super) fn from_s3(error: S3Error) -> Response<Body> {
    error.to_http_response().unwrap_or_else(|_| {
        self::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            "the error cannot be written as XML",
            &[],
        )
    })
}

/// Makes an answer of `s3s` what Amazon's is.
pub(super) fn polish(method: &Method, mut response: Response<Body>) -> Response<Body> {
    if response.status() == StatusCode::NOT_MODIFIED {
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    if method == Method::HEAD && response.headers().contains_key(header::CONTENT_RANGE) {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    let is_xml = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/xml");
    // Documents are in memory, unlike objects, which may be XML as well.
    if is_xml
        && let Some(xml) = response.body().bytes()
        && let Some(xml) = with_escaped_controls(&xml)
    {
        *response.body_mut() = Body::from(xml);
    }
    let id = ANSWERS.fetch_add(1, Ordering::Relaxed);
    if let Ok(id) = HeaderValue::from_str(&format!("{id:016X}")) {
        response.headers_mut().insert("x-amz-request-id", id);
    }
    response
}

/// Writes control characters as Amazon S3 does: as references, which XML 1.0 mostly forbids, and
/// which keep a carriage return from being read as a line feed. `None`: there are none.
fn with_escaped_controls(xml: &[u8]) -> Option<Bytes> {
    fn is_control(byte: &u8) -> bool {
        *byte < 0x20 && !matches!(byte, b'\n' | b'\t')
    }
    xml.iter().any(is_control).then(|| {
        let mut escaped = Vec::with_capacity(xml.len() + 64);
        for byte in xml {
            match is_control(byte) {
                true => escaped.extend_from_slice(format!("&#x{byte:x};").as_bytes()),
                false => escaped.push(*byte),
            }
        }
        escaped.into()
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_controls_only() {
        assert_eq!(with_escaped_controls(b"<a>\n\tx</a>"), None);
        let escaped = with_escaped_controls(b"<a>\x01\r\x1f</a>").unwrap();
        assert_eq!(escaped, "<a>&#x1;&#xd;&#x1f;</a>");
    }

    #[test]
    fn errors_are_documents() {
        let response = error(StatusCode::CONFLICT, "A", "b < c", &[("Region", "x")]);
        assert_eq!(response.status(), StatusCode::CONFLICT);
        let xml = response.body().bytes().unwrap();
        let xml = std::str::from_utf8(&xml).unwrap();
        assert!(
            xml.ends_with(
                "<Error><Code>A</Code><Message>b &lt; c</Message><Region>x</Region></Error>"
            ),
            "{xml}"
        );
    }
}
