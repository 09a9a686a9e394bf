//! Changes by plain HTTP: PUT and DELETE at `/d/`.

use axum::{body::Body, extract::Request, response::Response};
use futures::TryStreamExt as _;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
        EXPECT, IF_MATCH, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, LOCATION,
    },
    request::Parts,
};
use http_body_util::BodyExt as _;

use super::{
    address, api,
    condition::{self, Condition, Current, Tags},
    digest::Digests,
    door::Door,
    href, media,
    meters::Direction,
    origin,
    problem::Problem,
    site::Visit,
};
use crate::{
    Entry, Error, Kind, Location, Outcome, Path, Precondition, Upload, Work, WriteOptions,
    tasks::{Ran, Wait},
};

/// `PUT /d/{path}`: writes a file; with a slash at the end, makes a directory.
pub(crate) async fn put(site: Visit, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = async {
        let location = admit(&parts)?;
        if location.want == Some(Kind::Directory) {
            make_directory(&site, location, body).await
        } else {
            write(&site, &parts, location.path, body).await
        }
    };
    match answer.await {
        Ok(response) => response,
        Err(problem) => problem.render(&site, &parts.headers),
    }
}

/// `DELETE /d/{path}`: removes a file; with a slash at the end, a directory and all in it.
pub(crate) async fn delete(site: Visit, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let answer = async {
        let location = admit(&parts)?;
        let kind = location.want.unwrap_or(Kind::File);
        // Storages remove what is not there without a word.
        match site.namespace.stat(&location).await {
            Ok(entry) if entry.kind != kind => return Err(Problem::not_found()),
            Ok(entry) => {
                let current = Current::from(&entry);
                if condition::judge_change(&parts.headers, Some(current)) != Condition::Holds {
                    return Err(Problem::precondition_failed());
                }
            }
            Err(error) if is_conditional(&parts.headers) || !is_refusal(&error) => {
                return Err(error.into());
            }
            Err(_) => {}
        }
        remove(&site, location.path, kind).await
    };
    match answer.await {
        Ok(response) => response,
        Err(problem) => problem.render(&site, &parts.headers),
    }
}

/// Removes a file at once, and a directory as a task that is waited for.
async fn remove(site: &Visit, path: Path, kind: Kind) -> Result<Response, Problem> {
    if kind == Kind::File {
        site.namespace.remove(&path, kind, |_| {}).await?;
        return Ok(empty(StatusCode::NO_CONTENT));
    }
    let work = Work::Remove { path, kind };
    match site.tasks.run(site, work, Wait::Over).await? {
        Ran::Done(_) => Ok(empty(StatusCode::NO_CONTENT)),
        Ran::Task(id) => Ok(api::tasks::begun(&id)),
    }
}

fn admit(parts: &Parts) -> Result<Location, Problem> {
    origin::guard(&parts.uri, &parts.headers)?;
    address::parse(Door::Download, parts.uri.path())
}

async fn make_directory(site: &Visit, location: Location, body: Body) -> Result<Response, Problem> {
    if has_content(body).await? {
        return Err(Problem::bad_request(
            "a path that ends in `/` is a directory, and a directory has no content; leave the slash out",
        ));
    }
    if look_up(site, &location).await?.is_some() {
        return Ok(empty(StatusCode::NO_CONTENT));
    }
    site.namespace.make_directory(&location.path).await?;
    Ok(created(&location.path, true))
}

