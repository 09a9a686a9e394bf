//! What the tests stand on: the program, its configuration, a client, and a world of all three.

mod answer;
#[cfg(feature = "otel")]
mod collector;
mod config;
mod dav;
mod path;
mod postgres;
mod process;
mod raw;
mod world;

use std::{future::Future, time::Duration};

#[cfg(feature = "otel")]
pub(crate) use self::collector::{Collector, Span};
pub(crate) use self::{
    answer::{Answer, client, send},
    config::{Config, Mount, SECRET, closed_port, credentials, password, s3},
    dav::Told,
    path::encode,
    postgres::postgres,
    process::{Orlop, Ran, command, run, run_with_input},
    raw::Raw,
    world::{BUCKET, World},
};

/// How long to wait for what must come. No test takes part of it when all is well; it turns one that would
/// hang into one that fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for what must come.
pub(crate) async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain: {what}"),
    }
}

/// Bytes in which no stretch is like the one before, so that parts out of order show.
pub(crate) fn noise(size: usize) -> bytes::Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes.into()
}
