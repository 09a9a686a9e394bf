use std::fmt;
use std::sync::Arc;

use http::Method;

use crate::requests::Request;

type Test = dyn Fn(&Request) -> bool + Send + Sync;

/// Which requests, and how many of them. Unless told otherwise, the first one only.
#[derive(Clone)]
pub struct Matcher {
    method: Option<Method>,
    path: Option<String>,
    query: Option<String>,
    test: Option<Arc<Test>>,
    skip: usize,
    /// `None`: for ever.
    left: Option<usize>,
}

impl Matcher {
    /// Any request.
    pub fn any() -> Self {
        Self {
            method: None,
            path: None,
            query: None,
            test: None,
            skip: 0,
            left: Some(1),
        }
    }

    /// Requests that satisfy a test.
    pub fn when(test: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        Self {
            test: Some(Arc::new(test)),
            ..Self::any()
        }
    }

    /// Only requests with this method.
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only requests whose path, percent-decoded, contains this text.
    pub fn path(mut self, text: impl Into<String>) -> Self {
        self.path = Some(text.into());
        self
    }

    /// Only requests whose query, as it was sent, contains this text.
    pub fn query(mut self, text: impl Into<String>) -> Self {
        self.query = Some(text.into());
        self
    }

    /// Lets the first `count` matching requests pass.
    pub fn skip(mut self, count: usize) -> Self {
        self.skip = count;
        self
    }

    /// The next `count` matching requests instead of one.
    pub fn times(mut self, count: usize) -> Self {
        self.left = Some(count);
        self
    }

    /// All matching requests.
    pub fn always(mut self) -> Self {
        self.left = None;
        self
    }

    /// Whether this request is one of them; counts it.
    pub(crate) fn meet(&mut self, request: &Request) -> bool {
        if self.is_spent() || !self.matches(request) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        true
    }

    /// Whether all the requests have come.
    pub(crate) fn is_spent(&self) -> bool {
        self.left == Some(0)
    }

    fn matches(&self, request: &Request) -> bool {
        let method = self
            .method
            .as_ref()
            .is_none_or(|method| method == request.method());
        let path = self
            .path
            .as_ref()
            .is_none_or(|text| request.decoded_path().contains(text));
        let query = self
            .query
            .as_ref()
            .is_none_or(|text| request.query().contains(text));
        method && path && query && self.test.as_ref().is_none_or(|test| test(request))
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matcher")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &self.query)
            .field("test", &self.test.is_some())
            .field("skip", &self.skip)
            .field("left", &self.left)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[test]
    fn matches_what_it_names() {
        let mut headers = HeaderMap::new();
        headers.insert("range", "bytes=0-".parse().unwrap());
        let target = "/b/a%20b?partNumber=2&uploadId=x".parse().unwrap();
        let request = Request::new(&Method::PUT, &target, &headers);
        let cases = [
            (Matcher::any(), true),
            (Matcher::any().method(Method::PUT), true),
            (Matcher::any().method(Method::GET), false),
            (Matcher::any().path("/a b"), true),
            (Matcher::any().path("/a%20b"), false),
            (Matcher::any().query("partNumber=2"), true),
            (Matcher::any().query("partNumber=3"), false),
            (Matcher::any().path("a b").query("nothing"), false),
            (
                Matcher::when(|request| request.header("range").is_some()),
                true,
            ),
            (Matcher::when(|_| false), false),
        ];
        for (mut matcher, expected) in cases {
            assert_eq!(matcher.meet(&request), expected, "{matcher:?}");
        }
    }

    #[test]
    fn counts() {
        let request = Request::new(&Method::GET, &"/".parse().unwrap(), &HeaderMap::new());
        let met = |mut matcher: Matcher| (0..5).map(|_| matcher.meet(&request)).collect::<Vec<_>>();
        assert_eq!(met(Matcher::any()), [true, false, false, false, false]);
        assert_eq!(
            met(Matcher::any().skip(1).times(2)),
            [false, true, true, false, false]
        );
        assert_eq!(met(Matcher::any().always()), [true; 5]);
        assert_eq!(met(Matcher::any().times(0)), [false; 5]);
    }
}
