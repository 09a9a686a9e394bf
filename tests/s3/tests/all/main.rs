//! The server as a client sees it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod conditions;
mod copying;
mod deletes;
mod faults;
mod keys;
mod lifecycle;
mod listing;
mod multipart;
mod objects;
mod quirks;
mod signatures;
mod xml;
