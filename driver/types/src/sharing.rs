//! Uploads straight from a client to the storage.

use std::time::{Duration, SystemTime};

use crate::SignedRequest;

/// What a client wants to send straight to the storage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkUploadOptions {
    /// The number of bytes, if known.
    pub size: Option<u64>,
    /// The media type to keep.
    pub content_type: Option<String>,
    /// The time to keep as the file's modification time.
    pub modified: Option<SystemTime>,
    /// Whether no file may be there when this one becomes visible.
    pub must_be_new: bool,
    /// How long the links shall be good.
    pub expires: Option<Duration>,
}

/// How a client uploads straight to the storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadLink {
    /// One request, whose body is the whole file.
    Single(SignedRequest),
    /// One request for each part.
    Multipart(MultipartUpload),
}

/// An upload in parts that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartUpload {
    /// Names the upload in later calls. It holds no secret.
    pub token: String,
    /// The size of every part but the last.
    pub part_size: u64,
    /// The most parts that the storage takes.
    pub max_parts: u32,
}

/// A part that the storage has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedPart {
    /// From 1.
    pub number: u32,
    /// The entity tag that the storage answered with.
    pub etag: String,
}
