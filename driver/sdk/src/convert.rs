//! Between the crate's types and the generated ones.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{ConfigError, Entry, Error, Kind, Step, bindings::orlop::driver::types};

impl From<Step> for types::Step {
    fn from(step: Step) -> Self {
        Self {
            next: step.next,
            items: step.items,
            bytes: step.bytes,
        }
    }
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        match error {
            types::Error::NotFound => Self::NotFound,
            types::Error::AlreadyExists => Self::AlreadyExists,
            types::Error::NotADirectory => Self::NotADirectory,
            types::Error::IsADirectory => Self::IsADirectory,
            types::Error::PreconditionFailed => Self::PreconditionFailed,
            types::Error::PermissionDenied(text) => Self::PermissionDenied(text),
            types::Error::Unauthenticated(text) => Self::Unauthenticated(text),
            types::Error::InvalidConfig(error) => Self::InvalidConfig(ConfigError {
                field: error.field,
                message: error.message,
            }),
            types::Error::InvalidArgument(text) => Self::InvalidArgument(text),
            types::Error::Unsupported(text) => Self::Unsupported(text),
            types::Error::RateLimited(after) => Self::RateLimited(after.map(Duration::from_millis)),
            types::Error::Unavailable(text) => Self::Unavailable(text),
            types::Error::QuotaExceeded(text) => Self::QuotaExceeded(text),
            types::Error::TooLarge(limit) => Self::TooLarge(limit),
            types::Error::Blocked(text) => Self::Blocked(text),
            types::Error::TimedOut => Self::TimedOut,
            types::Error::Other(text) => Self::Other(text),
        }
    }
}

impl From<Error> for types::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound,
            Error::AlreadyExists => Self::AlreadyExists,
            Error::NotADirectory => Self::NotADirectory,
            Error::IsADirectory => Self::IsADirectory,
            Error::PreconditionFailed => Self::PreconditionFailed,
            Error::PermissionDenied(text) => Self::PermissionDenied(text),
            Error::Unauthenticated(text) => Self::Unauthenticated(text),
            Error::InvalidConfig(error) => Self::InvalidConfig(types::ConfigError {
                field: error.field,
                message: error.message,
            }),
            Error::InvalidArgument(text) => Self::InvalidArgument(text),
            Error::Unsupported(text) => Self::Unsupported(text),
            Error::RateLimited(after) => Self::RateLimited(after.map(whole_milliseconds)),
            Error::Unavailable(text) => Self::Unavailable(text),
            Error::QuotaExceeded(text) => Self::QuotaExceeded(text),
            Error::TooLarge(limit) => Self::TooLarge(limit),
            Error::Blocked(text) => Self::Blocked(text),
            Error::TimedOut => Self::TimedOut,
            Error::Other(text) => Self::Other(text),
        }
    }
}

impl From<Kind> for types::Kind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::File => Self::File,
            Kind::Directory => Self::Directory,
        }
    }
}

impl From<types::Kind> for Kind {
    fn from(kind: types::Kind) -> Self {
        match kind {
            types::Kind::File => Self::File,
            types::Kind::Directory => Self::Directory,
        }
    }
}

impl From<Entry> for types::Entry {
    fn from(entry: Entry) -> Self {
        Self {
            name: entry.name,
            kind: entry.kind.into(),
            size: entry.size,
            modified: entry.modified.map(to_milliseconds),
            etag: entry.etag,
            content_type: entry.content_type,
            extra: entry.extra,
        }
    }
}

/// Milliseconds since the epoch; instants before it become 0.
#[doc(hidden)]
pub fn to_milliseconds(instant: SystemTime) -> u64 {
    instant
        .duration_since(UNIX_EPOCH)
        .map_or(0, whole_milliseconds)
}

/// The instant that many milliseconds after the epoch, or the epoch if it is out of range.
#[doc(hidden)]
pub fn from_milliseconds(milliseconds: u64) -> SystemTime {
    UNIX_EPOCH
        .checked_add(Duration::from_millis(milliseconds))
        .unwrap_or(UNIX_EPOCH)
}

fn whole_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
