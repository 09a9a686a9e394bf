//! A volume at a place in the namespace.

mod cache;
mod worker;

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
    time::Duration,
};

use self::cache::Cache;
pub use self::worker::Worker;
use crate::{
    Audience, Entry, Finding, Health, Kind, Link, LinkOptions, Outcome, Page, Path, ReadOptions,
    ReadRequest, Reading, Result, SignedUrl, Volume, network::arrives_as_written,
};

/// How files of a mount are downloaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Download {
    /// The client is sent to the storage, where the driver gives a link for it.
    #[default]
    Redirect,
    /// All bytes pass through the host.
    Proxy,
    /// The client is sent to a worker, with a descriptor of what to fetch.
    Worker(Worker),
}

/// A volume at a place in the namespace.
#[derive(Debug)]
pub struct Mount {
    path: Path,
    /// The path as metrics and logs have it.
    #[cfg(feature = "serve")]
    label: Arc<str>,
    volume: Volume,
    root: Path,
    read_only: bool,
    download: Download,
    dav_redirect: bool,
    cache: Cache,
}

/// How long listings and descriptions are kept by default.
const CACHE_TIME: Duration = Duration::from_secs(5);

impl Mount {
    /// Puts a volume at a path.
    pub fn new(path: Path, volume: Volume) -> Self {
        Self {
            cache: Cache::new(&path, CACHE_TIME),
            #[cfg(feature = "serve")]
            label: format!("/{path}").into(),
            path,
            volume,
            root: Path::ROOT,
            read_only: false,
            download: Download::default(),
            dav_redirect: false,
        }
    }

    /// Shows only what lies in this directory of the volume.
    #[must_use]
    pub fn with_root(mut self, root: Path) -> Self {
        self.root = root;
        self
    }

    /// Lets nobody write.
    #[must_use]
    pub fn with_read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// Sets how files are downloaded.
    #[must_use]
    pub fn with_download(mut self, download: Download) -> Self {
        self.download = download;
        self
    }

    /// Lets WebDAV clients be sent where [`download`](Self::download) says, too. Many of them follow no redirect, so
    /// that they get all bytes through the host otherwise.
    #[must_use]
    pub fn with_dav_redirect(mut self, dav_redirect: bool) -> Self {
        self.dav_redirect = dav_redirect;
        self
    }

    /// Sets how long listings and descriptions are kept. Changes by others are seen so much later; our own at
    /// once. Zero keeps nothing.
    #[must_use]
    pub fn with_cache_time(mut self, time: Duration) -> Self {
        self.cache = Cache::new(&self.path, time);
        self
    }

    /// Where it is in the namespace.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is, as metrics and logs have it.
    #[cfg(feature = "serve")]
    pub(crate) fn label(&self) -> &Arc<str> {
        &self.label
    }

    /// The volume behind it.
    pub fn volume(&self) -> &Volume {
        &self.volume
    }

    /// The directory of the volume that it shows.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether nobody can write: by the operator's wish, or for want of the driver's ability.
    pub fn is_read_only(&self) -> bool {
        self.read_only || !self.volume.driver().abilities().writable
    }

    /// How files are downloaded.
    pub fn download(&self) -> &Download {
        &self.download
    }

    /// Whether WebDAV clients are sent elsewhere for downloads, too.
    pub fn dav_redirect(&self) -> bool {
        self.dav_redirect
    }

    /// Finds out whether it really works. With `write`, also whether files can be written and removed, by a
    /// file of a random name that does not stay; a mount that nobody can write to is not tried.
    ///
    /// # Errors
    /// The check itself could not be made; what is wrong with the storage is a [`Finding`].
    pub async fn check(&self, write: bool) -> Result<Vec<Finding>> {
        let scratch = (write && !self.is_read_only()).then(|| self.rooted(&scratch()));
        self.volume.check(scratch.as_ref()).await
    }

    /// How its volume is doing, without asking the driver.
    pub fn health(&self) -> Health {
        self.volume.health()
    }

