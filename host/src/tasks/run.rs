//! Working on one task.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use tokio_util::sync::CancellationToken;
use tracing::{Span, field::Empty};

use super::{
    Failure, Inner, QUICK, Slot, Task, TaskState, kind,
    waiting::{self, End},
};
use crate::{
    Error, Flow, Namespace, Outcome, Path, Position, Totals, Work,
    state::{LEASE, StateResult},
};

/// How long to wait before the journal is tried again.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

/// What reaches a task that is under way here.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) flow: Flow,
    is_cancelled: AtomicBool,
    over: CancellationToken,
}

/// How working on a task came to an end.
enum Outlook {
    Done(Totals),
    Failed(Totals, Error, Failure),
    Cancelled(Totals),
    /// This process ends, or there is no room for long work now. It goes on from its position.
    Left(Position),
    /// Another host has it.
    Lost,
}

/// The span of the work on a task. It is none of the request's that asks for the task: that is answered before.
pub(super) fn span(task: &Task) -> Span {
    tracing::debug_span!(
        parent: None,
        "task",
        id = task.id,
        kind = kind(&task.work),
        run = task.runs,
        outcome = Empty,
    )
}

/// A task is under way as long as this is there.
struct Under<'a> {
    inner: &'a Inner,
    id: &'a str,
    control: Arc<Control>,
}

impl Control {
    /// Ends the work after the step under way.
    pub(super) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
        self.flow.stop();
    }

    /// Waits until nobody works on it here.
    pub(super) async fn over(&self) {
        self.over.cancelled().await;
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }
}

impl Inner {
    /// Works on a task that is this host's, notes how that ended, and tells whoever waits.
    pub(super) async fn work_on(&self, task: Task, slot: Slot) {
        let (id, kind) = (task.id.clone(), kind(&task.work));
        let under = self.enter(&id);
        let outlook = self.go(task, slot, &under.control).await;
        let (state, totals, failure, end): (_, _, _, End) = match outlook {
            Outlook::Done(totals) => (TaskState::Done, totals, None, Ok(Some(totals))),
            Outlook::Failed(totals, error, failure) => {
                tracing::info!(task = id, kind, %error, "a task failed");
                (TaskState::Failed, totals, Some(failure), Err(error))
            }
            Outlook::Cancelled(totals) => (
                TaskState::Cancelled,
                totals,
                None,
                Err(waiting::cancelled()),
            ),
            Outlook::Left(position) => {
                let leave = || self.state.leave_task(&id, &self.host, &position);
                if self.noted(&id, leave).await.is_none() {
                    tracing::warn!(task = id, "a task could not be left; it goes on in a while");
                }
                if self.stop.is_cancelled() {
                    self.waiting.tell(&id, Ok(None));
                }
                return;
            }
            Outlook::Lost => return,
        };
        Span::current().record("outcome", state.name());
        let finish = || {
            self.state
                .finish_task(&id, &self.host, state, totals, failure.as_ref())
        };
        let finished = self.noted(&id, finish).await;
        if finished == Some(true) {
            metrics::counter!("orlop_tasks_total", "kind" => kind, "state" => state.name())
                .increment(1);
        }
        self.waiting.tell(&id, end);
    }

    async fn go(&self, task: Task, mut slot: Slot, control: &Control) -> Outlook {
        let namespace = self.namespace().restricted_to(&task.access);
        let mut position = match task.runs {
            0 | 1 => task.position,
            _ => task.position.resumed(),
        };
        if let Some(failure) = lacks_mount(&namespace, &task.work) {
            let error = Outcome::NotFound.into();
            return Outlook::Failed(position.totals(), error, failure);
        }
        let began = Instant::now();
        loop {
            if control.is_cancelled() {
                return Outlook::Cancelled(position.totals());
            }
            if control.flow.is_stopped() {
                return Outlook::Left(position);
            }
            if !slot.is_long && began.elapsed() > QUICK {
                match self.slots.long() {
                    Some(long) => slot = long,
                    None => return Outlook::Left(position),
                }
            }
            let before = position.totals();
            let step = namespace.step(&task.work, &mut position, &control.flow);
            let made = step.await;
            count(kind(&task.work), before, position.totals());
            match made {
                Err(_) if control.flow.is_stopped() => continue,
                Err(error) => {
                    let failure = Failure::of(&error);
                    return Outlook::Failed(position.totals(), error, failure);
                }
                Ok(()) if position.is_done() => return Outlook::Done(position.totals()),
                Ok(()) => {}
            }
            if !self.journal(&task.id, &position).await {
                return Outlook::Lost;
            }
        }
    }

    /// Notes how far a task has come. False if it is not ours any more.
    async fn journal(&self, id: &str, position: &Position) -> bool {
        let note = || self.state.journal_task(id, &self.host, position);
        self.noted(id, note).await.unwrap_or(false)
    }

    /// Writes to the journal, again and again as long as the task is surely ours; none if that was in vain.
    async fn noted<T, F: Future<Output = StateResult<T>>>(
        &self,
        id: &str,
        note: impl Fn() -> F,
    ) -> Option<T> {
        let began = Instant::now();
        loop {
            match note().await {
                Ok(answer) => return Some(answer),
                Err(error) => {
                    tracing::warn!(task = id, %error, "the journal of tasks cannot be written");
                    if began.elapsed() > LEASE {
                        return None;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn enter<'a>(&'a self, id: &'a str) -> Under<'a> {
        let control = Arc::new(Control {
            flow: Flow::below(&self.stop),
            is_cancelled: AtomicBool::new(false),
            over: CancellationToken::new(),
        });
        self.running().insert(id.to_owned(), Arc::clone(&control));
        metrics::gauge!("orlop_tasks_running").increment(1);
        Under {
            inner: self,
            id,
            control,
        }
    }
}

impl Drop for Under<'_> {
    fn drop(&mut self) {
        let mut running = self.inner.running();
        // It may have been left, and taken up again already.
        if running
            .get(self.id)
            .is_some_and(|control| Arc::ptr_eq(control, &self.control))
        {
            running.remove(self.id);
        }
        drop(running);
        self.control.over.cancel();
        metrics::gauge!("orlop_tasks_running").decrement(1);
    }
}

/// Why work cannot go on if one of its ends is in no mount: somebody changed the configuration.
fn lacks_mount(namespace: &Namespace, work: &Work) -> Option<Failure> {
    let to = work.plan().map(|plan| &plan.to);
    let ends: [Option<&Path>; 2] = [Some(work.from()), to];
    let lacking = ends
        .into_iter()
        .flatten()
        .find(|path| namespace.mount_of(path).is_none())?;
    Some(Failure {
        code: Error::from(Outcome::NotFound).code().to_owned(),
        detail: format!("no mount holds `/{lacking}` any more"),
    })
}

fn count(kind: &'static str, before: Totals, after: Totals) {
    let items = after.items.saturating_sub(before.items);
    let bytes = after.bytes.saturating_sub(before.bytes);
    metrics::counter!("orlop_task_items_total", "kind" => kind).increment(items);
    metrics::counter!("orlop_task_bytes_total", "kind" => kind).increment(bytes);
}
