//! Where clients of a mount are sent for the bytes, if not to the storage itself.

use std::fmt;

/// A worker: a program elsewhere, such as at a network's edge, that fetches files for clients.
///
/// It is told what to fetch by a descriptor that the client carries and cannot read or change, since only this
/// host and the worker have the key. The key opens nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Worker {
    url: String,
    key: [u8; 32],
}

impl Worker {
    /// A worker at this address. `key` is 256 random bits that no other worker has.
    pub fn new(url: impl AsRef<str>, key: [u8; 32]) -> Self {
        Self {
            url: url.as_ref().trim_end_matches('/').to_owned(),
            key,
        }
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    #[cfg(feature = "serve")]
    pub(crate) fn key(&self) -> &[u8; 32] {
        &self.key
    }
}

// Without the key.
impl fmt::Debug for Worker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Worker")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
