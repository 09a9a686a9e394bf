//! Uploads that a client can go on with: in as many requests as it takes, over any number of connections, and after
//! `kill -9` of this process.
//!
//! Bytes go into a file of the [`Spool`], and from there to the storage: part by part where the driver signs requests
//! for parts, else all at the end. What the storage has is in the journal, what it has not yet is in the spool, and
//! where the client goes on follows from the two. A part is noted before its file is dropped, and sent again if the
//! process ends in between.
//!
//! One request at a time works on an upload, under a lease in the [`State`]. It goes on by itself, so that what came is
//! kept if the client goes away.

mod hold;
mod id;
mod keeper;
mod progress;
mod refusal;
mod route;
mod spool;
mod upload;
mod work;

use std::{
    collections::HashMap,
    future::Future,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, atomic::AtomicBool},
    time::{Duration, SystemTime},
};

use tokio::sync::OnceCell;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    hold::{Control, Purpose},
    spool::Spool,
    upload::LIFE,
    work::Work,
};
pub(crate) use self::{
    id::UploadId,
    progress::Progress,
    refusal::Refusal,
    upload::{ResumableUpload, Route, Stage, Wish},
    work::Chunk,
};
use crate::{
    Error, HostError, Kind, Location, Namespace, Outcome, Overwrite, Path, serve::site::Visit,
    state::State,
};

/// Uploads of one owner that are not done.
const LIMIT: u64 = 1_000;

/// How long to wait until a request that works on an upload has heard that it is to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The resumable uploads of a server. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Resumables {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// All mounts, for what is done in nobody's name.
    namespace: RwLock<Namespace>,
    spool: Spool,
    /// This process, as leases name it.
    host: String,
    running: Mutex<HashMap<UploadId, Arc<Control>>>,
    /// Breaks off all that is under way.
    stop: CancellationToken,
    tracker: TaskTracker,
    has_begun: AtomicBool,
    /// Set once the leases of processes that are no more have been ended.
    freed: OnceCell<()>,
}

/// An upload and how far it has come.
pub(crate) type Found = (ResumableUpload, Progress);

