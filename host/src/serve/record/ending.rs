//! The end of a request: one line in the log.

use std::{
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{StatusCode, header::CONTENT_LENGTH};
use http_body::{Frame, SizeHint};
use tracing::{Level, Span};

use super::Record;
use crate::serve::problem::Cause;

/// A request whose end is to be logged, however it comes.
#[derive(Debug)]
pub(super) struct Ending {
    record: Arc<Record>,
    /// The request's, which ends with the answer's body.
    span: Span,
    /// None as long as there is no answer.
    status: Option<StatusCode>,
    /// How long the head of the answer took.
    head: Duration,
    cause: Option<Cause>,
    sent: u64,
    end: End,
}

/// How the answer's body came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// All was sent.
    Whole,
    /// The client went away, or was let go.
    Cut,
    /// What was to be sent broke off.
    Broken,
}

impl End {
    fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Cut => "cut",
            Self::Broken => "broken",
        }
    }
}

impl Ending {
    /// A request that is not answered yet. Clients may go away before.
    pub(super) fn of(record: Arc<Record>, span: Span) -> Self {
        Self {
            record,
            span,
            status: None,
            head: Duration::ZERO,
            cause: None,
            sent: 0,
            end: End::Cut,
        }
    }

    /// The head of the answer is there, after so long.
    pub(super) fn answered(
        mut self,
        status: StatusCode,
        head: Duration,
        cause: Option<Cause>,
    ) -> Self {
        self.status = Some(status);
        self.head = head;
        self.cause = cause;
        self.end = End::Whole;
        self
    }

    /// Waits for the end of the answer's body, if it has one.
    pub(super) fn follow(mut self, response: Response) -> Response {
        if http_body::Body::is_end_stream(response.body()) {
            return response;
        }
        self.end = End::Cut;
        let announced = response.headers().get(CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse().ok());
        response.map(|body| {
            Body::new(Followed {
                body,
                announced,
                ending: self,
            })
        })
    }

    /// Tells whoever collects spans how it ended.
    fn show(&self) {
        let Self { span, record, .. } = self;
        span.record("received", record.received.load(Ordering::Relaxed));
        span.record("sent", self.sent);
        span.record("outcome", self.end.name());
        if let Some(status) = self.status {
            span.record("status", status.as_u16());
        }
        let is_ours = self.status.is_some_and(|status| status.is_server_error());
        if is_ours || self.end == End::Broken {
            span.record("otel.status_code", "ERROR");
        }
    }

    fn log(&self) {
        let Self { record, cause, .. } = self;
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "orlop::access",
                    id = %record.id,
                    trace = record.id.trace(),
                    method = record.method,
                    path = record.path,
                    status = self.status.map(|status| status.as_u16()),
                    door = record.door.label(),
                    mount = record.mount.as_deref(),
                    user = record.user.get().map(|user| &**user),
                    peer = record.peer.map(tracing::field::display),
                    received = record.received.load(Ordering::Relaxed),
                    sent = self.sent,
                    head_seconds = self.head.as_secs_f64(),
                    seconds = record.began.elapsed().as_secs_f64(),
                    driver_calls = record.effort.driver_calls(),
                    upstream_requests = record.effort.upstream_requests(),
                    end = Some(self.end).filter(|end| *end != End::Whole).map(End::name),
                    cause = cause.as_ref().map(|cause| &*cause.text),
                    "answered"
                )
            };
        }
        let is_read = matches!(record.method, "GET" | "HEAD");
        match cause.as_ref().map(|cause| cause.level) {
            Some(Level::ERROR) => line!(error),
            Some(Level::WARN) => line!(warn),
            Some(Level::INFO) => line!(info),
            None if !is_read => line!(info),
            _ => line!(debug),
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.log();
        self.show();
    }
}

/// A body whose end is waited for.
#[derive(Debug)]
struct Followed {
    body: Body,
    /// Nobody asks for more once so many bytes are there.
    announced: Option<u64>,
    ending: Ending,
}

impl http_body::Body for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // What the body asks the storage for belongs to the request.
        let span = self.ending.span.clone();
        let polled = span.in_scope(|| Pin::new(&mut self.body).poll_frame(context));
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.ending.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
                if self.body.is_end_stream() || self.announced == Some(self.ending.sent) {
                    self.ending.end = End::Whole;
                }
            }
            Poll::Ready(Some(Err(_))) => self.ending.end = End::Broken,
            Poll::Ready(None) if self.ending.end == End::Cut => self.ending.end = End::Whole,
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
