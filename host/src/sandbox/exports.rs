//! What an instance of a driver exports, function by function.

use wasmtime::{
    Store,
    component::{Component, Instance, ResourceAny},
};

use super::{
    bindings::{
        exports::orlop::driver::{sharing, storage, transfer, writable},
        orlop::driver::{types, uploads},
    },
    context::Context,
    function::Function,
};
use crate::ComponentError;

/// What a function answers.
type Answer<T> = Result<T, types::Error>;
type Cursor = Option<String>;

/// Declares an interface of the contract: its functions, their names in the component, and their types.
macro_rules! interface {
    ($(#[$doc:meta])* $interface:ident = $package:literal {
        $($function:ident = $name:literal: ($($argument:ty),*) -> $answer:ty;)*
    }) => {
        $(#[$doc])*
        pub(super) struct $interface {
            $(pub(super) $function: Function<($($argument,)*), $answer>,)*
        }

        impl $interface {
            /// Whether a component exports it; an interface with functions missing is an error.
            pub(super) fn find(component: &Component) -> Result<bool, ComponentError> {
                let Some(interface) = component.get_export_index(None, $package) else {
                    return Ok(false);
                };
                for name in [$($name),*] {
                    if component.get_export_index(Some(&interface), name).is_none() {
                        let lack = format!("`{}` lacks the function `{name}`", $package);
                        return Err(ComponentError::Exports(lack));
                    }
                }
                Ok(true)
            }

            /// Takes its functions from an instance; none if it does not export it.
            fn load(
                store: &mut Store<Context>,
                instance: &Instance,
            ) -> wasmtime::Result<Option<Self>> {
                let Some(interface) = instance.get_export_index(&mut *store, None, $package) else {
                    return Ok(None);
                };
                Ok(Some(Self {
                    $($function: Function::load(store, instance, &interface, $name)?,)*
                }))
            }
        }
    };
}

interface! {
    /// Every driver.
    Storage = "orlop:driver/storage@0.1.0" {
        describe = "describe": () -> storage::Descriptor;
        open = "[static]volume.open": (String) -> Answer<ResourceAny>;
        check = "[method]volume.check": (ResourceAny, Option<String>) -> Answer<Vec<storage::Finding>>;
        stat = "[method]volume.stat": (ResourceAny, String, Option<types::Kind>) -> Answer<types::Entry>;
        list = "[method]volume.list": (ResourceAny, String, Cursor, u32) -> Answer<storage::Page>;
        read = "[method]volume.read": (ResourceAny, String, storage::ReadOptions) -> Answer<storage::Content>;
    }
}

interface! {
    /// Drivers that write.
    Writable = "orlop:driver/writable@0.1.0" {
        write = "write": (ResourceAny, String, wasmtime::component::Resource<uploads::Upload>, writable::WriteOptions) -> Answer<types::Entry>;
        make_directory = "make-directory": (ResourceAny, String) -> Answer<types::Entry>;
    }
}

interface! {
    /// Drivers that remove.
    Removable = "orlop:driver/removable@0.1.0" {
        remove = "remove": (ResourceAny, String, types::Kind, Cursor) -> Answer<types::Step>;
    }
}

interface! {
    /// Drivers that copy and move.
    Transfer = "orlop:driver/transfer@0.1.0" {
        copy = "copy": (ResourceAny, transfer::Plan, Cursor) -> Answer<types::Step>;
        rename = "rename": (ResourceAny, transfer::Plan, Cursor) -> Answer<types::Step>;
    }
}

interface! {
    /// Drivers that let others upload.
    Sharing = "orlop:driver/sharing@0.1.0" {
        link_upload = "link-upload": (ResourceAny, String, sharing::LinkUploadOptions) -> Answer<sharing::UploadLink>;
        link_parts = "link-parts": (ResourceAny, String, String, u32, u32) -> Answer<Vec<sharing::SignedRequest>>;
        complete_upload = "complete-upload": (ResourceAny, String, String, Vec<sharing::CompletedPart>) -> Answer<types::Entry>;
        abort_upload = "abort-upload": (ResourceAny, String, String) -> Answer<()>;
    }
}

/// All that an instance exports.
pub(super) struct Exports {
    pub(super) storage: Storage,
    pub(super) writable: Option<Writable>,
    pub(super) removable: Option<Removable>,
    pub(super) transfer: Option<Transfer>,
    pub(super) sharing: Option<Sharing>,
}

impl Exports {
    /// Takes the functions from an instance, and checks their types.
    pub(super) fn load(store: &mut Store<Context>, instance: &Instance) -> wasmtime::Result<Self> {
        Ok(Self {
            storage: Storage::load(store, instance)?
                .ok_or_else(|| wasmtime::format_err!("it exports no storage"))?,
            writable: Writable::load(store, instance)?,
            removable: Removable::load(store, instance)?,
            transfer: Transfer::load(store, instance)?,
            sharing: Sharing::load(store, instance)?,
        })
    }
}
