//! Uploads in parts whose bytes do not pass through a driver.

use super::Namespace;
use crate::{
    BodyStream, CompletedPart, Entry, LinkUploadOptions, Mount, Path, Result, Rights, UploadLink,
    part::Part,
};

impl Namespace {
    /// Whether files here can be uploaded in parts.
    ///
    /// # Errors
    /// As [`write`](Self::write), if nothing can be written here at all.
    pub(crate) fn takes_parts(&self, file: &Path) -> Result<bool> {
        let (mount, _) = self.target(file)?;
        Ok(mount.volume().driver().abilities().sharing)
    }

    /// Begins an upload.
    ///
    /// # Errors
    /// As [`takes_parts`](Self::takes_parts), and [`Volume::link_upload`](crate::Volume::link_upload).
    pub(crate) async fn link_upload(
        &self,
        file: &Path,
        options: LinkUploadOptions,
    ) -> Result<UploadLink> {
        let (mount, path) = self.target(file)?;
        mount.volume().link_upload(&path, options).await
    }

    /// Sends a part to the storage, and tells its entity tag.
    ///
    /// # Errors
    /// [`Outcome::NotFound`](crate::Outcome::NotFound) if the storage does not know the upload any more.
    pub(crate) async fn send_part(
        &self,
        file: &Path,
        token: &str,
        number: u32,
        part: &Part,
    ) -> Result<String> {
        let (mount, path) = self.target(file)?;
        mount.volume().send_part(&path, token, number, part).await
    }

    /// Puts the parts together.
    ///
    /// # Errors
    /// As [`Volume::complete_upload`](crate::Volume::complete_upload).
    pub(crate) async fn complete_upload(
        &self,
        file: &Path,
        token: String,
        parts: Vec<CompletedPart>,
    ) -> Result<Entry> {
        let (mount, path) = self.target(file)?;
        let completed = mount.volume().complete_upload(&path, token, parts).await;
        // Also after a failure: nobody knows what the storage did.
        mount.changed();
        completed
    }

    /// Throws the parts away, also where nothing may be written any more.
    ///
    /// # Errors
    /// The storage could not be asked.
    pub(crate) async fn abort_upload(&self, file: &Path, token: String) -> Result<()> {
        let (mount, inner) = self.entry_of(file)?;
        let path = mount.rooted(&inner);
        mount.volume().abort_upload(&path, token).await
    }

    /// Whether a file holds exactly these bytes.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub(crate) async fn holds(&self, file: &Path, size: u64, bytes: BodyStream) -> Result<bool> {
        let found = self.read(file, crate::ReadRequest::default()).await?;
        Ok(found.size == size && super::carry::alike(found.body, bytes).await?)
    }

    /// The mount that a file is written to, and the path in its volume.
    fn target(&self, file: &Path) -> Result<(&Mount, Path)> {
        self.require(file, Rights::Write)?;
        let (mount, inner) = self.entry_of(file)?;
        mount.check_writable()?;
        Ok((mount, mount.rooted(&inner)))
    }
}
