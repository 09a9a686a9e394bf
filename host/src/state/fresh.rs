//! A state for each test of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection as _, Executor as _};

use super::{State, StatePlace};

/// The database that `tests/postgres/run.sh` starts.
const VARIABLE: &str = "ORLOP_TEST_POSTGRES";

impl State {
    /// An empty state: in PostgreSQL where there is one for the tests, else in memory.
    pub(crate) async fn fresh() -> Self {
        let place = match postgres().await {
            Some(place) => place,
            None => StatePlace::Memory,
        };
        Self::open(place).await.unwrap()
    }
}

/// An empty schema in PostgreSQL, if there is one for the tests. It goes away with the server.
pub(crate) async fn postgres() -> Option<StatePlace> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var(VARIABLE).ok()?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let schema = format!("unit_{}_{number}", std::process::id());
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    connection.execute(create).await.unwrap();
    Some(StatePlace::Postgres(format!(
        "{url}?options[search_path]={schema}"
    )))
}
