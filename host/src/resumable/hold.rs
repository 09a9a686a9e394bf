//! One request at a time.

use std::{
    collections::hash_map::Entry,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::{Inner, Refusal, UploadId, upload::LIFE};
use crate::state::{LEASE, StateResult};

/// How often a lease is renewed.
const BEAT: Duration = Duration::from_secs(5);

// One beat may fail, and another come late.
const _: () = assert!(BEAT.as_secs() * 3 < LEASE.as_secs());

/// What reaches a request that works on an upload here.
#[derive(Debug)]
pub(super) struct Control {
    stop: CancellationToken,
    over: CancellationToken,
}

/// What an upload is held for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Bytes are to come: it lasts longer.
    Receiving,
    /// It is to end.
    Ending,
}

/// The right to work on an upload, which nobody else has as long as this is there.
pub(super) struct Hold {
    inner: Arc<Inner>,
    pub(super) id: UploadId,
    control: Arc<Control>,
    /// The signs of life; none before the lease.
    beat: Option<AbortHandle>,
}

impl Control {
    /// Asks the request to stop where it is.
    pub(super) fn cancel(&self) {
        self.stop.cancel();
    }

    /// Waits until it has.
    pub(super) async fn over(&self) {
        self.over.cancelled().await;
    }
}

impl Inner {
    /// Makes an upload this request's own.
    ///
    /// # Errors
    /// [`Refusal::Busy`] if it is another's.
    pub(super) async fn hold(
        self: &Arc<Self>,
        id: &UploadId,
        purpose: Purpose,
    ) -> Result<Hold, Refusal> {
        let control = Arc::new(Control {
            stop: self.stop.child_token(),
            over: CancellationToken::new(),
        });
        match self.running().entry(id.clone()) {
            Entry::Occupied(_) => return Err(Refusal::Busy),
            Entry::Vacant(place) => place.insert(Arc::clone(&control)),
        };
        let mut hold = Hold {
            inner: Arc::clone(self),
            id: id.clone(),
            control,
            beat: None,
        };
        self.free().await?;
        // Another host may have it.
        if !self.lease(id, purpose).await? {
            return Err(Refusal::Busy);
        }
        let (inner, id, control) = (Arc::clone(self), id.clone(), Arc::clone(&hold.control));
        let beat = tokio::spawn(async move {
            let mut beat = tokio::time::interval(BEAT);
            loop {
                beat.tick().await;
                match inner.lease(&id, purpose).await {
                    Ok(true) => {}
                    Ok(false) => control.cancel(),
                    Err(error) => {
                        tracing::warn!(upload = %id, %error, "no sign of life for an upload")
                    }
                }
            }
        });
        hold.beat = Some(beat.abort_handle());
        Ok(hold)
    }

    /// Ends the leases of processes that are no more, before this one asks for its first: clients that were cut off by
    /// their end come back at once.
    async fn free(&self) -> StateResult<()> {
        let freeing = self.freed.get_or_try_init(|| async {
            match self.state.is_sole() {
                true => self.state.free_uploads(&self.host).await,
                false => Ok(()),
            }
        });
        freeing.await.copied()
    }

    async fn lease(&self, id: &UploadId, purpose: Purpose) -> StateResult<bool> {
        let expires = match purpose {
            Purpose::Receiving => SystemTime::now() + LIFE,
            // An end never moves back: if this one fails, it is due as before.
            Purpose::Ending => UNIX_EPOCH,
        };
        self.state.lease_upload(id, &self.host, expires).await
    }
}

impl Hold {
    /// Waits until the work is to stop.
    pub(super) async fn stopped(&self) {
        self.control.stop.cancelled().await;
    }

    /// Lets others work on the upload.
    pub(super) async fn release(mut self) {
        self.quiet();
        let left = self.inner.state.leave_upload(&self.id, &self.inner.host);
        if let Err(error) = left.await {
            tracing::warn!(upload = %self.id, %error, "an upload could not be left; it is free in a while");
        }
    }
}

impl Hold {
    fn quiet(&mut self) {
        if let Some(beat) = self.beat.take() {
            beat.abort();
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.quiet();
        self.inner.running().remove(&self.id);
        self.control.over.cancel();
    }
}
