//! Answers about several resources: `multistatus` (RFC 4918 §13).

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};

use super::xml;

/// What a document begins with.
pub(super) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

/// The media type of all our documents.
pub(super) const CONTENT_TYPE: &str = "application/xml; charset=utf-8";

/// What a `multistatus` begins with.
pub(super) const BEGIN: &str =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\">";

/// What it ends with.
pub(super) const END: &str = "</D:multistatus>";

/// Begins what is said of one resource.
pub(super) fn begin_response(out: &mut String, href: &str) {
    out.push_str("<D:response><D:href>");
    // It is percent-encoded, so nothing in it needs to be escaped.
    out.push_str(href);
    out.push_str("</D:href>");
}

pub(super) fn end_response(out: &mut String) {
    out.push_str("</D:response>\n");
}

/// Properties that share a status.
pub(super) fn propstat(out: &mut String, status: StatusCode, write: impl FnOnce(&mut String)) {
    out.push_str("<D:propstat><D:prop>");
    write(out);
    end_propstat(out, status);
}

/// Ends what [`propstat`] would: for who writes the properties by itself.
pub(super) fn end_propstat(out: &mut String, status: StatusCode) {
    out.push_str("</D:prop>");
    self::status(out, status);
    out.push_str("</D:propstat>");
}

/// A status line.
pub(super) fn status(out: &mut String, status: StatusCode) {
    out.push_str("<D:status>HTTP/1.1 ");
    out.push_str(status.as_str());
    out.push(' ');
    out.push_str(status.canonical_reason().unwrap_or_default());
    out.push_str("</D:status>");
}

/// A resource that has one status as a whole.
pub(super) fn whole(out: &mut String, href: &str, code: StatusCode) {
    begin_response(out, href);
    status(out, code);
    end_response(out);
}

/// An answer of 207 with these responses.
pub(super) fn answer(responses: &str) -> Response {
    document(
        StatusCode::MULTI_STATUS,
        Body::from(format!("{BEGIN}{responses}{END}")),
    )
}

/// An answer that is a document of ours.
pub(super) fn document(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// An element of a text, in the prefix that [`BEGIN`] declares.
pub(super) fn text(out: &mut String, name: &str, text: &str) {
    out.push_str("<D:");
    out.push_str(name);
    out.push('>');
    xml::escape(out, text);
    out.push_str("</D:");
    out.push_str(name);
    out.push('>');
}
