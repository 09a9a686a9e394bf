//! `/api/v1/`: the namespace for programs, in JSON.

mod changes;
mod openapi;
mod owner;
mod reads;
pub(crate) mod shares;
pub(crate) mod tasks;
pub(crate) mod tokens;
pub(crate) mod uploads;

use axum::{extract::Query, response::Response};
use http::{StatusCode, Uri};
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::Location;

pub(crate) use self::{
    changes::{copy, mkdir, remove, rename},
    openapi::openapi,
    reads::{drivers, link, list, mounts, stat},
};

/// An address below `/api/` that nothing answers.
pub(crate) async fn unknown() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not-found",
        "there is no such call; the API is at `/api/v1/`",
    )
}

/// A failed call is always a problem document: nobody browses the API.
fn respond(result: Result<Response, Problem>) -> Response {
    use axum::response::IntoResponse as _;
    result.unwrap_or_else(Problem::into_response)
}

fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    Query::try_from_uri(uri)
        .map(|Query(query)| query)
        .map_err(|error| Problem::bad_request(format!("the query makes no sense: {error}")))
}

/// Reads a path as a client writes it: `/photos/a`, or `/photos/` for the directory alone.
fn location(field: &str, text: &str) -> Result<Location, Problem> {
    text.parse()
        .map_err(|error| Problem::bad_request(format!("`{field}`: {error}")))
}
