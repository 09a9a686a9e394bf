//! What went wrong with a request: from the service's words to the contract's errors.

use std::time::Duration;

use orlop_driver::{Error, Response};

use crate::{
    date,
    xml::fault::{self, Document},
};

/// A request that failed.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// The status of the answer; 0 if there was none.
    pub(crate) status: u16,
    /// The service's code; empty if it gave none.
    pub(crate) code: Box<str>,
    /// The region that the bucket is really in, if the service said so.
    pub(crate) region: Option<Box<str>>,
    /// The service's clock, in seconds since the epoch, if it said.
    pub(crate) clock: Option<u64>,
    /// The pause that the service asked for.
    pub(crate) retry_after: Option<Duration>,
    /// The attempts made, when all is over.
    pub(crate) attempts: u32,
    /// What the caller of the driver is told.
    pub(crate) error: Error,
}

impl Fault {
    /// No answer came.
    pub(crate) fn unanswered(error: Error) -> Self {
        // Here it is the service that sent too much, which is not what the caller would understand.
        let error = match error {
            Error::TooLarge(limit) => Error::Other(format!(
                "the service answered with more than {limit} bytes where a short answer was due: is the endpoint right?"
            )),
            error => error,
        };
        Self {
            status: 0,
            code: Box::default(),
            region: None,
            clock: None,
            retry_after: None,
            attempts: 1,
            error,
        }
    }

    /// The answer is an error, by its status or, in spite of its status, by its document.
    pub(crate) fn answered(response: &Response, document: Option<Document>, what: &str) -> Self {
        let document = document.unwrap_or_else(|| {
            fault::read(&String::from_utf8_lossy(&response.body)).unwrap_or_default()
        });
        let region = response
            .header("x-amz-bucket-region")
            .map(str::to_owned)
            .or_else(|| document.region.clone());
        let clock = response
            .header("date")
            .and_then(date::parse_http)
            .or_else(|| document.server_time.as_deref().and_then(date::parse_iso))
            .map(date::seconds);
        let retry_after =
            response
                .header("retry-after")
                .and_then(|text| match text.trim().parse() {
                    Ok(seconds) => Some(Duration::from_secs(seconds)),
                    Err(_) => {
                        let at = date::seconds(date::parse_http(text)?);
                        Some(Duration::from_secs(at.saturating_sub(clock?)))
                    }
                });
        let told = Told {
            status: response.status,
            code: &document.code,
            message: &document.message,
            region: region.as_deref(),
            max_size: document.max_size,
            retry_after,
            what,
        };
        let error = told.error();
        Self {
            status: response.status,
            code: document.code.into(),
            region: region.map(Into::into),
            clock,
            retry_after,
            attempts: 1,
            error,
        }
    }

    /// The answer is none of S3's.
    pub(crate) fn garbled(response: &Response, found: &str, what: &str) -> Self {
        Self {
            status: response.status,
            ..Self::unanswered(Error::Unavailable(format!(
                "{what}: the service answered with {found}: is the endpoint right?"
            )))
        }
    }

    /// The answer ended too early.
    pub(crate) fn cut_short(response: &Response, what: &str) -> Self {
        Self {
            status: response.status,
            code: "CutShort".into(),
            ..Self::unanswered(Error::Unavailable(format!(
                "{what}: the answer was cut short"
            )))
        }
    }

    /// Whether the same request may succeed a little later.
    pub(crate) fn is_retryable(&self) -> bool {
        if self.status == 0 {
            return self.error.is_retryable();
        }
        is_retryable(self.status, &self.code)
    }

    /// Whether the service has no such object, bucket or upload.
    pub(crate) fn is_missing(&self) -> bool {
        self.status == 404 && &*self.code != "NoSuchBucket"
    }

    /// Whether the service says that it does not know such a call.
    pub(crate) fn is_unknown_call(&self) -> bool {
        matches!(self.status, 405 | 501)
            || matches!(&*self.code, "NotImplemented" | "MethodNotAllowed")
            || self.code.contains("Unsupported")
    }

