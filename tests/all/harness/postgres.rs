use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection as _, Executor as _};

/// The URL of an empty schema of the test's own in PostgreSQL, for `Config::set("state", …)`, on the server that
/// `tests/postgres/run.sh` started.
pub(crate) async fn postgres() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var("ORLOP_TEST_POSTGRES").unwrap();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let schema = format!("black_box_{}_{number}", std::process::id());
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    connection.execute(create).await.unwrap();
    format!("{url}?options[search_path]={schema}")
}
