//! One task.

use std::sync::Arc;

use crate::{Access, Error, Position, Totals, Work, serve::problem};

/// Some work, whose it is, and how far it has come.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// 22 random letters and digits.
    pub(crate) id: String,
    /// Whose it is; none for a caller without a name.
    pub(crate) owner: Option<Arc<str>>,
    /// What its owner may do, as it was when the task was begun.
    pub(crate) access: Access,
    pub(crate) work: Work,
    pub(crate) state: TaskState,
    /// How far it has come, as of the last step.
    pub(crate) position: Position,
    /// Bytes of the step under way that have passed through the host.
    pub(crate) flowing: u64,
    /// Why it failed, if it did.
    pub(crate) failure: Option<Failure>,
    /// In milliseconds since the epoch.
    pub(crate) created: u64,
    /// When it last got on, in milliseconds since the epoch.
    pub(crate) updated: u64,
    /// How often somebody began to work on it.
    pub(crate) runs: u64,
}

/// What became of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskState {
    /// Somebody works on it, or will.
    Running,
    /// All is done.
    Done,
    /// It ended half way. It can be tried again.
    Failed,
    /// Its owner ended it half way. It can be taken up again.
    Cancelled,
}

/// Why a task failed, as clients may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The contract's name for the error.
    pub(crate) code: String,
    /// The error in words. Holds no secret and no signed URL.
    pub(crate) detail: String,
}

impl Task {
    /// How much is done, with what is under way.
    pub(crate) fn totals(&self) -> Totals {
        let Totals { items, bytes } = self.position.totals();
        Totals {
            items,
            bytes: bytes.saturating_add(self.flowing),
        }
    }

    /// What kind of work it is, in a word.
    pub(crate) fn kind(&self) -> &'static str {
        kind(&self.work)
    }
}

/// What kind of work it is, in a word.
pub(crate) fn kind(work: &Work) -> &'static str {
    match work {
        Work::Remove { .. } => "remove",
        Work::Copy(_) => "copy",
        Work::Move(_) => "move",
    }
}

impl TaskState {
    const ALL: [Self; 4] = [Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// Its name in the API, in the journal and in metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl Failure {
    /// An error as clients may know it.
    pub(crate) fn of(error: &Error) -> Self {
        Self {
            code: error.code().to_owned(),
            detail: problem::detail(error).into_owned(),
        }
    }
}
