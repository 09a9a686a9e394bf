//! Orlop as its users meet it: the built program, over an S3 server in this process.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

mod api;
mod checks;
mod commands;
mod conditions;
mod configuration;
mod cors;
mod dav;
mod dav_clients;
mod dav_locks;
mod dav_properties;
mod demo;
mod downloads;
mod drivers;
mod endless_answers;
mod endpoints;
mod failures;
mod folders;
mod hostile;
mod hostile_paths;
mod listing;
mod litmus;
mod memory;
mod mounts;
mod names;
mod openapi;
mod operations;
mod providers;
mod ranges;
mod read_ahead;
mod refreshing;
mod reload;
mod removal;
mod requests;
mod resumable;
mod sandbox;
mod secrets;
mod serving;
mod shares;
mod shutdown;
mod slow_clients;
mod state;
mod tasks;
mod tokens;
#[cfg(feature = "otel")]
mod traces;
mod transfers;
mod uploads;
mod users;
mod workers;
mod zip;
