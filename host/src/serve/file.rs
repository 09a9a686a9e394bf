//! Answers that are a file, by the rules of RFC 9110.

use std::{ops::Range, time::SystemTime};

use axum::{body::Body, response::Response};
use futures::{Stream, TryStreamExt as _};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{
        ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
        CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH, IF_RANGE, LAST_MODIFIED,
        X_CONTENT_TYPE_OPTIONS,
    },
};

use super::{
    attachment::{self, Disposition},
    byteranges::Parts,
    condition::{self, Condition, Current},
    date,
    door::Door,
    media,
    meters::Direction,
    problem::Problem,
    range::{self, Bytes},
    site::Visit,
};
use crate::{ByteRange, Entry, Error, Outcome, Path, ReadRequest, Reading};

/// A request for a file that was found.
#[derive(Debug)]
pub(crate) struct FileRequest<'a> {
    pub(crate) door: Door,
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) path: &'a Path,
    pub(crate) entry: &'a Entry,
    pub(crate) disposition: Disposition,
}

/// Answers with the file's bytes through the host; for HEAD, with all but the bytes.
pub(crate) async fn answer(site: &Visit, request: FileRequest<'_>) -> Result<Response, Problem> {
    let FileRequest { headers, entry, .. } = request;
    let current = Current::from(entry);
    match condition::judge_read(headers, current) {
        Condition::Holds => {}
        Condition::NotModified => return Ok(not_modified(entry)),
        Condition::Failed => return Err(Problem::precondition_failed()),
    }
    if request.method == Method::HEAD {
        let mut response = Response::new(Body::empty());
        describe(&mut response, &request, &Facts::of(entry));
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, entry.size.into());
        return Ok(response);
    }
    let mut part = None;
    if condition::honours_range(headers, current, SystemTime::now()) {
        match range::requested(headers, entry.size) {
            Bytes::Whole => {}
            Bytes::Part(range) => part = Some(range),
            Bytes::Parts(ranges) => return parts(site, &request, ranges).await,
            Bytes::Unsatisfiable => return Err(unsatisfiable(entry.size)),
        }
    }
    let reading = read(site, &request, part.clone()).await?;
    // A storage that cannot read parts sends all, and then the answer is all. A file that became shorter
    // since it was looked up has less of the part.
    let is_part =
        part.is_some_and(|part| reading.range == part || reading.range != (0..reading.size));
    Ok(stream(site, &request, reading, is_part))
}

/// Answers with several parts, if they are sure to be of one version.
async fn parts(
    site: &Visit,
    request: &FileRequest<'_>,
    ranges: Vec<Range<u64>>,
) -> Result<Response, Problem> {
    let Some(first) = ranges
        .first()
        .cloned()
        .filter(|_| has_strong_etag(request.entry))
    else {
        let reading = read(site, request, None).await?;
        return Ok(stream(site, request, reading, false));
    };
    let reading = read(site, request, Some(first.clone())).await?;
    if reading.range == (0..reading.size) {
        // A storage that cannot read parts sends all.
        return Ok(stream(site, request, reading, false));
    }
    if reading.range != first || reading.etag != request.entry.etag {
        // Another file by now, of which the ranges may be none.
        let reading = read(site, request, None).await?;
        return Ok(stream(site, request, reading, false));
    }
    let facts = Facts::of_reading(&reading, request.entry);
    let mut response = Response::new(Body::empty());
    describe(&mut response, request, &facts);
    let media_type = media::header(request.path.name(), facts.content_type);
    let parts = Parts::new(ranges, reading.size, &media_type)?;
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, parts.length().into());
    if let Ok(value) = HeaderValue::try_from(parts.media_type()) {
        headers.insert(CONTENT_TYPE, value);
    }
    let body = parts.stream(site.namespace.clone(), request.path.clone(), reading);
    *response.body_mut() = counted(site, request, body);
    Ok(response)
}

fn has_strong_etag(entry: &Entry) -> bool {
    entry
        .etag
        .as_deref()
        .is_some_and(|etag| etag.starts_with('"'))
}

