//! Resumable uploads, by the protocol tus 1.0.0 (<https://tus.io/protocols/resumable-upload>).

mod checksum;
mod metadata;

use axum::{
    body::Body,
    extract::{Path as Segment, Request},
    response::{IntoResponse as _, Response},
};
use futures::{StreamExt as _, TryStreamExt as _};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode, Uri,
    header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER},
};
use http_body::Body as _;

use self::{checksum::Checksum, metadata::Metadata};
use super::{owner::too_many, respond};
use crate::{
    part::UploadStream,
    resumable::{Chunk, Progress, Refusal, ResumableUpload, Stage, UploadId},
    serve::{date, door::Door, meters::Direction, origin, problem::Problem, site::Visit},
};

const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");

const EXTENSIONS: HeaderValue = HeaderValue::from_static(
    "creation,creation-defer-length,creation-with-upload,expiration,termination,checksum",
);

/// The largest size that clients in JavaScript can count to.
const MAX_SIZE: u64 = (1 << 53) - 1;

/// What bytes of a file are sent as.
const CHUNK_TYPE: &str = "application/offset+octet-stream";

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");

/// `OPTIONS uploads`: what is spoken here.
pub(crate) async fn discover() -> Response {
    let headers = [
        (TUS_RESUMABLE, VERSION),
        (TUS_VERSION, VERSION),
        (HeaderName::from_static("tus-max-size"), MAX_SIZE.into()),
        (HeaderName::from_static("tus-extension"), EXTENSIONS),
        (
            HeaderName::from_static("tus-checksum-algorithm"),
            checksum::ALGORITHMS,
        ),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// `POST uploads`: begins an upload, and takes the first bytes if some come along.
pub(crate) async fn create(site: Visit, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = async {
        let headers = &parts.headers;
        origin::guard(&parts.uri, headers)?;
        speaks(headers)?;
        let brings = match is_chunk(headers) {
            true => true,
            false if body.is_end_stream() => false,
            false => return Err(no_chunk()),
        };
        let length = announced(headers)?;
        let wish = Metadata::of(headers)?.wish(length)?;
        let checksum = Checksum::of(headers)?;
        let (upload, progress) = site.resumables.create(&site, wish).await?;
        let mut response = StatusCode::CREATED.into_response();
        if let Ok(location) = HeaderValue::try_from(format!("/api/v1/uploads/{}", upload.id)) {
            response.headers_mut().insert(LOCATION, location);
        }
        // Clients send nothing more of a file that is empty.
        if !brings && !progress.is_complete() {
            tell(&mut response, &upload, progress);
            return Ok(response);
        }
        let received = async {
            let body = stream(&site, body);
            let body = match checksum {
                Some(checksum) if brings => checksum.verified(body).await?,
                _ => body,
            };
            let chunk = Chunk {
                offset: 0,
                length: None,
                body,
                size: size(headers),
            };
            Ok::<_, Problem>(site.resumables.receive(&site, &upload.id, chunk).await?)
        };
        let (upload, progress) = match received.await {
            Ok(received) => received,
            // A client would take one whose bytes have all come for done, and does not learn of one whose creation
            // failed.
            Err(problem) => {
                drop(site.resumables.end(&site, &upload.id).await);
                return Err(problem);
            }
        };
        tell(&mut response, &upload, progress);
        Ok(response)
    };
    marked(answer.await)
}

/// `HEAD uploads/{id}`: how far an upload has come.
pub(crate) async fn find(
    site: Visit,
    Segment(id): Segment<String>,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        speaks(&headers)?;
        let (upload, progress) = site.resumables.find(&site, &id_of(&id)?).await?;
        let mut response = StatusCode::OK.into_response();
        tell(&mut response, &upload, progress);
        let headers = response.headers_mut();
        match progress.length {
            Some(length) => headers.insert(UPLOAD_LENGTH, length.into()),
            None => headers.insert("upload-defer-length", HeaderValue::from_static("1")),
        };
        if let Ok(metadata) = HeaderValue::try_from(&upload.wish.metadata)
            && !metadata.is_empty()
        {
            headers.insert("upload-metadata", metadata);
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    };
    marked(answer.await)
}

/// `PATCH uploads/{id}`: takes more bytes. With the last of them, the file becomes visible.
pub(crate) async fn append(
    site: Visit,
    Segment(id): Segment<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let answer = async {
        let headers = &parts.headers;
        origin::guard(&parts.uri, headers)?;
        speaks(headers)?;
        if !is_chunk(headers) {
            return Err(no_chunk());
        }
        let Some(offset) = number(headers, &UPLOAD_OFFSET)? else {
            return Err(Problem::bad_request("`Upload-Offset` is missing"));
        };
        let length = number(headers, &UPLOAD_LENGTH)?;
        let id = id_of(&id)?;
        let body = stream(&site, body);
        let body = match Checksum::of(headers)? {
            Some(checksum) => {
                // Known before the bytes are read for nothing.
                let (_, progress) = site.resumables.find(&site, &id).await?;
                if progress.overlap(offset).is_none() {
                    return Err(Refusal::Offset(progress.offset()).into());
                }
                checksum.verified(body).await?
            }
            None => body,
        };
        let chunk = Chunk {
            offset,
            length,
            body,
            size: size(headers),
        };
        let (upload, progress) = site.resumables.receive(&site, &id, chunk).await?;
        let mut response = StatusCode::NO_CONTENT.into_response();
        tell(&mut response, &upload, progress);
        Ok(response)
    };
    marked(answer.await)
}

/// `DELETE uploads/{id}`: throws an upload away. A file that is there already stays.
pub(crate) async fn end(
    site: Visit,
    Segment(id): Segment<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        origin::guard(&uri, &headers)?;
        speaks(&headers)?;
        site.resumables.end(&site, &id_of(&id)?).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    marked(answer.await)
}

/// `POST uploads/{id}`: for clients behind something that lets no other method pass, which name the one that is meant.
pub(crate) async fn override_method(
    site: Visit,
    segment: Segment<String>,
    request: Request,
) -> Response {
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let meant = headers.get("x-http-method-override");
    match meant.map(HeaderValue::as_bytes) {
        Some(b"PATCH") => append(site, segment, request).await,
        Some(b"DELETE") => end(site, segment, uri, headers).await,
        Some(b"HEAD") => find(site, segment, headers).await,
        _ => {
            let allow = HeaderValue::from_static("HEAD,PATCH,DELETE,OPTIONS");
            let problem = Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "unsupported",
                "an upload answers POST only with `X-HTTP-Method-Override`; see `Allow`",
            );
            marked(Err(problem.with_header(ALLOW, allow)))
        }
    }
}

/// Every answer says what is spoken.
fn marked(answer: Result<Response, Problem>) -> Response {
    let mut response = respond(answer);
    response.headers_mut().insert(TUS_RESUMABLE, VERSION);
    response
}

/// Where the client goes on, and until when it can.
fn tell(response: &mut Response, upload: &ResumableUpload, progress: Progress) {
    let headers = response.headers_mut();
    headers.insert(UPLOAD_OFFSET, progress.offset().into());
    if let Some(expires) = date::http(upload.expires) {
        headers.insert(UPLOAD_EXPIRES, expires);
    }
    if let Stage::Done(Some(etag)) = &upload.stage
        && let Ok(etag) = HeaderValue::try_from(etag)
    {
        headers.insert(ETAG, etag);
    }
}

fn speaks(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get(TUS_RESUMABLE) == Some(&VERSION) {
        return Ok(());
    }
    let problem = Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "unsupported",
        "this is tus 1.0.0: send `Tus-Resumable: 1.0.0`",
    );
    Err(problem.with_header(TUS_VERSION, VERSION))
}

