//! The span of a sender that a request belongs to.

use http::HeaderValue;

/// A `traceparent` (W3C Trace Context): `00-TRACE-PARENT-FLAGS`.
#[derive(Clone, Debug)]
pub(super) struct TraceParent(String);

impl TraceParent {
    /// Reads a header; none if it is not right, and then the sender is taken to have sent none.
    pub(super) fn read(value: &HeaderValue) -> Option<Self> {
        let text = value.to_str().ok()?;
        let mut fields = text.split('-');
        let (version, trace, parent, flags) = (
            fields.next()?,
            fields.next()?,
            fields.next()?,
            fields.next()?,
        );
        let is_hex = |text: &str, length: usize| {
            text.len() == length
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        let is_id = |text: &str, length: usize| {
            is_hex(text, length) && text.bytes().any(|byte| byte != b'0')
        };
        let is_right = is_hex(version, 2)
            && version != "ff"
            && is_id(trace, 32)
            && is_id(parent, 16)
            && is_hex(flags, 2)
            // Versions to come may say more.
            && (version != "00" || fields.next().is_none());
        is_right.then(|| Self(text.to_owned()))
    }

    /// The trace that the sender counts the request to.
    pub(super) fn trace(&self) -> &str {
        self.field(1)
    }

    fn field(&self, number: usize) -> &str {
        self.0.split('-').nth(number).unwrap_or_default()
    }

    /// Makes a span that has just been made the child of the sender's.
    #[cfg(feature = "otel")]
    pub(super) fn adopt(&self, span: &tracing::Span) {
        use opentelemetry::{
            Context,
            trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
        };
        use tracing_opentelemetry::OpenTelemetrySpanExt as _;

        let (Ok(trace), Ok(parent), Ok(flags)) = (
            TraceId::from_hex(self.trace()),
            SpanId::from_hex(self.field(2)),
            u8::from_str_radix(self.field(3), 16),
        ) else {
            return;
        };
        let flags = TraceFlags::new(flags);
        let sender = SpanContext::new(trace, parent, flags, true, TraceState::default());
        // It fails if nobody collects spans.
        let _ = span.set_parent(Context::new().with_remote_span_context(sender));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces() {
        let trace = |text: &'static str| {
            TraceParent::read(&HeaderValue::from_static(text)).map(|it| it.trace().to_owned())
        };
        let hex = "4bf92f3577b34da6a3ce929d0e0e4736";
        for right in [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(trace(right).as_deref(), Some(hex), "{right}");
        }
        for wrong in [
            "",
            "00-4bf9-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-x1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(trace(wrong), None, "{wrong}");
        }
    }
}
