//! What every request handler needs.

use std::{
    convert::Infallible,
    ops::Deref,
    sync::{Arc, PoisonError, RwLock},
};

use axum::extract::FromRequestParts;
use http::request::Parts;
use tokio_util::sync::CancellationToken;

use super::{ServeOptions, caller::Caller, meters::Meters};
use crate::{Mount, Namespace, state::State, tasks::Tasks};

/// What is served, and what outlives a change of it.
#[derive(Debug)]
pub(crate) struct Site {
    view: RwLock<View>,
    pub(crate) state: State,
    pub(crate) meters: Meters,
    pub(crate) tasks: Tasks,
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
        let view = View {
            namespace: namespace.clone(),
            options: Arc::new(options),
        };
        Self {
            tasks: Tasks::new(namespace, state.clone()),
            view: RwLock::new(view),
            state,
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
}

impl Visit {
    /// A request of this caller.
    pub(crate) fn new(site: Shared, view: View, caller: Caller) -> Self {
        Self {
            site,
            namespace: view.namespace.restricted_to(&caller.access),
            caller,
            options: view.options,
        }
    }

    /// All mounts, whoever asks.
    pub(crate) fn mounts(&self) -> &[Mount] {
        self.namespace.mounts()
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
        Ok(Self::new(Arc::clone(site), view, caller))
    }
}