    /// Whether it is about the clocks.
    pub(crate) fn is_about_time(&self) -> bool {
        is_about_time(&self.code)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        fault.error
    }
}

/// The error for a key that a call for many keys left out.
pub(crate) fn of_item(code: &str, message: &str, what: &str) -> Error {
    let status = if is_throttling(code) { 503 } else { 400 };
    let told = Told {
        status,
        code,
        message,
        region: None,
        max_size: None,
        retry_after: None,
        what,
    };
    told.error()
}

/// Whether a status and code are among those that pass. The list is the union of what rclone, OpenDAL,
/// object_store and mountpoint-s3 try again.
pub(crate) fn is_retryable(status: u16, code: &str) -> bool {
    match status {
        408 | 429 | 499 | 500 | 502 | 503 | 504 => true,
        409 => matches!(code, "OperationAborted" | "ConditionalRequestConflict"),
        _ => {
            is_throttling(code)
                || matches!(
                    code,
                    "RequestTimeout"
                        | "RequestTimeoutException"
                        | "InternalError"
                        | "ServiceUnavailable"
                        | "ServiceBusy"
                        | "XMinioServerNotInitialized"
                        | "CutShort"
                )
        }
    }
}

fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "SlowDown" | "TooManyRequests" | "BandwidthLimitExceeded"
    ) || code.starts_with("Throttling")
        || code.contains("QPSLimit")
        || code.contains("QpsLimit")
        || code.contains("RateLimit")
}

fn is_about_time(code: &str) -> bool {
    matches!(
        code,
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestNotYetValid"
    )
}

/// What the service told of a failure.
struct Told<'a> {
    status: u16,
    code: &'a str,
    message: &'a str,
    region: Option<&'a str>,
    max_size: Option<u64>,
    retry_after: Option<Duration>,
    what: &'a str,
}

