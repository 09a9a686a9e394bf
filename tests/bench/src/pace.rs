//! A line of limited speed between a client and whom it talks to.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How much lost time a line may make up for: more than a timer is late, less than anybody buffers.
const CATCH_UP: Duration = Duration::from_millis(20);

/// A line, of limited speed or not.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    line: Option<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    bytes_per_second: f64,
    /// When all that has passed has arrived.
    free: Instant,
}

impl Pace {
    /// As fast as the machine can.
    pub(crate) const UNLIMITED: Self = Self { line: None };

    /// A line of this many gigabits (10⁹) in a second.
    pub(crate) fn gigabits(gigabits: f64) -> Self {
        Self {
            line: Some(Line {
                bytes_per_second: gigabits * 1e9 / 8.0,
                free: Instant::now(),
            }),
        }
    }

    /// Waits until these bytes have passed.
    pub(crate) async fn pass(&mut self, bytes: usize) {
        if let Some(line) = &mut self.line {
            let now = Instant::now();
            let passed = line.take(bytes, now);
            if passed > now {
                sleep_until(passed).await;
            }
        }
    }
}

impl Line {
    /// Puts bytes on the line now, and tells when they have passed.
    fn take(&mut self, bytes: usize, now: Instant) -> Instant {
        let earliest = now.checked_sub(CATCH_UP).unwrap_or(now);
        let time = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second);
        self.free = self.free.max(earliest) + time;
        self.free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn line(free: Instant) -> Line {
        Line {
            bytes_per_second: 1000.0,
            free,
        }
    }

    #[test]
    fn bytes_take_their_time() {
        let now = Instant::now();
        let mut line = line(now);
        assert_eq!(line.take(500, now), now + SECOND / 2);
        assert_eq!(line.take(500, now), now + SECOND);
        // Late by less than what may be caught up with.
        assert_eq!(
            line.take(1000, now + SECOND + CATCH_UP / 2),
            now + 2 * SECOND
        );
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        let now = Instant::now();
        let later = now + 5 * SECOND;
        assert_eq!(line(now).take(1000, later), later - CATCH_UP + SECOND);
    }
}