    /// Where a path of the mount lies in the volume.
    pub(crate) fn rooted(&self, path: &Path) -> Path {
        self.root.join(path)
    }

    pub(crate) async fn stat(&self, path: &Path, want: Option<Kind>) -> Result<Entry> {
        self.cache
            .stat(path, want, || async {
                self.volume.stat(&self.rooted(path), want).await
            })
            .await
    }

    /// Describes an entry as it is now, whatever is known of it.
    pub(crate) async fn stat_anew(&self, path: &Path, want: Option<Kind>) -> Result<Entry> {
        self.cache.forget_stat(path, want).await;
        self.stat(path, want).await
    }

    /// Lists a page as it is now, whatever is known of it.
    pub(crate) async fn list_anew(
        &self,
        directory: &Path,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Arc<Page>> {
        self.cache.forget_page(directory, cursor, limit).await;
        self.list(directory, cursor, limit).await
    }

    /// What kind of entry is known to be there, from a description that is still kept.
    pub(crate) async fn known_kind(&self, path: &Path, want: Option<Kind>) -> Option<Kind> {
        self.cache.known_kind(path, want).await
    }

    /// Whether a listing that is still known shows a file of this path. That none does means nothing.
    pub(crate) async fn lists_file(&self, path: &Path) -> bool {
        self.cache.lists_file(path).await
    }

    pub(crate) async fn list(
        &self,
        directory: &Path,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Arc<Page>> {
        self.cache
            .list(directory, cursor, limit, || async {
                let rooted = self.rooted(directory);
                match self.volume.list(&rooted, cursor, limit).await {
                    // A root that nobody has written to yet is an empty one.
                    Err(crate::Error::Outcome(Outcome::NotFound)) if directory.is_root() => {
                        Ok(Page::default())
                    }
                    result => result,
                }
            })
            .await
    }

    pub(crate) async fn link(&self, file: &Path, options: LinkOptions) -> Result<SignedUrl> {
        // Most are known, so what only a driver needs is made when it is asked.
        let (filename, expires) = (options.filename.clone(), options.expires);
        self.cache
            .link(file, options, || async {
                let asked = ReadOptions {
                    audience: Audience::Client,
                    range: None,
                    filename,
                    expires,
                };
                match self.volume.link(&self.rooted(file), &asked).await? {
                    Link::Shareable(url) if !arrives_as_written(&url.url) => {
                        Err(Outcome::Unsupported(
                            "a link to this file would lead clients elsewhere, since they resolve `.` and `..`"
                                .to_owned(),
                        )
                        .into())
                    }
                    Link::Shareable(url) => Ok(url),
                    Link::HostOnly(_) => Err(Outcome::Unsupported(
                        "the driver has no link to this file that may be given away".to_owned(),
                    )
                    .into()),
                }
            })
            .await
    }

    /// The request that fetches a file from outside, as somebody may perform it who is trusted with its headers.
    pub(crate) async fn request(&self, file: &Path) -> Result<Link> {
        let options = ReadOptions {
            audience: Audience::Client,
            range: None,
            filename: None,
            expires: None,
        };
        self.volume.link(&self.rooted(file), &options).await
    }

    pub(crate) async fn read(&self, file: &Path, request: ReadRequest) -> Result<Reading> {
        self.volume.read(&self.rooted(file), request).await
    }

    /// Forgets what was cached: something was changed.
    pub(crate) fn changed(&self) {
        self.cache.clear();
    }

    /// Refuses if nobody can write here.
    pub(crate) fn check_writable(&self) -> Result<()> {
        if self.is_read_only() {
            return Err(Outcome::PermissionDenied(format!(
                "the mount `/{}` is read-only",
                self.path
            ))
            .into());
        }
        Ok(())
    }
}

/// The path of a file that is not there.
fn scratch() -> Path {
    let random = RandomState::new().build_hasher().finish();
    Path::ROOT
        .child(&format!(".orlop-check-{random:016x}"))
        .unwrap_or_default()
}
