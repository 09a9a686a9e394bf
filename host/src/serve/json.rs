//! JSON bodies: what programs read of entries, and how they are sent.

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};
use serde::Serialize;

use super::{date, problem::Problem};
use crate::{Entry, Kind, Location, Page, Path};

/// An entry as the API shows it.
#[derive(Debug, Serialize)]
pub(crate) struct EntryBody<'a> {
    name: &'a str,
    /// Absolute; a directory's ends in `/`, since a file of the same name can be beside it.
    path: String,
    kind: &'static str,
    size: u64,
    modified: Option<String>,
    etag: Option<&'a str>,
    content_type: Option<&'a str>,
}

impl<'a> EntryBody<'a> {
    /// The entry at this path.
    pub(crate) fn new(path: Path, entry: &'a Entry) -> Self {
        let (kind, location) = match entry.kind {
            Kind::File => ("file", Location::file(path)),
            Kind::Directory => ("directory", Location::directory(path)),
        };
        Self {
            name: &entry.name,
            path: location.to_string(),
            kind,
            size: entry.size,
            modified: entry.modified.and_then(date::rfc3339),
            etag: entry.etag.as_deref(),
            content_type: entry.content_type.as_deref(),
        }
    }
}

/// One page of a listing as the API shows it.
#[derive(Debug, Serialize)]
pub(crate) struct PageBody<'a> {
    entries: Vec<EntryBody<'a>>,
    next: Option<&'a str>,
}

impl<'a> PageBody<'a> {
    /// The page of this directory.
    pub(crate) fn new(directory: &Path, page: &'a Page) -> Self {
        let entries = page.entries.iter().filter_map(|entry| {
            let path = directory.child(&entry.name).ok()?;
            Some(EntryBody::new(path, entry))
        });
        Self {
            entries: entries.collect(),
            next: page.next.as_deref(),
        }
    }
}

/// Answers with a body as JSON, which no cache shall keep.
pub(crate) fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    let kind = HeaderValue::from_static("application/json");
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, headers, bytes).into_response(),
        Err(error) => Problem::internal(error).into_response(),
    }
}
