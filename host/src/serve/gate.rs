//! What is refused before anybody asks what it means.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{StatusCode, Uri, Version, header::HOST, uri::Authority};

use super::problem::Problem;

/// The longest address of a request. A key of 1,024 bytes, each percent-encoded, takes 3 KiB.
const MAX_URI: usize = 16 * 1024;

/// Marks a request that came over a connection of our own [`Server`](super::Server). What another server lets
/// through is that server's business.
#[derive(Clone, Copy, Debug)]
pub(super) struct FromWire;

/// Lets a request through, or answers it.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    match judge(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => axum::response::IntoResponse::into_response(problem),
    }
}

fn judge(request: &Request) -> Result<(), Problem> {
    if length(request.uri()) > MAX_URI {
        return Err(Problem::new(
            StatusCode::URI_TOO_LONG,
            "invalid-argument",
            "the address is longer than 16 KiB",
        ));
    }
    if request.extensions().get::<FromWire>().is_some() {
        return host(request);
    }
    Ok(())
}

/// RFC 9112 §3.2: one host, the same wherever it is written, so that nobody before or behind us takes the
/// request for another's.
fn host(request: &Request) -> Result<(), Problem> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (host, more) = (hosts.next(), hosts.next());
    if more.is_some() {
        return Err(Problem::bad_request("`Host` comes more than once"));
    }
    let Some(host) = host else {
        if request.version() == Version::HTTP_11 {
            return Err(Problem::bad_request("`Host` is missing"));
        }
        return Ok(());
    };
    if host.is_empty() && request.uri().authority().is_none() {
        return Ok(());
    }
    let named = Authority::try_from(host.as_bytes())
        .ok()
        .filter(|named| !named.as_str().contains('@'));
    let Some(named) = named else {
        return Err(Problem::bad_request("`Host` is no host"));
    };
    match request.uri().authority() {
        Some(authority) if *authority != named => Err(Problem::bad_request(
            "`Host` is not the host of the address",
        )),
        _ => Ok(()),
    }
}

fn length(uri: &Uri) -> usize {
    let origin = uri.path_and_query().map_or(0, |path| path.as_str().len());
    origin + uri.authority().map_or(0, |authority| authority.as_str().len())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn status(uri: &str, hosts: &[&str]) -> u16 {
        let mut request = Request::builder().uri(uri).extension(FromWire);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        match judge(&request.body(Body::empty()).unwrap()) {
            Ok(()) => 200,
            Err(problem) => problem.status.as_u16(),
        }
    }

    #[test]
    fn hosts() {
        for (uri, hosts, expected) in [
            ("/a", &["example.com"][..], 200),
            ("/a", &["[::1]:5244"], 200),
            ("/a", &[""], 200),
            ("/a", &[], 400),
            ("/a", &["a", "a"], 400),
            ("/a", &["a", "b"], 400),
            ("/a", &["a b"], 400),
            ("/a", &["a/b"], 400),
            ("/a", &["user@a"], 400),
            ("http://a/b", &["a"], 200),
            ("http://A/b", &["a"], 200),
            ("http://a/b", &["b"], 400),
            ("http://a:1/b", &["a:2"], 400),
        ] {
            assert_eq!(status(uri, hosts), expected, "{uri} {hosts:?}");
        }
    }

    #[test]
    fn lengths() {
        let path = |length: usize| format!("/{}", "a".repeat(length - 1));
        assert_eq!(status(&path(MAX_URI), &["a"]), 200);
        assert_eq!(status(&path(MAX_URI + 1), &["a"]), 414);
        let query = format!("/?{}", "a".repeat(MAX_URI));
        assert_eq!(status(&query, &["a"]), 414);
    }
}
