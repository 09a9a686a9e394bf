//! The page: folders and files for people, whole without a line of JavaScript.

pub(crate) mod folder;
mod frame;
mod preview;
mod upload;

use askama::Template;
use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, Method, StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
        VARY, X_CONTENT_TYPE_OPTIONS,
    },
    request::Parts,
};

pub(crate) use self::frame::{Frame, Ground};
use super::{
    accept::Wants,
    address, dav,
    door::Door,
    href,
    json::{self, EntryBody},
    problem::Problem,
    site::Visit,
};
use crate::{Kind, Location};

/// Nothing but what comes from here, and no script at all.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; \
    frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Every path that is no other door's.
pub(crate) async fn handle(site: Visit, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let result = match parts.method {
        Method::GET | Method::HEAD => view(&site, &parts).await,
        Method::POST => upload::receive(&site, &parts, body).await,
        Method::OPTIONS if parts.uri.path() == "/" => Ok(dav::announce()),
        Method::OPTIONS => Ok((
            StatusCode::NO_CONTENT,
            [(ALLOW, HeaderValue::from_static("GET, HEAD, POST"))],
        )
            .into_response()),
        _ => Err(Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "unsupported",
            "files are written and removed at `/d/`",
        )
        .with_header(ALLOW, HeaderValue::from_static("GET, HEAD, POST"))),
    };
    match result {
        Ok(response) => response,
        Err(problem) => problem.render(&site, &parts.headers),
    }
}

async fn view(site: &Visit, parts: &Parts) -> Result<Response, Problem> {
    let location = address::parse(Door::Page, parts.uri.path())?;
    if location.want == Some(Kind::Directory) {
        return folder::view(site, parts, location.path).await;
    }
    let entry = site.namespace.stat(&location).await?;
    if entry.kind == Kind::Directory {
        return Ok(to_folder(parts, &location));
    }
    if Wants::of(&parts.headers) == Wants::Json {
        let body = EntryBody::new(location.path, &entry);
        return Ok(vary(json::answer(StatusCode::OK, &body)));
    }
    preview::view(site, &location.path, &entry).await
}

/// A folder's address ends in a slash, so that links in its page are relative to it.
fn to_folder(parts: &Parts, location: &Location) -> Response {
    let mut address = href::absolute(Door::Page, &location.path, true);
    if let Some(query) = parts.uri.query() {
        address.push('?');
        address.push_str(query);
    }
    let mut response = see(&address);
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response
}

/// Sends the browser to another of our pages.
pub(crate) fn see(address: &str) -> Response {
    match HeaderValue::try_from(address) {
        Ok(address) => (StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response(),
        Err(error) => Problem::internal(error).into_response(),
    }
}

pub(crate) fn html(page: &impl Template) -> Response {
    let text = match page.render() {
        Ok(text) => text,
        Err(error) => return Problem::internal(error).into_response(),
    };
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        // Not `no-referrer`: under that, browsers hide the origin of our own forms from us too.
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    vary((headers, text).into_response())
}

/// The same address answers with a page or with JSON.
fn vary(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(VARY, HeaderValue::from_static("Accept"));
    response
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage<'a> {
    frame: Frame<'a>,
    status: u16,
    title: &'static str,
    detail: String,
}

/// A failure as a page. The caller sets its status.
pub(crate) fn failure(site: &Visit, problem: &Problem) -> Response {
    let title = match problem.status.as_u16() {
        401 => "You have to log in for this",
        _ if matches!(
            problem.code,
            "unauthenticated" | "invalid-config" | "blocked"
        ) =>
        {
            "This mount is not set up right"
        }
        400 => "That address makes no sense",
        403 => "That is not allowed",
        404 => "There is nothing here",
        409 | 412 => "That did not fit what is there",
        410 => "This is no longer here",
        413 | 507 => "There is no room for that",
        429 => "That was tried too often",
        500 => "The server failed",
        501 => "The storage cannot do that",
        502 | 503 => "The storage cannot be reached",
        504 => "The storage took too long",
        _ => "That did not work",
    };
    html(&FailurePage {
        frame: Frame::new(site, title),
        status: problem.status.as_u16(),
        title,
        detail: sentence(&problem.detail),
    })
}

/// Errors are written in lower case without a full stop; people read sentences.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}
