//! Failures as WebDAV tells them: the statuses of its own column, and what went wrong as an element where RFC 4918
//! §16 has one.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{ALLOW, CONTENT_TYPE},
};

use super::{multistatus, xml};
use crate::{
    Error, Outcome,
    serve::{problem::Problem, status::verdict},
    state::StateError,
};

/// Why a request failed.
#[derive(Debug)]
pub(super) struct Refusal {
    problem: Problem,
    /// The element of RFC 4918 §16 that says so.
    element: Option<Box<str>>,
}

/// What is called a precondition or a postcondition in RFC 4918 §16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precondition {
    /// A collection is not described with all that lies below it.
    FiniteDepth,
    /// A token would have been needed.
    LockTokenSubmitted,
    /// Another lock is in the way.
    NoConflictingLock,
    /// The token is not one of this resource's locks.
    LockTokenMatches,
}

impl Precondition {
    fn name(self) -> &'static str {
        match self {
            Self::FiniteDepth => "propfind-finite-depth",
            Self::LockTokenSubmitted => "lock-token-submitted",
            Self::NoConflictingLock => "no-conflicting-lock",
            Self::LockTokenMatches => "lock-token-matches-request-uri",
        }
    }
}

impl Refusal {
    /// A precondition that does not hold, and the resources that it is about.
    pub(super) fn of(
        status: StatusCode,
        precondition: Precondition,
        hrefs: &[String],
        detail: &'static str,
    ) -> Self {
        let mut element = format!("<D:{}>", precondition.name());
        for href in hrefs {
            element.push_str("<D:href>");
            xml::escape(&mut element, href);
            element.push_str("</D:href>");
        }
        element.push_str("</D:");
        element.push_str(precondition.name());
        element.push('>');
        Self {
            problem: Problem::new(status, precondition.name(), detail),
            element: Some(element.into()),
        }
    }

    /// A failure of the request itself.
    pub(super) fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Problem::new(status, code, detail).into()
    }

    /// The resource does not answer this method; these it does.
    pub(super) fn method_not_allowed(allowed: &'static str, detail: &'static str) -> Self {
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "unsupported", detail);
        problem
            .with_header(ALLOW, HeaderValue::from_static(allowed))
            .into()
    }

    /// The collection that the resource would lie in is not there.
    pub(super) fn no_parent() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "not-found",
            "the folder that this would lie in is not there; make it first",
        )
    }

    /// A condition of the request does not hold.
    pub(super) fn precondition_failed() -> Self {
        Problem::precondition_failed().into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.problem.into_response();
        if let Some(element) = self.element {
            let text = format!(
                "{}<D:error xmlns:D=\"DAV:\">{element}</D:error>",
                multistatus::DECLARATION
            );
            *response.body_mut() = Body::from(text);
            let kind = HeaderValue::from_static(multistatus::CONTENT_TYPE);
            response.headers_mut().insert(CONTENT_TYPE, kind);
        }
        response
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            element: None,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = verdict(&error).dav;
        let mut problem = Problem::from(error);
        problem.status = status;
        problem.into()
    }
}

impl From<Outcome> for Refusal {
    fn from(outcome: Outcome) -> Self {
        Error::Outcome(outcome).into()
    }
}

impl From<StateError> for Refusal {
    fn from(error: StateError) -> Self {
        Problem::internal(error).into()
    }
}
