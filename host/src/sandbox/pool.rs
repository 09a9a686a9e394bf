//! The instances of one volume.

mod supervisor;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use futures::future::BoxFuture;
use tokio::sync::{Semaphore, oneshot};
use tracing::{Instrument as _, Span, field::Empty};
use wasmtime::{Store, UpdateDeadline, component::Accessor};

use self::supervisor::Supervisor;
use super::{
    bindings::orlop::driver::types,
    blueprint::{Blueprint, Live},
    context::Context,
    instance::{End, InFlight, Instance, Seed},
    notes::Notes,
};
use crate::{
    Error, Fault, FaultKind, Health, Limits, Outcome, Result, activity::Activity, engine::TICK,
    network::Network,
};

/// The instances of one volume: made when they are needed, ended when they break.
pub(crate) struct Pool {
    mount: Arc<str>,
    driver: Arc<str>,
    engine: wasmtime::Engine,
    blueprint: Arc<Blueprint>,
    config: Arc<str>,
    limits: Limits,
    network: Arc<Network>,
    notes: Notes,
    instances: Mutex<Vec<Arc<Instance>>>,
    permits: Semaphore,
    supervisor: Supervisor,
    faults: AtomicU64,
    /// What the last call said if it shows that the storage cannot be used; none if it can.
    trouble: Mutex<Option<String>>,
}

/// A call in an instance: an error outside is a trap, one inside the driver's answer.
pub(super) type Call<'a, T> = BoxFuture<'a, wasmtime::Result<Result<T, types::Error>>>;

/// How long a call may take.
pub(super) enum Patience {
    /// From beginning to end.
    Deadline,
    /// As long as something moves at least every ten deadlines.
    Progress(Activity),
}

/// The answer of a call, and the place in the instance that it still holds, for answers that stream.
pub(super) struct Answered<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// A place in an instance.
pub(super) struct Place {
    instance: Arc<Instance>,
    _in_flight: InFlight,
}

impl Place {
    /// Ends the instance with all that is in it.
    pub(super) fn abort(&self) {
        self.instance.abort();
    }
}

