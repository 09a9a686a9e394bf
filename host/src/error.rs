//! Why a call failed.

use std::{fmt, sync::Arc, time::Duration};

use crate::{Path, Rights};

/// One of the contract's named errors: the driver's answer, or the host's in its place.
pub use orlop_driver_types::Error as Outcome;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error from outside, of whatever kind.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a call failed.
///
/// The first question is whose fault it is: an [`Outcome`](Error::Outcome) is an answer, a
/// [`Fault`](Error::Fault) is a driver that broke, a [`Component`](Error::Component) is a driver that never
/// worked, and a [`Host`](Error::Host) is ours.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The driver, or the host in its place, answered with one of the contract's errors.
    #[error("{0}")]
    Outcome(Outcome),
    /// The driver broke. The call may have had an effect; other mounts noticed nothing.
    #[error("{0}")]
    Fault(Fault),
    /// A driver file that cannot be loaded.
    #[error("{0}")]
    Component(#[source] ComponentError),
    /// The host could not do its own part.
    #[error("{0}")]
    Host(#[source] HostError),
    /// Whoever asked has no right to it: see [`Namespace::restricted_to`](crate::Namespace::restricted_to).
    #[error("{0}")]
    Denied(Denied),
}

/// What somebody had no right to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no right to {} `/{path}`", if *rights == Rights::Write { "change" } else { "read" })]
pub struct Denied {
    /// The path in the namespace.
    pub path: Path,
    /// What it would have taken.
    pub rights: Rights,
}

/// How a driver broke.
#[derive(Clone, Debug)]
pub struct Fault {
    driver: Arc<str>,
    kind: FaultKind,
}

/// The ways in which a driver can break.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// It trapped: a panic, a bad memory access, a wrong use of the component model.
    Trap(String),
    /// It computed for longer than its limit without waiting for anything.
    CpuLimit(Duration),
    /// It wanted more memory than its limit, in bytes.
    MemoryLimit(u64),
    /// A call took longer than its deadline.
    Deadline(Duration),
    /// It answered what the contract does not allow.
    BadAnswer(String),
    /// It broke so often that it is not called for a while.
    HeldOff {
        /// How long until it is tried again.
        retry_after: Duration,
    },
}

impl Fault {
    pub(crate) fn new(driver: &Arc<str>, kind: FaultKind) -> Self {
        Self {
            driver: Arc::clone(driver),
            kind,
        }
    }

    /// The name of the mount or driver that broke.
    pub fn driver(&self) -> &str {
        &self.driver
    }

    /// How it broke.
    pub fn kind(&self) -> &FaultKind {
        &self.kind
    }

    /// How long to wait before trying again, if the driver is held off.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            FaultKind::HeldOff { retry_after } => Some(retry_after),
            _ => None,
        }
    }
}

impl FaultKind {
    /// A short name for metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Trap(_) => "trap",
            Self::CpuLimit(_) => "cpu-limit",
            Self::MemoryLimit(_) => "memory-limit",
            Self::Deadline(_) => "deadline",
            Self::BadAnswer(_) => "bad-answer",
            Self::HeldOff { .. } => "held-off",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the driver of `{}` ", self.driver)?;
        match &self.kind {
            FaultKind::Trap(reason) => write!(formatter, "broke: {reason}"),
            FaultKind::CpuLimit(limit) => {
                write!(formatter, "computed for more than {limit:?} at a stretch")
            }
            FaultKind::MemoryLimit(limit) => {
                write!(formatter, "wanted more than {limit} bytes of memory")
            }
            FaultKind::Deadline(deadline) => write!(formatter, "took more than {deadline:?}"),
            FaultKind::BadAnswer(reason) => write!(formatter, "broke the contract: {reason}"),
            FaultKind::HeldOff { retry_after } => write!(
                formatter,
                "keeps breaking and is held off for {:.1} s",
                retry_after.as_secs_f64()
            ),
        }
    }
}

/// Why a driver file cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentError {
    /// The file could not be read.
    #[error("cannot read the driver file `{path}`: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes are not those that the operator pinned.
    #[error("the driver file has the digest {actual}, but {expected} is pinned")]
    Digest {
        /// The SHA-256 that was asked for, in hexadecimal.
        expected: String,
        /// The SHA-256 of the bytes.
        actual: String,
    },
    /// The bytes are not a component that this host can compile.
    #[error("not a WebAssembly component: {0}")]
    Invalid(String),
    /// It asks for more than the contract lends.
    #[error("the driver imports what no driver may have: {}", .0.join(", "))]
    Imports(Vec<String>),
    /// It lacks an interface that each driver must export, or exports it in another form.
    #[error("not a driver: {0}")]
    Exports(String),
    /// It describes itself wrongly.
    #[error("the driver describes itself wrongly: {0}")]
    Descriptor(String),
}

/// What the host itself could not do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The runtime could not be set up.
    #[error("cannot set up the WebAssembly runtime: {0}")]
    Runtime(String),
    /// The HTTP client could not be set up.
    #[error("cannot set up the HTTP client: {0}")]
    Client(String),
    /// Mounts that contradict each other.
    #[error("{0}")]
    Mounts(String),
    /// Input or output of the host's own.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A bug in the host.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// The contract's name of this error, for machines: `not-found`, `unavailable`, …; `internal` if it is
    /// the host's own.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Outcome(outcome) => code(outcome),
            Self::Fault(fault) => match fault.kind {
                FaultKind::Deadline(_) => "timed-out",
                _ => "unavailable",
            },
            Self::Component(_) => "invalid-config",
            Self::Host(_) => "internal",
            Self::Denied(_) => "permission-denied",
        }
    }
}

pub(crate) fn code(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::NotFound => "not-found",
        Outcome::AlreadyExists => "already-exists",
        Outcome::NotADirectory => "not-a-directory",
        Outcome::IsADirectory => "is-a-directory",
        Outcome::PreconditionFailed => "precondition-failed",
        Outcome::PermissionDenied(_) => "permission-denied",
        Outcome::Unauthenticated(_) => "unauthenticated",
        Outcome::InvalidConfig(_) => "invalid-config",
        Outcome::InvalidArgument(_) => "invalid-argument",
        Outcome::Unsupported(_) => "unsupported",
        Outcome::RateLimited(_) => "rate-limited",
        Outcome::Unavailable(_) => "unavailable",
        Outcome::QuotaExceeded(_) => "quota-exceeded",
        Outcome::TooLarge(_) => "too-large",
        Outcome::Blocked(_) => "blocked",
        Outcome::TimedOut => "timed-out",
        Outcome::Other(_) => "other",
    }
}

impl From<Outcome> for Error {
    fn from(outcome: Outcome) -> Self {
        Self::Outcome(outcome)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<ComponentError> for Error {
    fn from(error: ComponentError) -> Self {
        Self::Component(error)
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<HostError> for Error {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}
