//! What is counted and logged of every request.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{extract::Request, response::Response};
use http::{Method, StatusCode};
use metrics::{Counter, Histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tower::{Layer, Service};
use tracing::Level;

use super::{door::Door, problem::Cause, site::Shared};

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

/// Counters at hand, so that a request costs no look-up in the exporter's registry.
pub(crate) struct Meters {
    recorder: Option<PrometheusHandle>,
    requests: RwLock<HashMap<(Door, &'static str, StatusCode), Counter>>,
    seconds: RwLock<HashMap<Door, Histogram>>,
    bytes: RwLock<HashMap<(Door, Direction), Counter>>,
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
            requests: RwLock::default(),
            seconds: RwLock::default(),
            bytes: RwLock::default(),
            seen: AtomicU64::new(0),
        }
    }

    /// All figures as Prometheus reads them; none if the recorder is not ours.
    pub(crate) fn render(&self) -> Option<String> {
        self.recorder.as_ref().map(PrometheusHandle::render)
    }

    /// Counts the bytes of files that pass a door.
    pub(crate) fn bytes(&self, door: Door, direction: Direction) -> Counter {
        cached(&self.bytes, (door, direction), || {
            let direction = match direction {
                Direction::In => "in",
                Direction::Out => "out",
            };
            metrics::counter!("orlop_bytes_total", "door" => door.label(), "direction" => direction)
        })
    }

    fn record(&self, door: Door, method: &'static str, status: StatusCode, took: Duration) {
        cached(&self.requests, (door, method, status), || {
            metrics::counter!(
                "orlop_requests_total",
                "door" => door.label(), "method" => method, "status" => status.as_str().to_owned(),
            )
        })
        .increment(1);
        cached(
            &self.seconds,
            door,
            || metrics::histogram!("orlop_request_seconds", "door" => door.label()),
        )
        .record(took.as_secs_f64());
        let seen = self.seen.fetch_add(1, Ordering::Relaxed);
        if let Some(recorder) = &self.recorder
            && seen % UPKEEP_EVERY == UPKEEP_EVERY - 1
        {
            recorder.run_upkeep();
        }
    }
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
        Ok(handle) => Some(handle),
        Err(error) => {
            tracing::info!(%error, "another recorder takes the metrics, so `/metrics` has none");
            None
        }
    }
}

fn cached<K: Copy + Eq + std::hash::Hash, M: Clone>(
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

/// Methods by name, in a set that no client can make grow.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "PUT" => "PUT",
        "POST" => "POST",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// Wraps the routes in [`Metered`].
#[derive(Clone, Debug)]
pub(crate) struct MeterLayer {
    pub(crate) site: Shared,
}

impl<S> Layer<S> for MeterLayer {
    type Service = Metered<S>;

    fn layer(&self, inner: S) -> Metered<S> {
        Metered {
            inner,
            site: Arc::clone(&self.site),
        }
    }
}

/// Counts and logs every request. The time is up to the head of the answer, not the end of its body.
#[derive(Clone, Debug)]
pub(crate) struct Metered<S> {
    inner: S,
    site: Shared,
}

impl<S, E> Service<Request> for Metered<S>
where
    S: Service<Request, Response = Response, Error = E>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = E;
    type Future = Pin<Box<dyn Future<Output = Result<Response, E>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let began = Instant::now();
        let method = method_name(request.method());
        let door = Door::of(request.uri().path());
        let uri = request.uri().clone();
        let site = Arc::clone(&self.site);
        request.extensions_mut().insert(site.view());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            let took = began.elapsed();
            let status = response.status();
            site.meters.record(door, method, status, took);
            let cause = response.extensions_mut().remove::<Cause>();
            // The path alone: a query may hold what nobody else shall read.
            log(method, uri.path(), status, took, cause.as_ref());
            Ok(response)
        })
    }
}

fn log(method: &str, path: &str, status: StatusCode, took: Duration, cause: Option<&Cause>) {
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                method,
                path,
                status = status.as_u16(),
                ?took,
                cause = cause.map(|cause| &*cause.text),
                "answered"
            )
        };
    }
    let is_read = matches!(method, "GET" | "HEAD");
    match cause.map(|cause| cause.level) {
        Some(Level::ERROR) => line!(error),
        Some(Level::WARN) => line!(warn),
        Some(Level::INFO) => line!(info),
        None if !is_read => line!(info),
        _ => line!(debug),
    }
}
