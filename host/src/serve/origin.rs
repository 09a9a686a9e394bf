//! Whether a change was asked for by our own page, or by a program, and not by another site.

use http::{
    HeaderMap, HeaderName, StatusCode, Uri,
    header::{HOST, ORIGIN},
};

use super::problem::Problem;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a change that a browser sends on behalf of another site.
///
/// Browsers say where a request comes from: by `Sec-Fetch-Site` over TLS and on this machine, by
/// `Origin` everywhere. Programs say neither, and cannot be tricked by a site either.
pub(crate) fn guard(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let is_ours = match headers.get(SEC_FETCH_SITE) {
        Some(site) => site == "same-origin" || site == "none",
        None => headers.get(ORIGIN).is_none_or(|origin| {
            origin
                .to_str()
                .is_ok_and(|origin| is_here(origin, uri, headers))
        }),
    };
    if is_ours {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "permission-denied",
        "another site asked for this change; changes are taken from this server's own page and from programs",
    ))
}

/// The scheme is left out of it: behind a proxy that ends TLS, we see the wrong one.
fn is_here(origin: &str, uri: &Uri, headers: &HeaderMap) -> bool {
    let Some((_, origin)) = origin.split_once("://") else {
        return false;
    };
    // HTTP/2 names the host in the URI, HTTP/1 in a header.
    let host = match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => headers.get(HOST).and_then(|host| host.to_str().ok()),
    };
    host.is_some_and(|host| host.eq_ignore_ascii_case(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_change() {
        let cases: &[(&[(&str, &str)], bool)] = &[
            (&[], true),
            (&[("host", "a:1"), ("origin", "http://a:1")], true),
            (&[("host", "A:1"), ("origin", "https://a:1")], true),
            (&[("host", "a:1"), ("origin", "http://a:2")], false),
            (&[("host", "a:1"), ("origin", "http://b")], false),
            (&[("host", "a:1"), ("origin", "null")], false),
            (&[("host", "a:1"), ("origin", "")], false),
            (&[("origin", "http://a")], false),
            (&[("sec-fetch-site", "same-origin")], true),
            (
                &[("sec-fetch-site", "same-origin"), ("origin", "null")],
                true,
            ),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("host", "a"),
                    ("origin", "http://a"),
                ],
                false,
            ),
        ];
        for (pairs, allowed) in cases {
            let headers: HeaderMap = pairs
                .iter()
                .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
                .collect();
            let found = guard(&Uri::from_static("/a"), &headers).is_ok();
            assert_eq!(found, *allowed, "{pairs:?}");
        }
        let headers = [(ORIGIN, "http://a:1".parse().unwrap())]
            .into_iter()
            .collect();
        assert!(guard(&Uri::from_static("http://a:1/x"), &headers).is_ok());
    }
}
