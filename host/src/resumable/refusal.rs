//! Why a request about an upload is not answered as its client wants.

use crate::{Error, HostError, state::StateError};

/// Why a request about an upload is not answered as its client wants.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The caller has no upload of this id.
    Unknown,
    /// The storage does not know the upload any more: it has to begin anew.
    Gone,
    /// Another request works on it.
    Busy,
    /// The caller has so many uploads that are not done.
    TooMany(u64),
    /// The bytes do not fit on: they would have to begin here.
    Offset(u64),
    /// The length that is said is another than the one that was, or less than what came.
    Length,
    /// More bytes than there can be, which are so many.
    TooLong(u64),
    /// The client went away, or what it sends is broken.
    Broken,
    /// The server ends, or somebody ended the upload.
    Ending,
    /// It failed.
    Failed(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<HostError> for Refusal {
    fn from(error: HostError) -> Self {
        Self::Failed(error.into())
    }
}

/// The journal failed: our own fault.
impl From<StateError> for Refusal {
    fn from(error: StateError) -> Self {
        HostError::Internal(format!("the journal of uploads: {error}")).into()
    }
}
