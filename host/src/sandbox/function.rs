//! A function that a driver exports.

use tracing::Span;
use wasmtime::{
    AsContextMut, Store,
    component::{
        Accessor, ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower, TypedFunc,
    },
};

use super::{context::Context, spans::Spanned};

/// A function that a driver exports. The bindings' own functions do not tell which of the instance's tasks a call
/// is, and without that, nobody can say which of the calls in an instance asked for a request.
pub(super) struct Function<P: 'static, R: 'static>(TypedFunc<P, (R,)>);

impl<P, R> Function<P, R>
where
    P: ComponentNamedList + Lower + Send + Sync + 'static,
    R: Send + Sync + 'static,
    (R,): ComponentNamedList + Lift + Send + Sync,
{
    /// Looks a function up in an instance, and checks its type.
    pub(super) fn load(
        store: &mut Store<Context>,
        instance: &Instance,
        interface: &ComponentExportIndex,
        name: &str,
    ) -> wasmtime::Result<Self> {
        let index = instance
            .get_export_index(&mut *store, Some(interface), name)
            .ok_or_else(|| wasmtime::format_err!("there is no function `{name}`"))?;
        Ok(Self(instance.get_typed_func(store, index)?))
    }

    /// Calls it, and waits for its answer. What it asks for until then belongs to the current span.
    pub(super) async fn call(
        &self,
        accessor: &Accessor<Context>,
        arguments: P,
    ) -> wasmtime::Result<R> {
        let (answer, _) = self.call_on(accessor, arguments).await?;
        Ok(answer)
    }

    /// As [`Function::call`], for calls that go on behind their answer: what they ask for belongs to the span
    /// as long as the second value is kept.
    pub(super) async fn call_on(
        &self,
        accessor: &Accessor<Context>,
        arguments: P,
    ) -> wasmtime::Result<(R, Spanned)> {
        let span = Span::current();
        let (call, spanned) = accessor.with(|mut access| {
            let mut store = access.as_context_mut();
            let call = self.0.start_call_concurrent(&mut store, arguments)?;
            let spanned = store.data_mut().spans.enter(call.task(), span);
            Ok::<_, wasmtime::Error>((call, spanned))
        })?;
        let (answer,) = self.0.finish_call_concurrent(accessor, call).await?;
        Ok((answer, spanned))
    }
}
