//! Failures as answers: RFC 9457 problem documents, or a page for people.

use std::{borrow::Cow, sync::Arc};

use axum::response::{IntoResponse, Response};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};
use serde::Serialize;
use tracing::Level;

use super::{accept::Wants, page, site::Visit, status::verdict};
use crate::{Error, Outcome};

/// Why a request failed, on its way to the client.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// The contract's name for the error.
    pub(crate) code: &'static str,
    /// What the client may know. Holds no secret and no signed URL.
    pub(crate) detail: Cow<'static, str>,
    /// What the log shall know besides, if it is more.
    cause: Option<String>,
    level: Level,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether the caller has not the right: who did not say who it is can log in.
    is_denial: bool,
}

/// Left in the response to a caller who has not the right. The storage's own refusals are none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Denial;

/// What went wrong, left in the response for the access log.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub(crate) level: Level,
    pub(crate) text: Arc<str>,
}

/// What stands in for the details of a refusal that is the operator's to mend.
const REFUSED: &str = "the storage refused the mount's credentials or settings; see `orlop check`";

const FAILED: &str = "the server failed; see its log";

#[derive(Serialize)]
struct Document<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
}

impl Problem {
    /// A failure of the request itself.
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            cause: None,
            level: Level::DEBUG,
            headers: Vec::new(),
            is_denial: false,
        }
    }

    /// The request makes no sense.
    pub(crate) fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid-argument", detail)
    }

    /// The server itself failed; what of is for the log.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            level: Level::ERROR,
            ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", FAILED)
        }
    }

    /// There is nothing at this path.
    pub(crate) fn not_found() -> Self {
        Outcome::NotFound.into()
    }

    /// A condition of the request does not hold.
    pub(crate) fn precondition_failed() -> Self {
        Outcome::PreconditionFailed.into()
    }

    /// Adds a header to the answer.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Makes it a matter of the caller's rights.
    pub(crate) fn with_denial(mut self) -> Self {
        self.is_denial = true;
        self
    }

    /// Whether it is a matter of the caller's rights.
    pub(crate) fn is_denial(&self) -> bool {
        self.is_denial
    }

    /// Tells the log this, at this level, rather than what the client is told.
    pub(crate) fn with_cause(mut self, level: Level, text: String) -> Self {
        self.cause = Some(text);
        self.level = level;
        self
    }

    /// Answers with a page if the client wants one, else with a problem document.
    pub(crate) fn render(self, site: &Visit, request: &HeaderMap) -> Response {
        if Wants::of(request) == Wants::Html {
            let page = page::failure(site, &self);
            self.finish(page)
        } else {
            self.into_response()
        }
    }

    /// Makes a response that of this failure.
    pub(crate) fn finish(self, mut response: Response) -> Response {
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.headers);
        let text = self.cause.as_deref().unwrap_or(&self.detail).into();
        let level = self.level;
        response.extensions_mut().insert(Cause { level, text });
        if self.is_denial {
            response.extensions_mut().insert(Denial);
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = Document {
            r#type: "about:blank",
            // Statuses of a protocol's own have no name.
            title: self.status.canonical_reason().unwrap_or("Refused"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        let response = ([(CONTENT_TYPE, kind)], body).into_response();
        self.finish(response)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let verdict = verdict(&error);
        let code = error.code();
        let text = error.to_string();
        let detail = detail(&error);
        let retry = verdict.retry_after.map(|wait| {
            // Rounded up: a client that comes back too early gains nothing.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            (RETRY_AFTER, HeaderValue::from(seconds))
        });
        Self {
            status: verdict.http,
            code,
            detail,
            cause: Some(text),
            level: verdict.level,
            headers: retry.into_iter().collect(),
            is_denial: matches!(error, Error::Denied(_)),
        }
    }
}

/// What a client may know of an error.
pub(crate) fn detail(error: &Error) -> Cow<'static, str> {
    match error {
        Error::Outcome(Outcome::Unauthenticated(_) | Outcome::InvalidConfig(_))
        | Error::Component(_) => Cow::Borrowed(REFUSED),
        Error::Outcome(_) | Error::Denied(_) => Cow::Owned(error.to_string()),
        Error::Fault(_) => Cow::Borrowed("the mount's driver failed; see the server's log"),
        Error::Host(_) => Cow::Borrowed(FAILED),
    }
}

impl From<Outcome> for Problem {
    fn from(outcome: Outcome) -> Self {
        Error::Outcome(outcome).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_refusal_stays_in_the_log() {
        for outcome in [
            Outcome::Unauthenticated("key AKIA is unknown to s3.example".into()),
            Outcome::config("bucket", "bucket `private-name` does not exist"),
        ] {
            let told = outcome.to_string();
            let problem = Problem::from(outcome);
            assert_eq!(problem.status, StatusCode::BAD_GATEWAY);
            assert_eq!(problem.detail, REFUSED);
            assert_eq!(problem.cause, Some(told));
        }
    }

    #[test]
    fn retry_after_is_whole_seconds_rounded_up() {
        let wait = std::time::Duration::from_millis(1500);
        let response = Problem::from(Outcome::RateLimited(Some(wait))).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "2");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    }
}
