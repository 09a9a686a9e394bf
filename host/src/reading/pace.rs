//! How fast a body comes, and who waits for whom.

use std::time::{Duration, Instant};

/// Watches a body in windows of time.
#[derive(Debug)]
pub(super) struct Pace {
    began: Instant,
    bytes: u64,
    /// How long the client waited for the storage.
    waited: Duration,
    window: Duration,
}

/// What a window showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seen {
    /// Bytes in a second.
    pub(super) rate: f64,
    /// Whether the client took all at once, and the storage was waited for nearly all the time.
    pub(super) is_starved: bool,
}

/// The share of the time in which a starved client waits.
const STARVED: f64 = 0.7;

impl Pace {
    /// Begins to watch, with windows of this length.
    pub(super) fn new(window: Duration) -> Self {
        Self {
            began: Instant::now(),
            bytes: 0,
            waited: Duration::ZERO,
            window,
        }
    }

    /// Notes bytes that came at this moment and how long they were waited for. At the end of a window, tells
    /// what it showed, and begins the next.
    pub(super) fn note(&mut self, bytes: usize, waited: Duration, now: Instant) -> Option<Seen> {
        self.bytes += bytes as u64;
        self.waited += waited;
        let took = now.saturating_duration_since(self.began);
        if took < self.window {
            return None;
        }
        let seen = Seen {
            rate: self.bytes as f64 / took.as_secs_f64(),
            is_starved: self.waited.as_secs_f64() >= took.as_secs_f64() * STARVED,
        };
        (self.began, self.bytes, self.waited) = (now, 0, Duration::ZERO);
        Some(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_tell_the_rate_and_who_waits() {
        let window = Duration::from_secs(1);
        for (waited, is_starved) in [(900, true), (300, false)] {
            let mut pace = Pace::new(window);
            let began = pace.began;
            let half = Duration::from_millis(waited / 2);
            assert_eq!(pace.note(500, half, began + window / 2), None);
            let seen = pace.note(1500, half, began + 2 * window / 2).unwrap();
            assert_eq!(seen.is_starved, is_starved);
            assert!((seen.rate - 2000.0).abs() < 1.0);
            // The next window starts afresh.
            assert_eq!(pace.note(1, half, began + window + window / 2), None);
        }
    }
}
