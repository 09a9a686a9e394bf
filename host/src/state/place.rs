//! Where the state is kept.

use std::{fmt, fs, io, path::Path, path::PathBuf, str::FromStr};

use sqlx::any::AnyConnectOptions;

use super::{StateError, StateResult};

/// Where the state is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum StatePlace {
    /// In SQLite, in a file of this folder, which must belong to the user alone.
    Folder(PathBuf),
    /// In this PostgreSQL database, which several hosts may share.
    Postgres(String),
    /// Nowhere: it is gone when the process ends.
    Memory,
}

/// What makes SQLite keep what it was told when the machine stops, let readers and a writer work side by side, and
/// wait for other processes rather than fail.
pub(super) const PRAGMAS: [&str; 4] = [
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
];

/// The file in the folder.
const FILE: &str = "orlop.sqlite";
/// The file that whoever opens the database holds a lock on while its tables are made.
const TURN: &str = "open.lock";

impl StatePlace {
    /// Makes what has to be there before a connection.
    pub(super) fn prepare(&self) -> StateResult<AnyConnectOptions> {
        let url = match self {
            Self::Memory => "sqlite::memory:".to_owned(),
            Self::Folder(folder) => {
                own_folder(folder).map_err(|source| StateError::Folder {
                    path: folder.clone(),
                    source,
                })?;
                let file = url::Url::from_file_path(absolute(folder).join(FILE))
                    .map_err(|()| StateError::Url)?;
                format!("sqlite://{}?mode=rwc", file.path())
            }
            Self::Postgres(url) => {
                let scheme = url.split_once("://").map(|(scheme, _)| scheme);
                if !matches!(scheme, Some("postgres" | "postgresql")) {
                    return Err(StateError::Url);
                }
                url.clone()
            }
        };
        AnyConnectOptions::from_str(&url).map_err(|_| StateError::Url)
    }

    /// Waits until no other process makes the tables, and keeps others waiting until it is dropped.
    ///
    /// With PostgreSQL, the migrations themselves see to that. With SQLite they do not, and a second process would
    /// fail to make a table that is there.
    pub(super) async fn turn(&self) -> StateResult<Option<fs::File>> {
        let Self::Folder(folder) = self else {
            return Ok(None);
        };
        let path = folder.join(TURN);
        let locking = tokio::task::spawn_blocking(move || {
            let mut options = fs::File::options();
            let file = options
                .create(true)
                .truncate(false)
                .write(true)
                .open(path)?;
            file.lock()?;
            Ok(file)
        });
        let locked = locking
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)));
        locked.map(Some).map_err(|source| StateError::Folder {
            path: folder.clone(),
            source,
        })
    }
}

fn absolute(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf())
}

/// Makes a folder that nobody else may look into, unless it is there.
fn own_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // It holds keys, and may be older than we are.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

// The URL may hold a password.
impl fmt::Debug for StatePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => formatter.debug_tuple("Folder").field(folder).finish(),
            Self::Postgres(_) => formatter.debug_tuple("Postgres").finish_non_exhaustive(),
            Self::Memory => formatter.write_str("Memory"),
        }
    }
}
