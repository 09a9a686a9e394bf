//! What is refused before anybody asks what it means.

use std::sync::{Arc, OnceLock};

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse as _, Response},
};
use http::{
    HeaderValue, StatusCode, Uri, Version,
    header::{CONNECTION, HOST},
    uri::Authority,
};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tower_http::timeout::{TimeoutBody, TimeoutError};

use super::{client::Peer, options::Patience, problem::Problem, site::View};

/// The longest address of a request. A key of 1,024 bytes, each percent-encoded, takes 3 KiB.
const MAX_URI: usize = 16 * 1024;

/// Lets a request through, or answers it.
///
/// A body that stops coming is the client's doing, whatever its lack looks like to who reads it.
pub(super) async fn guard<N>(request: Request, next: impl FnOnce(Request) -> N) -> Response
where
    N: Future<Output = Response>,
{
    let version = request.version();
    if let Err(problem) = judge(&request) {
        return last(problem, version);
    }
    if request.body().is_end_stream() {
        return next(request).await;
    }
    let patience = request.extensions().get::<View>();
    let patience = patience.map_or_else(Patience::default, |view| view.options.patience);
    let end = Arc::new(OnceLock::new());
    let seen = Arc::clone(&end);
    let request = request.map(|body| {
        let body = TimeoutBody::new(patience.body, body).map_err(move |error| {
            // The first error says it; those after it say that there was one.
            let _ = seen.set(End::of(&*error));
            error
        });
        Body::new(body)
    });
    let response = next(request).await;
    match end.get() {
        Some(end) if response.status().is_client_error() || response.status().is_server_error() => {
            last(end.problem(), version)
        }
        _ => response,
    }
}

/// Answers, and has the connection closed: nobody knows what comes on it next.
fn last(problem: Problem, version: Version) -> Response {
    let mut response = problem.into_response();
    if version <= Version::HTTP_11 {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    response
}

/// How a body ended that has no end.
#[derive(Clone, Copy, Debug)]
enum End {
    Slow,
    Broken,
}

impl End {
    fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        if error.is::<TimeoutError>() {
            Self::Slow
        } else {
            Self::Broken
        }
    }

    fn problem(self) -> Problem {
        match self {
            Self::Slow => Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "timed-out",
                "the request's body stopped coming",
            ),
            Self::Broken => Problem::bad_request("the request's body is broken"),
        }
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
    // What another server than our own lets through is that server's business.
    if request.extensions().get::<Peer>().is_some() {
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
    origin
        + uri
            .authority()
            .map_or(0, |authority| authority.as_str().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(uri: &str, hosts: &[&str]) -> u16 {
        let peer = Peer {
            address: None,
            is_secure: false,
        };
        let mut request = Request::builder().uri(uri).extension(peer);
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
