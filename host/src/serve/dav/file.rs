//! `GET`, `HEAD` and `PUT` of files.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::{body::Body, response::Response};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{CONTENT_RANGE, ETAG},
    request::Parts,
};

use super::{
    ALLOWED_ON_FOLDERS,
    claim::{self, Claim},
    collection::empty,
    destination, place,
    refusal::Refusal,
};
use crate::{
    Kind, WriteOptions,
    serve::{
        accept::Wants,
        attachment::Disposition,
        change,
        digest::Digests,
        door::Door,
        download,
        file::{self, FileRequest},
        href,
        problem::Problem,
        site::Visit,
    },
};

/// A file's own time in seconds since 1970, as clients of ownCloud and Nextcloud give it.
const OC_MTIME: HeaderName = HeaderName::from_static("x-oc-mtime");

/// How many bytes are to come, as macOS says of a chunked body.
const EXPECTED_LENGTH: HeaderName = HeaderName::from_static("x-expected-entity-length");

/// Answers `GET` and `HEAD`.
pub(super) async fn get(site: Visit, parts: Parts) -> Result<Response, Refusal> {
    let location = destination::location(parts.uri.path())?;
    let entry = site.namespace.stat(&location).await?;
    let path = &location.path;
    if entry.kind == Kind::Directory {
        if Wants::of(&parts.headers) == Wants::Html {
            return Ok(download::redirect(href::absolute(Door::Page, path, true))?);
        }
        return Err(Refusal::method_not_allowed(
            ALLOWED_ON_FOLDERS,
            "a folder has no content; `PROPFIND` lists it",
        ));
    }
    let redirects = site
        .namespace
        .mount_of(path)
        .is_some_and(|mount| mount.dav_redirect());
    if redirects
        && parts.method == Method::GET
        && let Some(elsewhere) = download::elsewhere(&site, path).await?
    {
        return Ok(download::redirect(elsewhere)?);
    }
    let request = FileRequest {
        door: Door::Dav,
        method: &parts.method,
        headers: &parts.headers,
        path,
        entry: &entry,
        disposition: Disposition::Inline,
    };
    Ok(file::answer(&site, request).await?)
}

/// Answers `PUT`.
pub(super) async fn put(site: Visit, parts: Parts, body: Body) -> Result<Response, Refusal> {
    let location = destination::location(parts.uri.path())?;
    let path = location.path;
    if parts.headers.contains_key(CONTENT_RANGE) {
        // RFC 9110 §14.5: taking the part for the whole would destroy the rest.
        let problem = Problem::bad_request("a file can only be written whole, not a range of it");
        return Err(problem.into());
    }
    change::require_plain(&parts.headers)?;
    let is_folder = || {
        Refusal::method_not_allowed(
            ALLOWED_ON_FOLDERS,
            "a folder has no content; a file cannot take its place by `PUT`",
        )
    };
    if location.want == Some(Kind::Directory) {
        return Err(is_folder());
    }
    site.namespace.check_change(&path)?;
    let found = place::occupant(&site, &path, Kind::File).await?;
    match &found {
        Some(entry) if entry.kind == Kind::Directory => return Err(is_folder()),
        _ => {}
    }
    let claim = match &found {
        Some(_) => Claim::content(&path, Kind::File),
        None => Claim::new(&path, Kind::File),
    };
    claim::permit(&site, &parts, (&path, found.as_ref()), &[claim]).await?;
    let modified = own_time(&parts.headers);
    let options = WriteOptions {
        precondition: change::judge_found(&parts.headers, found.as_ref())?,
        modified,
        ..WriteOptions::default()
    };
    let size = expected_length(&parts.headers);
    let digests = Digests::of(&parts.headers)?;
    let upload = change::upload(&site, Door::Dav, &parts, path.name(), body, size, digests);
    let entry = site.namespace.write(&path, upload, options).await?;
    let status = if found.is_some() {
        StatusCode::NO_CONTENT
    } else {
        // What another file of this path had is not this one's.
        site.state.remove_properties(&path, Kind::File).await?;
        StatusCode::CREATED
    };
    let mut response = empty(status);
    let headers = response.headers_mut();
    if let Some(etag) = entry.etag.and_then(|etag| HeaderValue::try_from(etag).ok()) {
        headers.insert(ETAG, etag);
    }
    if modified.is_some() {
        headers.insert(OC_MTIME, HeaderValue::from_static("accepted"));
    }
    Ok(response)
}

fn own_time(headers: &HeaderMap) -> Option<SystemTime> {
    let text = headers.get(OC_MTIME)?.to_str().ok()?;
    let seconds = text.split('.').next()?.parse().ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn expected_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(EXPECTED_LENGTH)?.to_str().ok()?.parse().ok()
}
