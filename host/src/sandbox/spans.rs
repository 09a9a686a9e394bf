//! Which span the calls in an instance belong to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tracing::Span;
use wasmtime::{StoreContextMut, component::GuestTaskId};

use super::context::Context;

/// The spans of the calls in an instance: several are in it at once, and each may ask for requests.
#[derive(Clone, Default)]
pub(super) struct Spans {
    calls: Arc<Mutex<HashMap<GuestTaskId, Span>>>,
}

/// A call's span is known as long as this is kept.
pub(super) struct Spanned {
    spans: Spans,
    /// None if nobody listens.
    call: Option<GuestTaskId>,
}

impl Spans {
    /// Notes a call's span.
    pub(super) fn enter(&self, call: GuestTaskId, span: Span) -> Spanned {
        let call = (!span.is_disabled()).then_some(call);
        if let Some(call) = call {
            self.lock().insert(call, span);
        }
        Spanned {
            spans: self.clone(),
            call,
        }
    }

    /// The span of the call that is asking the host for something; none if nobody listens, or the call is over.
    pub(super) fn asking(store: &mut StoreContextMut<'_, Context>) -> wasmtime::Result<Span> {
        let spans = store.data().spans.clone();
        if spans.lock().is_empty() {
            return Ok(Span::none());
        }
        // The last is what the host called.
        let Some(call) = store.async_call_stack()?.last() else {
            return Ok(Span::none());
        };
        Ok(spans.lock().get(&call).cloned().unwrap_or(Span::none()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<GuestTaskId, Span>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Spanned {
    fn drop(&mut self) {
        if let Some(call) = self.call {
            self.spans.lock().remove(&call);
        }
    }
}
