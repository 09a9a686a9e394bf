//! Who sends a request.

use std::sync::Arc;

use super::ServeOptions;
use crate::Access;

/// Who sends a request, and what that allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The user's name; none for a caller who did not say.
    pub(crate) name: Option<Arc<str>>,
    /// What may be done.
    pub(crate) access: Access,
    /// How the caller showed who it is.
    pub(crate) means: Means,
}

/// How callers show who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    /// Not at all.
    Nothing,
    /// By a password in this request.
    Password,
    /// By the cookie that a password gave.
    Session,
    /// By an API token, which cannot do all that its owner can.
    Token,
}

impl Caller {
    /// Somebody who did not say who it is.
    pub(crate) fn anonymous(options: &ServeOptions) -> Self {
        Self::nameless(options.anonymous.clone())
    }

    /// Somebody who may do this, whoever it is.
    pub(crate) fn nameless(access: Access) -> Self {
        Self {
            name: None,
            access,
            means: Means::Nothing,
        }
    }
}
