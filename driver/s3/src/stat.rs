//! Describing one entry.

use orlop_driver::{Entry, Error, Host, Kind, Path, Result};

use crate::{driver::S3, key};

impl<H: Host> S3<H> {
    /// The file at `path`, else the directory.
    pub(crate) async fn stat_entry(&self, path: &Path, want: Option<Kind>) -> Result<Entry> {
        if path.is_root() {
            return match want {
                Some(Kind::File) => Err(Error::IsADirectory),
                _ => Ok(Entry::directory("")),
            };
        }
        let refused = match want {
            Some(Kind::Directory) => None,
            _ => match self.stat_file(path).await {
                Ok(entry) => return Ok(entry),
                Err(error @ Error::PermissionDenied(_)) if want == Some(Kind::File) => {
                    return Err(self.explain(path, error).await);
                }
                Err(error) if want == Some(Kind::File) => return Err(error),
                Err(Error::NotFound) => None,
                // Who may not list gets 403 for a key that is not there.
                Err(error @ Error::PermissionDenied(_)) => Some(error),
                Err(error) => return Err(error),
            },
        };
        if self.has_keys(&key::of_directory(path)?).await? {
            Ok(Entry::directory(path.name()))
        } else {
            Err(refused.unwrap_or(Error::NotFound))
        }
    }

    /// Why a HEAD was refused: its answer has no body to tell, and 403 also means a key that is not there, to
    /// who may not list, and credentials that are wrong. A listing's answer tells them apart.
    async fn explain(&self, path: &Path, refused: Error) -> Error {
        let listed = match key::of_file(path) {
            Ok(key) => self.has_keys(&key).await.map_err(Error::from),
            Err(error) => Err(error),
        };
        match listed {
            Ok(false) => Error::NotFound,
            Err(error @ (Error::Unauthenticated(_) | Error::InvalidConfig(_))) => error,
            Ok(true) | Err(_) => refused,
        }
    }

    async fn stat_file(&self, path: &Path) -> Result<Entry> {
        let key = key::of_file(path)?;
        let head = self.client.head(&key).await?.ok_or(Error::NotFound)?;
        // An empty object of this name keeps a folder and is no file.
        if key.ends_with('/') && head.object.size == 0 {
            return Err(Error::NotFound);
        }
        Ok(head.entry(path.name()))
    }
}
