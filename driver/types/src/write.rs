//! How files are written.

use std::time::SystemTime;

/// What must be true of the destination for a write to happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing: whatever is there is replaced.
    #[default]
    None,
    /// No file may be there.
    Absent,
    /// The file there must have this entity tag.
    Matches(String),
}

/// How a file is to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// What must be true of the destination.
    pub precondition: Precondition,
    /// The time to keep as the file's modification time.
    pub modified: Option<SystemTime>,
    /// More wishes, by name; unknown ones are ignored.
    pub extra: Vec<(String, String)>,
}
