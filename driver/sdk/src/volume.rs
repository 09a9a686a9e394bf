//! The traits that a driver implements: one for each interface of the contract.

use std::future::Future;

use crate::{
    CompletedPart, Content, Descriptor, Entry, Error, Finding, Host, Kind, LinkUploadOptions, Page,
    Path, Plan, ReadOptions, Result, Severity, SignedRequest, Step, UploadLink, WriteOptions,
};

/// What every driver can do: describe itself, open, look, list and read.
pub trait Storage: Sized + 'static {
    /// The host that it runs on; a driver is usually generic over it.
    type Host: Host;

    /// Describes the driver, always in the same way, without the network.
    fn describe() -> Descriptor;

    /// Opens a volume, without the network. `config` is a JSON object that fits the schema.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for what the schema cannot say.
    fn open(host: Self::Host, config: &str) -> Result<Self>;

    /// Finds out whether the volume really works. By default: whether its root can be listed.
    ///
    /// `scratch` is the path of a file that is not there: with it, and only then, the driver may try whether
    /// it can write, and leaves nothing behind.
    ///
    /// # Errors
    /// The check itself could not be made; what is wrong with the volume is a [`Finding`].
    #[expect(unused_variables, reason = "by default nothing is written")]
    fn check(&self, scratch: Option<&Path>) -> impl Future<Output = Result<Vec<Finding>>> {
        async {
            Ok(match self.list(&Path::ROOT, None, 1).await {
                Ok(_) => Vec::new(),
                Err(error) => vec![Finding {
                    severity: Severity::Failure,
                    field: None,
                    message: format!("cannot list the root: {error}"),
                    remedy: None,
                }],
            })
        }
    }

    /// Describes one entry. With `want`, only that kind will do; without, a file comes before a directory.
    /// By default: looks for it in its parent's listing.
    ///
    /// # Errors
    /// [`Error::NotFound`] among others.
    fn stat(&self, path: &Path, want: Option<Kind>) -> impl Future<Output = Result<Entry>> {
        async move {
            let Some(parent) = path.parent() else {
                return match want {
                    Some(Kind::File) => Err(Error::IsADirectory),
                    _ => Ok(Entry::directory("")),
                };
            };
            let mut directory = None;
            let mut cursor = None;
            loop {
                let page = self.list(&parent, cursor.as_deref(), 1000).await?;
                for entry in page.entries {
                    if entry.name != path.name() || want.is_some_and(|want| want != entry.kind) {
                        continue;
                    }
                    if entry.kind == Kind::File || want.is_some() {
                        return Ok(entry);
                    }
                    directory = Some(entry);
                }
                cursor = page.next;
                if cursor.is_none() {
                    return directory.ok_or(Error::NotFound);
                }
            }
        }
    }

    /// Lists a directory, a page at a time; `limit` is from 1 to 1000.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a directory that does not exist, among others.
    fn list(
        &self,
        directory: &Path,
        cursor: Option<&str>,
        limit: u32,
    ) -> impl Future<Output = Result<Page>>;

    /// Tells how to get a file's bytes.
    ///
    /// # Errors
    /// [`Error::IsADirectory`] for the root, among others.
    fn read(&self, path: &Path, options: &ReadOptions) -> impl Future<Output = Result<Content>>;
}

/// Writing files.
pub trait Writable: Storage {
    /// Writes a file from an upload. It becomes visible whole or not at all, and a failure leaves nothing.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`], [`Error::QuotaExceeded`] among others.
    fn write(
        &self,
        path: &Path,
        upload: <Self::Host as Host>::Upload,
        options: &WriteOptions,
    ) -> impl Future<Output = Result<Entry>>;

    /// Makes a directory and those above it.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] among others.
    fn make_directory(&self, path: &Path) -> impl Future<Output = Result<Entry>>;
}

/// Removing files and trees.
pub trait Removable: Storage {
    /// Removes the file, or the directory with all that is in it, step by step.
    ///
    /// # Errors
    /// [`Error::NotFound`] at the first step if there is nothing.
    fn remove(
        &self,
        path: &Path,
        kind: Kind,
        cursor: Option<&str>,
    ) -> impl Future<Output = Result<Step>>;
}

/// Copying and moving inside one volume.
pub trait Transfer: Storage {
    /// Copies a file or a tree with its metadata, step by step.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] if the plan refuses to overwrite, among others.
    fn copy(&self, plan: &Plan, cursor: Option<&str>) -> impl Future<Output = Result<Step>>;

    /// Moves a file or a tree, step by step. A source is removed only after its copy is known to be there.
    ///
    /// # Errors
    /// As [`copy`](Self::copy).
    fn rename(&self, plan: &Plan, cursor: Option<&str>) -> impl Future<Output = Result<Step>>;
}

/// Uploads straight from a client to the storage.
pub trait Sharing: Storage {
    /// Begins an upload.
    ///
    /// # Errors
    /// [`Error::TooLarge`] among others.
    fn link_upload(
        &self,
        path: &Path,
        options: &LinkUploadOptions,
    ) -> impl Future<Output = Result<UploadLink>>;

    /// Signs `count` parts from number `first`, which counts from 1.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for numbers out of range.
    fn link_parts(
        &self,
        path: &Path,
        token: &str,
        first: u32,
        count: u32,
    ) -> impl Future<Output = Result<Vec<SignedRequest>>>;

    /// Puts the parts together: the file becomes visible. If it is there already, made of these very parts, it is
    /// described as if it had just been made.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for parts that the storage does not have, [`Error::PreconditionFailed`] if a file is
    /// there that must not be.
    fn complete_upload(
        &self,
        path: &Path,
        token: &str,
        parts: &[CompletedPart],
    ) -> impl Future<Output = Result<Entry>>;

    /// Throws the parts away. An upload that is already gone is no error.
    ///
    /// # Errors
    /// The storage could not be asked.
    fn abort_upload(&self, path: &Path, token: &str) -> impl Future<Output = Result<()>>;
}
