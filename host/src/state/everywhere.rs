//! A state in every place, for tests.

use super::{State, StatePlace};

/// A fresh state in memory; and one in PostgreSQL, in a schema of its own, if `ORLOP_TEST_POSTGRES` tells of a server.
pub(crate) async fn everywhere() -> Vec<State> {
    let mut states = vec![State::in_memory().await.unwrap()];
    if let Some(place) = postgres().await {
        states.push(State::open(place).await.unwrap());
    }
    states
}

/// A fresh schema on the server that `ORLOP_TEST_POSTGRES` tells of, if it does.
pub(crate) async fn postgres() -> Option<StatePlace> {
    let server = std::env::var("ORLOP_TEST_POSTGRES").ok()?;
    let mut random = [0; 8];
    getrandom::fill(&mut random).unwrap();
    let schema = format!("test_{:016x}", u64::from_ne_bytes(random));
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&server).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    sqlx::query(create).execute(&pool).await.unwrap();
    pool.close().await;
    Some(StatePlace::Postgres(format!(
        "{server}?options[search_path]={schema}"
    )))
}
