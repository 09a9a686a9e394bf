//! What a step and those who wait for it tell each other while it is under way.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, future, stream};
use tokio_util::sync::CancellationToken;

use crate::{BodyStream, BoxError, Outcome};

/// The line between a step that is under way and those who wait for it. Clones are the same line.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    stop: CancellationToken,
    bytes: Arc<AtomicU64>,
}

impl Flow {
    /// A line that is stopped with this token too.
    pub(crate) fn below(stop: &CancellationToken) -> Self {
        Self {
            stop: stop.child_token(),
            bytes: Arc::default(),
        }
    }

    /// Asks the step to end as soon as it can. Files on their way through the host are broken off, and leave
    /// nothing behind; what a driver has begun it finishes. The step then fails, unless it was done already.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Whether it was asked to end.
    pub fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Bytes that have passed through the host in this step.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The next step begins.
    pub(crate) fn rewind(&self) {
        self.bytes.store(0, Ordering::Relaxed);
    }

    /// A body whose bytes are counted, and which breaks off when the step is asked to end.
    pub(super) fn through(
        &self,
        body: BodyStream,
    ) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + use<> {
        let (counter, stop) = (Arc::clone(&self.bytes), self.stop.clone());
        let end = async move {
            let broken = Outcome::Unavailable("the copy was stopped".to_owned());
            stop.is_cancelled().then(|| Err(BoxError::from(broken)))
        };
        body.map_err(BoxError::from)
            .inspect_ok(move |piece| {
                counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
            })
            .take_until(self.stop.clone().cancelled_owned())
            .chain(stream::once(end).filter_map(future::ready))
    }
}
