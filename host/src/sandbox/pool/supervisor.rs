//! Holds off a driver that keeps breaking.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::FaultKind;

/// Faults in a row that are forgiven at once.
const FORGIVEN: u32 = 3;
/// The first pause after those; each further fault doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A driver that has not broken for so long starts with a clean slate.
const GOOD_BEHAVIOUR: Duration = Duration::from_secs(60);

/// Holds off a driver that keeps breaking, with growing pauses and one trial after each.
#[derive(Debug, Default)]
pub(super) struct Supervisor {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    faults: u32,
    last: Option<(Instant, FaultKind)>,
    held_until: Option<Instant>,
}

impl Supervisor {
    /// Asks whether a call may go in; if not, tells how long to wait. After a pause one call goes in as a
    /// trial, and the others wait for what becomes of it.
    pub(super) fn admit(&self) -> Option<Duration> {
        self.admit_at(Instant::now())
    }

    /// A call was answered.
    pub(super) fn succeeded(&self) {
        let mut state = self.lock();
        state.held_until = None;
        if let Some((last, _)) = state.last
            && last.elapsed() >= GOOD_BEHAVIOUR
        {
            state.faults = 0;
            state.last = None;
        }
    }

    /// An instance broke.
    pub(super) fn failed(&self, kind: FaultKind) {
        self.failed_at(Instant::now(), kind);
    }

    /// How long the driver is still held off, if it is.
    pub(super) fn held_off(&self) -> Option<Duration> {
        let until = self.lock().held_until?;
        Some(until.saturating_duration_since(Instant::now())).filter(|pause| !pause.is_zero())
    }

    /// How it broke last, if that is not forgotten.
    pub(super) fn last_fault(&self) -> Option<FaultKind> {
        self.lock().last.as_ref().map(|(_, kind)| kind.clone())
    }

    fn admit_at(&self, now: Instant) -> Option<Duration> {
        let mut state = self.lock();
        let until = state.held_until?;
        if now < until {
            return Some(until - now);
        }
        let trial = pause(state.faults);
        state.held_until = Some(now + trial);
        None
    }

    fn failed_at(&self, now: Instant, kind: FaultKind) {
        let mut state = self.lock();
        state.faults = state.faults.saturating_add(1);
        state.last = Some((now, kind));
        if state.faults > FORGIVEN {
            state.held_until = Some(now + pause(state.faults));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pause(faults: u32) -> Duration {
    let doublings = faults.saturating_sub(FORGIVEN + 1).min(16);
    FIRST_PAUSE
        .saturating_mul(1 << doublings)
        .min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trap() -> FaultKind {
        FaultKind::Trap("unreachable".to_owned())
    }

    #[test]
    fn a_few_faults_are_forgiven_and_then_pauses_grow() {
        let supervisor = Supervisor::default();
        let now = Instant::now();
        for _ in 0..FORGIVEN {
            supervisor.failed_at(now, trap());
            assert_eq!(supervisor.admit_at(now), None);
        }
        supervisor.failed_at(now, trap());
        assert_eq!(supervisor.admit_at(now), Some(FIRST_PAUSE));
        supervisor.failed_at(now, trap());
        assert_eq!(supervisor.admit_at(now), Some(FIRST_PAUSE * 2));
        for _ in 0..40 {
            supervisor.failed_at(now, trap());
        }
        assert_eq!(supervisor.admit_at(now), Some(LONGEST_PAUSE));
    }

    #[test]
    fn one_trial_goes_in_after_a_pause_and_success_opens_the_gate() {
        let supervisor = Supervisor::default();
        let now = Instant::now();
        for _ in 0..=FORGIVEN {
            supervisor.failed_at(now, trap());
        }
        let later = now + FIRST_PAUSE;
        assert_eq!(supervisor.admit_at(later), None);
        assert!(supervisor.admit_at(later).is_some());
        supervisor.succeeded();
        assert_eq!(supervisor.admit_at(later), None);
        assert_eq!(supervisor.admit_at(later), None);
    }
}
