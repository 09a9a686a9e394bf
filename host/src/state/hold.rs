//! One server for each state in SQLite.

use std::{fs, io, path::Path, sync::Arc};

use super::{State, StateError, StatePlace, StateResult};

/// The file in the folder that a server holds a lock on as long as it lives.
const FILE: &str = "server.lock";

impl State {
    /// Makes this process the only server of the state. Two servers over one folder would take each other's tasks
    /// for those of a dead process. The system lets go of the folder when the process ends, however it ends.
    ///
    /// A database server may be shared: there, nothing is held.
    ///
    /// # Errors
    /// [`StateError::Held`] if another server has the folder.
    pub fn hold(&mut self) -> StateResult<()> {
        let StatePlace::Folder(folder) = &self.place else {
            return Ok(());
        };
        let file = lock(&folder.join(FILE)).map_err(|error| match error {
            fs::TryLockError::WouldBlock => StateError::Held(folder.clone()),
            fs::TryLockError::Error(source) => StateError::Folder {
                path: folder.clone(),
                source,
            },
        })?;
        self.held = Some(Arc::new(file));
        Ok(())
    }

    /// Whether no other server can use the state now.
    pub(crate) fn is_sole(&self) -> bool {
        self.held.is_some() || self.place == StatePlace::Memory
    }
}

fn lock(path: &Path) -> Result<fs::File, fs::TryLockError> {
    let open = fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path);
    let file = open.map_err(|error: io::Error| fs::TryLockError::Error(error))?;
    file.try_lock()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_has_one_server() {
        let folder = tempfile::tempdir().unwrap();
        let place = StatePlace::Folder(folder.path().to_owned());
        let mut first = State::open(place.clone()).await.unwrap();
        let mut second = State::open(place).await.unwrap();
        first.hold().unwrap();
        assert!(first.is_sole());
        assert!(matches!(second.hold(), Err(StateError::Held(_))));
        assert!(!second.is_sole());
        drop(first);
        second.hold().unwrap();
    }
}
