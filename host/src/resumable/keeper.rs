//! Uploads that nobody goes on with.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime},
};

use super::{Inner, Refusal, Resumables, Stage, UploadId, count, hold::Purpose};

/// How often they are looked for.
const SWEEP: Duration = Duration::from_secs(60 * 60);
/// How many are taken at a time.
const BATCH: u32 = 10_000;
/// How long a storage that does not let go of an upload is asked again.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Resumables {
    /// Begins to forget uploads that expire. Again does nothing.
    pub(crate) fn begin(&self) {
        if !self.inner.has_begun.swap(true, Ordering::Relaxed) {
            tokio::spawn(keep(Arc::clone(&self.inner)));
        }
    }
}

/// Goes on until the uploads are stopped.
async fn keep(inner: Arc<Inner>) {
    let mut beat = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            () = inner.stop.cancelled() => break,
            _ = beat.tick() => {
                if let Err(refusal) = inner.sweep(SystemTime::now()).await {
                    tracing::error!(?refusal, "uploads that expired cannot be forgotten");
                }
            }
        }
    }
}

impl Inner {
    /// Throws away what expired before this time, and files of the spool that belong to nothing.
    async fn sweep(self: &Arc<Self>, now: SystemTime) -> Result<(), Refusal> {
        for id in self.state.expired_uploads(now, BATCH).await? {
            let hold = match self.hold(&id, Purpose::Ending).await {
                Ok(hold) => hold,
                Err(refusal) => {
                    tracing::warn!(upload = %id, ?refusal, "an upload that expired is left for the next time");
                    continue;
                }
            };
            let mut discarded = self.discard(&id).await;
            let is_hopeless = match &discarded {
                Ok(()) => false,
                Err(_) => self.expired_long_ago(&id, now).await?,
            };
            if is_hopeless {
                discarded = self.forget(&id).await;
            }
            hold.release().await;
            match discarded {
                Ok(()) => count("expired"),
                Err(refusal) => {
                    tracing::warn!(upload = %id, ?refusal, "an upload that expired stays for now");
                }
            }
        }
        self.sweep_spool().await
    }

    async fn expired_long_ago(&self, id: &UploadId, now: SystemTime) -> Result<bool, Refusal> {
        let upload = self.state.upload(id).await?;
        Ok(upload.is_some_and(|upload| upload.expires + PATIENCE < now))
    }

    /// Removes files of uploads that are gone, and of parts that the storage has.
    async fn sweep_spool(&self) -> Result<(), Refusal> {
        for (id, number) in self.spool.parts().await? {
            // Looked at after the file: a part never becomes unsent.
            let is_wanted = self.state.upload(&id).await?.is_some_and(|upload| {
                !matches!(upload.stage, Stage::Done(_)) && number >= upload.filling()
            });
            if !is_wanted {
                self.spool.remove(&id, number).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use bytes::Bytes;

    use super::*;
    use crate::{
        Namespace, Overwrite, Path,
        resumable::{ResumableUpload, Route, Wish},
        state::State,
    };

    fn upload(expires: u64) -> ResumableUpload {
        ResumableUpload {
            id: UploadId::random().unwrap(),
            owner: None,
            wish: Wish {
                path: Path::parse("a/b").unwrap(),
                metadata: String::new(),
                content_type: None,
                modified: None,
                overwrite: Overwrite::Refuse,
                length: Some(9),
            },
            route: Route::Whole,
            parts: 0,
            sent: 0,
            stage: Stage::Open,
            expires: UNIX_EPOCH + Duration::from_secs(expires),
        }
    }

    #[tokio::test]
    async fn what_expired_goes_and_what_belongs_to_nothing_too() {
        let state = State::fresh().await;
        let namespace = Namespace::new(Vec::new()).unwrap();
        let uploads = Resumables::new(namespace, state.clone(), None);
        let inner = &uploads.inner;
        let (old, held, young) = (upload(100), upload(100), upload(200));
        for kept in [&old, &held, &young] {
            state.insert_upload(kept).await.unwrap();
            let mut filling = inner.spool.open(&kept.id, 1).await.unwrap();
            filling.push(&Bytes::from_static(b"x")).await.unwrap();
            filling.sync().await.unwrap();
        }
        let stray = UploadId::random().unwrap();
        inner.spool.open(&stray, 1).await.unwrap();
        assert!(
            state
                .lease_upload(&held.id, "other", UNIX_EPOCH)
                .await
                .unwrap()
        );

        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        inner.sweep(at(150)).await.unwrap();
        let mut files: Vec<_> = inner.spool.parts().await.unwrap();
        files.sort_by_key(|(id, _)| id.to_string());
        let mut expected = [(held.id.clone(), 1), (young.id.clone(), 1)];
        expected.sort_by_key(|(id, _)| id.to_string());
        assert_eq!(files, expected);
        assert!(state.upload(&old.id).await.unwrap().is_none());
        assert!(state.upload(&held.id).await.unwrap().is_some());

        state.leave_upload(&held.id, "other").await.unwrap();
        inner.sweep(at(250)).await.unwrap();
        assert_eq!(inner.spool.parts().await.unwrap(), []);
        for gone in [&held, &young] {
            assert!(state.upload(&gone.id).await.unwrap().is_none());
        }
    }
}
