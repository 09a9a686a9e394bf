//! References to resources in headers: `Destination` (RFC 4918 §10.3) and the tags of `If` (§10.4).

use http::{HeaderMap, HeaderName, StatusCode, header::HOST, request::Parts, uri::Authority};

use super::refusal::Refusal;
use crate::{
    Location,
    serve::{address, door::Door, problem::Problem},
};

const DESTINATION: HeaderName = HeaderName::from_static("destination");

/// Reads `Destination`.
///
/// # Errors
/// 400 if it is missing or no reference, 502 if it leads out of this door.
pub(super) fn destination(parts: &Parts) -> Result<Location, Refusal> {
    let text = parts
        .headers
        .get(DESTINATION)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(|| Problem::bad_request("a copy or a move has a header `Destination`"))?;
    resolve(parts, text.trim())
}

/// The place that a reference means: an absolute URL of this server, or a path.
///
/// # Errors
/// As [`destination`].
pub(super) fn resolve(parts: &Parts, reference: &str) -> Result<Location, Refusal> {
    let path = match reference.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if !is_here(scheme, authority, parts) {
                return Err(elsewhere("the destination is on another server"));
            }
            path
        }
        _ => reference,
    };
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    if path.contains('#') {
        return Err(Problem::bad_request("a reference to a resource has no fragment").into());
    }
    if Door::of(path) != Door::Dav {
        return Err(elsewhere("the destination is not below `/dav/`"));
    }
    Ok(location(path)?)
}

/// The place that the path of a request or a reference means. `/dav` is as good as `/dav/`.
pub(super) fn location(path: &str) -> Result<Location, Problem> {
    if path == Door::Dav.prefix() {
        return address::parse(Door::Dav, "/dav/");
    }
    address::parse(Door::Dav, path)
}

fn elsewhere(detail: &'static str) -> Refusal {
    Refusal::new(StatusCode::BAD_GATEWAY, "invalid-argument", detail)
}

/// The scheme says nothing: behind a proxy that ends TLS, we see the wrong one. A port that the scheme has anyway
/// may be left out.
fn is_here(scheme: &str, authority: &str, parts: &Parts) -> bool {
    let usual = match scheme.to_ascii_lowercase().as_str() {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let Ok(wanted) = authority.parse::<Authority>() else {
        return false;
    };
    let Some(own) = own_authority(parts) else {
        return false;
    };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(usual);
    wanted.host().eq_ignore_ascii_case(own.host()) && port(&wanted) == port(&own)
}

/// HTTP/2 names the host in the URI, HTTP/1 in a header.
fn own_authority(parts: &Parts) -> Option<Authority> {
    let header = |headers: &HeaderMap| headers.get(HOST)?.to_str().ok()?.parse().ok();
    parts
        .uri
        .authority()
        .cloned()
        .or_else(|| header(&parts.headers))
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use http::Request;

    use super::*;

    fn found(reference: &str) -> Result<String, u16> {
        let request = Request::builder()
            .uri("/dav/a")
            .header(HOST, "files.example:8080")
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        resolve(&parts, reference)
            .map(|location| location.path.to_string())
            .map_err(|refusal| refusal.into_response().status().as_u16())
    }

    #[test]
    fn references() {
        for (reference, expected) in [
            ("/dav/a%20b/c/", Ok("a b/c")),
            ("/dav", Ok("")),
            ("http://files.example:8080/dav/x", Ok("x")),
            ("https://FILES.example:8080/dav/x?y", Ok("x")),
            ("http://files.example:8080/dav", Ok("")),
            // An empty segment is no path, whatever stands before it.
            ("/dav/a://b", Err(400)),
            ("http://files.example/dav/x", Err(502)),
            ("http://other.example:8080/dav/x", Err(502)),
            ("ftp://files.example:8080/dav/x", Err(502)),
            ("http://files.example:8080", Err(502)),
            ("http://files.example:8080/d/x", Err(502)),
            ("/x", Err(502)),
            ("x", Err(502)),
            ("", Err(502)),
            ("/dav/../x", Err(400)),
            ("/dav//x", Err(400)),
            ("/dav/%2e%2e/x", Err(400)),
            ("/dav/x#y", Err(400)),
        ] {
            assert_eq!(found(reference), expected.map(str::to_owned), "{reference}");
        }
    }
}
