//! Callers that wait for their work.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use super::{Failure, Ran, TaskState, Tasks, lost};
use crate::{Error, Outcome, Result, Totals};

/// How often a caller looks whether another host has ended its task.
const LOOK: Duration = Duration::from_secs(2);

/// How work ended here: done, or left for another process.
pub(super) type End = Result<Option<Totals>>;

/// Those who wait, by the task that they wait for. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting {
    callers: Arc<Mutex<HashMap<String, oneshot::Sender<End>>>>,
}

/// One who waits. Gone, it is not told any more.
pub(super) struct Expected {
    id: String,
    end: oneshot::Receiver<End>,
    waiting: Waiting,
}

impl Waiting {
    pub(super) fn expect(&self, id: &str) -> Expected {
        let (sender, end) = oneshot::channel();
        self.with(|callers| callers.insert(id.to_owned(), sender));
        Expected {
            id: id.to_owned(),
            end,
            waiting: self.clone(),
        }
    }

    /// Tells whoever waits for a task how it ended.
    pub(super) fn tell(&self, id: &str, end: End) {
        if let Some(caller) = self.with(|callers| callers.remove(id)) {
            // The caller may have gone away.
            let _ = caller.send(end);
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<String, oneshot::Sender<End>>) -> T) -> T {
        act(&mut self.callers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.waiting.with(|callers| callers.remove(&self.id));
    }
}

impl Tasks {
    /// Waits until a task is over, or until this process ends.
    pub(super) async fn over(&self, mut expected: Expected) -> Result<Ran> {
        let id = expected.id.clone();
        loop {
            tokio::select! {
                biased;
                end = &mut expected.end => return told(end, id),
                () = self.inner.stop.cancelled() => break,
                () = tokio::time::sleep(LOOK) => {
                    if let Some(ran) = self.ended_elsewhere(&id).await? {
                        return Ok(ran);
                    }
                }
            }
        }
        // The step under way may be the last.
        if self.inner.control(&id).is_some() {
            return told((&mut expected.end).await, id);
        }
        Ok(Ran::Task(id))
    }

    /// How a task ended that is not worked on here.
    async fn ended_elsewhere(&self, id: &str) -> Result<Option<Ran>> {
        if self.inner.control(id).is_some() {
            return Ok(None);
        }
        let Some(task) = self.inner.state.task(id).await.map_err(lost)? else {
            return Ok(None);
        };
        match task.state {
            TaskState::Running => Ok(None),
            TaskState::Done => Ok(Some(Ran::Done(task.position.totals()))),
            TaskState::Cancelled => Err(cancelled()),
            TaskState::Failed => Err(task.failure.map_or_else(cancelled, Failure::into_error)),
        }
    }
}

fn told(end: Result<End, oneshot::error::RecvError>, id: String) -> Result<Ran> {
    match end {
        Ok(end) => end.map(|totals| totals.map_or(Ran::Task(id), Ran::Done)),
        // Nobody works on it any more; the journal knows it.
        Err(_) => Ok(Ran::Task(id)),
    }
}

/// What callers are told of work that somebody cancelled meanwhile.
pub(super) fn cancelled() -> Error {
    Outcome::Other("the task was cancelled".to_owned()).into()
}

impl Failure {
    /// The error that a failure on another host stands for, as near as its texts tell.
    fn into_error(self) -> Error {
        let text = |start: &str| {
            let text = self.detail.strip_prefix(start).unwrap_or(&self.detail);
            text.to_owned()
        };
        let outcome = match self.code.as_str() {
            "not-found" => Outcome::NotFound,
            "already-exists" => Outcome::AlreadyExists,
            "not-a-directory" => Outcome::NotADirectory,
            "is-a-directory" => Outcome::IsADirectory,
            "permission-denied" => Outcome::PermissionDenied(text("permission denied: ")),
            "invalid-argument" => Outcome::InvalidArgument(text("invalid argument: ")),
            "unsupported" => Outcome::Unsupported(text("unsupported: ")),
            "rate-limited" => Outcome::RateLimited(None),
            "quota-exceeded" => Outcome::QuotaExceeded(text("quota exceeded: ")),
            "timed-out" => Outcome::TimedOut,
            "unavailable" => Outcome::Unavailable(text("unavailable: ")),
            _ => Outcome::Other(self.detail),
        };
        outcome.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_means_on_another_host_what_it_meant_on_the_first() {
        for outcome in [
            Outcome::NotFound,
            Outcome::AlreadyExists,
            Outcome::PermissionDenied("no".to_owned()),
            Outcome::Unavailable("down".to_owned()),
            Outcome::QuotaExceeded("full".to_owned()),
            Outcome::TimedOut,
        ] {
            let failure = Failure::of(&outcome.clone().into());
            let Error::Outcome(recalled) = failure.into_error() else {
                panic!("{outcome:?}");
            };
            assert_eq!(recalled, outcome);
        }
    }

    #[tokio::test]
    async fn who_waits_is_told_and_who_left_is_not_kept() {
        let waiting = Waiting::default();
        let mut expected = waiting.expect("a");
        waiting.tell("b", Ok(None));
        waiting.tell("a", Ok(Some(Totals::default())));
        assert!(matches!((&mut expected.end).await, Ok(Ok(Some(_)))));
        drop(waiting.expect("c"));
        assert!(waiting.with(|callers| callers.is_empty()));
    }
}
