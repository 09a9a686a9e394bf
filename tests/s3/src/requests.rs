use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, Method, Uri, header};
use percent_encoding::percent_decode_str;

/// The requests that a server has seen, oldest first. Clones share one list.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Requests {
    /// All requests since the start or the last [`reset`](Self::reset).
    pub fn list(&self) -> Vec<Request> {
        self.with(|seen| seen.clone())
    }

    /// How many requests there were.
    pub fn count(&self) -> usize {
        self.with(|seen| seen.len())
    }

    /// How many requests satisfy a test.
    pub fn count_where(&self, test: impl Fn(&Request) -> bool) -> usize {
        self.with(|seen| seen.iter().filter(|request| test(request)).count())
    }

    /// Forgets all requests, and answers with them.
    pub fn reset(&self) -> Vec<Request> {
        self.with(std::mem::take)
    }

    pub(crate) fn record(&self, request: Request) {
        self.with(|seen| seen.push(request));
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<Request>) -> T) -> T {
        act(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A request as it arrived: nothing decoded, nothing normalised.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    target: String,
    headers: HeaderMap,
}

impl Request {
    pub(crate) fn new(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let mut headers = headers.clone();
        if let Some(authorization) = headers.get_mut(header::AUTHORIZATION) {
            // Keeps the signature out of `Debug` texts.
            authorization.set_sensitive(true);
        }
        Self {
            method: method.clone(),
            target: uri
                .path_and_query()
                .map_or_else(|| uri.path().to_owned(), ToString::to_string),
            headers,
        }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path and the query as they stood in the request line.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The path, still percent-encoded.
    pub fn path(&self) -> &str {
        self.split().0
    }

    /// The path, percent-decoded. Bytes that are not UTF-8 become U+FFFD.
    pub fn decoded_path(&self) -> String {
        percent_decode_str(self.path())
            .decode_utf8_lossy()
            .into_owned()
    }

    /// The query without its question mark, still percent-encoded; empty when there is none.
    pub fn query(&self) -> &str {
        self.split().1
    }

    /// A header's first value. `None`: it is missing or not visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    fn split(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((&self.target, ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "hush".parse().unwrap());
        Request::new(&Method::GET, &target.parse().unwrap(), &headers)
    }

    #[test]
    fn keeps_the_target_raw() {
        let request = request("/b/a%20b//c%C3%A4?list-type=2&prefix=x%2F");
        assert_eq!(
            request.target(),
            "/b/a%20b//c%C3%A4?list-type=2&prefix=x%2F"
        );
        assert_eq!(request.path(), "/b/a%20b//c%C3%A4");
        assert_eq!(request.decoded_path(), "/b/a b//cä");
        assert_eq!(request.query(), "list-type=2&prefix=x%2F");
        assert_eq!(request.header("Authorization"), Some("hush"));
        assert!(!format!("{request:?}").contains("hush"));
    }

    #[test]
    fn counts_and_resets() {
        let requests = Requests::default();
        requests.clone().record(request("/b/1"));
        requests.record(request("/b/2?x"));
        assert_eq!(requests.count(), 2);
        assert_eq!(requests.count_where(|request| request.query() == "x"), 1);
        assert_eq!(requests.reset().len(), 2);
        assert_eq!(requests.count(), 0);
    }
}
