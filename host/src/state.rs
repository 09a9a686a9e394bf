//! What outlives the process: keys, locks, tasks, uploads and shares, in SQLite, or in PostgreSQL where several hosts share it.
//!
//! Both databases are spoken to by the same statements: parameters are `$1`, columns are TEXT and BIGINT, and upserts
//! are `ON CONFLICT`. Tables are made and changed by the files in `host/migrations`, in the order of their numbers,
//! when the state is opened.

#[cfg(test)]
mod fresh;
mod hold;
pub(crate) mod instant;
mod key;
pub(crate) mod lock;
mod place;
pub(crate) mod property;
mod session;
mod share;
mod task;
mod token;
mod upload;

use std::{fmt, fs::File, path::PathBuf, sync::Arc, time::Duration};

use sqlx::{
    AnyPool,
    any::AnyPoolOptions,
    migrate::{MigrateError, Migrator},
};

pub use self::place::StatePlace;
pub(crate) use self::{
    share::Share,
    task::{LEASE, TaskMark},
    token::Token,
};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long to wait for a connection to the database, or for another process's write.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections at once. SQLite has one writer whatever this says.
const CONNECTIONS: u32 = 8;

/// What outlives the process. Clones share it.
#[derive(Clone)]
pub struct State {
    pool: AnyPool,
    place: StatePlace,
    /// The lock on the folder: see [`hold`](Self::hold).
    held: Option<Arc<File>>,
}

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The folder cannot be made, or is not the user's own.
    #[error("cannot use the state folder `{}`: {source}; choose another with `state_dir`", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another server keeps its state there.
    #[error(
        "another server uses the state folder `{}`; give each its own with `state_dir`, or let them share a \
         PostgreSQL database by `state`",
        .0.display()
    )]
    Held(PathBuf),
    /// `state` is neither empty nor the URL of a PostgreSQL database.
    #[error("`state` must be a URL such as postgres://user@host/database")]
    Url,
    /// The database cannot be reached, or does not do as told.
    #[error("the state's database failed: {0}")]
    Database(#[source] sqlx::Error),
    /// The tables cannot be made.
    #[error("the state's tables cannot be brought up to date: {0}")]
    Migration(#[source] MigrateError),
    /// What is stored makes no sense: somebody else wrote it.
    #[error("the state holds a {0} that makes no sense")]
    Garbled(&'static str),
}

/// What every function on the state returns.
pub type StateResult<T> = Result<T, StateError>;

impl State {
    /// Opens the state, and brings its tables up to date.
    ///
    /// # Errors
    /// As [`StateError`] tells.
    pub async fn open(place: StatePlace) -> StateResult<Self> {
        sqlx::any::install_default_drivers();
        let options = place.prepare()?;
        let turn = place.turn().await?;
        let is_memory = place == StatePlace::Memory;
        let is_sqlite = !matches!(place, StatePlace::Postgres(_));
        let pool = AnyPoolOptions::new()
            // A database in memory belongs to its connection, and would be gone with it.
            .max_connections(if is_memory { 1 } else { CONNECTIONS })
            .min_connections(u32::from(is_memory))
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(PATIENCE)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if is_sqlite {
                        for pragma in place::PRAGMAS {
                            sqlx::query(pragma).execute(&mut *connection).await?;
                        }
                    }
                    Ok(())
                })
            })
            .connect_with(options)
            .await
            .map_err(StateError::Database)?;
        MIGRATIONS.run(&pool).await.map_err(StateError::Migration)?;
        drop(turn);
        Ok(Self {
            pool,
            place,
            held: None,
        })
    }

    /// A state that is gone with this value: for demos and tests.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn in_memory() -> StateResult<Self> {
        Self::open(StatePlace::Memory).await
    }

    /// Where it is kept.
    pub fn place(&self) -> &StatePlace {
        &self.place
    }

    /// Asks the database whether it is there.
    pub(crate) async fn ping(&self) -> StateResult<()> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    pub(crate) fn pool(&self) -> &AnyPool {
        &self.pool
    }
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("State")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl From<sqlx::Error> for StateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}
