//! A compiled driver, ready to be instantiated.

use wasmtime::{
    Store,
    component::{Component, InstancePre, Linker, ResourceAny, types::ComponentItem},
};

use super::{
    context::Context,
    convert,
    exports::{Exports, Removable, Sharing, Storage, Transfer, Writable},
};
use crate::{Abilities, ComponentError, Descriptor};

/// A compiled driver, ready to be instantiated.
pub(crate) struct Blueprint {
    pre: InstancePre<Context>,
    abilities: Abilities,
    imports: Vec<String>,
    exports: Vec<String>,
}

/// An instance's exports and the volume that it opened.
pub(super) struct Live {
    pub(super) exports: Exports,
    pub(super) volume: ResourceAny,
}

/// The packages that a driver may import: the contract, and of WASI what standard libraries cannot do
/// without. Files, environment and sockets are there in name, with nothing behind them.
const IMPORTS: [&str; 7] = [
    "orlop:driver/",
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];

impl Blueprint {
    pub(crate) fn new(
        linker: &Linker<Context>,
        component: &Component,
    ) -> Result<Self, ComponentError> {
        let ty = component.component_type();
        let engine = component.engine();
        let imports: Vec<String> = ty
            .imports(engine)
            .map(|(name, _)| name.to_owned())
            .collect();
        let strange: Vec<String> = imports
            .iter()
            .filter(|name| !IMPORTS.iter().any(|package| name.starts_with(package)))
            .cloned()
            .collect();
        if !strange.is_empty() {
            return Err(ComponentError::Imports(strange));
        }
        let exports = ty
            .exports(engine)
            .filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentInstance(_)))
            .map(|(name, _)| name.to_owned())
            .collect::<Vec<_>>();
        let pre = linker
            .instantiate_pre(component)
            .map_err(|error| ComponentError::Exports(format!("{error:#}")))?;
        if !Storage::find(component)? {
            let lack = "there is no interface `orlop:driver/storage`".to_owned();
            return Err(ComponentError::Exports(lack));
        }
        Ok(Self {
            pre,
            abilities: Abilities {
                writable: Writable::find(component)?,
                removable: Removable::find(component)?,
                transfer: Transfer::find(component)?,
                sharing: Sharing::find(component)?,
            },
            imports,
            exports,
        })
    }

    pub(crate) fn imports(&self) -> &[String] {
        &self.imports
    }

    pub(crate) fn exports(&self) -> &[String] {
        &self.exports
    }

    pub(crate) fn abilities(&self) -> Abilities {
        self.abilities
    }

    /// Makes an instance and checks the types of its exports.
    pub(super) async fn instantiate(
        &self,
        store: &mut Store<Context>,
    ) -> wasmtime::Result<Exports> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        Exports::load(store, &instance)
    }

    /// Asks a fresh instance to describe the driver.
    pub(crate) async fn describe(&self, mut store: Store<Context>) -> wasmtime::Result<Descriptor> {
        let exports = self.instantiate(&mut store).await?;
        let descriptor = store
            .run_concurrent(async |accessor| exports.storage.describe.call(accessor, ()).await)
            .await??;
        Ok(convert::lift_descriptor(descriptor))
    }
}
