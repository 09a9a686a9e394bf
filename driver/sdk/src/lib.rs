//! What the author of an Orlop storage driver depends on.
//!
//! A driver is a type that implements [`Storage`] and, as far as its storage can, [`Writable`],
//! [`Removable`], [`Transfer`] and [`Sharing`]. It is generic over a [`Host`], which lends it the network,
//! so the same code runs in the sandbox and, in tests, natively. [`export!`] turns it into a component:
//!
//! ```text
//! #[cfg(target_family = "wasm")]
//! orlop_driver::export!(MyDriver<orlop_driver::Sandbox>: Storage + Writable);
//! ```
//!
//! Build it as a `cdylib` for `wasm32-wasip2`. The contract itself, with what a driver must and may do, is
//! in the repository's `wit` folder.

#[doc(hidden)]
pub mod bindings;
#[doc(hidden)]
pub mod component;
mod config;
mod content;
mod convert;
mod host;
mod http;
#[cfg(feature = "native")]
pub mod native;
mod paging;
mod retry;
mod sandbox;
mod stream;
#[cfg(target_family = "wasm")]
mod void;
mod volume;

pub use orlop_driver_macros::export;

pub use orlop_driver_types::{
    Audience, ByteRange, CompletedPart, ConfigError, Descriptor, Entry, Error, Finding, Kind, Link,
    LinkUploadOptions, MultipartUpload, Overwrite, Page, Path, Plan, Precondition, ReadOptions,
    Result, Severity, SignedRequest, SignedUrl, Step, UncleanPath, UploadLink, WriteOptions,
};

pub use self::{
    config::parse_config,
    content::Content,
    host::{DigestAlgorithm, Host, Part, Upload},
    http::{Body, Request, Response, StreamedResponse},
    paging::page_of,
    retry::{Attempt, Retry},
    sandbox::Sandbox,
    stream::ByteStream,
    volume::{Removable, Sharing, Storage, Transfer, Writable},
};

#[doc(hidden)]
pub use wit_bindgen;

/// The example in the author's guide compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/drivers.md")]
struct Guide;
