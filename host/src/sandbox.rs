//! Where drivers run: the only part of the crate that knows wasmtime.
//!
//! Each instance lives in a store of its own that one task drives; a [`Pool`] of them serves a volume. A call
//! is a closure that travels to an instance's task, runs there beside others, and sends its answer back.
//! Timeouts are kept from outside, since wasmtime cannot cancel one call (bytecodealliance/wasmtime#11833):
//! whoever waits too long has the whole store dropped.

pub(crate) mod bindings;
pub(crate) mod blueprint;
pub(crate) mod cache;
pub(crate) mod calls;
mod context;
mod convert;
mod exports;
mod function;
mod http;
mod instance;
mod log;
mod notes;
mod pool;
mod spans;
mod stream;
pub(crate) mod uploads;

use wasmtime::component::Linker;

use self::context::Lent;
pub(crate) use self::{
    blueprint::Blueprint,
    context::Context,
    notes::Notes,
    pool::{Pool, store},
};

/// What drivers are linked with: the contract, and WASI with nothing behind it.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Context>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::clocks::add_to_linker(&mut linker)?;
    bindings::orlop::driver::types::add_to_linker::<_, Lent>(&mut linker, |context| context)?;
    bindings::orlop::driver::http::add_to_linker::<_, Lent>(&mut linker, |context| context)?;
    bindings::orlop::driver::uploads::add_to_linker::<_, Lent>(&mut linker, |context| context)?;
    bindings::orlop::driver::notes::add_to_linker::<_, Lent>(&mut linker, |context| context)?;
    Ok(linker)
}
