use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use s3s::StdError;

/// The rest of a request's body, shared by the handler, which may lose interest in it, and by the
/// front, which reads what is left before it answers. Without this a client that is still sending
/// could meet a reset instead of the answer.
#[derive(Debug, Clone)]
pub(super) struct Intake {
    body: Arc<Mutex<Option<Incoming>>>,
}

impl Intake {
    pub(super) fn new(body: Incoming) -> Self {
        Self {
            body: Arc::new(Mutex::new(Some(body))),
        }
    }

    /// Reads to the end, or until the client is gone.
    pub(super) async fn drain(&self) {
        let body = self.with(Option::take);
        if let Some(mut body) = body {
            while let Some(Ok(_)) = body.frame().await {}
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Option<Incoming>) -> T) -> T {
        act(&mut self.body.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Body for Intake {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        self.with(|body| match body {
            Some(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            None => Poll::Ready(None),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.with(|body| body.as_ref().is_none_or(Body::is_end_stream))
    }

    fn size_hint(&self) -> SizeHint {
        self.with(|body| {
            body.as_ref()
                .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
        })
    }
}
