//! One instance of a driver, and the task that drives it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{mpsc, watch},
    task::AbortHandle,
    time::Instant,
};
use wasmtime::{Store, Trap, component::Accessor};

use super::{
    blueprint::{Blueprint, Live},
    context::{Context, CpuExceeded},
};
use crate::{FaultKind, Limits, Outcome};

/// A call on its way to an instance. An error is a trap, and ends the instance.
pub(super) type Job = Box<
    dyn for<'a> FnOnce(&'a Accessor<Context>, &'a Live) -> BoxFuture<'a, wasmtime::Result<()>>
        + Send,
>;

/// How long an instance without calls stays: its memory is worth more than the 0.1 ms to make another.
const IDLE: Duration = Duration::from_secs(60);

/// One instance of a driver. Dropping it lets the calls in it finish.
pub(super) struct Instance {
    jobs: mpsc::UnboundedSender<Job>,
    /// Calls and streams in it.
    in_flight: Arc<AtomicUsize>,
    retired: AtomicBool,
    end: watch::Receiver<Option<End>>,
    task: AbortHandle,
}

/// Why an instance is no more.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// The driver broke.
    Fault(FaultKind),
    /// The driver would not open the volume.
    Refused(Outcome),
    /// It was not needed any more, or was ended from outside.
    Retired,
}

/// What an instance is made from.
pub(super) struct Seed {
    /// What it is an instance for.
    pub(super) mount: Arc<str>,
    pub(super) blueprint: Arc<Blueprint>,
    pub(super) store: Store<Context>,
    pub(super) config: Arc<str>,
    pub(super) limits: Limits,
    pub(super) out_of_memory: Arc<AtomicBool>,
}

/// Shows an instance among those that live, as long as its task does.
struct Alive(metrics::Gauge);

impl Alive {
    fn new(mount: &Arc<str>) -> Self {
        let mount = mount.to_string();
        metrics::counter!("orlop_driver_starts_total", "mount" => mount.clone()).increment(1);
        let alive = metrics::gauge!("orlop_driver_instances", "mount" => mount);
        alive.increment(1.0);
        Self(alive)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Counts a call or stream as being in an instance, as long as it lives.
pub(super) struct InFlight(Arc<AtomicUsize>);

impl Instance {
    pub(super) fn start(seed: Seed) -> Arc<Self> {
        let (jobs, receiver) = mpsc::unbounded_channel();
        let (ended, end) = watch::channel(None);
        let in_flight = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&in_flight);
        let alive = Alive::new(&seed.mount);
        let task = tokio::spawn(async move {
            let _alive = alive;
            let limits = seed.limits.clone();
            let out_of_memory = Arc::clone(&seed.out_of_memory);
            let end = match drive(seed, receiver, counter).await {
                Ok(end) => end,
                Err(error) => End::Fault(fault(&error, &limits, &out_of_memory)),
            };
            ended.send_replace(Some(end));
        });
        Arc::new(Self {
            jobs,
            in_flight,
            retired: AtomicBool::new(false),
            end,
            task: task.abort_handle(),
        })
    }

    /// How many calls and streams are in it.
    pub(super) fn load(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts one more call in it.
    pub(super) fn enter(&self) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(&self.in_flight))
    }

    /// Sends it a call, or gives the call back if it is no more.
    pub(super) fn submit(&self, job: Job) -> Result<(), Job> {
        self.jobs.send(job).map_err(|unsent| unsent.0)
    }

    /// Whether it takes calls.
    pub(super) fn is_open(&self) -> bool {
        !self.retired.load(Ordering::Relaxed) && !self.jobs.is_closed()
    }

    /// Lets in no more calls.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    /// Ends it with all that is in it.
    pub(super) fn abort(&self) {
        self.retire();
        self.task.abort();
    }

    /// Waits until it is no more, and tells why.
    pub(super) async fn ended(&self) -> End {
        let mut end = self.end.clone();
        match end.wait_for(Option::is_some).await {
            Ok(end) => end.clone().unwrap_or(End::Retired),
            // The task was aborted before it could tell.
            Err(_) => End::Retired,
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn drive(
    seed: Seed,
    mut jobs: mpsc::UnboundedReceiver<Job>,
    in_flight: Arc<AtomicUsize>,
) -> wasmtime::Result<End> {
    let Seed {
        blueprint,
        mut store,
        config,
        ..
    } = seed;
    let exports = blueprint.instantiate(&mut store).await?;
    store
        .run_concurrent(async |accessor| {
            let opened = exports
                .storage
                .open
                .call(accessor, (config.to_string(),))
                .await?;
            let volume = match opened {
                Ok(volume) => volume,
                Err(error) => return Ok(End::Refused(error.into())),
            };
            let live = Live { exports, volume };
            let mut running = FuturesUnordered::new();
            let mut last = Instant::now();
            // One timer that looks now and then, rather than one that each call sets anew.
            let mut look = std::pin::pin!(tokio::time::sleep(IDLE));
            loop {
                tokio::select! {
                    job = jobs.recv() => match job {
                        Some(job) => {
                            last = Instant::now();
                            running.push(job(accessor, &live));
                        }
                        None => break,
                    },
                    Some(done) = running.next() => done?,
                    () = &mut look => {
                        if in_flight.load(Ordering::Relaxed) == 0 && last.elapsed() >= IDLE {
                            jobs.close();
                        }
                        look.as_mut().reset(Instant::now() + IDLE);
                    }
                }
            }
            while let Some(done) = running.next().await {
                done?;
            }
            Ok(End::Retired)
        })
        .await?
}

/// Reads from a trap how the driver broke.
fn fault(error: &wasmtime::Error, limits: &Limits, out_of_memory: &AtomicBool) -> FaultKind {
    if error.downcast_ref::<CpuExceeded>().is_some() {
        return FaultKind::CpuLimit(limits.cpu);
    }
    if out_of_memory.load(Ordering::Relaxed) {
        return FaultKind::MemoryLimit(limits.memory);
    }
    let reason = match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    FaultKind::Trap(reason)
}
