//! What a read gives.

use crate::{ByteStream, Link};

/// What a read gives.
#[derive(Debug)]
pub enum Content {
    /// Where the bytes are.
    Link(Link),
    /// The bytes themselves.
    Stream(ByteStream),
}
