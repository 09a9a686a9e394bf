//! Spans on their way to an OpenTelemetry collector.

use std::{env, time::Duration};

use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use crate::cli::Usage;

/// Either says where the collector is.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];
/// How long the collector may take for what it is sent.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the program's end waits for the last spans to be sent.
const LAST: Duration = Duration::from_secs(3);

/// Sends spans to a collector as long as it is kept, and then the last ones.
#[derive(Debug)]
pub(super) struct Exporter {
    provider: SdkTracerProvider,
}

impl Exporter {
    /// Begins to send, if the environment names a collector.
    pub(super) fn start() -> Result<Option<Self>, Usage> {
        let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_disabled = env::var("OTEL_SDK_DISABLED")
            .is_ok_and(|disabled| disabled.eq_ignore_ascii_case("true"));
        let Some(variable) = ENDPOINTS.iter().find(|name| is_set(name)) else {
            return Ok(None);
        };
        if is_disabled {
            return Ok(None);
        }
        let wrong = |why: String| Usage(format!("`{variable}` names no collector: {why}"));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client().map_err(wrong)?)
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource())
            .build();
        Ok(Some(Self { provider }))
    }

    /// What takes the spans: our own, none of libraries.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let is_ours = filter_fn(|metadata| {
            let target = metadata.target();
            metadata.is_span()
                && *metadata.level() <= Level::DEBUG
                && (target == "orlop" || target.starts_with("orlop::"))
        });
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("orlop"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(is_ours.with_max_level_hint(LevelFilter::DEBUG))
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST) {
            tracing::warn!(%error, "the last spans did not reach the collector");
        }
    }
}

/// A client for the thread that sends. As for the drivers, proxy variables are ignored.
fn client() -> Result<reqwest::blocking::Client, String> {
    // The first to ask decides for the process, and all ask for the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // It brings a runtime of its own, which cannot begin inside another.
    let building = std::thread::spawn(|| {
        reqwest::blocking::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
    });
    match building.join() {
        Ok(built) => built.map_err(|error| error.to_string()),
        Err(_) => Err("there is no client for it".to_owned()),
    }
}

/// What the spans say of this program, beside what `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say.
fn resource() -> Resource {
    let named = Resource::builder()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    let is_named = Resource::builder()
        .build()
        .get(&"service.name".into())
        .is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    match is_named {
        true => named.build(),
        false => named.with_service_name("orlop").build(),
    }
}
