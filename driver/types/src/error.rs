//! Why a call failed.

use std::time::Duration;

/// What every fallible function of a driver returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed: the contract's `error`, case by case.
///
/// Texts are lower case, one line, name the object, and hold neither a secret nor a signed URL, since
/// the host may show them to clients. The cases are all there will be in this version of the contract,
/// which cannot grow a variant either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such file or directory. Never used for a storage that could not be reached.
    #[error("not found")]
    NotFound,
    /// There is something at the destination already.
    #[error("there is something at the destination already")]
    AlreadyExists,
    /// A directory was needed, and a file is there.
    #[error("not a directory")]
    NotADirectory,
    /// A file was needed, and a directory is there.
    #[error("is a directory")]
    IsADirectory,
    /// An `If-Match` or `If-None-Match` condition did not hold.
    #[error("the file at the destination is not the one expected")]
    PreconditionFailed,
    /// The credentials are good, but do not allow this.
    #[error("permission denied: {0}")]
    PermissionDenied(String),
    /// The credentials are missing, wrong or expired.
    #[error("not authenticated: {0}")]
    Unauthenticated(String),
    /// The configuration cannot work.
    #[error("{0}")]
    InvalidConfig(ConfigError),
    /// The caller asked for something that makes no sense to this driver.
    #[error("invalid argument: {0}")]
    InvalidArgument(String),
    /// The storage cannot do this.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// The storage asks to slow down, and for how long if it said.
    #[error("the storage asks to slow down")]
    RateLimited(Option<Duration>),
    /// The storage is down, unreachable or answers nonsense.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The account or bucket is full.
    #[error("quota exceeded: {0}")]
    QuotaExceeded(String),
    /// More bytes than this limit.
    #[error("more than {0} bytes")]
    TooLarge(u64),
    /// The host's policy forbids it. Only the host makes this error.
    #[error("blocked: {0}")]
    Blocked(String),
    /// No answer in time.
    #[error("timed out")]
    TimedOut,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid configuration: {}{message}", field.as_deref().map(|field| format!("`{field}`: ")).unwrap_or_default())]
pub struct ConfigError {
    /// The field to blame, as the schema names it; none if it is several.
    pub field: Option<String>,
    /// What is wrong and what would be right, without the value of a secret.
    pub message: String,
}

impl Error {
    /// A configuration error that blames one field.
    pub fn config(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::InvalidConfig(ConfigError {
            field: Some(field.into()),
            message: message.into(),
        })
    }

    /// Whether the same call may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::RateLimited(_) | Self::Unavailable(_) | Self::TimedOut
        )
    }
}
