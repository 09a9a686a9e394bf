//! What a read asks for and how its bytes are reached.

use std::time::{Duration, SystemTime};

/// Who will use a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A client of the host, such as a browser.
    Client,
    /// The host itself.
    Host,
}

/// Part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte, from 0.
    pub offset: u64,
    /// How many bytes; none means up to the end. Never 0.
    pub length: Option<u64>,
}

/// How a file is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// Who will use a link.
    pub audience: Audience,
    /// The bytes wanted, for drivers that answer with a stream.
    pub range: Option<ByteRange>,
    /// The file name that the client shall save under.
    pub filename: Option<String>,
    /// How long a link shall be good.
    pub expires: Option<Duration>,
}

/// A request that the driver signed, complete but for the sending.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// The one method that it is good for.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Headers that must be sent as they are.
    pub headers: Vec<(String, String)>,
    /// When it stops working; none if never.
    pub expires: Option<SystemTime>,
}

/// A URL that is enough by itself, for GET.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedUrl {
    /// The whole URL.
    pub url: String,
    /// When it stops working; none if never.
    pub expires: Option<SystemTime>,
}

/// How to fetch a file's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// The URL alone is enough: it may be given to a client.
    Shareable(SignedUrl),
    /// Only the host may perform it. The method is `GET`.
    HostOnly(SignedRequest),
}

// A signed URL is as good as a password while it lasts, so neither shows in debug output.
impl std::fmt::Debug for SignedRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SignedRequest")
            .field("method", &self.method)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SignedUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SignedUrl")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
