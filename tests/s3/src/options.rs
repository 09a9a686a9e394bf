use std::fmt;

use crate::etag::EtagKind;
use crate::quirks::Quirks;

/// The smallest part that Amazon S3 accepts, except as the last one: 5 MiB.
const MIN_PART_SIZE: u64 = 5 * 1024 * 1024;

/// How a [`Server`](crate::Server) behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The only key pair that is accepted. `None`: everybody may do everything, and signatures are
    /// not looked at.
    pub credentials: Option<Credentials>,
    /// The region that signatures must name, else 400 `AuthorizationHeaderMalformed`. `None`: any
    /// region does, and the server says that it is in `us-east-1`.
    pub region: Option<String>,
    /// The buckets to create.
    pub buckets: Vec<String>,
    /// How entity tags are made.
    pub etag: EtagKind,
    /// The TCP port on 127.0.0.1. 0: any free one.
    pub port: u16,
    /// The fewest bytes that a part of a multipart upload may have, the last one excepted.
    pub min_part_size: u64,
    /// How fast the body of an answer comes. `None`: as fast as the machine can.
    pub bytes_per_second: Option<u64>,
    /// What is done otherwise than by Amazon S3.
    pub quirks: Quirks,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            credentials: None,
            region: None,
            buckets: Vec::new(),
            etag: EtagKind::default(),
            port: 0,
            min_part_size: MIN_PART_SIZE,
            bytes_per_second: None,
            quirks: Quirks::default(),
        }
    }
}

/// An access key and its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The access key id.
    pub access_key: String,
    /// The secret access key; left out of the `Debug` text.
    pub secret_key: String,
}

impl Credentials {
    /// A key pair.
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self {
            access_key: access_key.into(),
            secret_key: secret_key.into(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_secret() {
        let text = format!("{:?}", Credentials::new("key-id", "hush"));
        assert!(text.contains("key-id"), "{text}");
        assert!(!text.contains("hush"), "{text}");
    }
}
