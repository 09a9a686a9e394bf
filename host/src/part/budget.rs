//! The memory that parts of all uploads may use together.

use std::{path::PathBuf, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The memory that parts of all uploads may use together, and where the rest goes. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct PartBudget {
    memory: Arc<Semaphore>,
    directory: Option<Arc<PathBuf>>,
}

impl PartBudget {
    /// A budget of that many bytes; what is beyond goes to a file in `directory`, or in the system's own place
    /// for such files.
    pub(crate) fn new(bytes: usize, directory: Option<PathBuf>) -> Self {
        Self {
            memory: Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))),
            directory: directory.map(Arc::new),
        }
    }

    /// Memory for that many bytes, if there is any left.
    pub(super) fn try_acquire(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes).ok()?;
        Arc::clone(&self.memory).try_acquire_many_owned(bytes).ok()
    }

    /// A file without a name, gone when it is closed.
    pub(super) fn file(&self) -> std::io::Result<std::fs::File> {
        match &self.directory {
            Some(directory) => tempfile::tempfile_in(directory.as_path()),
            None => tempfile::tempfile(),
        }
    }
}
