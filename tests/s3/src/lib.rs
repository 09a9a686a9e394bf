//! An S3 server in memory, for Orlop's black-box tests and benchmarks.
//!
//! The wire protocol (routing, signatures, XML) is the `s3s` crate's; this crate adds an object
//! store with the semantics of Amazon S3, a recorder of requests, and faults to inject.
//!
//! ```
//! use orlop_test_s3::{Fault, Matcher, Options, Server};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::start(Options { buckets: vec!["photos".into()], ..Options::default() }).await?;
//! server.store().put("photos", "2024/cat.jpg", "meow");
//! server.faults().inject(Matcher::any().path("cat.jpg"), Fault::slow_down());
//!
//! // The first GET of http://127.0.0.1:PORT/photos/2024/cat.jpg answers 503 SlowDown, the second
//! // one 200.
//! println!("{}/photos/2024/cat.jpg", server.endpoint());
//! server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! A service that does things otherwise than Amazon is a [`Quirks`] away: `quirks: Quirks::of("oss")`.
//!
//! A request passes through the recorder, then the faults, then the signature check, then the
//! store. A delay is a [`Gate`] that the test itself opens; only the speed of a line, where
//! [`Options::bytes_per_second`] limits it, is a matter of a clock.

mod backend;
mod etag;
mod faults;
mod metadata;
mod object;
mod options;
mod quirks;
mod requests;
mod rope;
mod server;
mod store;

pub use crate::etag::EtagKind;
pub use crate::faults::{Fault, Faults, Gate, Matcher};
pub use crate::metadata::Metadata;
pub use crate::object::Object;
pub use crate::options::{Credentials, Options};
pub use crate::quirks::{KeyRule, Quirks};
pub use crate::requests::{Request, Requests};
pub use crate::rope::Rope;
pub use crate::server::{Server, StartError};
pub use crate::store::Store;