/// The length that a new upload announces; none if it comes later.
fn announced(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let deferred = header(headers, "upload-defer-length")?;
    match (number(headers, &UPLOAD_LENGTH)?, deferred) {
        (Some(length), None) if length <= MAX_SIZE => Ok(Some(length)),
        (Some(_), None) => Err(Refusal::TooLong(MAX_SIZE).into()),
        (None, Some("1")) => Ok(None),
        _ => Err(Problem::bad_request(
            "a new upload says either its `Upload-Length`, or `Upload-Defer-Length: 1`",
        )),
    }
}

fn id_of(text: &str) -> Result<UploadId, Problem> {
    UploadId::parse(text).ok_or_else(|| Refusal::Unknown.into())
}

fn is_chunk(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().eq_ignore_ascii_case(CHUNK_TYPE.as_bytes()))
}

fn no_chunk() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "invalid-argument",
        "send the file's bytes with `Content-Type: application/offset+octet-stream`",
    )
}

fn stream(site: &Visit, body: Body) -> UploadStream {
    let counter = site.meters.bytes(Door::Api, Direction::In);
    body.into_data_stream()
        .inspect_ok(move |bytes| counter.increment(bytes.len() as u64))
        .map_err(Into::into)
        .boxed()
}

/// The bytes that a request announces.
fn size(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Problem::bad_request(format!("`{name}` is not ASCII"))),
        },
        _ => Err(Problem::bad_request(format!(
            "`{name}` comes more than once"
        ))),
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Problem> {
    let Some(text) = header(headers, name.as_str())? else {
        return Ok(None);
    };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_number.then(|| text.parse().ok()).flatten();
    number
        .map(Some)
        .ok_or_else(|| Problem::bad_request(format!("`{name}` is not a number of bytes")))
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown => Self::new(
                StatusCode::NOT_FOUND,
                "not-found",
                "you have no upload of this id",
            ),
            Refusal::Gone => Self::new(
                StatusCode::GONE,
                "not-found",
                "the storage does not know this upload any more; begin it anew",
            ),
            Refusal::Busy => Self::new(
                StatusCode::LOCKED,
                "unavailable",
                "another request works on this upload; try again when it is over",
            ),
            Refusal::TooMany(limit) => too_many(
                "uploads under way",
                usize::try_from(limit).unwrap_or(usize::MAX),
            ),
            Refusal::Offset(offset) => Self::new(
                StatusCode::CONFLICT,
                "invalid-argument",
                format!("the upload goes on at byte {offset}"),
            )
            .with_header(UPLOAD_OFFSET, offset.into()),
            Refusal::Length => Self::bad_request(
                "`Upload-Length` is another than before, or less than what has come already",
            ),
            Refusal::TooLong(limit) => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                format!("more than the {limit} bytes that this upload can have"),
            ),
            Refusal::Broken => Self::bad_request("the request's body is broken; what came is kept"),
            Refusal::Ending => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "the server or the upload is being ended; what came is kept",
            )
            .with_header(RETRY_AFTER, 1_u64.into()),
            Refusal::Failed(error) => error.into(),
        }
    }
}
