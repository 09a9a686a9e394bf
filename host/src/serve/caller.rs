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
}

impl Caller {
    /// Somebody who did not say who it is.
    pub(crate) fn anonymous(options: &ServeOptions) -> Self {
        Self {
            name: None,
            access: options.anonymous.clone(),
        }
    }
}
