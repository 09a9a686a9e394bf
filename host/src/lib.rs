//! Orlop serves files from storage services, each spoken to by a driver: a WebAssembly component locked in a
//! sandbox. This crate is the host: it loads drivers, lends them the network, and gives what they know a
//! common shape.
//!
//! ```no_run
//! use orlop::{Engine, EngineOptions, Path, VolumeOptions};
//!
//! # async fn example() -> orlop::Result<()> {
//! let engine = Engine::new(EngineOptions::default())?;
//! let driver = engine.load_file("s3.wasm".as_ref(), None).await?;
//! let volume = driver
//!     .open(VolumeOptions::new(serde_json::json!({
//!         "bucket": "photos",
//!         "endpoint": "https://s3.eu-central-1.amazonaws.com",
//!     })))
//!     .await?;
//! for entry in volume.list(&Path::ROOT, None, 100).await?.entries {
//!     println!("{:>12} {}", entry.size, entry.name);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Architecture
//!
//! ```text
//! component bytes ─ Engine ─ Driver ─ Volume ─ Mount ─ Namespace ─ serve (HTTP), cli
//! ```
//!
//! An [`Engine`] holds the runtime, the clock that stops a spinning driver, and the cache of compiled code. A
//! [`Driver`] is a component that was looked over: only what the contract lends is linked. A [`Volume`] is a
//! supervised pool of its instances, with limits and egress rules. A [`Mount`] puts a volume at a path, and a
//! [`Namespace`] joins mounts into one tree.
//!
//! Control runs through the driver, bytes do not: a read asks the driver for a signed request and performs it
//! here; a write hands the driver parts that it sends by naming them.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `serve` | `orlop::serve`: the servers; `orlop::state`: what they keep in SQLite or PostgreSQL |
//! | `cli` (default) | the `orlop` binary |
//!
//! # Stability
//!
//! Before 1.0, minor versions may break this API. The contract with drivers has a version of its own.

mod access;
mod activity;
mod built_in;
mod driver;
mod effort;
mod egress;
mod engine;
mod error;
mod limits;
mod location;
mod mount;
mod namespace;
mod network;
mod part;
mod reading;
#[cfg(feature = "serve")]
mod resumable;
mod sandbox;
#[cfg(feature = "serve")]
mod sending;
#[cfg(feature = "serve")]
pub mod serve;
#[cfg(feature = "serve")]
pub mod state;
#[cfg(feature = "serve")]
mod tasks;
mod volume;

pub use orlop_driver_types::{
    Audience, ByteRange, CompletedPart, ConfigError, Descriptor, Entry, Finding, Kind, Link,
    LinkUploadOptions, MultipartUpload, Overwrite, Page, Path, Plan, Precondition, ReadOptions,
    Severity, SignedRequest, SignedUrl, Step, UncleanPath, UploadLink, WriteOptions,
};

pub use self::{
    access::{Access, Grant, Rights},
    built_in::{built_in, built_in_names},
    driver::{Abilities, Driver, VolumeOptions},
    engine::{Engine, EngineOptions},
    error::{
        BoxError, ComponentError, Denied, Error, Fault, FaultKind, HostError, Outcome, Result,
    },
    limits::Limits,
    location::Location,
    mount::{Download, Mount, Worker},
    namespace::{Flow, LinkOptions, Namespace, Position, Totals, Work},
    part::Upload,
    reading::{BodyStream, ReadRequest, Reading},
    volume::{Health, Volume},
};

/// The example in the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ReadMe;
