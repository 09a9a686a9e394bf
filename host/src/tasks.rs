//! Copies, moves and removals that outlive a request, and the process too.
//!
//! A task is some [`Work`] with a journal in the [`State`]: after each step its position is written down, before
//! the next begins. So it can be watched, cancelled, tried again, and gone on with by the next process after
//! `kill -9`. The host that works on a task holds a lease on it and gives signs of life; when those stay away, any
//! host of the same state takes it over.
//!
//! All work of the doors begins here, small or large. It is spoken of as a task only if it takes longer than the
//! caller waits for it.

mod keeper;
mod run;
mod slots;
mod task;
mod waiting;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument as _, Span};

pub(crate) use self::task::{Failure, Task, TaskState, kind};
use self::{
    run::Control,
    slots::{Slot, Slots},
    waiting::Waiting,
};
use crate::{
    HostError, Namespace, Position, Result, Totals, Work,
    serve::site::Visit,
    state::{State, StateError, TaskMark},
};

/// How long a caller is kept waiting that does not ask to wait.
const QUICK: Duration = Duration::from_secs(2);

/// The tasks of a server. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Tasks {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// Where work is done, from the next task on.
    namespace: RwLock<Namespace>,
    /// This process, as leases name it.
    host: String,
    slots: Slots,
    running: Mutex<HashMap<String, Arc<Control>>>,
    waiting: Waiting,
    /// Ends all work here, for another process to go on with.
    stop: CancellationToken,
    tracker: TaskTracker,
    has_begun: AtomicBool,
    /// There may be a task to take up.
    wake: Notify,
}

/// How long a caller waits for its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Some seconds: what takes longer goes on as a task.
    Quick,
    /// Until it is over. If the caller goes away, the work goes on all the same.
    Over,
}

/// What became of some work while its caller waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    /// It is done.
    Done(Totals),
    /// It goes on as the task of this id. Also callers that wait until it is over are told so if this process ends
    /// before.
    Task(String),
}

/// What became of a task that was to be ended.
#[derive(Clone, Debug)]
pub(crate) enum Ended {
    /// It is stopping, or has stopped.
    Cancelled(Box<Task>),
    /// It had ended already, and is out of the list.
    Forgotten,
}

