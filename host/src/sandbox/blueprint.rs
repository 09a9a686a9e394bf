//! A compiled driver, ready to be instantiated.

use wasmtime::{
    Store,
    component::{Component, InstancePre, Linker, ResourceAny, types::ComponentItem},
};

use super::{
    bindings::exports::orlop::driver::{removable, sharing, storage, transfer, writable},
    context::Context,
    convert,
};
use crate::{Abilities, ComponentError, Descriptor};

/// A compiled driver, ready to be instantiated, with the places of its exports looked up.
pub(crate) struct Blueprint {
    pre: InstancePre<Context>,
    storage: storage::GuestIndices,
    writable: Option<writable::GuestIndices>,
    removable: Option<removable::GuestIndices>,
    transfer: Option<transfer::GuestIndices>,
    sharing: Option<sharing::GuestIndices>,
    imports: Vec<String>,
    exports: Vec<String>,
}

/// An instance's exports and the volume that it opened.
pub(super) struct Live {
    pub(super) storage: storage::Guest,
    pub(super) writable: Option<writable::Guest>,
    pub(super) removable: Option<removable::Guest>,
    pub(super) transfer: Option<transfer::Guest>,
    pub(super) sharing: Option<sharing::Guest>,
    pub(super) volume: ResourceAny,
}

/// Exports that have been loaded from an instance, before it opens a volume.
pub(super) struct Exports {
    storage: storage::Guest,
    writable: Option<writable::Guest>,
    removable: Option<removable::Guest>,
    transfer: Option<transfer::Guest>,
    sharing: Option<sharing::Guest>,
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
        let storage = storage::GuestIndices::new(&pre)
            .map_err(|error| ComponentError::Exports(error.to_string()))?;
        Ok(Self {
            storage,
            writable: optional(&exports, "writable", || writable::GuestIndices::new(&pre))?,
            removable: optional(&exports, "removable", || removable::GuestIndices::new(&pre))?,
            transfer: optional(&exports, "transfer", || transfer::GuestIndices::new(&pre))?,
            sharing: optional(&exports, "sharing", || sharing::GuestIndices::new(&pre))?,
            pre,
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
        Abilities {
            writable: self.writable.is_some(),
            removable: self.removable.is_some(),
            transfer: self.transfer.is_some(),
            sharing: self.sharing.is_some(),
        }
    }

    /// Makes an instance and checks the types of its exports.
    pub(super) async fn instantiate(
        &self,
        store: &mut Store<Context>,
    ) -> wasmtime::Result<Exports> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        Ok(Exports {
            storage: self.storage.load(&mut *store, &instance)?,
            writable: match &self.writable {
                Some(indices) => Some(indices.load(&mut *store, &instance)?),
                None => None,
            },
            removable: match &self.removable {
                Some(indices) => Some(indices.load(&mut *store, &instance)?),
                None => None,
            },
            transfer: match &self.transfer {
                Some(indices) => Some(indices.load(&mut *store, &instance)?),
                None => None,
            },
            sharing: match &self.sharing {
                Some(indices) => Some(indices.load(&mut *store, &instance)?),
                None => None,
            },
        })
    }

    /// Asks a fresh instance to describe the driver.
    pub(crate) async fn describe(&self, mut store: Store<Context>) -> wasmtime::Result<Descriptor> {
        let exports = self.instantiate(&mut store).await?;
        let descriptor = store
            .run_concurrent(async |accessor| exports.storage.call_describe(accessor).await)
            .await??;
        Ok(convert::lift_descriptor(descriptor))
    }
}

impl Exports {
    pub(super) fn storage(&self) -> &storage::Guest {
        &self.storage
    }

    pub(super) fn into_live(self, volume: ResourceAny) -> Live {
        Live {
            storage: self.storage,
            writable: self.writable,
            removable: self.removable,
            transfer: self.transfer,
            sharing: self.sharing,
            volume,
        }
    }
}

/// The indices of an interface that is exported; an interface with functions missing is an error.
fn optional<I>(
    exports: &[String],
    interface: &str,
    indices: impl FnOnce() -> wasmtime::Result<I>,
) -> Result<Option<I>, ComponentError> {
    let prefix = format!("orlop:driver/{interface}@");
    if !exports.iter().any(|name| name.starts_with(&prefix)) {
        return Ok(None);
    }
    indices()
        .map(Some)
        .map_err(|error| ComponentError::Exports(error.to_string()))
}
