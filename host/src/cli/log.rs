//! Log lines on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::Usage;
use crate::config::{Config, LogFormat};

/// What a server logs unless told otherwise.
pub(super) const SERVER: &str = "info,s3s=warn,s3s_fs=warn";

/// What other commands log unless told otherwise.
pub(super) const COMMAND: &str = "warn";

/// Begins to log as the configuration says.
pub(super) fn start(config: &Config, default: &str) -> Result<(), Usage> {
    let filter = config.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Usage(format!(
            "`log` must be a filter such as `debug` or `orlop=trace,warn`: {error}"
        ))
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // Tests start it more than once in a process.
    let _ = match config.log_format.unwrap_or_default() {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}
