//! What every request handler needs.

use std::{convert::Infallible, ops::Deref, sync::Arc};

use axum::extract::FromRequestParts;
use http::{Uri, request::Parts};

use super::{
    ServeOptions, authentication::Authentication, authentication::unauthenticated, caller::Caller,
    meters::Meters, page::Ground, problem::Problem,
};
use crate::{Mount, Namespace, state::State, tasks::Tasks};

/// What is served and how.
#[derive(Debug)]
pub(crate) struct Site {
    /// Only visits see it, each as far as its caller may.
    namespace: Namespace,
    pub(crate) state: State,
    pub(crate) options: ServeOptions,
    pub(crate) meters: Meters,
    pub(crate) authentication: Authentication,
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
            authentication: Authentication::new(&options.users),
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
    /// Where it leads.
    pub(crate) uri: Uri,
    /// Where its pages begin.
    pub(crate) ground: Ground,
}

impl Visit {
    /// A request of this caller.
    pub(crate) fn new(site: Shared, caller: Caller) -> Self {
        let namespace = site.namespace_for(&caller);
        Self {
            site,
            caller,
            namespace,
            uri: Uri::default(),
            ground: Ground::default(),
        }
    }

    /// The mounts that the caller sees.
    pub(crate) fn mounts_seen(&self) -> impl Iterator<Item = &Mount> {
        let access = self.namespace.access();
        let mounts = self.namespace.mounts().iter();
        mounts.filter(|mount| access.shows(mount.path()))
    }

    /// The caller's name.
    ///
    /// # Errors
    /// 401 for a caller who did not say who it is, where there are users.
    pub(crate) fn require_user(&self) -> Result<Option<&Arc<str>>, Problem> {
        if self.caller.name.is_none() && !self.options.users.is_empty() {
            return Err(unauthenticated("log in to see this").with_denial());
        }
        Ok(self.caller.name.as_ref())
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
        let mut visit = Self::new(Arc::clone(site), caller);
        visit.uri = parts.uri.clone();
        Ok(visit)
    }
}