impl Tasks {
    /// The tasks that work in this namespace. None is taken up before [`begin`](Self::begin).
    pub(crate) fn new(namespace: Namespace, state: State) -> Self {
        let inner = Inner {
            state,
            namespace: RwLock::new(namespace),
            host: random(),
            slots: Slots::default(),
            running: Mutex::default(),
            waiting: Waiting::default(),
            stop: CancellationToken::new(),
            tracker: TaskTracker::new(),
            has_begun: AtomicBool::new(false),
            wake: Notify::new(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Works in another namespace from the next task on: the configuration changed.
    pub(crate) fn work_in(&self, namespace: Namespace) {
        let namespaces = &self.inner.namespace;
        *namespaces.write().unwrap_or_else(PoisonError::into_inner) = namespace;
    }

    /// Does some work with the rights of whoever asks, as a task.
    ///
    /// # Errors
    /// Those of the work, if it fails while the caller waits; see [`Namespace::step`]. What cannot be begun is
    /// refused before it is a task.
    pub(crate) async fn run(&self, visit: &Visit, work: Work, wait: Wait) -> Result<Ran> {
        visit.namespace.check(&work)?;
        let now = milliseconds(SystemTime::now());
        let task = Task {
            id: random(),
            owner: visit.caller.name.clone(),
            access: visit.namespace.access().clone(),
            work,
            state: TaskState::Running,
            position: Position::default(),
            flowing: 0,
            failure: None,
            created: now,
            updated: now,
            runs: 1,
        };
        self.begin();
        let id = task.id.clone();
        let end = self.inner.waiting.expect(&id);
        // By itself: the caller may go away at any moment.
        let span = run::span(&task);
        span.follows_from(Span::current());
        self.inner
            .tracker
            .spawn(self.clone().submit(task).instrument(span));
        match wait {
            Wait::Over => self.over(end).await,
            Wait::Quick => match tokio::time::timeout(QUICK, self.over(end)).await {
                Ok(result) => result,
                Err(_) => Ok(Ran::Task(id)),
            },
        }
    }

    /// The caller's tasks, newest first, after this mark.
    pub(crate) async fn list(
        &self,
        visit: &Visit,
        after: Option<TaskMark>,
        limit: u32,
    ) -> Result<Vec<Task>> {
        let owner = visit.caller.name.as_deref();
        let tasks = self.inner.state.tasks(owner, after, limit).await;
        tasks.map_err(lost)
    }

    /// One of the caller's tasks; none if there is none of this id, or if it is another's.
    pub(crate) async fn find(&self, visit: &Visit, id: &str) -> Result<Option<Task>> {
        let task = self.inner.state.task(id).await.map_err(lost)?;
        Ok(task.filter(|task| task.owner == visit.caller.name))
    }

    /// Ends one of the caller's tasks after the step that is under way, or forgets it if it has ended. None as for
    /// [`find`](Self::find).
    pub(crate) async fn end(&self, visit: &Visit, id: &str) -> Result<Option<Ended>> {
        let Some(task) = self.find(visit, id).await? else {
            return Ok(None);
        };
        if task.state != TaskState::Running {
            self.inner.state.forget_task(id).await.map_err(lost)?;
            return Ok(Some(Ended::Forgotten));
        }
        self.inner.state.cancel_task(id).await.map_err(lost)?;
        if let Some(control) = self.inner.control(id) {
            control.cancel();
            // One that takes longer is told of as it is.
            let _ = tokio::time::timeout(QUICK, control.over()).await;
        }
        let task = self.find(visit, id).await?;
        Ok(task.map(Box::new).map(Ended::Cancelled))
    }

    /// Lets one of the caller's tasks that failed or was cancelled go on where it was, with what the caller may do
    /// now. False if it is in no such state; none as for [`find`](Self::find).
    ///
    /// # Errors
    /// As [`run`](Self::run), for what cannot be begun.
    pub(crate) async fn retry(&self, visit: &Visit, id: &str) -> Result<Option<bool>> {
        let Some(task) = self.find(visit, id).await? else {
            return Ok(None);
        };
        visit.namespace.check(&task.work)?;
        let access = visit.namespace.access();
        let retried = self.inner.state.retry_task(id, access).await;
        self.begin();
        self.inner.wake.notify_one();
        retried.map(Some).map_err(lost)
    }

    /// Begins to take up tasks that wait, and to give signs of life for those under way. Again does nothing.
    pub(crate) fn begin(&self) {
        if !self.inner.has_begun.swap(true, Ordering::Relaxed) {
            tokio::spawn(self.clone().keep());
        }
    }

    /// Ends all work here after the steps under way. It stays in the journal, for the next process to go on with.
    pub(crate) fn stop(&self) {
        self.inner.stop.cancel();
        self.inner.tracker.close();
    }

    /// Waits until nothing is under way, after [`stop`](Self::stop).
    pub(crate) async fn stopped(&self) {
        self.inner.tracker.wait().await;
    }

    /// Notes a task, and begins it if there is room.
    async fn submit(self, task: Task) {
        let inner = &self.inner;
        let slot = match inner.stop.is_cancelled() {
            true => None,
            false => inner.slots.quick(),
        };
        let host = slot.is_some().then_some(inner.host.as_str());
        match (inner.state.insert_task(&task, host).await, slot) {
            (Ok(()), Some(slot)) => self.work_on(task, slot).await,
            (Ok(()), None) => inner.wake.notify_one(),
            (Err(error), _) => inner.waiting.tell(&task.id, Err(lost(error))),
        }
    }

    /// Works on a task, and tells whoever waits for it how it ended.
    async fn work_on(&self, task: Task, slot: Slot) {
        self.inner.work_on(task, slot).await;
        // It has left its slot, and perhaps a task for the next one.
        self.inner.wake.notify_one();
    }
}

impl Inner {
    fn namespace(&self) -> Namespace {
        self.namespace
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn control(&self, id: &str) -> Option<Arc<Control>> {
        self.running().get(id).map(Arc::clone)
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Control>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The journal failed: our own fault.
fn lost(error: StateError) -> crate::Error {
    HostError::Internal(format!("the journal of tasks: {error}")).into()
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A name that nothing else has: 22 letters, digits, `-` and `_`.
fn random() -> String {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // Names need not be secret: owners are told apart by who asks.
        use std::hash::{BuildHasher as _, Hasher as _, RandomState};
        for half in bytes.chunks_mut(8) {
            half.copy_from_slice(&RandomState::new().build_hasher().finish().to_le_bytes());
        }
    }
    URL_SAFE_NO_PAD.encode(bytes)
}
