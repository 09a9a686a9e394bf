//! What a store holds beside the driver itself.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use wasmtime::{
    ResourceLimiter,
    component::{HasData, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::{log::GuestLog, notes::Notes, spans::Spans};
use crate::{Limits, network::Network};

/// Resources that one instance may hold at once: parts, streams, requests.
const RESOURCES: usize = 10_000;
/// Tables are small, but not free: entries over all of an instance's tables.
const TABLE_ENTRIES: usize = 100_000;

/// What a store holds beside the driver itself.
pub(crate) struct Context {
    pub(super) table: ResourceTable,
    wasi: WasiCtx,
    pub(super) memory: MemoryMeter,
    pub(super) cpu: CpuMeter,
    pub(super) network: Arc<Network>,
    pub(super) notes: Notes,
    pub(super) spans: Spans,
}

/// Marks the imports that this module implements on [`Context`].
pub(super) struct Lent;

impl HasData for Lent {
    type Data<'a> = &'a mut Context;
}

impl Context {
    pub(crate) fn new(
        mount: &Arc<str>,
        limits: &Limits,
        network: Arc<Network>,
        notes: Notes,
        out_of_memory: Arc<AtomicBool>,
        tick: std::time::Duration,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES);
        let log = GuestLog::new(Arc::clone(mount), limits.log_bytes);
        let wasi = WasiCtx::builder()
            .stdout(log.clone())
            .stderr(log)
            .max_random_size(1 << 16)
            .build();
        let ticks = limits.cpu.as_nanos() / tick.as_nanos().max(1);
        Self {
            table,
            wasi,
            memory: MemoryMeter {
                limit: usize::try_from(limits.memory).unwrap_or(usize::MAX),
                used: 0,
                exceeded: out_of_memory,
                shown: metrics::Gauge::noop(),
            },
            cpu: CpuMeter {
                limit: u32::try_from(ticks).unwrap_or(u32::MAX).max(1),
                used: 0,
            },
            network,
            notes,
            spans: Spans::default(),
        }
    }
}

impl WasiView for Context {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// Counts how long an instance computes without asking the host for anything.
pub(super) struct CpuMeter {
    limit: u32,
    used: u32,
}

/// An instance has used up its CPU time.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("used up its cpu time")]
pub(super) struct CpuExceeded;

impl CpuMeter {
    /// A tick of the clock found the instance computing.
    pub(super) fn tick(&mut self) -> Result<(), CpuExceeded> {
        self.used += 1;
        if self.used > self.limit {
            return Err(CpuExceeded);
        }
        Ok(())
    }

    /// The instance asked the host for something that takes time, or answered, so it is not spinning.
    pub(super) fn reset(&mut self) {
        self.used = 0;
    }
}

/// Counts the memory of all of an instance's linear memories.
pub(super) struct MemoryMeter {
    limit: usize,
    used: usize,
    /// Tells a trap for want of memory from others.
    exceeded: Arc<AtomicBool>,
    /// What all instances of the mount use together.
    shown: metrics::Gauge,
}

impl MemoryMeter {
    /// Shows what is used as part of what a mount uses.
    pub(super) fn show(&mut self, mount: &str) {
        self.shown = metrics::gauge!("orlop_driver_memory_bytes", "mount" => mount.to_owned());
        self.shown.increment(self.used as f64);
    }
}

impl Drop for MemoryMeter {
    fn drop(&mut self) {
        self.shown.decrement(self.used as f64);
    }
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let grown = desired.saturating_sub(current);
        if self.used.saturating_add(grown) > self.limit {
            self.exceeded.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        self.used += grown;
        self.shown.increment(grown as f64);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ENTRIES)
    }
}
