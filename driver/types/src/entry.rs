//! Files and directories as listings describe them.

use std::time::SystemTime;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Bytes with a name.
    File,
    /// A named list of entries.
    Directory,
}

/// A file or directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The last segment of the path; empty for the root. No `/`, no NUL, not `.` or `..`.
    pub name: String,
    /// File or directory.
    pub kind: Kind,
    /// Bytes in the file, 0 for a directory.
    pub size: u64,
    /// When the content was last changed, if the storage knows.
    pub modified: Option<SystemTime>,
    /// The entity tag with its quotes (RFC 9110 §8.8.3).
    pub etag: Option<String>,
    /// The media type that the storage keeps.
    pub content_type: Option<String>,
    /// More facts, by name in lower case.
    pub extra: Vec<(String, String)>,
}

impl Entry {
    /// A file of a size, with nothing else known.
    pub fn file(name: impl Into<String>, size: u64) -> Self {
        Self {
            name: name.into(),
            kind: Kind::File,
            size,
            modified: None,
            etag: None,
            content_type: None,
            extra: Vec::new(),
        }
    }

    /// A directory.
    pub fn directory(name: impl Into<String>) -> Self {
        Self {
            kind: Kind::Directory,
            ..Self::file(name, 0)
        }
    }
}

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Entries in the storage's order. May be empty though more follow.
    pub entries: Vec<Entry>,
    /// Where the next page begins; none if this is the last.
    pub next: Option<String>,
}

/// How far a long operation has come. A step must be safe to repeat with the same cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// What to call with next; none when all is done.
    pub next: Option<String>,
    /// Items that this step finished.
    pub items: u64,
    /// Bytes that this step finished.
    pub bytes: u64,
}
