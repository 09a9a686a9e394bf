//! What is copied or moved where.

use crate::{Kind, Path};

/// What to do about files that are at the destination already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// They end the work with [`Error::AlreadyExists`](crate::Error::AlreadyExists).
    Refuse,
    /// They are replaced; directories are merged.
    Replace,
}

/// What to copy or move where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The source.
    pub from: Path,
    /// The full path of the destination: neither the source nor inside it.
    pub to: Path,
    /// What the source is.
    pub kind: Kind,
    /// What to do about files that are there.
    pub overwrite: Overwrite,
}
