//! Asking who somebody is.

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::response::{IntoResponse as _, Response};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode, Uri,
    header::{ACCEPT, CACHE_CONTROL, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE},
    request::Parts,
};

use crate::serve::{
    accept::Wants,
    caller::Caller,
    door::Door,
    login,
    problem::Problem,
    site::{Shared, View, Visit},
};

/// What somebody is told whose password is wrong, or who does not exist.
pub(super) const WRONG: &str = "the name or the password is wrong";

const BASIC: HeaderValue = HeaderValue::from_static("Basic realm=\"Orlop\", charset=\"UTF-8\"");

/// A scheme that no browser knows: it shows our form rather than a window of its own.
const FORM: HeaderValue = HeaderValue::from_static("Form realm=\"Orlop\"");

/// The caller did not show who it is, or showed it wrong.
pub(crate) fn unauthenticated(detail: impl Into<Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
}

pub(super) fn too_many(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate-limited",
        format!("too many wrong passwords came from this address; try again in {seconds} s"),
    )
    .with_header(RETRY_AFTER, seconds.into())
}

pub(super) fn busy() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "too many passwords are being checked; try again",
    )
    .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
}

/// What somebody asked, as far as it matters for how to answer.
pub(super) struct Asked {
    pub(super) door: Door,
    method: Method,
    uri: Uri,
    wants: Wants,
    headers: HeaderMap,
}

impl Asked {
    pub(super) fn of(request: &Parts) -> Self {
        let headers = &request.headers;
        let wants = Wants::of(headers);
        Self {
            door: Door::of(request.uri.path()),
            method: request.method.clone(),
            uri: request.uri.clone(),
            wants,
            headers: headers
                .get_all(ACCEPT)
                .into_iter()
                .map(|value| (ACCEPT, value.clone()))
                .collect(),
        }
    }

    /// Whether people read the answer.
    fn is_by_people(&self) -> bool {
        self.wants == Wants::Html
            && matches!(
                self.door,
                Door::Page | Door::Download | Door::Proxy | Door::Login | Door::Share
            )
    }

    /// Asks to log in: people by the form, programs by a challenge.
    pub(super) fn ask(&self, site: &Shared, view: &View, reason: &'static str) -> Response {
        let is_view = matches!(self.method, Method::GET | Method::HEAD);
        if !self.is_by_people() {
            return self.refuse(site, view, unauthenticated(reason));
        }
        if !is_view {
            let problem = unauthenticated(reason).with_header(WWW_AUTHENTICATE, FORM);
            return self.render(site, view, problem);
        }
        let form = login::address(&self.uri);
        let location = HeaderValue::try_from(form);
        let location = location.unwrap_or(HeaderValue::from_static(login::PATH));
        let no_store = HeaderValue::from_static("no-store");
        let headers = [(LOCATION, location), (CACHE_CONTROL, no_store)];
        (StatusCode::SEE_OTHER, headers).into_response()
    }

    /// Refuses what the request shows.
    pub(super) fn refuse(&self, site: &Shared, view: &View, problem: Problem) -> Response {
        let problem = if problem.status == StatusCode::UNAUTHORIZED {
            problem.with_header(WWW_AUTHENTICATE, BASIC)
        } else {
            problem
        };
        self.render(site, view, problem)
    }

    fn render(&self, site: &Shared, view: &View, problem: Problem) -> Response {
        if !self.is_by_people() {
            return problem.into_response();
        }
        let nobody = Caller::anonymous(&view.options);
        let visit = Visit::new(Arc::clone(site), view.clone(), nobody, None);
        problem.render(&visit, &self.headers)
    }
}

/// The challenge of our own forms.
pub(crate) fn by_form(problem: Problem) -> Problem {
    if problem.status == StatusCode::UNAUTHORIZED {
        problem.with_header(WWW_AUTHENTICATE, FORM)
    } else {
        problem
    }
}
