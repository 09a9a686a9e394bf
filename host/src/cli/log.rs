//! Log lines on standard error, and spans for whoever collects them.

#[cfg(feature = "otel")]
mod exporter;

use std::io::IsTerminal;

use tracing_subscriber::{
    EnvFilter, Layer as _, Registry, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use super::Usage;
use crate::config::{Config, LogFormat};

/// What a server logs unless told otherwise.
pub(super) const SERVER: &str = "info,s3s=warn,s3s_fs=warn";

/// What other commands log unless told otherwise.
pub(super) const COMMAND: &str = "warn";

/// Logging goes on without it; the last spans are sent when it is dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Log {
    #[cfg(feature = "otel")]
    _exporter: Option<exporter::Exporter>,
}

/// Begins to log as the configuration says.
pub(super) fn start(config: &Config, default: &str) -> Result<Log, Usage> {
    let filter = config.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Usage(format!(
            "`log` must be a filter such as `debug` or `orlop=trace,warn`: {error}"
        ))
    })?;
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = match config.log_format.unwrap_or_default() {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let subscriber = Registry::default().with(lines.with_filter(filter));
    #[cfg(feature = "otel")]
    let exporter = exporter::Exporter::start()?;
    #[cfg(feature = "otel")]
    let subscriber = subscriber.with(exporter.as_ref().map(exporter::Exporter::layer));
    // Tests start it more than once in a process.
    let _ = subscriber.try_init();
    Ok(Log {
        #[cfg(feature = "otel")]
        _exporter: exporter,
    })
}
