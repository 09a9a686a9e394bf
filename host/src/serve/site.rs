//! What every request handler needs.

use std::{
    convert::Infallible,
    ops::Deref,
    sync::{Arc, PoisonError, RwLock},
};

use axum::extract::FromRequestParts;
use http::{
    HeaderMap, Uri,
    header::{CACHE_CONTROL, PRAGMA},
    request::Parts,
};
use tokio_util::sync::CancellationToken;

use super::{
    ServeOptions,
    authentication::{Authentication, unauthenticated},
    caller::Caller,
    meters::{Meters, MountLabel, Tally},
    page::Ground,
    problem::Problem,
    record::Record,
};
use crate::{Mount, Namespace, resumable::Resumables, state::State, tasks::Tasks};

/// What is served, and what outlives a change of it.
#[derive(Debug)]
pub(crate) struct Site {
    view: RwLock<View>,
    pub(crate) state: State,
    pub(crate) meters: Meters,
    pub(crate) authentication: Authentication,
    pub(crate) tasks: Tasks,
    pub(crate) resumables: Resumables,
    /// Cancelled when the server is told to end: what goes on for long must come to a close.
    pub(crate) ending: CancellationToken,
}

/// What is served and how, by one configuration. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// All mounts, whoever asks.
    pub(crate) namespace: Namespace,
    pub(crate) options: Arc<ServeOptions>,
}

/// The site as handlers share it.
pub(crate) type Shared = Arc<Site>;

impl Site {
    pub(crate) fn new(namespace: Namespace, state: State, options: ServeOptions) -> Self {
        let spool = options.spool.clone();
        let view = View {
            namespace: namespace.clone(),
            options: Arc::new(options),
        };
        Self {
            tasks: Tasks::new(namespace.clone(), state.clone()),
            resumables: Resumables::new(namespace, state.clone(), spool),
            view: RwLock::new(view),
            state,
            authentication: Authentication::default(),
            meters: Meters::open(),
            ending: CancellationToken::new(),
        }
    }

    /// What is served now. A request takes one look and stays with it.
    pub(crate) fn view(&self) -> View {
        self.view
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Serves something else from the next request on.
    pub(crate) fn show(&self, namespace: Namespace, options: ServeOptions) {
        self.tasks.work_in(namespace.clone());
        self.resumables.work_in(namespace.clone());
        let view = View {
            namespace,
            options: Arc::new(options),
        };
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
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
    pub(crate) options: Arc<ServeOptions>,
    /// Where it leads.
    pub(crate) uri: Uri,
    /// Where its pages begin.
    pub(crate) ground: Ground,
    /// Counts what passes.
    pub(crate) meters: Tally,
}

impl Visit {
    /// A request of this caller.
    pub(crate) fn new(site: Shared, view: View, caller: Caller, mount: MountLabel) -> Self {
        let meters = Tally {
            site: Arc::clone(&site),
            mount,
        };
        Self {
            site,
            meters,
            namespace: view.namespace.restricted_to(&caller.access),
            caller,
            options: view.options,
            uri: Uri::default(),
            ground: Ground::default(),
        }
    }

    /// All mounts, whoever asks.
    pub(crate) fn mounts(&self) -> &[Mount] {
        self.namespace.mounts()
    }

    /// The mounts that the caller sees.
    pub(crate) fn mounts_seen(&self) -> impl Iterator<Item = &Mount> {
        let access = self.namespace.access();
        let mounts = self.mounts().iter();
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
        let view = parts.extensions.get::<View>().cloned();
        let view = view.unwrap_or_else(|| site.view());
        let caller = parts.extensions.get::<Caller>().cloned();
        let caller = caller.unwrap_or_else(|| Caller::anonymous(&view.options));
        let record = parts.extensions.get::<Arc<Record>>();
        if let (Some(record), Some(name)) = (record, &caller.name) {
            // A request has one caller; who is asked for twice is the same.
            let _ = record.user.set(Arc::clone(name));
        }
        let mount = record.and_then(|record| record.mount.clone());
        let mut visit = Self::new(Arc::clone(site), view, caller, mount);
        visit.uri = parts.uri.clone();
        if wants_fresh(&parts.headers) {
            visit.namespace = visit.namespace.refreshing();
        }
        Ok(visit)
    }
}

/// Whether a client wants no answer from memory (RFC 9111 §5.2.1.4, and §5.4 for old clients).
fn wants_fresh(headers: &HeaderMap) -> bool {
    let says = |name| {
        let mut values = headers.get_all(name).into_iter();
        values.any(|value| {
            let mut directives = value.to_str().unwrap_or_default().split(',');
            directives.any(|directive| directive.trim().eq_ignore_ascii_case("no-cache"))
        })
    };
    says(CACHE_CONTROL) || (!headers.contains_key(CACHE_CONTROL) && says(PRAGMA))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_wants_fresh_answers() {
        for (pairs, fresh) in [
            (&[] as &[(_, _)], false),
            (&[(CACHE_CONTROL, "no-cache")], true),
            (&[(CACHE_CONTROL, "max-age=0, No-Cache")], true),
            (&[(CACHE_CONTROL, "max-age=0")], false),
            (&[(PRAGMA, "no-cache")], true),
            (&[(PRAGMA, "no-cache"), (CACHE_CONTROL, "max-age=9")], false),
        ] {
            let headers: HeaderMap = pairs
                .iter()
                .map(|(name, value)| (name.clone(), value.parse().unwrap()))
                .collect();
            assert_eq!(wants_fresh(&headers), fresh, "{pairs:?}");
        }
    }
}
