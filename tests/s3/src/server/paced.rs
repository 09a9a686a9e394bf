use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use s3s::{Body, StdError};
use tokio::time::{Instant, Sleep, sleep_until};

/// Bytes that are let out at once.
const PIECE: usize = 64 * 1024;

/// An answer's body that comes at a limited speed, and is counted as long as it is under way.
pub(super) struct PacedBody {
    inner: Body,
    rest: Bytes,
    bytes_per_second: Option<u64>,
    /// When the next piece may go.
    free: Pin<Box<Sleep>>,
    under_way: Arc<AtomicUsize>,
}

impl PacedBody {
    pub(super) fn new(
        inner: Body,
        bytes_per_second: Option<u64>,
        under_way: Arc<AtomicUsize>,
    ) -> Self {
        under_way.fetch_add(1, Ordering::AcqRel);
        Self {
            inner,
            rest: Bytes::new(),
            bytes_per_second,
            free: Box::pin(sleep_until(Instant::now())),
            under_way,
        }
    }
}

impl hyper::body::Body for PacedBody {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let this = self.get_mut();
        let Some(speed) = this.bytes_per_second else {
            return Pin::new(&mut this.inner).poll_frame(cx);
        };
        if this.rest.is_empty() {
            let frame = ready!(Pin::new(&mut this.inner).poll_frame(cx));
            let Some(Ok(frame)) = frame else {
                return Poll::Ready(frame);
            };
            // Answers of S3 have no trailers.
            this.rest = frame.into_data().unwrap_or_default();
        }
        ready!(this.free.as_mut().poll(cx));
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        let time = Duration::from_secs_f64(piece.len() as f64 / speed as f64);
        // What a timer is late by is made up for.
        let next = this.free.deadline().max(Instant::now() - time) + time;
        this.free.as_mut().reset(next);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let inner = self.inner.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + rest);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

impl Drop for PacedBody {
    fn drop(&mut self) {
        self.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}
