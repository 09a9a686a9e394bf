//! Mounts joined into one tree.

mod carry;
mod flow;
#[cfg(feature = "serve")]
mod sharing;
mod step;
mod walk;
mod work;

use std::{sync::Arc, time::Duration};

pub use self::{
    flow::Flow,
    work::{Position, Work},
};
use crate::{
    Access, Denied, Entry, Error, HostError, Kind, Link, Location, Mount, Outcome, Page, Path,
    ReadRequest, Reading, Result, Rights, SignedUrl, Upload, WriteOptions,
};

/// Mounts joined into one tree. Clones share it.
#[derive(Clone, Debug)]
pub struct Namespace {
    mounts: Arc<[Mount]>,
    access: Access,
    /// Whether what is known is asked for anew, where this caller may write.
    refreshing: bool,
}

/// What a client's link is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LinkOptions {
    /// The file name that the client shall save under.
    pub filename: Option<String>,
    /// How long the link shall be good; none for the mount's own time.
    pub expires: Option<Duration>,
}

/// How much of a long operation is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Files and directory markers.
    pub items: u64,
    /// Bytes in them.
    pub bytes: u64,
}

impl Totals {
    fn add(&mut self, items: u64, bytes: u64) {
        self.items = self.items.saturating_add(items);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

impl Namespace {
    /// Joins mounts. One may lie inside another, and hides what is there.
    ///
    /// # Errors
    /// [`HostError::Mounts`] if two have the same path.
    pub fn new(mut mounts: Vec<Mount>) -> Result<Self> {
        mounts.sort_by(|a, b| a.path().cmp(b.path()));
        for (a, b) in mounts.iter().zip(mounts.iter().skip(1)) {
            if a.path() == b.path() {
                let message = format!("two mounts have the path `/{}`", a.path());
                return Err(HostError::Mounts(message).into());
            }
        }
        Ok(Self {
            mounts: mounts.into(),
            access: Access::full(),
            refreshing: false,
        })
    }

    /// The same tree for somebody who may do only this in it. What may not be read does not show.
    #[must_use]
    pub fn restricted_to(&self, access: &Access) -> Self {
        Self {
            mounts: Arc::clone(&self.mounts),
            access: self.access.and(access),
            refreshing: self.refreshing,
        }
    }

    /// The same tree, which answers what is described and listed from the storages rather than from memory,
    /// and remembers that. Only where the caller may write: others could make the host ask without end.
    #[must_use]
    pub fn refreshing(self) -> Self {
        Self {
            refreshing: true,
            ..self
        }
    }

    /// What may be done in it.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// All mounts, by path.
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// The mount that a path lies in; none above and beside all mounts.
    pub fn mount_of(&self, path: &Path) -> Option<&Mount> {
        self.resolve(path).map(|(mount, _)| mount)
    }

    /// Describes one entry.
    ///
    /// # Errors
    /// [`Outcome::NotFound`] among others.
    pub async fn stat(&self, location: &Location) -> Result<Entry> {
        let Location { path, want } = location;
        if self.is_way(path) || (self.is_fixed(path) && self.access.shows(path)) {
            return match want {
                Some(Kind::File) => Err(Outcome::IsADirectory.into()),
                _ => Ok(Entry::directory(path.name())),
            };
        }
        self.require(path, Rights::Read)?;
        let (mount, inner) = self.resolve(path).ok_or(Outcome::NotFound)?;
        if self.refreshes(path) {
            return mount.stat_anew(&inner, *want).await;
        }
        mount.stat(&inner, *want).await
    }

    /// What kind of entry is at a location. A listing that was made a moment ago spares the question.
    ///
    /// # Errors
    /// As [`stat`](Self::stat).
    pub async fn kind(&self, location: &Location) -> Result<Kind> {
        let Location { path, want } = location;
        if *want != Some(Kind::Directory)
            && let Some((mount, inner)) = self.remembering(path)
        {
            if let Some(kind) = mount.known_kind(&inner, *want).await {
                return Ok(kind);
            }
            if mount.lists_file(&inner).await {
                return Ok(Kind::File);
            }
        }
        Ok(self.stat(location).await?.kind)
    }

    /// Whether a listing that was made a moment ago shows a file of this path. That none does means nothing.
    pub async fn lists_file(&self, path: &Path) -> bool {
        match self.remembering(path) {
            Some((mount, inner)) => mount.lists_file(&inner).await,
            None => false,
        }
    }

    /// The mount whose memory the caller may be answered from, and the path there.
    fn remembering(&self, path: &Path) -> Option<(&Mount, Path)> {
        let may_read = self.access.rights(path) >= Rights::Read;
        self.resolve(path)
            .filter(|_| may_read && !self.refreshes(path))
    }

    /// Lists a directory, a page at a time; `limit` is cut to 1..=1000, and a page may hold fewer entries. The
    /// first page begins with the mounts that lie in the directory.
    ///
    /// # Errors
    /// [`Outcome::NotFound`] for a directory that does not exist, among others.
    pub async fn list(
        &self,
        directory: &Path,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Arc<Page>> {
        if self.is_way(directory) {
            return Ok(Arc::new(self.ways(directory).await?));
        }
        self.require(directory, Rights::Read)?;
        let fixed = self.fixed_in(directory);
        let Some((mount, inner)) = self.resolve(directory) else {
            if !self.is_fixed(directory) {
                return Err(Outcome::NotFound.into());
            }
            return Ok(Arc::new(Page {
                entries: fixed,
                next: None,
            }));
        };
        let limit = limit.clamp(1, 1000);
        let listed = if self.refreshes(directory) {
            mount.list_anew(&inner, cursor, limit).await
        } else {
            mount.list(&inner, cursor, limit).await
        };
        let page = match listed {
            // A mount inside may be all that is in a directory.
            Err(crate::Error::Outcome(Outcome::NotFound)) if !fixed.is_empty() => Arc::default(),
            result => result?,
        };
        let hides = self.access.differs_below(directory);
        if fixed.is_empty() && !hides {
            return Ok(page);
        }
        let shows = |entry: &Entry| {
            (entry.kind == Kind::File || fixed.iter().all(|fixed| fixed.name != entry.name))
                && (!hides || self.shows_in(directory, entry))
        };
        let listed: Vec<Entry> = page
            .entries
            .iter()
            .filter(|entry| shows(entry))
            .cloned()
            .collect();
        let mut entries = if cursor.is_none() { fixed } else { Vec::new() };
        entries.extend(listed);
        Ok(Arc::new(Page {
            entries,
            next: page.next.clone(),
        }))
    }

    /// A link to a file's bytes that may be given to a client.
    ///
    /// # Errors
    /// [`Outcome::Unsupported`] if the driver has none that may be given away, among others.
    pub async fn link(&self, file: &Path, options: LinkOptions) -> Result<SignedUrl> {
        self.require(file, Rights::Read)?;
        let (mount, inner) = self.entry_of(file)?;
        mount.link(&inner, options).await
    }

    /// The request that fetches a file from outside, for somebody who is trusted with its headers.
    #[cfg(feature = "serve")]
    pub(crate) async fn request(&self, file: &Path) -> Result<Link> {
        self.require(file, Rights::Read)?;
        let (mount, inner) = self.entry_of(file)?;
        mount.request(&inner).await
    }

    /// Reads a file, or part of it, through the host.
    ///
    /// # Errors
    /// [`Outcome::NotFound`], [`Outcome::PreconditionFailed`] among others.
    pub async fn read(&self, file: &Path, request: ReadRequest) -> Result<Reading> {
        self.require(file, Rights::Read)?;
        let (mount, inner) = self.entry_of(file)?;
        mount.read(&inner, request).await
    }

    /// Writes a file. It becomes visible whole or not at all.
    ///
    /// # Errors
    /// [`Outcome::PermissionDenied`] on a read-only mount, [`Outcome::PreconditionFailed`] among others.
    pub async fn write(&self, file: &Path, upload: Upload, options: WriteOptions) -> Result<Entry> {
        self.require(file, Rights::Write)?;
        let (mount, inner) = self.entry_of(file)?;
        mount.check_writable()?;
        let written = mount
            .volume()
            .write(&mount.rooted(&inner), upload, options)
            .await;
        // Also after a failure: nobody knows what the storage did.
        mount.changed();
        written
    }

    /// Makes a directory and those above it.
    ///
    /// # Errors
    /// [`Outcome::AlreadyExists`], [`Outcome::PermissionDenied`] among others.
    pub async fn make_directory(&self, directory: &Path) -> Result<Entry> {
        self.require(directory, Rights::Write)?;
        if self.is_fixed(directory) {
            return Err(Outcome::AlreadyExists.into());
        }
        let (mount, inner) = self.entry_of(directory)?;
        mount.check_writable()?;
        let made = mount.volume().make_directory(&mount.rooted(&inner)).await;
        mount.changed();
        made
    }

    /// Refuses whoever may not change what is at a path, before anything is done.
    ///
    /// # Errors
    /// [`Error::Denied`], or [`Outcome::PermissionDenied`] on a read-only mount.
    pub(crate) fn check_change(&self, path: &Path) -> Result<()> {
        self.require(path, Rights::Write)?;
        match self.resolve(path) {
            Some((mount, _)) => mount.check_writable(),
            None => Ok(()),
        }
    }

    fn refreshes(&self, path: &Path) -> bool {
        self.refreshing && self.access.rights(path) == Rights::Write
    }

    /// Refuses whoever has not at least these rights at a path.
    fn require(&self, path: &Path, rights: Rights) -> Result<(), Denied> {
        if self.access.rights(path) >= rights {
            return Ok(());
        }
        Err(Denied {
            path: path.clone(),
            rights,
        })
    }

    /// Refuses whoever has not at least these rights at a path and all below it.
    fn require_tree(&self, path: &Path, rights: Rights) -> Result<(), Denied> {
        if self.access.covers(path, rights) {
            return Ok(());
        }
        Err(Denied {
            path: path.clone(),
            rights,
        })
    }

    /// Whether a path shows only since it lies on the way to something that may be read.
    fn is_way(&self, path: &Path) -> bool {
        self.access.rights(path) == Rights::Nothing && self.access.leads_on(path)
    }

    /// What a directory shows that is only on the way to something else.
    async fn ways(&self, directory: &Path) -> Result<Page> {
        let mut entries = Vec::new();
        for name in self.access.ways(directory) {
            let Ok(path) = directory.child(&name) else {
                continue;
            };
            // A grant may name a file, or something that is not there.
            match self.stat(&Location::any(path)).await {
                Ok(entry) => entries.push(entry),
                Err(Error::Outcome(Outcome::NotFound)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Page {
            entries,
            next: None,
        })
    }

    fn shows_in(&self, directory: &Path, entry: &Entry) -> bool {
        directory
            .child(&entry.name)
            .is_ok_and(|path| self.access.shows(&path))
    }

    /// The mount that a path lies in, and the path inside it.
    fn resolve(&self, path: &Path) -> Option<(&Mount, Path)> {
        let mount = self
            .mounts
            .iter()
            .filter(|mount| mount.path() == path || mount.path().contains(path))
            .max_by_key(|mount| mount.path().as_str().len())?;
        Some((mount, path.relative_to(mount.path())?))
    }

    /// As [`resolve`](Self::resolve), for something inside a mount: not a mount itself, nor what holds mounts.
    fn entry_of(&self, path: &Path) -> Result<(&Mount, Path)> {
        match self.resolve(path) {
            Some((mount, inner)) if !inner.is_root() => Ok((mount, inner)),
            Some(_) => Err(Outcome::IsADirectory.into()),
            None if self.is_fixed(path) => Err(Outcome::IsADirectory.into()),
            None => Err(Outcome::NotFound.into()),
        }
    }

    /// Whether a path is a directory by the mounts alone: the root, a mount, or what one lies in.
    fn is_fixed(&self, path: &Path) -> bool {
        path.is_root()
            || self
                .mounts
                .iter()
                .any(|mount| mount.path() == path || path.contains(mount.path()))
    }

    /// The directories that a directory has by the mounts alone.
    fn fixed_in(&self, directory: &Path) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self
            .mounts
            .iter()
            .filter_map(|mount| mount.path().relative_to(directory))
            .filter_map(|below| below.segments().next().map(Entry::directory))
            .filter(|entry| self.shows_in(directory, entry))
            .collect();
        // Mounts are sorted by path, but `a-b` comes between `a` and `a/b`.
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries.dedup_by(|a, b| a.name == b.name);
        entries
    }
}
