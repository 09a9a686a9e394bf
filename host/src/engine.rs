//! The runtime that all drivers share.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use wasmtime::{
    Config, InstanceAllocationStrategy, PoolingAllocationConfig,
    component::{Component, Linker},
};

use crate::{
    ComponentError, Driver, HostError, Limits, Result,
    egress::Egress,
    network::Network,
    part::PartBudget,
    sandbox::{self, cache::CompiledCache},
};

/// How often a computing driver is looked at.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// How an [`Engine`] is set up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EngineOptions {
    /// Where compiled drivers are kept from one start to the next; none to compile at each start. The folder
    /// must belong to the user who runs the program, and to nobody else.
    pub cache_directory: Option<PathBuf>,
    /// Memory for the parts of all uploads together, in bytes. Default 96 MiB.
    pub part_memory: usize,
    /// Where parts go beyond that memory; none for the system's place for temporary files.
    pub part_directory: Option<PathBuf>,
    /// The most memory that any mount may grant to an instance, in bytes. Default 1 GiB.
    pub largest_memory: u64,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            cache_directory: None,
            part_memory: 96 << 20,
            part_directory: None,
            largest_memory: 1 << 30,
        }
    }
}

impl EngineOptions {
    /// Sets where compiled drivers are kept.
    #[must_use]
    pub fn with_cache_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cache_directory = Some(directory.into());
        self
    }

    /// Sets the memory for the parts of all uploads together, in bytes.
    #[must_use]
    pub fn with_part_memory(mut self, bytes: usize) -> Self {
        self.part_memory = bytes;
        self
    }

    /// Sets where parts go beyond that memory.
    #[must_use]
    pub fn with_part_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.part_directory = Some(directory.into());
        self
    }
}

/// The runtime that all drivers share. Clones share it too.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    engine: wasmtime::Engine,
    linker: Linker<sandbox::Context>,
    cache: Option<CompiledCache>,
    parts: PartBudget,
    largest_memory: u64,
}

impl Engine {
    /// Sets up the runtime, with a thread that ticks for all drivers until the engine is gone.
    ///
    /// # Errors
    /// [`HostError::Runtime`] if the machine cannot run it.
    pub fn new(options: EngineOptions) -> Result<Self> {
        let engine = start(&options).map_err(|error| HostError::Runtime(format!("{error:#}")))?;
        let linker =
            sandbox::linker(&engine).map_err(|error| HostError::Runtime(format!("{error:#}")))?;
        let cache = options.cache_directory.and_then(|directory| {
            CompiledCache::open(directory.clone())
                .inspect_err(|error| {
                    tracing::warn!(directory = %directory.display(), %error, "cannot keep compiled drivers there");
                })
                .ok()
        });
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                linker,
                cache,
                parts: PartBudget::new(options.part_memory, options.part_directory),
                largest_memory: options.largest_memory,
            }),
        })
    }

    /// Loads a driver from the bytes of its component.
    ///
    /// # Errors
    /// [`ComponentError`] if it is no driver, or asks for more than the contract lends.
    pub async fn load(&self, bytes: Vec<u8>) -> Result<Driver> {
        Driver::load(self, bytes).await
    }

    /// Loads a driver from a file, and holds it against the SHA-256 that the operator pinned, if any.
    ///
    /// # Errors
    /// As [`load`](Self::load), or the file cannot be read or has another digest.
    pub async fn load_file(&self, path: &std::path::Path, sha256: Option<&str>) -> Result<Driver> {
        let bytes = tokio::fs::read(path)
            .await
            .map_err(|source| ComponentError::Unreadable {
                path: path.display().to_string(),
                source,
            })?;
        if let Some(expected) = sha256 {
            let actual = crate::driver::digest(&bytes);
            if !expected.eq_ignore_ascii_case(&actual) {
                let expected = expected.to_owned();
                return Err(ComponentError::Digest { expected, actual }.into());
            }
        }
        self.load(bytes).await
    }

    pub(crate) fn compile(&self, digest: &str, bytes: &[u8]) -> Result<Component, ComponentError> {
        match &self.inner.cache {
            Some(cache) => cache.component(&self.inner.engine, digest, bytes),
            None => sandbox::cache::compile(&self.inner.engine, bytes),
        }
    }

    pub(crate) fn runtime(&self) -> &wasmtime::Engine {
        &self.inner.engine
    }

    pub(crate) fn linker(&self) -> &Linker<sandbox::Context> {
        &self.inner.linker
    }

    pub(crate) fn parts(&self) -> &PartBudget {
        &self.inner.parts
    }

    pub(crate) fn largest_memory(&self) -> u64 {
        self.inner.largest_memory
    }

    /// A store for asking a driver to describe itself: with the default limits and no network.
    pub(crate) fn quiet_store(&self) -> Result<wasmtime::Store<sandbox::Context>> {
        let limits = Limits::default();
        let network = Arc::new(Network::new("a driver".into(), Egress::default(), &limits)?);
        let out_of_memory = Arc::new(AtomicBool::new(false));
        let context = sandbox::Context::new(
            &"a driver".into(),
            &limits,
            network,
            sandbox::Notes::default(),
            out_of_memory,
            TICK,
        );
        Ok(sandbox::store(&self.inner.engine, context))
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").finish_non_exhaustive()
    }
}

fn start(options: &EngineOptions) -> wasmtime::Result<wasmtime::Engine> {
    let mut config = Config::new();
    config
        .wasm_component_model_async(true)
        .epoch_interruption(true)
        .max_wasm_stack(512 << 10)
        .async_stack_size(1 << 20);
    let mut pooling = PoolingAllocationConfig::new();
    pooling
        .total_component_instances(1000)
        .total_core_instances(4000)
        .total_memories(1000)
        .total_tables(4000)
        .total_stacks(4000)
        .max_core_instances_per_component(20)
        .max_memories_per_component(4)
        .max_tables_per_component(20)
        .table_elements(20_000)
        .max_memory_size(usize::try_from(options.largest_memory).unwrap_or(usize::MAX))
        .linear_memory_keep_resident(0)
        .max_unused_warm_slots(16);
    let mut pooled = config.clone();
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling));
    // Pooling reserves terabytes of addresses, which some machines and containers do not grant.
    let engine = wasmtime::Engine::new(&pooled).or_else(|_| wasmtime::Engine::new(&config))?;

    let weak = engine.weak();
    // A thread of its own, since a driver that spins could keep the runtime's timers from running.
    std::thread::Builder::new()
        .name("orlop-clock".to_owned())
        .spawn(move || {
            while let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })?;
    Ok(engine)
}
