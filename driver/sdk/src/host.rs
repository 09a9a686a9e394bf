//! What a host lends to a driver.
//!
//! A driver is written against [`Host`]. Inside the sandbox it is [`Sandbox`](crate::Sandbox); in tests
//! and benchmarks it is whatever runs the same code natively.

use std::{
    future::Future,
    hash::{BuildHasher, RandomState},
    time::{Duration, SystemTime},
};

use crate::{Request, Response, Result, StreamedResponse};

/// The network, the clock, the dice and a pad for notes.
pub trait Host: 'static {
    /// A part of an upload.
    type Part: Part;
    /// An upload.
    type Upload: Upload<Part = Self::Part>;

    /// Sends a request and takes the whole answer, up to `max_bytes` of body.
    ///
    /// # Errors
    /// No complete answer came. The service may have acted on the request all the same.
    fn fetch(
        &self,
        request: Request<'_, Self::Part>,
        max_bytes: u64,
    ) -> impl Future<Output = Result<Response>>;

    /// Sends a request and returns as soon as the answer's head is there.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    fn send(
        &self,
        request: Request<'_, Self::Part>,
    ) -> impl Future<Output = Result<StreamedResponse>>;

    /// Waits, without holding up other calls.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()>;

    /// What an instance of this volume noted last under a name; none if nothing was, or if it is forgotten.
    fn recall(&self, name: &str) -> Option<String>;

    /// Notes a text under a name, for all instances of this volume. A few short notes are kept: see the contract.
    fn note(&self, name: &str, text: &str);

    /// The time of day.
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    /// A random number: good for jitter and names, not for keys.
    fn random(&self) -> u64 {
        RandomState::new().hash_one(0_u8)
    }
}

/// The content of one file that a client sends.
pub trait Upload: 'static {
    /// A part of it.
    type Part: Part;

    /// The number of bytes in all, if the client told.
    fn size(&self) -> Option<u64>;

    /// The media type that the client gave.
    fn content_type(&self) -> Option<String>;

    /// The next `max` bytes, or fewer at the end; none after the last byte. Calls must not overlap.
    ///
    /// # Errors
    /// The client broke off, or sent more or less than it told.
    fn next(&self, max: u64) -> impl Future<Output = Result<Option<Self::Part>>>;
}

/// Some bytes of an upload. They stay until the part is dropped, and can be sent again and again.
pub trait Part: 'static {
    /// The number of bytes, at least 1.
    fn size(&self) -> u64;

    /// A digest over the bytes, computed by the host at native speed.
    ///
    /// # Errors
    /// The host could not read the bytes back.
    fn digest(&self, algorithm: DigestAlgorithm) -> impl Future<Output = Result<Vec<u8>>>;

    /// Up to `len` bytes from `offset`; fewer at the end of the part or at the host's limit for one read.
    ///
    /// # Errors
    /// The host could not read the bytes back.
    fn read(&self, offset: u64, len: u64) -> impl Future<Output = Result<Vec<u8>>>;
}

/// A digest that the host can compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DigestAlgorithm {
    /// 16 bytes; for `Content-MD5`.
    Md5,
    /// 32 bytes; for `x-amz-content-sha256`.
    Sha256,
}
