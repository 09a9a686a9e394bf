//! What is counted of every request.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::StatusCode;
use metrics::{Counter, Histogram, Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::{door::Door, site::Shared};

/// Upper bounds of the buckets that times are counted in, in seconds.
const BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 15.0, 60.0,
];

/// The exporter keeps samples until it is told to sort them into buckets: so often in requests.
const UPKEEP_EVERY: u64 = 4096;

/// The process has one recorder. None if the program around us installed its own.
static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    /// From a client.
    In,
    /// To a client.
    Out,
}

/// A mount's path as metrics name it; none for requests that are for no mount.
pub(crate) type MountLabel = Option<Arc<str>>;

/// What requests are counted by; the text is the method.
type Answered = (Door, MountLabel, &'static str, StatusCode);

/// Counters at hand, so that a request costs no look-up in the exporter's registry.
pub(crate) struct Meters {
    recorder: Option<PrometheusHandle>,
    process: metrics_process::Collector,
    requests: RwLock<HashMap<Answered, Counter>>,
    seconds: RwLock<HashMap<(Door, MountLabel), Histogram>>,
    bytes: RwLock<HashMap<(Door, MountLabel, Direction), Counter>>,
    seen: AtomicU64,
}

impl fmt::Debug for Meters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Meters")
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

impl Meters {
    /// Installs the process's recorder, unless one is there, and opens the meters.
    pub(crate) fn open() -> Self {
        let recorder = RECORDER.get_or_init(install).clone();
        Self {
            recorder,
            process: metrics_process::Collector::default(),
            requests: RwLock::default(),
            seconds: RwLock::default(),
            bytes: RwLock::default(),
            seen: AtomicU64::new(0),
        }
    }

    /// All figures as Prometheus reads them; none if the recorder is not ours.
    pub(crate) fn render(&self) -> Option<String> {
        let recorder = self.recorder.as_ref()?;
        self.process.collect();
        Some(recorder.render())
    }

    fn bytes(&self, door: Door, mount: &MountLabel, direction: Direction) -> Counter {
        cached(&self.bytes, (door, mount.clone(), direction), || {
            let direction = match direction {
                Direction::In => "in",
                Direction::Out => "out",
            };
            metrics::counter!(
                "orlop_bytes_total",
                "door" => door.label(), "mount" => text(mount), "direction" => direction,
            )
        })
    }

    /// Counts a request, and how long the head of its answer took.
    pub(super) fn record(
        &self,
        door: Door,
        mount: &MountLabel,
        method: &'static str,
        status: StatusCode,
        took: Duration,
    ) {
        cached(
            &self.requests,
            (door, mount.clone(), method, status),
            || {
                metrics::counter!(
                    "orlop_requests_total",
                    "door" => door.label(), "mount" => text(mount),
                    "method" => method, "status" => status.as_str().to_owned(),
                )
            },
        )
        .increment(1);
        cached(&self.seconds, (door, mount.clone()), || {
            metrics::histogram!(
                "orlop_request_seconds",
                "door" => door.label(), "mount" => text(mount),
            )
        })
        .record(took.as_secs_f64());
        let seen = self.seen.fetch_add(1, Ordering::Relaxed);
        if let Some(recorder) = &self.recorder
            && seen % UPKEEP_EVERY == UPKEEP_EVERY - 1
        {
            recorder.run_upkeep();
        }
    }
}

/// The meters as one request uses them.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(super) site: Shared,
    pub(super) mount: MountLabel,
}

impl Tally {
    /// Counts the bytes of files that pass a door.
    pub(crate) fn bytes(&self, door: Door, direction: Direction) -> Counter {
        self.site.meters.bytes(door, &self.mount, direction)
    }

    /// As [`Meters::render`].
    pub(crate) fn render(&self) -> Option<String> {
        self.site.meters.render()
    }
}

fn text(mount: &MountLabel) -> String {
    mount.as_deref().unwrap_or_default().to_owned()
}

/// Makes `/metrics` count from here on, for the whole process. [`router`](super::router) does so too, but
/// what happens earlier, such as the start of drivers, would be missing. Calling it again does nothing.
pub fn record_metrics() {
    RECORDER.get_or_init(install);
}

fn install() -> Option<PrometheusHandle> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .and_then(PrometheusBuilder::install_recorder);
    match recorder {
        Ok(handle) => {
            describe();
            Some(handle)
        }
        Err(error) => {
            tracing::info!(%error, "another recorder takes the metrics, so `/metrics` has none");
            None
        }
    }
}

fn cached<K: Eq + std::hash::Hash, M: Clone>(
    meters: &RwLock<HashMap<K, M>>,
    key: K,
    open: impl FnOnce() -> M,
) -> M {
    if let Some(meter) = meters
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&key)
    {
        return meter.clone();
    }
    let mut meters = meters.write().unwrap_or_else(PoisonError::into_inner);
    meters.entry(key).or_insert_with(open).clone()
}

/// Tells readers of `/metrics` what the figures mean. `docs/operations.md` lists them.
fn describe() {
    describe_counter!("orlop_requests_total", "Requests answered");
    describe_histogram!(
        "orlop_request_seconds",
        Unit::Seconds,
        "Time to the head of an answer"
    );
    describe_counter!("orlop_bytes_total", Unit::Bytes, "Bytes of files");
    describe_gauge!("orlop_connections", "Connections of clients that are open");
    describe_counter!("orlop_driver_calls_total", "Calls of drivers");
    describe_histogram!(
        "orlop_driver_call_seconds",
        Unit::Seconds,
        "Time of a driver's call"
    );
    describe_counter!(
        "orlop_driver_faults_total",
        "Instances of drivers that broke"
    );
    describe_counter!(
        "orlop_driver_starts_total",
        "Instances of drivers that were started"
    );
    describe_gauge!("orlop_driver_instances", "Instances of drivers that live");
    describe_gauge!(
        "orlop_driver_memory_bytes",
        Unit::Bytes,
        "Memory of the instances that live"
    );
    describe_counter!(
        "orlop_resumable_uploads_total",
        "Resumable uploads begun, done, ended and expired"
    );
    describe_counter!("orlop_upstream_requests_total", "Requests to storages");
    describe_histogram!(
        "orlop_upstream_seconds",
        Unit::Seconds,
        "Time to the head of a storage's answer"
    );
    describe_gauge!("orlop_build_info", "1, with the version as a label");
    metrics_process::Collector::default().describe();
    metrics::gauge!("orlop_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}
