//! Log lines on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::Usage;

/// What a server logs unless told otherwise.
pub(super) const SERVER: &str = "info,s3s=warn,s3s_fs=warn";

/// What other commands log unless told otherwise.
pub(super) const COMMAND: &str = "warn";

/// Begins to log what a filter lets through.
pub(super) fn start(filter: Option<&str>, default: &str) -> Result<(), Usage> {
    let filter = EnvFilter::try_new(filter.unwrap_or(default)).map_err(|error| {
        Usage(format!(
            "`log` must be a filter such as `debug` or `orlop=trace,warn`: {error}"
        ))
    })?;
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
    Ok(())
}
