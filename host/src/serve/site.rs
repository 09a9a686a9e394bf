//! What every request handler needs.

use std::{convert::Infallible, ops::Deref, sync::Arc};

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::{ServeOptions, caller::Caller, meters::Meters};
use crate::{Mount, Namespace, state::State, tasks::Tasks};

/// What is served and how.
#[derive(Debug)]
pub(crate) struct Site {
    /// Only visits see it, each as far as its caller may.
    namespace: Namespace,
    pub(crate) state: State,
    pub(crate) options: ServeOptions,
    pub(crate) meters: Meters,
    pub(crate) tasks: Tasks,
}

/// The site as handlers share it.
pub(crate) type Shared = Arc<Site>;

impl Site {
    pub(crate) fn new(namespace: Namespace, state: State, options: ServeOptions) -> Self {
        Self {
            tasks: Tasks::new(namespace.clone(), state.clone()),
            namespace,
            state,
            options,
            meters: Meters::open(),
        }
    }

    /// All mounts, whoever asks.
    pub(crate) fn mounts(&self) -> &[Mount] {
        self.namespace.mounts()
    }

    /// The namespace as a caller may use it.
    pub(crate) fn namespace_for(&self, caller: &Caller) -> Namespace {
        self.namespace.restricted_to(&caller.access)
    }
}

/// One request: the site, as far as its caller may see and change it.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    site: Shared,
    /// Who asks.
    pub(crate) caller: Caller,
    /// What it may do.
    pub(crate) namespace: Namespace,
}

impl Visit {
    /// A request of this caller.
    pub(crate) fn new(site: Shared, caller: Caller) -> Self {
        let namespace = site.namespace_for(&caller);
        Self {
            site,
            caller,
            namespace,
        }
    }
}

impl Deref for Visit {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl FromRequestParts<Shared> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &Shared) -> Result<Self, Infallible> {
        let caller = parts.extensions.get::<Caller>().cloned();
        let caller = caller.unwrap_or_else(|| Caller::anonymous(&site.options));
        Ok(Self::new(Arc::clone(site), caller))
    }
}
