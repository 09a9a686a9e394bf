//! An opened storage.

use std::{fmt, sync::Arc};

use crate::{
    CompletedPart, Driver, Entry, Finding, Kind, Link, LinkUploadOptions, Outcome, Page, Path,
    Plan, ReadOptions, ReadRequest, Reading, Result, SignedRequest, Step, Upload, UploadLink,
    WriteOptions,
    part::PartBudget,
    reading,
    sandbox::{Pool, calls::Content},
};

/// An opened storage: a pool of instances of its driver, each locked in. Clones share it.
#[derive(Clone)]
pub struct Volume {
    inner: Arc<Inner>,
}

struct Inner {
    driver: Driver,
    pool: Arc<Pool>,
    parts: PartBudget,
}

/// How a volume is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether calls are let in: false while a driver that keeps breaking is held off.
    pub ready: bool,
    /// How the driver broke last, if that was not long ago.
    pub last_error: Option<String>,
    /// Instances that live now.
    pub instances: usize,
    /// Instances that broke since the volume was opened.
    pub faults: u64,
}

impl Volume {
    pub(crate) fn new(driver: Driver, pool: Pool, parts: PartBudget) -> Self {
        Self {
            inner: Arc::new(Inner {
                driver,
                pool: Arc::new(pool),
                parts,
            }),
        }
    }

    /// The driver behind it.
    pub fn driver(&self) -> &Driver {
        &self.inner.driver
    }

    /// How it is doing, without asking the driver.
    pub fn health(&self) -> Health {
        self.inner.pool.health()
    }

    /// Finds out whether it really works. With `scratch`, the path of a file that is not there, also whether
    /// it can be written to; without, nothing is changed.
    ///
    /// # Errors
    /// The check itself could not be made; what is wrong with the storage is a [`Finding`].
    pub async fn check(&self, scratch: Option<&Path>) -> Result<Vec<Finding>> {
        self.inner.pool.check(scratch).await
    }

    /// Describes one entry. With `want`, only that kind will do; without, a file comes before a directory.
    ///
    /// # Errors
    /// [`Outcome::NotFound`] among others.
    pub async fn stat(&self, path: &Path, want: Option<Kind>) -> Result<Entry> {
        self.inner.pool.stat(path, want).await
    }

    /// Lists a directory, a page at a time. `cursor` is none for the first page, then the `next` of the page
    /// before; `limit` is cut to 1..=1000.
    ///
    /// # Errors
    /// [`Outcome::NotFound`] for a directory that does not exist, among others.
    pub async fn list(&self, directory: &Path, cursor: Option<&str>, limit: u32) -> Result<Page> {
        self.inner
            .pool
            .list(directory, cursor, limit.clamp(1, 1000))
            .await
    }

    /// Asks for a link to a file's bytes.
    ///
    /// # Errors
    /// [`Outcome::Unsupported`] if the driver makes streams and no links.
    pub async fn link(&self, path: &Path, options: &ReadOptions) -> Result<Link> {
        match self.inner.pool.read(path, options).await? {
            Content::Link(link) => Ok(link),
            Content::Stream(_) => Err(Outcome::Unsupported(
                "the driver reads files itself, and gives no links".to_owned(),
            )
            .into()),
        }
    }

    /// Reads a file, or part of it, through the host.
    ///
    /// # Errors
    /// [`Outcome::NotFound`], [`Outcome::PreconditionFailed`] if it is not the version asked for, among others.
    pub async fn read(&self, path: &Path, request: ReadRequest) -> Result<Reading> {
        reading::read(&self.inner.pool, path, request).await
    }

    /// Writes a file. It becomes visible whole or not at all. The write goes on to its end, or cleans up, also
    /// if this future is dropped.
    ///
    /// # Errors
    /// [`Outcome::PreconditionFailed`], [`Outcome::Unsupported`] among others.
    pub async fn write(&self, path: &Path, upload: Upload, options: WriteOptions) -> Result<Entry> {
        let parts = self.inner.parts.clone();
        self.inner.pool.write(path, upload, options, parts).await
    }

    /// Makes a directory and those above it.
    ///
    /// # Errors
    /// [`Outcome::AlreadyExists`] among others.
    pub async fn make_directory(&self, path: &Path) -> Result<Entry> {
        self.inner.pool.make_directory(path).await
    }

    /// Makes one step of removing a file or a tree. Call again with the step's `next` until it is none.
    ///
    /// # Errors
    /// [`Outcome::NotFound`] at the first step if there is nothing.
    pub async fn remove(&self, path: &Path, kind: Kind, cursor: Option<String>) -> Result<Step> {
        self.inner.pool.remove(path, kind, cursor).await
    }

    /// Makes one step of copying a file or a tree.
    ///
    /// # Errors
    /// [`Outcome::AlreadyExists`] if the plan refuses to overwrite, among others.
    pub async fn copy(&self, plan: &Plan, cursor: Option<String>) -> Result<Step> {
        self.inner.pool.copy(plan, cursor).await
    }

    /// Makes one step of moving a file or a tree.
    ///
    /// # Errors
    /// As [`copy`](Self::copy).
    pub async fn rename(&self, plan: &Plan, cursor: Option<String>) -> Result<Step> {
        self.inner.pool.rename(plan, cursor).await
    }

    /// Begins an upload straight from a client to the storage.
    ///
    /// # Errors
    /// [`Outcome::Unsupported`] if the driver cannot, among others.
    pub async fn link_upload(&self, path: &Path, options: LinkUploadOptions) -> Result<UploadLink> {
        self.inner.pool.link_upload(path, options).await
    }

    /// Signs `count` parts of such an upload from number `first`, which counts from 1.
    ///
    /// # Errors
    /// [`Outcome::InvalidArgument`] for numbers out of range.
    pub async fn link_parts(
        &self,
        path: &Path,
        token: String,
        first: u32,
        count: u32,
    ) -> Result<Vec<SignedRequest>> {
        self.inner.pool.link_parts(path, token, first, count).await
    }

    /// Sends a part of such an upload through the host, and tells its entity tag.
    #[cfg(feature = "serve")]
    pub(crate) async fn send_part(
        &self,
        path: &Path,
        token: &str,
        number: u32,
        part: &crate::part::Part,
    ) -> Result<String> {
        crate::sending::send(&self.inner.pool, path, token, number, part).await
    }

    /// Puts the parts of such an upload together. The call may be made again if its answer was lost.
    ///
    /// # Errors
    /// [`Outcome::InvalidArgument`] for parts that the storage does not have, [`Outcome::PreconditionFailed`] if a file
    /// is there that must not be.
    pub async fn complete_upload(
        &self,
        path: &Path,
        token: String,
        parts: Vec<CompletedPart>,
    ) -> Result<Entry> {
        self.inner.pool.complete_upload(path, token, parts).await
    }

    /// Throws the parts of such an upload away.
    ///
    /// # Errors
    /// The storage could not be asked.
    pub async fn abort_upload(&self, path: &Path, token: String) -> Result<()> {
        self.inner.pool.abort_upload(path, token).await
    }
}

impl fmt::Debug for Volume {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Volume")
            .field("driver", &self.inner.driver)
            .finish_non_exhaustive()
    }
}
