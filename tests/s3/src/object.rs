use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::dto::{ETag, Timestamp};

use crate::metadata::Metadata;
use crate::rope::Rope;

/// A stored object.
#[derive(Debug, Clone)]
pub struct Object {
    /// The bytes.
    pub body: Rope,
    /// The entity tag, without quotes.
    pub etag: String,
    /// When it was written. S3 knows whole seconds only.
    pub modified: SystemTime,
    /// Headers and user metadata.
    pub metadata: Metadata,
}

impl Object {
    pub(crate) fn new(body: Rope, etag: String, metadata: Metadata) -> Self {
        Self {
            body,
            etag,
            modified: now(),
            metadata,
        }
    }

    pub(crate) fn size(&self) -> i64 {
        i64::try_from(self.body.len()).unwrap_or(i64::MAX)
    }

    pub(crate) fn etag(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }

    pub(crate) fn modified(&self) -> Timestamp {
        timestamp(self.modified)
    }
}

/// The time in whole seconds.
pub(crate) fn now() -> SystemTime {
    whole_seconds(SystemTime::now())
}

/// A time as S3 shows it.
pub(crate) fn timestamp(time: SystemTime) -> Timestamp {
    whole_seconds(time).into()
}

fn whole_seconds(time: SystemTime) -> SystemTime {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since_epoch.as_secs())
}
