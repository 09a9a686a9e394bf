//! Holds the sandbox against the same code built natively.
//!
//! `orlop-bench` prints a table and writes `bench.json` into the target folder. `--quick` measures little, to
//! see whether everything still runs; names of groups measure those alone. The other roles are processes
//! that it starts for itself.

mod canned;
mod client;
mod load;
mod measure;
mod native;
mod orlop_process;
mod pace;
mod plain_server;
mod process;
mod report;
mod row;
mod sandbox;
mod scale;
mod storage;
mod usage;

use std::{io::Read, process::ExitCode};

use anyhow::{Context, Result};

use self::scale::Scale;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        [storage::ROLE, size, speed] => run(storage::serve(size, speed)),
        [canned::ROLE] => run(canned::serve()),
        [plain_server::ROLE, url] => run(plain_server::serve(url)),
        ["--quick", ref groups @ ..] => measure(Scale::QUICK, groups),
        ref groups => measure(Scale::FULL, groups),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn measure(scale: Scale, groups: &[&str]) -> Result<()> {
    let unknown = groups.iter().find(|name| !measure::GROUPS.contains(name));
    anyhow::ensure!(
        unknown.is_none(),
        "usage: orlop-bench [--quick] [GROUP]..., where a group is one of {}",
        measure::GROUPS.join(", ")
    );
    let groups = if groups.is_empty() {
        &measure::GROUPS
    } else {
        groups
    };
    run(measure::all(scale, groups))
}

fn run(role: impl Future<Output = Result<()>>) -> Result<()> {
    // Building a client asks for a provider even when there is nothing to encrypt.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(role)
}

/// Waits until the process that started this one lets go of it, or is gone itself.
async fn until_orphaned() {
    let waiting = tokio::task::spawn_blocking(|| {
        let mut byte = [0];
        while matches!(std::io::stdin().read(&mut byte), Ok(1..)) {}
    });
    // Only a panic could fail it, and then too there is nobody left to serve.
    let _ = waiting.await;
}
