//! An upload as it is kept.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{Progress, UploadId};
use crate::{MultipartUpload, Overwrite, Path};

/// How long an upload is kept after it was last worked on.
pub(crate) const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// A file that a client sends in as many requests as it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResumableUpload {
    pub(crate) id: UploadId,
    /// The user who began it; none for a caller without a name.
    pub(crate) owner: Option<Arc<str>>,
    /// What the client wants.
    pub(crate) wish: Wish,
    pub(crate) route: Route,
    /// Parts that the storage has.
    pub(crate) parts: u32,
    /// Bytes in them.
    pub(crate) sent: u64,
    pub(crate) stage: Stage,
    /// When it is forgotten if nothing happens.
    pub(crate) expires: SystemTime,
}

/// What a client wants to become of the bytes it will send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Where the file shall be, in the namespace.
    pub(crate) path: Path,
    /// As the client said it, for it to be told again.
    pub(crate) metadata: String,
    pub(crate) content_type: Option<String>,
    pub(crate) modified: Option<SystemTime>,
    pub(crate) overwrite: Overwrite,
    /// The file's size; none if the client says it later.
    pub(crate) length: Option<u64>,
}

/// How the bytes get to the storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// They are gathered here, and written at the end.
    Whole,
    /// In parts, each as soon as it is full.
    Parts(MultipartUpload),
}

/// How near an upload is to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Bytes are to come.
    Open,
    /// The storage was asked to show the file, and may have done so.
    Finishing,
    /// The file is there, with this entity tag.
    Done(Option<String>),
}

impl ResumableUpload {
    /// How far it has come, with so many bytes in the spool.
    pub(crate) fn progress(&self, spooled: u64) -> Progress {
        let is_done = matches!(self.stage, Stage::Done(_));
        Progress {
            length: self.wish.length,
            received: match (is_done, self.wish.length) {
                (true, Some(length)) => length,
                _ => self.sent.saturating_add(spooled),
            },
            is_done,
        }
    }

    /// The part that is filled now; 1 for a file that is written whole.
    pub(crate) fn filling(&self) -> u32 {
        self.parts.saturating_add(1)
    }
}