impl Resumables {
    /// The uploads of this state. Bytes on their way are kept in the folder `spool`; without, in one that goes with the
    /// process.
    pub(crate) fn new(namespace: Namespace, state: State, spool: Option<PathBuf>) -> Self {
        let inner = Inner {
            state,
            namespace: RwLock::new(namespace),
            spool: Spool::new(spool),
            // Without randomness there are no ids either, so that nothing is ever held by this name.
            host: UploadId::random().map_or_else(String::new, |id| id.to_string()),
            running: Mutex::default(),
            stop: CancellationToken::new(),
            tracker: TaskTracker::new(),
            has_begun: AtomicBool::new(false),
            freed: OnceCell::new(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Speaks to other mounts from now on: the configuration changed.
    pub(crate) fn work_in(&self, namespace: Namespace) {
        let namespaces = &self.inner.namespace;
        *namespaces.write().unwrap_or_else(PoisonError::into_inner) = namespace;
    }

    /// Begins an upload.
    ///
    /// # Errors
    /// Whatever would keep the file from being written, as far as that is known before its bytes.
    pub(crate) async fn create(&self, visit: &Visit, wish: Wish) -> Result<Found, Refusal> {
        self.begin();
        let (this, visit) = (self.clone(), visit.clone());
        self.by_itself(async move {
            let inner = &this.inner;
            visit.namespace.check_change(&wish.path)?;
            let owner = visit.caller.name.clone();
            if inner.state.count_uploads(owner.as_deref()).await? >= LIMIT {
                return Err(Refusal::TooMany(LIMIT));
            }
            if wish.overwrite == Overwrite::Refuse {
                refuse_present(&visit.namespace, &wish.path).await?;
            }
            let id = UploadId::random()
                .ok_or_else(|| HostError::Internal("no random bytes".to_owned()))?;
            let upload = ResumableUpload {
                id,
                owner,
                route: route::route(&visit.namespace, &wish).await?,
                wish,
                parts: 0,
                sent: 0,
                stage: Stage::Open,
                expires: SystemTime::now() + LIFE,
            };
            if let Err(error) = inner.state.insert_upload(&upload).await {
                // Nobody would ever find it again.
                drop(inner.abort(&upload).await);
                return Err(error.into());
            }
            count("begun");
            let progress = upload.progress(0);
            Ok((upload, progress))
        })
        .await
    }

    /// One of the caller's uploads, and how far it has come.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] if there is none of this id, or if it is another's.
    pub(crate) async fn find(&self, visit: &Visit, id: &UploadId) -> Result<Found, Refusal> {
        let upload = self.inner.own(visit, id).await?;
        let spooled = match upload.stage {
            Stage::Done(_) => 0,
            _ => self.inner.spool.size(id, upload.filling()).await?,
        };
        let progress = upload.progress(spooled);
        Ok((upload, progress))
    }

    /// Takes more bytes of one of the caller's uploads. With the last of them, the file becomes visible.
    ///
    /// # Errors
    /// Bytes that came before a failure are kept.
    pub(crate) async fn receive(
        &self,
        visit: &Visit,
        id: &UploadId,
        chunk: Chunk,
    ) -> Result<Found, Refusal> {
        self.begin();
        let upload = self.inner.own(visit, id).await?;
        visit.namespace.check_change(&upload.wish.path)?;
        let (this, namespace) = (self.clone(), visit.namespace.clone());
        self.by_itself(async move {
            let hold = this.inner.hold(&upload.id, Purpose::Receiving).await?;
            let result = Work::receive(&this.inner, &namespace, &hold, chunk).await;
            if let Err(Refusal::Gone) = &result {
                this.inner.forget(&upload.id).await?;
            }
            hold.release().await;
            result
        })
        .await
    }

    /// Ends one of the caller's uploads, whatever it is at. A file that is there stays.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] as for [`find`](Self::find); the storage's, if it does not let go of the parts.
    pub(crate) async fn end(&self, visit: &Visit, id: &UploadId) -> Result<(), Refusal> {
        self.begin();
        let upload = self.inner.own(visit, id).await?;
        let this = self.clone();
        self.by_itself(async move {
            let inner = &this.inner;
            if let Some(control) = inner.control(&upload.id) {
                control.cancel();
                // One that takes longer is still busy.
                let _ = tokio::time::timeout(PATIENCE, control.over()).await;
            }
            let hold = inner.hold(&upload.id, Purpose::Ending).await?;
            let ended = inner.discard(&upload.id).await;
            hold.release().await;
            ended?;
            count("ended");
            Ok(())
        })
        .await
    }

    /// Breaks off what is under way. What came is kept, for this or the next process to go on with.
    pub(crate) fn stop(&self) {
        self.inner.stop.cancel();
        self.inner.tracker.close();
    }

    /// Waits until nothing is under way, after [`stop`](Self::stop).
    pub(crate) async fn stopped(&self) {
        self.inner.tracker.wait().await;
    }

    /// Does some work to its end, whether or not the caller waits for it.
    async fn by_itself<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        let done = self.inner.tracker.spawn(work).await;
        done.unwrap_or_else(|error| Err(Error::from(HostError::Internal(error.to_string())).into()))
    }
}

impl Inner {
    fn namespace(&self) -> Namespace {
        self.namespace
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn own(&self, visit: &Visit, id: &UploadId) -> Result<ResumableUpload, Refusal> {
        let upload = self.state.upload(id).await?;
        upload
            .filter(|upload| upload.owner == visit.caller.name)
            .ok_or(Refusal::Unknown)
    }

    /// Throws an upload away, with all that is kept of it.
    async fn discard(&self, id: &UploadId) -> Result<(), Refusal> {
        if let Some(upload) = self.state.upload(id).await? {
            self.abort(&upload).await?;
        }
        self.forget(id).await
    }

    /// Has the storage let go of what it has of an upload.
    async fn abort(&self, upload: &ResumableUpload) -> crate::Result<()> {
        let (Route::Parts(parts), Stage::Open | Stage::Finishing) = (&upload.route, &upload.stage)
        else {
            return Ok(());
        };
        let token = parts.token.clone();
        match self
            .namespace()
            .abort_upload(&upload.wish.path, token)
            .await
        {
            // No mount is there any more.
            Err(Error::Outcome(Outcome::NotFound)) => Ok(()),
            aborted => aborted,
        }
    }

    /// Forgets an upload of which the storage has nothing, or the whole file.
    async fn forget(&self, id: &UploadId) -> Result<(), Refusal> {
        let Some(upload) = self.state.upload(id).await? else {
            return Ok(());
        };
        self.state.forget_upload(id).await?;
        Ok(self.spool.remove(id, upload.filling()).await?)
    }

    fn control(&self, id: &UploadId) -> Option<Arc<Control>> {
        self.running().get(id).map(Arc::clone)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<UploadId, Arc<Control>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses an upload to where a file is, whatever is remembered.
async fn refuse_present(namespace: &Namespace, path: &Path) -> crate::Result<()> {
    let location = Location::file(path.clone());
    match namespace.clone().refreshing().stat(&location).await {
        Ok(entry) if entry.kind == Kind::File => Err(Outcome::AlreadyExists.into()),
        // A directory of the same name is no file: both may be there.
        Ok(_)
        | Err(Error::Outcome(Outcome::NotFound | Outcome::IsADirectory | Outcome::NotADirectory)) => {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn count(what: &'static str) {
    metrics::counter!("orlop_resumable_uploads_total", "what" => what).increment(1);
}