impl Pool {
    pub(crate) fn new(
        mount: Arc<str>,
        driver: Arc<str>,
        engine: wasmtime::Engine,
        blueprint: Arc<Blueprint>,
        config: String,
        limits: Limits,
        network: Arc<Network>,
    ) -> Self {
        let places = limits.instances.max(1) * limits.calls_per_instance.max(1);
        Self {
            mount,
            driver,
            engine,
            blueprint,
            config: config.into(),
            network,
            notes: Notes::default(),
            instances: Mutex::default(),
            permits: Semaphore::new(places),
            supervisor: Supervisor::default(),
            faults: AtomicU64::new(0),
            trouble: Mutex::default(),
            limits,
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn network(&self) -> &Arc<Network> {
        &self.network
    }

    pub(crate) fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    pub(crate) fn health(&self) -> Health {
        let trouble = self.trouble().clone();
        let broke = self.supervisor.last_fault();
        Health {
            ready: trouble.is_none() && self.supervisor.held_off().is_none(),
            last_error: trouble.or_else(|| broke.map(|kind| self.fault(kind).to_string())),
            instances: self
                .lock()
                .iter()
                .filter(|instance| instance.is_open())
                .count(),
            faults: self.faults.load(Ordering::Relaxed),
        }
    }

    /// Makes an instance, so that a configuration that the driver refuses is known at once.
    pub(crate) async fn open(&self) -> Result<()> {
        self.call("open", Patience::Deadline, |_, _| {
            Box::pin(async { Ok(Ok(())) })
        })
        .await
        .map(drop)
    }

    /// Makes one call in some instance and waits for its answer.
    pub(super) async fn call<T, F>(
        &self,
        name: &'static str,
        patience: Patience,
        call: F,
    ) -> Result<Answered<T>>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a Accessor<Context>, &'a Live) -> Call<'a, T> + Send + 'static,
    {
        let started = Instant::now();
        crate::effort::driver_call();
        let span = tracing::debug_span!(
            "driver call",
            mount = %self.mount,
            driver = %self.driver,
            operation = name,
            outcome = Empty,
        );
        let calling = self.call_unmeasured(patience, call);
        let result = calling.instrument(span.clone()).await;
        let outcome = match &result {
            Ok(_) => "answered",
            Err(error) => error.code(),
        };
        span.record("outcome", outcome);
        metrics::counter!(
            "orlop_driver_calls_total",
            "mount" => self.mount.to_string(), "call" => name, "outcome" => outcome,
        )
        .increment(1);
        metrics::histogram!(
            "orlop_driver_call_seconds",
            "mount" => self.mount.to_string(), "call" => name,
        )
        .record(started.elapsed());
        self.note(&result);
        result
    }

    async fn call_unmeasured<T, F>(&self, patience: Patience, call: F) -> Result<Answered<T>>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a Accessor<Context>, &'a Live) -> Call<'a, T> + Send + 'static,
    {
        let deadline = self.limits.deadline;
        let _permit = tokio::time::timeout(deadline, self.permits.acquire())
            .await
            .map_err(|_| Outcome::TimedOut)?
            .map_err(|_| Outcome::Unavailable("the volume is closed".to_owned()))?;
        if let Some(retry_after) = self.supervisor.admit() {
            return Err(self.fault(FaultKind::HeldOff { retry_after }).into());
        }

        let (reply, answer) = oneshot::channel();
        // The driver's task is none of the caller's.
        let span = Span::current();
        let mut job: super::instance::Job = Box::new(move |accessor, live| {
            Box::pin(
                async move {
                    let value = call(accessor, live).await?;
                    // A call that came to its end was no endless loop.
                    accessor.with(|mut access| access.data_mut().cpu.reset());
                    // A caller that has gone away does not want the answer.
                    let _ = reply.send(value);
                    Ok(())
                }
                .instrument(span),
            )
        });
        let place = loop {
            let instance = self.pick()?;
            let in_flight = instance.enter();
            match instance.submit(job) {
                Ok(()) => {
                    break Place {
                        instance,
                        _in_flight: in_flight,
                    };
                }
                // It ended for want of work just now.
                Err(unsent) => job = unsent,
            }
        };

        let answer = match patience {
            Patience::Deadline => tokio::time::timeout(deadline, answer).await.ok(),
            Patience::Progress(activity) => {
                activity.touch();
                activity.limit(deadline * 10, answer).await
            }
        };
        match answer {
            Some(Ok(value)) => {
                self.supervisor.succeeded();
                let value = value.map_err(Outcome::from)?;
                Ok(Answered { value, place })
            }
            Some(Err(_)) => Err(match place.instance.ended().await {
                End::Fault(kind) => self.broke(&place.instance, kind),
                End::Refused(outcome) => Error::Outcome(outcome),
                End::Retired => Error::Outcome(Outcome::Unavailable(
                    "the driver was restarted; try again".to_owned(),
                )),
            }),
            None => {
                place.abort();
                Err(self.broke(&place.instance, FaultKind::Deadline(deadline)))
            }
        }
    }

    /// Remembers whether the storage can be used: an answer such as `not-found` shows that it can.
    fn note<T>(&self, result: &Result<Answered<T>>) {
        let trouble = match result {
            Err(Error::Outcome(outcome)) if is_trouble(outcome) => Some(outcome.to_string()),
            _ => None,
        };
        *self.trouble() = trouble;
    }

    fn trouble(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer that the contract does not allow.
    pub(crate) fn bad_answer(&self, kind: FaultKind) -> Error {
        tracing::warn!(mount = %self.mount, fault = %self.fault(kind.clone()), "the driver broke the contract");
        self.fault(kind).into()
    }

    /// Makes a store for one instance.
    fn seed(&self) -> Seed {
        let out_of_memory = Arc::new(AtomicBool::new(false));
        let mut context = Context::new(
            &self.mount,
            &self.limits,
            Arc::clone(&self.network),
            self.notes.clone(),
            Arc::clone(&out_of_memory),
            TICK,
        );
        context.memory.show(&self.mount);
        Seed {
            mount: Arc::clone(&self.mount),
            blueprint: Arc::clone(&self.blueprint),
            store: store(&self.engine, context),
            config: Arc::clone(&self.config),
            limits: self.limits.clone(),
            out_of_memory,
        }
    }

    /// The instance with the fewest calls, or a new one if all have some and there is room.
    fn pick(&self) -> Result<Arc<Instance>> {
        let mut instances = self.lock();
        instances.retain(|instance| instance.is_open());
        let least = instances.iter().min_by_key(|instance| instance.load());
        let capacity = self.limits.calls_per_instance.max(1);
        let crowded = match least {
            None => true,
            Some(instance) if instances.len() < 2 => instance.load() > 0,
            Some(instance) => instance.load() >= capacity,
        };
        if let Some(least) = least
            && (!crowded || instances.len() >= self.limits.instances.max(1))
        {
            return Ok(Arc::clone(least));
        }
        let instance = Instance::start(self.seed());
        instances.push(Arc::clone(&instance));
        Ok(instance)
    }

    /// Records, once for each instance, that it broke.
    fn broke(&self, instance: &Arc<Instance>, kind: FaultKind) -> Error {
        let known = {
            let mut instances = self.lock();
            let before = instances.len();
            instances.retain(|other| !Arc::ptr_eq(other, instance));
            instances.len() < before
        };
        instance.retire();
        if known {
            self.faults.fetch_add(1, Ordering::Relaxed);
            self.supervisor.failed(kind.clone());
            metrics::counter!(
                "orlop_driver_faults_total",
                "mount" => self.mount.to_string(), "kind" => kind.name(),
            )
            .increment(1);
            tracing::error!(mount = %self.mount, fault = %self.fault(kind.clone()), "the driver broke and is replaced");
        }
        self.fault(kind).into()
    }

    fn fault(&self, kind: FaultKind) -> Fault {
        Fault::new(&self.mount, kind)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Instance>>> {
        self.instances
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store whose driver is watched: by the memory meter, and by the clock that ticks while it computes.
pub(crate) fn store(engine: &wasmtime::Engine, context: Context) -> Store<Context> {
    let mut store = Store::new(engine, context);
    store.limiter(|context| &mut context.memory);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        store.data_mut().cpu.tick()?;
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

/// Whether an answer shows that the storage cannot be used as it is.
fn is_trouble(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Unauthenticated(_)
            | Outcome::InvalidConfig(_)
            | Outcome::Unavailable(_)
            | Outcome::Blocked(_)
            | Outcome::TimedOut
    )
}