impl Told<'_> {
    fn error(&self) -> Error {
        let text = || self.text();
        match (self.code, self.status) {
            ("NoSuchBucket", _) => {
                Error::config("bucket", "the service has no bucket of this name")
            }
            ("InvalidBucketName", _) => {
                Error::config("bucket", "the service takes no such name for a bucket")
            }
            ("InvalidAccessKeyId" | "InvalidAccessKey", _) => Error::Unauthenticated(
                "the service does not know the access key: check `access_key_id`".to_owned(),
            ),
            ("SignatureDoesNotMatch", _) => Error::Unauthenticated(
                "the service computes another signature: check `secret_access_key`".to_owned(),
            ),
            (
                "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired" | "ExpiredTokenException",
                _,
            ) => Error::Unauthenticated(
                "the session token is no longer good: give new temporary credentials".to_owned(),
            ),
            (code, _) if is_about_time(code) => Error::Unauthenticated(
                "the service and this machine disagree about the time: set the clock".to_owned(),
            ),
            (
                "AuthorizationHeaderMalformed"
                | "PermanentRedirect"
                | "TemporaryRedirect"
                | "IllegalLocationConstraintException",
                _,
            )
            | (_, 301 | 302 | 307 | 308) => match self.region {
                Some(region) => Error::config(
                    "region",
                    format!(
                        "the bucket is in `{region}`: set `region`, and an `endpoint` of that region"
                    ),
                ),
                None => Error::config(
                    "endpoint",
                    format!("the bucket is to be reached elsewhere ({})", text()),
                ),
            },
            (
                "SecondLevelDomainForbidden"
                | "PathStyleDomainForbidden"
                | "VirtualHostDomainRequired",
                _,
            ) => Error::config(
                "addressing",
                "the service wants the bucket's name in the host: set it to \"virtual-host\"",
            ),
            // https://www.alibabacloud.com/help/en/oss/user-guide/access-buckets-via-custom-domain-names
            ("PublicEndpointForbidden", _) => Error::config(
                "endpoint",
                "the service does not serve this account's data on its public address: bind a domain of your own to \
                 the bucket, set `endpoint` to it and `addressing` to \"cname\"",
            ),
            ("ApkDownloadForbidden" | "DownloadForbidden", _) => Error::config(
                "custom_host",
                "the service does not hand out such a file on its own address: bind a domain of your own to the \
                 bucket and set `custom_host` to it",
            ),
            ("XMinioObjectExistsAsDirectory" | "XMinioParentIsObject", _) => {
                Error::InvalidArgument(
                    "this service cannot keep a file and a folder of the same name".to_owned(),
                )
            }
            ("XMinioInvalidObjectName", _) => {
                Error::InvalidArgument("this service takes no file of this name".to_owned())
            }
            ("QuotaExceeded" | "XMinioStorageFull" | "XMinioAdminBucketQuotaExceeded", _)
            | (_, 507) => Error::QuotaExceeded(text()),
            (code, _) if is_throttling(code) => Error::RateLimited(self.retry_after),
            (_, 429) => Error::RateLimited(self.retry_after),
            ("NotImplemented" | "MethodNotAllowed", _) | (_, 405 | 501) => {
                Error::Unsupported(text())
            }
            ("EntityTooLarge", _) | (_, 413) => {
                Error::TooLarge(self.max_size.unwrap_or(crate::settings::PART_MAX))
            }
            (code, status) if is_retryable(status, code) => Error::Unavailable(text()),
            ("PreconditionFailed", _) | (_, 304 | 412) => Error::PreconditionFailed,
            (_, 401) => Error::Unauthenticated(text()),
            ("AccessDenied" | "AllAccessDisabled" | "AccountProblem", _) | (_, 403) => {
                Error::PermissionDenied(text())
            }
            (_, 404) => Error::NotFound,
            (_, 400) => Error::InvalidArgument(text()),
            (_, status) if status >= 500 => Error::Unavailable(text()),
            _ => Error::Other(text()),
        }
    }

    /// `GET \`a.txt\`: 403 AccessDenied: access is denied`, on one line, of bounded length.
    fn text(&self) -> String {
        let Self {
            what, status, code, ..
        } = self;
        let mut text = format!("{what}: the service answered {status}");
        if !code.is_empty() {
            text.push(' ');
            text.extend(
                code.chars()
                    .take(64)
                    .filter(|character| !character.is_control()),
            );
        }
        if let Some(message) = tidy(self.message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        text
    }
}

