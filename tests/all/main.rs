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
mod demo;
mod downloads;
mod drivers;
mod endpoints;
mod failures;
mod folders;
mod hostile;
mod hostile_paths;
mod listing;
mod memory;
mod mounts;
mod names;
mod operations;
mod providers;
mod ranges;
mod reload;
mod removal;
mod requests;
mod sandbox;
mod secrets;
mod serving;
mod shutdown;
mod state;
mod tasks;
mod transfers;
mod uploads;
