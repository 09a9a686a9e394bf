//! How far a long command has come, on standard error and only on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use orlop::Totals;

use super::output::printable;

const REDRAW: Duration = Duration::from_millis(100);

/// Bytes on their way. Without a size, it only counts.
pub(super) fn bytes(name: &str, size: Option<u64>) -> Progress {
    let (bar, template) = match size {
        Some(size) => (
            ProgressBar::new(size),
            "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {msg} {bytes} {bytes_per_sec}",
        ),
    };
    Progress::new(bar, template, printable(name).into_owned())
}

/// Entries that are copied, moved or removed.
pub(super) fn items(what: &'static str) -> Progress {
    Progress::new(
        ProgressBar::new_spinner(),
        "{spinner} {msg}",
        what.to_owned(),
    )
}

/// A line that shows how far something has come. It goes away with this value.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    what: String,
}

impl Progress {
    fn new(bar: ProgressBar, template: &str, what: String) -> Self {
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.clone());
        bar.enable_steady_tick(REDRAW);
        Self { bar, what }
    }

    /// More bytes are through.
    pub(super) fn advance(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
    }

    /// So much is done in all.
    pub(super) fn show(&self, totals: Totals) {
        let bytes = indicatif::HumanBytes(totals.bytes);
        self.bar
            .set_message(format!("{}: {} entries, {bytes}", self.what, totals.items));
    }

    /// The same line, for a task of its own.
    pub(super) fn share(&self) -> ProgressBar {
        self.bar.clone()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