/// A service's message, fit to be shown: one short line, and none at all if it could repeat what was
/// signed.
fn tidy(message: &str) -> Option<String> {
    let lower = message.to_ascii_lowercase();
    if ["x-amz-", "signature", "://", "credential"]
        .iter()
        .any(|sign| lower.contains(sign))
    {
        return None;
    }
    let words: Vec<_> = message
        .split(|character: char| character.is_control() || character.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect();
    let line: String = words.join(" ").chars().take(200).collect();
    let line = line.trim_end_matches('.');
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(status: u16, code: &str, message: &str, headers: &[(&str, &str)]) -> Fault {
        let response = Response {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>")
                .into_bytes(),
        };
        Fault::answered(&response, None, "GET `a.txt`")
    }

    #[test]
    fn codes_and_statuses_become_errors() {
        type Check = fn(&Error) -> bool;
        let config = |error: &Error, field: &str| matches!(error, Error::InvalidConfig(config) if config.field.as_deref() == Some(field));
        assert!(config(&fault(404, "NoSuchBucket", "", &[]).error, "bucket"));
        assert!(config(
            &fault(301, "", "", &[("x-amz-bucket-region", "eu-west-1")]).error,
            "region"
        ));
        assert!(config(
            &fault(403, "PathStyleDomainForbidden", "", &[]).error,
            "addressing"
        ));
        assert!(config(
            &fault(400, "PublicEndpointForbidden", "", &[]).error,
            "endpoint"
        ));
        assert!(config(
            &fault(400, "ApkDownloadForbidden", "", &[]).error,
            "custom_host"
        ));
        let cases: [(u16, &str, Check); 18] = [
            (404, "NoSuchKey", |error| *error == Error::NotFound),
            (404, "", |error| *error == Error::NotFound),
            (403, "AccessDenied", |error| {
                matches!(error, Error::PermissionDenied(_))
            }),
            (403, "", |error| matches!(error, Error::PermissionDenied(_))),
            (403, "InvalidAccessKeyId", |error| {
                matches!(error, Error::Unauthenticated(_))
            }),
            (403, "SignatureDoesNotMatch", |error| {
                matches!(error, Error::Unauthenticated(_))
            }),
            (400, "ExpiredToken", |error| {
                matches!(error, Error::Unauthenticated(_))
            }),
            (403, "RequestTimeTooSkewed", |error| {
                matches!(error, Error::Unauthenticated(_))
            }),
            (412, "PreconditionFailed", |error| {
                *error == Error::PreconditionFailed
            }),
            (503, "SlowDown", |error| {
                matches!(error, Error::RateLimited(_))
            }),
            (200, "SlowDown", |error| {
                matches!(error, Error::RateLimited(_))
            }),
            (429, "", |error| matches!(error, Error::RateLimited(_))),
            (503, "", |error| matches!(error, Error::Unavailable(_))),
            (500, "InternalError", |error| {
                matches!(error, Error::Unavailable(_))
            }),
            (501, "NotImplemented", |error| {
                matches!(error, Error::Unsupported(_))
            }),
            (507, "XMinioStorageFull", |error| {
                matches!(error, Error::QuotaExceeded(_))
            }),
            (400, "KeyTooLongError", |error| {
                matches!(error, Error::InvalidArgument(_))
            }),
            (418, "", |error| matches!(error, Error::Other(_))),
        ];
        for (status, code, check) in cases {
            let error = fault(status, code, "", &[]).error;
            assert!(check(&error), "{status} {code}: {error:?}");
        }
    }

    #[test]
    fn what_passes_is_tried_again() {
        for (status, code) in [
            (503, "SlowDown"),
            (500, ""),
            (429, ""),
            (409, "OperationAborted"),
            (400, "RequestTimeout"),
            (200, "InternalError"),
            (400, "ExceedAccountQPSLimit"),
        ] {
            assert!(
                fault(status, code, "", &[]).is_retryable(),
                "{status} {code}"
            );
        }
        for (status, code) in [
            (409, "BucketNotEmpty"),
            (403, ""),
            (404, ""),
            (501, ""),
            (412, ""),
        ] {
            assert!(
                !fault(status, code, "", &[]).is_retryable(),
                "{status} {code}"
            );
        }
        assert!(Fault::unanswered(Error::Unavailable("gone".into())).is_retryable());
        assert!(!Fault::unanswered(Error::Blocked("no".into())).is_retryable());
        assert!(!Fault::unanswered(Error::TooLarge(1)).is_retryable());
    }

    #[test]
    fn messages_are_one_line_and_tell_no_secret() {
        let text = |message| match fault(403, "AccessDenied", message, &[]).error {
            Error::PermissionDenied(text) => text,
            error => panic!("{error:?}"),
        };
        assert_eq!(
            text("Access\n  Denied."),
            "GET `a.txt`: the service answered 403 AccessDenied: Access Denied"
        );
        for secret in [
            "see https://h/?X-Amz-Signature=abc",
            "the Signature abc",
            "x-amz-security-token: t",
        ] {
            assert_eq!(
                text(secret),
                "GET `a.txt`: the service answered 403 AccessDenied"
            );
        }
        assert!(text(&"long ".repeat(1000)).len() < 300);
    }

    #[test]
    fn pauses_are_seconds_or_instants() {
        let seconds = fault(503, "", "", &[("retry-after", "7")]);
        assert_eq!(seconds.retry_after, Some(Duration::from_secs(7)));
        let instant = fault(
            503,
            "",
            "",
            &[
                ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
                ("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT"),
            ],
        );
        assert_eq!(instant.retry_after, Some(Duration::from_secs(3)));
    }
}
