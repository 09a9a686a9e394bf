//! The words of Orlop's driver contract as plain Rust types, the same on both sides of the sandbox.
//!
//! What each item promises in full stands in the repository's `wit` folder. Drivers reach these types
//! through `orlop-driver`, programs that host drivers through `orlop`.

mod descriptor;
mod entry;
mod error;
mod link;
mod path;
mod sharing;
mod transfer;
mod write;

pub use self::{
    descriptor::{Descriptor, Finding, Severity},
    entry::{Entry, Kind, Page, Step},
    error::{ConfigError, Error, Result},
    link::{Audience, ByteRange, Link, ReadOptions, SignedRequest, SignedUrl},
    path::{Path, UncleanPath},
    sharing::{CompletedPart, LinkUploadOptions, MultipartUpload, UploadLink},
    transfer::{Overwrite, Plan},
    write::{Precondition, WriteOptions},
};
