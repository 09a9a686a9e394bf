//! The driver against a server that verifies signatures, and against a script where a server would not do.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets the unexpected is to fail"
)]

mod abandoned;
mod checking;
mod copying;
mod fake;
mod faults;
mod keys;
mod learning;
mod links;
mod listing;
mod moving;
mod removing;
mod sharing;
mod volume;
mod writing;
