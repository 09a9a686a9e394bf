//! What each error means to a client: the one table.

use std::time::Duration;

use http::StatusCode;
use tracing::Level;

use crate::{Error, FaultKind, Outcome};

/// What an error means to a client and to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The status over plain HTTP.
    pub http: StatusCode,
    /// The status over WebDAV (RFC 4918).
    pub dav: StatusCode,
    /// How loudly to log it: `ERROR` is for what the operator must mend.
    pub level: Level,
    /// When to try again, for errors that pass by themselves.
    pub retry_after: Option<Duration>,
}

/// How long to wait when the storage did not say.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Looks an error up in the table.
///
/// The service's refusal of the mount's own credentials is the operator's fault, never the client's:
/// it is 502, not 401, since no credential that the client could send would help.
pub fn verdict(error: &Error) -> Verdict {
    let row = |http: u16, dav: u16, level: Level, retry_after: Option<Duration>| Verdict {
        http: StatusCode::from_u16(http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        dav: StatusCode::from_u16(dav).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        level,
        retry_after,
    };
    let later = Some(RETRY_AFTER);
    match error {
        Error::Outcome(outcome) => match outcome {
            Outcome::NotFound => row(404, 404, Level::DEBUG, None),
            // RFC 4918 §9.8.5: a destination that is there under `Overwrite: F` is a failed condition.
            Outcome::AlreadyExists => row(409, 412, Level::DEBUG, None),
            Outcome::NotADirectory => row(409, 409, Level::DEBUG, None),
            Outcome::IsADirectory => row(409, 409, Level::DEBUG, None),
            Outcome::PreconditionFailed => row(412, 412, Level::DEBUG, None),
            Outcome::PermissionDenied(_) => row(403, 403, Level::INFO, None),
            Outcome::Unauthenticated(_) => row(502, 502, Level::ERROR, None),
            Outcome::InvalidConfig(_) => row(502, 502, Level::ERROR, None),
            Outcome::InvalidArgument(_) => row(400, 400, Level::DEBUG, None),
            Outcome::Unsupported(_) => row(501, 501, Level::DEBUG, None),
            Outcome::RateLimited(wait) => row(503, 503, Level::WARN, wait.or(later)),
            Outcome::Unavailable(_) => row(502, 502, Level::WARN, later),
            Outcome::QuotaExceeded(_) => row(507, 507, Level::WARN, None),
            Outcome::TooLarge(_) => row(413, 413, Level::INFO, None),
            Outcome::Blocked(_) => row(502, 502, Level::ERROR, None),
            Outcome::TimedOut => row(504, 504, Level::WARN, later),
            Outcome::Other(_) => row(502, 502, Level::WARN, None),
        },
        Error::Fault(fault) => match fault.kind() {
            FaultKind::HeldOff { retry_after } => row(503, 503, Level::WARN, Some(*retry_after)),
            FaultKind::Deadline(_) => row(504, 504, Level::ERROR, later),
            FaultKind::Trap(_)
            | FaultKind::CpuLimit(_)
            | FaultKind::MemoryLimit(_)
            | FaultKind::BadAnswer(_) => row(502, 502, Level::ERROR, later),
        },
        Error::Component(_) => row(502, 502, Level::ERROR, None),
        Error::Host(_) => row(500, 500, Level::ERROR, None),
        Error::Denied(_) => row(403, 403, Level::INFO, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ComponentError, Denied, Fault, HostError, Path, Rights};

    /// Statuses over HTTP and WebDAV, how loud, and after how many seconds to try again.
    fn row(error: Error) -> String {
        let Verdict {
            http,
            dav,
            level,
            retry_after,
        } = verdict(&error);
        let retry = retry_after.map_or(String::from("never"), |wait| wait.as_secs().to_string());
        format!("{} {} {level} {retry}", http.as_u16(), dav.as_u16())
    }

    #[test]
    fn outcomes() {
        let text = || "x".to_owned();
        let wait = Duration::from_secs(9);
        for (outcome, expected) in [
            (Outcome::NotFound, "404 404 DEBUG never"),
            (Outcome::AlreadyExists, "409 412 DEBUG never"),
            (Outcome::NotADirectory, "409 409 DEBUG never"),
            (Outcome::IsADirectory, "409 409 DEBUG never"),
            (Outcome::PreconditionFailed, "412 412 DEBUG never"),
            (Outcome::PermissionDenied(text()), "403 403 INFO never"),
            (Outcome::Unauthenticated(text()), "502 502 ERROR never"),
            (Outcome::config("field", "x"), "502 502 ERROR never"),
            (Outcome::InvalidArgument(text()), "400 400 DEBUG never"),
            (Outcome::Unsupported(text()), "501 501 DEBUG never"),
            (Outcome::RateLimited(None), "503 503 WARN 5"),
            (Outcome::RateLimited(Some(wait)), "503 503 WARN 9"),
            (Outcome::Unavailable(text()), "502 502 WARN 5"),
            (Outcome::QuotaExceeded(text()), "507 507 WARN never"),
            (Outcome::TooLarge(1), "413 413 INFO never"),
            (Outcome::Blocked(text()), "502 502 ERROR never"),
            (Outcome::TimedOut, "504 504 WARN 5"),
            (Outcome::Other(text()), "502 502 WARN never"),
        ] {
            assert_eq!(row(outcome.clone().into()), expected, "{outcome:?}");
        }
    }

    #[test]
    fn faults_and_the_hosts_own_failures() {
        let held_off = FaultKind::HeldOff {
            retry_after: Duration::from_secs(9),
        };
        for (kind, expected) in [
            (FaultKind::Trap("x".into()), "502 502 ERROR 5"),
            (FaultKind::CpuLimit(Duration::ZERO), "502 502 ERROR 5"),
            (FaultKind::MemoryLimit(1), "502 502 ERROR 5"),
            (FaultKind::BadAnswer("x".into()), "502 502 ERROR 5"),
            (FaultKind::Deadline(Duration::ZERO), "504 504 ERROR 5"),
            (held_off, "503 503 WARN 9"),
        ] {
            let fault = Fault::new(&"s3".into(), kind.clone());
            assert_eq!(row(fault.into()), expected, "{kind:?}");
        }
        let component = ComponentError::Invalid("x".into());
        assert_eq!(row(component.into()), "502 502 ERROR never");
        let host = HostError::Internal("x".into());
        assert_eq!(row(host.into()), "500 500 ERROR never");
        let denied = Denied {
            path: Path::ROOT,
            rights: Rights::Read,
        };
        assert_eq!(row(denied.into()), "403 403 INFO never");
    }
}