async fn read(
    site: &Visit,
    request: &FileRequest<'_>,
    part: Option<Range<u64>>,
) -> Result<Reading, Problem> {
    let headers = request.headers;
    let is_conditional =
        headers.contains_key(IF_MATCH) || (part.is_some() && headers.contains_key(IF_RANGE));
    let wanted = ReadRequest {
        range: part.map(|part| ByteRange {
            offset: part.start,
            length: Some(part.end - part.start),
        }),
        // A condition that was judged by a look-up must still hold when the bytes are read.
        etag: request.entry.etag.clone().filter(|_| is_conditional),
    };
    match site.namespace.read(request.path, wanted).await {
        Err(Error::Outcome(Outcome::PreconditionFailed)) if !headers.contains_key(IF_MATCH) => {
            // `If-Range` on a file that has just changed: all of the new one.
            Ok(site
                .namespace
                .read(request.path, ReadRequest::default())
                .await?)
        }
        result => Ok(result?),
    }
}

fn stream(site: &Visit, request: &FileRequest<'_>, reading: Reading, is_part: bool) -> Response {
    let facts = Facts::of_reading(&reading, request.entry);
    let mut response = Response::new(Body::empty());
    describe(&mut response, request, &facts);
    let headers = response.headers_mut();
    let length = reading.range.end.saturating_sub(reading.range.start);
    headers.insert(CONTENT_LENGTH, length.into());
    if is_part {
        let Range { start, end } = reading.range;
        let text = format!("bytes {start}-{}/{}", end.saturating_sub(1), reading.size);
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(CONTENT_RANGE, value);
        }
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    *response.body_mut() = counted(site, request, reading.body);
    response
}

/// A body whose bytes are counted, and whose failure is logged.
fn counted(
    site: &Visit,
    request: &FileRequest<'_>,
    body: impl Stream<Item = crate::Result<bytes::Bytes>> + Send + 'static,
) -> Body {
    let counter = site.meters.bytes(request.door, Direction::Out);
    let path = request.path.to_string();
    Body::from_stream(
        body.inspect_ok(move |bytes| counter.increment(bytes.len() as u64))
            .inspect_err(move |error| tracing::warn!(path, %error, "a download broke off")),
    )
}

/// What the headers of an answer are made from.
#[derive(Debug)]
struct Facts<'a> {
    etag: Option<&'a str>,
    modified: Option<SystemTime>,
    content_type: Option<&'a str>,
}

impl<'a> Facts<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self {
            etag: entry.etag.as_deref(),
            modified: entry.modified,
            content_type: entry.content_type.as_deref(),
        }
    }

    /// What the bytes came with, and what was known before.
    fn of_reading(reading: &'a Reading, entry: &'a Entry) -> Self {
        let known = Self::of(entry);
        Self {
            etag: reading.etag.as_deref().or(known.etag),
            modified: reading.modified.or(known.modified),
            content_type: reading.content_type.as_deref().or(known.content_type),
        }
    }
}

fn describe(response: &mut Response, request: &FileRequest<'_>, facts: &Facts<'_>) {
    let name = request.path.name();
    let headers = response.headers_mut();
    validators(headers, facts.etag, facts.modified);
    let media_type = media::header(name, facts.content_type);
    if !media_type.to_str().is_ok_and(media::is_inert) {
        let sandbox = HeaderValue::from_static(media::SANDBOX);
        headers.insert(CONTENT_SECURITY_POLICY, sandbox);
    }
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let disposition = attachment::header(request.disposition, name);
    headers.insert(CONTENT_DISPOSITION, disposition);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

fn validators(headers: &mut HeaderMap, etag: Option<&str>, modified: Option<SystemTime>) {
    if let Some(etag) = etag.and_then(|etag| HeaderValue::try_from(etag).ok()) {
        headers.insert(ETAG, etag);
    }
    if let Some(modified) = modified.and_then(date::http) {
        headers.insert(LAST_MODIFIED, modified);
    }
    // Kept, but never used without asking: the file may change, and so may the right to read it.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
}

fn not_modified(entry: &Entry) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    validators(
        response.headers_mut(),
        entry.etag.as_deref(),
        entry.modified,
    );
    response
}

fn unsatisfiable(size: u64) -> Problem {
    let problem = Problem::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "invalid-argument",
        format!("the file has {size} bytes, and none of those asked for"),
    );
    match HeaderValue::try_from(format!("bytes */{size}")) {
        Ok(value) => problem.with_header(CONTENT_RANGE, value),
        Err(_) => problem,
    }
}
