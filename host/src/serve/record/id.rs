//! What a request is called in logs, here and elsewhere.

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::parent::TraceParent;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Tells this process's requests from those of others.
static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
static NEXT: AtomicU64 = AtomicU64::new(1);

/// What a request is called: as its sender says in `X-Request-Id`, or a name of our own.
#[derive(Clone, Debug)]
pub(crate) struct RequestId {
    value: HeaderValue,
    parent: Option<TraceParent>,
}

impl RequestId {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(REQUEST_ID).filter(|id| is_sane(id.as_bytes()));
        Self {
            value: given.cloned().unwrap_or_else(fresh),
            parent: headers.get(TRACEPARENT).and_then(TraceParent::read),
        }
    }

    /// The trace that the sender counts the request to (W3C Trace Context).
    pub(super) fn trace(&self) -> Option<&str> {
        self.parent.as_ref().map(TraceParent::trace)
    }

    /// The span of the sender that the request belongs to.
    #[cfg(feature = "otel")]
    pub(super) fn parent(&self) -> Option<&TraceParent> {
        self.parent.as_ref()
    }

    /// Tells the sender.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        headers.insert(REQUEST_ID, self.value.clone());
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.value.to_str().unwrap_or_default())
    }
}

fn fresh() -> HeaderValue {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let text = format!("{:012x}-{number:x}", *PROCESS & 0xffff_ffff_ffff);
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("-"))
}

/// Short, and nothing that could break a log line or a query.
fn is_sane(id: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    (1..=64).contains(&id.len()) && id.iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(value: &[u8]) -> String {
        let value = HeaderValue::from_bytes(value).unwrap();
        RequestId::of(&[(REQUEST_ID, value)].into_iter().collect()).to_string()
    }

    #[test]
    fn a_sane_id_is_taken_and_others_are_replaced() {
        assert_eq!(id(b"abc-123_x.Y"), "abc-123_x.Y");
        let long = [b'a'; 65];
        for other in [&b""[..], b"a b", b"a\tb", b"\xfc", b"a;b", &long] {
            let made = id(other);
            assert_ne!(made.as_bytes(), other);
            assert!(is_sane(made.as_bytes()), "{made}");
        }
        assert_ne!(id(b""), id(b""));
    }
}
