//! Whether a connection is alive: who waits for whom, and since when.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::activity::Activity;

/// What happens on one connection.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// When something last got on.
    activity: Activity,
    /// Requests that are not answered to the end.
    requests: AtomicUsize,
    /// Those of them that wait for us rather than for the client.
    ours: AtomicUsize,
    /// Whether what is written belongs to the only request there can be.
    is_http1: AtomicBool,
}

/// How a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Something gets on, or will as far as we are to blame.
    Busy,
    /// Nothing was asked for so long.
    Idle(Duration),
    /// The client has not taken anything of what it asked for so long.
    Waiting(Duration),
}

impl Pulse {
    /// Begins a request.
    pub(super) fn turn(self: &Arc<Self>, is_http1: bool) -> Turn {
        self.is_http1.store(is_http1, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.ours.fetch_add(1, Ordering::Relaxed);
        self.activity.touch();
        Turn {
            pulse: Arc::clone(self),
            is_ours: true,
        }
    }

    /// Bytes were taken off our hands. In HTTP/2 that shows nothing: they may be the protocol's own.
    pub(super) fn written(&self) {
        if self.is_http1.load(Ordering::Relaxed) {
            self.activity.touch();
        }
    }

    pub(super) fn begin(&self) {
        self.activity.touch();
    }

    pub(super) fn state(&self) -> State {
        if self.requests.load(Ordering::Relaxed) == 0 {
            State::Idle(self.activity.idle())
        } else if self.ours.load(Ordering::Relaxed) == 0 {
            State::Waiting(self.activity.idle())
        } else {
            State::Busy
        }
    }
}

/// One request of a connection, until its answer is over.
#[derive(Debug)]
pub(super) struct Turn {
    pulse: Arc<Pulse>,
    is_ours: bool,
}

impl Turn {
    fn set(&mut self, is_ours: bool) {
        if self.is_ours != is_ours {
            self.is_ours = is_ours;
            if is_ours {
                self.pulse.ours.fetch_add(1, Ordering::Relaxed);
            } else {
                self.pulse.ours.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.set(false);
        self.pulse.requests.fetch_sub(1, Ordering::Relaxed);
        self.pulse.activity.touch();
    }
}

/// The body of an answer, which tells whose turn it is.
#[derive(Debug)]
pub(super) struct Paced {
    body: axum::body::Body,
    turn: Turn,
}

impl Paced {
    pub(super) fn new(body: axum::body::Body, mut turn: Turn) -> Self {
        turn.set(false);
        Self { body, turn }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.turn.set(polled.is_pending());
        if polled.is_ready() {
            self.turn.pulse.activity.touch();
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

#[cfg(test)]
mod tests {
    use futures::stream;
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn whose_turn_it_is() {
        let pulse = Arc::new(Pulse::default());
        pulse.begin();
        assert!(matches!(pulse.state(), State::Idle(_)));
        let turn = pulse.turn(true);
        assert_eq!(pulse.state(), State::Busy);
        let pieces = stream::iter([Ok::<_, std::io::Error>("piece")]);
        let never = futures::StreamExt::chain(pieces, stream::pending());
        let mut body = Paced::new(axum::body::Body::from_stream(never), turn);
        assert!(matches!(pulse.state(), State::Waiting(_)));
        body.frame().await.unwrap().unwrap();
        assert!(matches!(pulse.state(), State::Waiting(_)));
        let next = futures::poll!(std::pin::pin!(body.frame()));
        assert!(next.is_pending());
        assert_eq!(pulse.state(), State::Busy);
        drop(body);
        assert!(matches!(pulse.state(), State::Idle(_)));
    }
}
