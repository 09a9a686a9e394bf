//! Pages of other origins that may use the doors: CORS, by an explicit list.

use std::{collections::BTreeSet, str::FromStr, sync::Arc};

use axum::{body::Body, extract::Request, response::Response};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
        ORIGIN, VARY,
    },
};
use url::Url;

use super::site::{Site, View};

/// The doors that pages of other origins may use. The page itself is for people.
const DOORS: [&str; 4] = ["/d/", "/p/", "/api/", "/dav/"];

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, \
    LOCK, UNLOCK";

/// The headers of answers that a page's script may read beside the harmless ones.
const EXPOSED: &str = "Accept-Ranges, Allow, Content-Disposition, Content-Length, Content-Range, DAV, ETag, \
    Last-Modified, Location, Lock-Token, Retry-After, Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, \
    Tus-Resumable, Tus-Version, Upload-Defer-Length, Upload-Expires, Upload-Length, Upload-Metadata, Upload-Offset";

/// How long a browser may remember what it was allowed, in seconds.
const MAX_AGE: &str = "600";

/// The origins whose pages are trusted as our own page is, with the caller's credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Arc<BTreeSet<String>>);

impl Origins {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn has(&self, origin: &HeaderValue) -> bool {
        origin.to_str().is_ok_and(|origin| self.0.contains(origin))
    }
}

impl FromStr for Origins {
    type Err = String;

    /// Reads origins with commas between them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let listed = text
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty());
        let origins: Result<_, String> = listed
            .map(|text| {
                // Browsers send an origin in exactly this form, and it is compared as text.
                let parsed = Url::parse(text).map(|url| url.origin());
                let written = parsed.map(|origin| origin.ascii_serialization());
                match written {
                    Ok(written) if written == text => Ok(written),
                    Ok(written) if written != "null" => Err(format!(
                        "must be origins as browsers send them: write {written}"
                    )),
                    _ => {
                        Err("must be origins such as https://app.example, each by name".to_owned())
                    }
                }
            })
            .collect();
        origins.map(|origins| Self(Arc::new(origins)))
    }
}

/// Answers preflight requests of listed origins, and lets their pages read the answers to the others. Where no
/// origin is listed, it costs a look.
pub(super) async fn admit<N>(
    site: &Site,
    mut request: Request,
    next: impl FnOnce(Request) -> N,
) -> Response
where
    N: Future<Output = Response>,
{
    let origins = match request.extensions().get::<View>() {
        Some(view) => view.options.cors_origins.clone(),
        None => site.view().options.cors_origins.clone(),
    };
    let path = request.uri().path();
    if origins.is_empty() || !DOORS.iter().any(|door| path.starts_with(door)) {
        return next(request).await;
    }
    let origin = request.headers().get(ORIGIN).cloned();
    let origin = origin.filter(|origin| origins.has(origin));
    let mut response = match &origin {
        Some(_) if is_preflight(&request) => preflight(request.headers()),
        Some(_) => {
            // From here on, it is as if our own page had asked: see `origin::guard`.
            request.headers_mut().remove(ORIGIN);
            request.headers_mut().remove("sec-fetch-site");
            next(request).await
        }
        None => next(request).await,
    };
    mark(response.headers_mut(), origin);
    response
}

fn mark(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    // Also for others: a cache must not give them an answer that was meant for a listed origin.
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let credentials = HeaderValue::from_static("true");
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials);
        let exposed = HeaderValue::from_static(EXPOSED);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight(request: &HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static(METHODS);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    // A listed origin may send what it likes, and `*` does not go with credentials.
    if let Some(wanted) = request.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_send_them() {
        let origins: Origins = "https://app.example, http://localhost:3000"
            .parse()
            .unwrap();
        let has = |origin: &'static str| origins.has(&HeaderValue::from_static(origin));
        assert!(has("https://app.example") && has("http://localhost:3000"));
        assert!(!has("https://app.example.evil") && !has("http://app.example") && !has("null"));
        assert!("".parse::<Origins>().unwrap().is_empty());
        for (text, expected) in [
            (
                "*",
                "must be origins such as https://app.example, each by name",
            ),
            (
                "null",
                "must be origins such as https://app.example, each by name",
            ),
            (
                "app.example",
                "must be origins such as https://app.example, each by name",
            ),
            (
                "file:///x",
                "must be origins such as https://app.example, each by name",
            ),
            (
                "https://App.example/",
                "must be origins as browsers send them: write https://app.example",
            ),
            (
                "https://a.example:443",
                "must be origins as browsers send them: write https://a.example",
            ),
        ] {
            assert_eq!(text.parse::<Origins>().unwrap_err(), expected, "{text}");
        }
    }
}
