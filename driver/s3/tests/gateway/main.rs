//! The driver against a real gateway: `make test-ceph` starts one and runs this.
//!
//! Each test has a folder of its own in one bucket.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod gateway;

mod failures;
mod reading;
mod sharing;
mod trees;
mod writing;
