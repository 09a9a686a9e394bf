//! What every request handler needs.

use std::sync::Arc;

use super::{ServeOptions, meters::Meters};
use crate::Namespace;

/// The namespace that is served and how.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) namespace: Namespace,
    pub(crate) options: ServeOptions,
    pub(crate) meters: Meters,
}

/// The site as handlers share it.
pub(crate) type Shared = Arc<Site>;
