use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use s3s::{Body, StdError};

use crate::faults::Gate;
use crate::server::connection::Link;

/// An answer's body with an obstacle in it.
pub(super) struct ObstructedBody {
    inner: Body,
    /// How many bytes come before the obstacle.
    before: u64,
    /// What of the current frame lies behind the obstacle.
    behind: Option<Bytes>,
    obstacle: Obstacle,
}

enum Obstacle {
    Cut(Arc<Link>),
    Gate(Pin<Box<dyn Future<Output = ()> + Send>>),
    Gone,
}

impl ObstructedBody {
    /// Breaks the connection behind `before` bytes.
    pub(super) fn cut(inner: Body, before: u64, link: Arc<Link>) -> Self {
        Self::new(inner, before, Obstacle::Cut(link))
    }

    /// Waits for a gate behind `before` bytes.
    pub(super) fn hold(inner: Body, before: u64, gate: Gate) -> Self {
        Self::new(inner, before, Obstacle::Gate(Box::pin(gate.pass())))
    }

    fn new(inner: Body, before: u64, obstacle: Obstacle) -> Self {
        Self {
            inner,
            before,
            behind: None,
            obstacle,
        }
    }

    /// Whether the way is free.
    fn poll_obstacle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.obstacle {
            Obstacle::Cut(link) => {
                link.cut();
                Poll::Pending
            }
            Obstacle::Gate(gate) => {
                std::task::ready!(gate.as_mut().poll(cx));
                self.obstacle = Obstacle::Gone;
                Poll::Ready(())
            }
            Obstacle::Gone => Poll::Ready(()),
        }
    }

    fn is_obstructed(&self) -> bool {
        !matches!(self.obstacle, Obstacle::Gone)
    }
}

impl hyper::body::Body for ObstructedBody {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let this = &mut *self;
        if this.is_obstructed() && this.before == 0 {
            std::task::ready!(this.poll_obstacle(cx));
        }
        if let Some(bytes) = this.behind.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        let frame = std::task::ready!(Pin::new(&mut this.inner).poll_frame(cx));
        let Some(Ok(frame)) = frame else {
            return Poll::Ready(frame);
        };
        let Ok(mut bytes) = frame.into_data() else {
            // Answers of S3 have no trailers.
            return Poll::Ready(None);
        };
        if this.is_obstructed() {
            let first = usize::try_from(this.before)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            this.before -= first as u64;
            let rest = bytes.split_off(first);
            this.behind = (!rest.is_empty()).then_some(rest);
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.behind.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let behind = self.behind.as_ref().map_or(0, Bytes::len) as u64;
        let mut hint = self.inner.size_hint();
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + behind);
        }
        hint.set_lower(hint.lower() + behind);
        hint
    }
}

impl fmt::Debug for ObstructedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObstructedBody")
            .field("before", &self.before)
            .finish_non_exhaustive()
    }
}
