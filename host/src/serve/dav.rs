//! WebDAV at `/dav/`, class 1 and 2 (RFC 4918).
//!
//! Trees go through the drivers' own steps, folders are told page by page, and every failure of a service is its
//! status: never an empty folder, and 404 for nothing but what is not there.

mod claim;
mod collection;
mod destination;
mod file;
mod headers;
mod if_header;
mod live;
mod locking;
mod multistatus;
mod place;
mod propfind;
mod proppatch;
mod refusal;
mod transfer;
mod work;
mod xml;

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, Method, StatusCode, header::ALLOW};

use self::{collection::empty, refusal::Refusal, transfer::Transfer};
use super::{origin, site::Visit};

const DAV: HeaderName = HeaderName::from_static("dav");
const AUTHOR_VIA: HeaderName = HeaderName::from_static("ms-author-via");

/// What this door answers at all.
const ALLOWED: &str =
    "OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK";

/// What it answers about folders.
const ALLOWED_ON_FOLDERS: &str = "OPTIONS, DELETE, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK";

/// Answers a request at this door.
pub(crate) async fn handle(site: Visit, request: Request) -> Response {
    match answer(site, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn answer(site: Visit, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let reads = [Method::OPTIONS, Method::GET, Method::HEAD];
    if !reads.contains(&parts.method) && parts.method.as_str() != "PROPFIND" {
        origin::guard(&parts.uri, &parts.headers)?;
    }
    match parts.method.as_str() {
        "OPTIONS" => Ok(options()),
        "GET" | "HEAD" => file::get(site, parts).await,
        "PUT" => file::put(site, parts, body).await,
        "DELETE" => collection::delete(site, parts).await,
        "MKCOL" => collection::make(site, parts, body).await,
        "COPY" => transfer::answer(site, parts, Transfer::Copy).await,
        "MOVE" => transfer::answer(site, parts, Transfer::Move).await,
        "PROPFIND" => propfind::answer(site, parts, body).await,
        "PROPPATCH" => proppatch::answer(site, parts, body).await,
        "LOCK" => locking::lock(site, parts, body).await,
        "UNLOCK" => locking::unlock(site, parts).await,
        _ => Err(Refusal::method_not_allowed(
            ALLOWED,
            "this is not a method of WebDAV",
        )),
    }
}

/// What the server can do. Windows takes a server for one of WebDAV by `MS-Author-Via`.
fn options() -> Response {
    let mut response = announce();
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(ALLOWED));
    response
}

/// Says that there is WebDAV on this server. Windows asks the top before it looks where it was sent.
pub(crate) fn announce() -> Response {
    let mut response = empty(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(DAV, HeaderValue::from_static("1, 2"));
    headers.insert(AUTHOR_VIA, HeaderValue::from_static("DAV"));
    response
}