/// Whether a body has any byte. The first one tells.
pub(crate) async fn has_content(mut body: Body) -> Result<bool, Problem> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::bad_request("the request's body broke off"))?;
        if frame.data_ref().is_some_and(|data| !data.is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn write(site: &Visit, parts: &Parts, path: Path, body: Body) -> Result<Response, Problem> {
    if parts.headers.contains_key(CONTENT_RANGE) {
        // RFC 9110 §14.5: taking the part for the whole would destroy the rest.
        return Err(Problem::bad_request(
            "a file can only be written whole, not a range of it",
        ));
    }
    require_plain(&parts.headers)?;
    let digests = Digests::of(&parts.headers)?;
    let (is_new, precondition) = judge(site, &parts.headers, &path).await?;
    let options = WriteOptions {
        precondition,
        ..WriteOptions::default()
    };
    let entry = site
        .namespace
        .write(
            &path,
            upload(
                site,
                Door::Download,
                parts,
                path.name(),
                body,
                None,
                digests,
            ),
            options,
        )
        .await?;
    let mut response = if is_new {
        created(&path, false)
    } else {
        empty(StatusCode::NO_CONTENT)
    };
    if let Some(etag) = entry.etag.and_then(|etag| HeaderValue::try_from(etag).ok()) {
        response.headers_mut().insert(ETAG, etag);
    }
    Ok(response)
}

/// The body of a PUT as it came through a door. `expected` is its size where the client says so by other means than
/// `Content-Length`.
pub(crate) fn upload(
    site: &Visit,
    door: Door,
    parts: &Parts,
    name: &str,
    body: Body,
    expected: Option<u64>,
    digests: Digests,
) -> Upload {
    let header = |name| {
        parts
            .headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let size = header(CONTENT_LENGTH).and_then(|text| text.parse().ok());
    let size = size.or(expected);
    let counter = site.meters.bytes(door, Direction::In);
    let stream = body
        .into_data_stream()
        .inspect_ok(move |bytes| counter.increment(bytes.len() as u64))
        .map_err(Into::into);
    let upload = if digests.is_empty() {
        Upload::new(stream, size)
    } else {
        Upload::new(digests.checked(stream), size)
    };
    let content_type = header(CONTENT_TYPE)
        .map(str::to_owned)
        .or_else(|| media::to_store(name, None));
    match content_type {
        Some(content_type) => upload.with_content_type(content_type),
        None => upload,
    }
}

/// Judges the request's conditions, and says whether the file is new, as far as that is known, and what the
/// storage shall check for itself as it writes: only it can do so without a gap.
async fn judge(
    site: &Visit,
    headers: &HeaderMap,
    path: &Path,
) -> Result<(bool, Precondition), Problem> {
    let has_date = headers.contains_key(IF_UNMODIFIED_SINCE);
    let expected = condition::tags(headers, &IF_MATCH);
    let unexpected = condition::tags(headers, &IF_NONE_MATCH);
    match (&expected, &unexpected, has_date) {
        // Who waits with the file for our leave shall not send it in vain: the storage says nothing before it has it.
        _ if waits_for_leave(headers) => {}
        (None, Some(Tags::Any), false) => return Ok((true, Precondition::Absent)),
        (Some(Tags::Listed(tags)), None, _) => {
            if let [tag] = tags.as_slice() {
                return Ok((false, Precondition::Matches((*tag).to_owned())));
            }
        }
        _ => {}
    }
    if !is_conditional(headers) {
        // Looking first would double the requests of every small upload, and prove nothing a moment later.
        let is_known = site.namespace.lists_file(path).await;
        return Ok((!is_known, Precondition::None));
    }
    let entry = look_up(site, &Location::file(path.clone())).await?;
    Ok((entry.is_none(), judge_found(headers, entry.as_ref())?))
}

/// Judges the request's conditions by what was found at the path, and says what the storage shall check for itself:
/// that it is still so.
pub(crate) fn judge_found(
    headers: &HeaderMap,
    entry: Option<&Entry>,
) -> Result<Precondition, Problem> {
    if !is_conditional(headers) {
        return Ok(Precondition::None);
    }
    if condition::judge_change(headers, entry.map(Current::from)) != Condition::Holds {
        return Err(Problem::precondition_failed());
    }
    Ok(match entry {
        None => Precondition::Absent,
        Some(entry) => entry
            .etag
            .clone()
            .map_or(Precondition::None, Precondition::Matches),
    })
}

async fn look_up(site: &Visit, location: &Location) -> Result<Option<Entry>, Error> {
    match site.namespace.stat(location).await {
        Ok(entry) => Ok(Some(entry)),
        // A directory of the same name is no file: both may be there.
        Err(Error::Outcome(Outcome::NotFound | Outcome::IsADirectory | Outcome::NotADirectory)) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Who may not look may still be allowed to change; and if not, storages say more of why they refuse a
/// change than of why they refuse HEAD, whose answer has no body.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Outcome(Outcome::PermissionDenied(_)))
}

/// Refuses a body that is not the file itself, but in a content coding (RFC 9110 §8.4).
pub(crate) fn require_plain(headers: &HeaderMap) -> Result<(), Problem> {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    if codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported",
        "no storage keeps what `Content-Encoding` says, and the bytes would be taken for the file; send them plain",
    )
    .with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity")))
}

/// Whether the client sends the body only when it is asked to (RFC 9110 §10.1.1). It is asked by the first look at
/// the body.
fn waits_for_leave(headers: &HeaderMap) -> bool {
    headers
        .get(EXPECT)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

fn is_conditional(headers: &HeaderMap) -> bool {
    [IF_MATCH, IF_NONE_MATCH, IF_UNMODIFIED_SINCE]
        .iter()
        .any(|name| headers.contains_key(name))
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn created(path: &Path, directory: bool) -> Response {
    let mut response = empty(StatusCode::CREATED);
    if let Ok(location) = HeaderValue::try_from(href::absolute(Door::Download, path, directory)) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
