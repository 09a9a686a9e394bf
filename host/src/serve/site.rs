//! What every request handler needs.

use std::{convert::Infallible, ops::Deref, sync::Arc};

use axum::extract::FromRequestParts;
use http::{
    HeaderMap,
    header::{CACHE_CONTROL, PRAGMA},
    request::Parts,
};

use super::{ServeOptions, caller::Caller, meters::Meters};
use crate::{Mount, Namespace, state::State};

/// What is served and how.
#[derive(Debug)]
pub(crate) struct Site {
    /// Only visits see it, each as far as its caller may.
    namespace: Namespace,
    pub(crate) state: State,
    pub(crate) options: ServeOptions,
    pub(crate) meters: Meters,
}

/// The site as handlers share it.
pub(crate) type Shared = Arc<Site>;

impl Site {
    pub(crate) fn new(namespace: Namespace, state: State, options: ServeOptions) -> Self {
        Self {
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
        let mut visit = Self::new(Arc::clone(site), caller);
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
