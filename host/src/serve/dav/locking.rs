//! `LOCK` and `UNLOCK` (RFC 4918 §9.10, §9.11).

use axum::{body::Body, response::Response};
use http::{HeaderName, HeaderValue, StatusCode, request::Parts};

use super::{
    claim::{self, Claim},
    destination,
    headers::{Depth, depth, timeout},
    if_header::Demands,
    live, multistatus, place,
    refusal::{Precondition, Refusal},
    xml::{self, Element},
};
use crate::{
    Entry, Kind, Location, Upload, WriteOptions,
    serve::{door::Door, href, media, problem::Problem, site::Visit},
    state::lock::{Granting, Lock, expiry},
};

const LOCK_TOKEN: HeaderName = HeaderName::from_static("lock-token");

/// Answers `LOCK`: with a body, a new lock; without, more time for one.
pub(super) async fn lock(site: Visit, parts: Parts, body: Body) -> Result<Response, Refusal> {
    let location = destination::location(parts.uri.path())?;
    let deep = match depth(&parts.headers)? {
        Depth::Zero => false,
        Depth::Infinity => true,
        Depth::One => {
            return Err(Problem::bad_request("a lock has the depth `0` or `infinity`").into());
        }
    };
    let Some(document) = xml::read(body).await? else {
        return refresh(&site, &parts, &location).await;
    };
    let (exclusive, owner) = read(&document)?;
    site.namespace.check_change(&location.path)?;
    let found = claim::look_up(&site, &location).await?;
    let kind = match &found {
        Some(entry) => entry.kind,
        None => Kind::File,
    };
    if found.is_none() {
        if location.want == Some(Kind::Directory) {
            return Err(Problem::not_found().into());
        }
        place::require_parent(&site, &location.path).await?;
        let claims = [Claim::new(&location.path, kind)];
        claim::permit(&site, &parts, (&location.path, None), &claims).await?;
    }
    let seconds = timeout(&parts.headers);
    let lock = Lock {
        token: token()?,
        path: location.path,
        kind,
        exclusive,
        deep: deep && kind == Kind::Directory,
        owner,
        holder: site.caller.name.as_deref().unwrap_or_default().to_owned(),
        seconds,
        expires: expiry(seconds),
    };
    if let Granting::Refused(other) = site.state.grant_lock(&lock).await? {
        return refused(&lock, &other);
    }
    let status = if found.is_some() {
        StatusCode::OK
    } else {
        if let Err(error) = make_empty(&site, &lock).await {
            site.state.remove_lock(&lock.token).await?;
            return Err(error.into());
        }
        StatusCode::CREATED
    };
    let mut response = granted(&lock, status);
    if let Ok(token) = HeaderValue::try_from(format!("<{}>", lock.token)) {
        response.headers_mut().insert(LOCK_TOKEN, token);
    }
    Ok(response)
}

/// Answers `UNLOCK`.
pub(super) async fn unlock(site: Visit, parts: Parts) -> Result<Response, Refusal> {
    let location = destination::location(parts.uri.path())?;
    let token = parts
        .headers
        .get(LOCK_TOKEN)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.trim().strip_prefix('<')?.strip_suffix('>'))
        .ok_or_else(|| {
            Problem::bad_request("an unlock has a header `Lock-Token` with a token in `<` and `>`")
        })?;
    let locks = site.state.locks_around(&location.path).await?;
    let lock = locks
        .iter()
        .find(|lock| lock.token == token && reaches(lock, &location))
        .ok_or_else(|| no_such_lock(StatusCode::CONFLICT))?;
    require_holder(&site, lock)?;
    site.state.remove_lock(token).await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// Gives a lock more time. Which one, the `If` header says.
async fn refresh(site: &Visit, parts: &Parts, location: &Location) -> Result<Response, Refusal> {
    let demands = Demands::read(&parts.headers)?;
    if demands.lists.is_empty() {
        return Err(Problem::bad_request(
            "a lock has a body that says which, or a header `If` with the token of one to refresh",
        )
        .into());
    }
    let locks = site.state.locks_around(&location.path).await?;
    let lock = locks
        .into_iter()
        .find(|lock| reaches(lock, location) && demands.tokens().any(|token| token == lock.token))
        .ok_or_else(|| no_such_lock(StatusCode::PRECONDITION_FAILED))?;
    require_holder(site, &lock)?;
    let seconds = timeout(&parts.headers);
    if !site.state.refresh_lock(&lock.token, seconds).await? {
        return Err(no_such_lock(StatusCode::PRECONDITION_FAILED));
    }
    let lock = Lock {
        seconds,
        expires: expiry(seconds),
        ..lock
    };
    Ok(granted(&lock, StatusCode::OK))
}

/// Whether a lock holds the resource that a request names, be that a file or a folder.
fn reaches(lock: &Lock, location: &Location) -> bool {
    let covers = |kind| lock.covers(&location.path, kind);
    match location.want {
        Some(kind) => covers(kind),
        None => covers(Kind::File) || covers(Kind::Directory),
    }
}

fn no_such_lock(status: StatusCode) -> Refusal {
    Refusal::of(
        status,
        Precondition::LockTokenMatches,
        &[],
        "this is not locked with that token",
    )
}

fn require_holder(site: &Visit, lock: &Lock) -> Result<(), Refusal> {
    if claim::holds(site, lock) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::FORBIDDEN,
        "permission-denied",
        "somebody else made this lock",
    ))
}

/// Scope and owner in a `lockinfo`.
fn read(document: &Element) -> Result<(bool, String), Problem> {
    let makes_no_sense = || Problem::bad_request("the body is no `lockinfo` of a write lock");
    if !document.name.is_dav("lockinfo") {
        return Err(makes_no_sense());
    }
    let locktype = document
        .dav("locktype")
        .and_then(|found| found.dav("write"));
    let scope = document.dav("lockscope").ok_or_else(makes_no_sense)?;
    let exclusive = match (scope.dav("exclusive"), scope.dav("shared")) {
        (Some(_), None) => true,
        (None, Some(_)) => false,
        _ => return Err(makes_no_sense()),
    };
    locktype.ok_or_else(makes_no_sense)?;
    let mut owner = String::new();
    if let Some(element) = document.dav("owner") {
        element.write_content(&mut owner);
    }
    if owner.len() > 4096 {
        return Err(Problem::bad_request(
            "the owner of a lock is told in 4096 bytes",
        ));
    }
    Ok((exclusive, owner))
}

/// A token that nobody can guess: a random UUID (RFC 9562 §5.4).
fn token() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Problem::internal)?;
    let number = u128::from_be_bytes(bytes);
    let number = (number & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let digits = format!("{number:032x}");
    let mut token = String::from("urn:uuid:");
    for (index, digit) in digits.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            token.push('-');
        }
        token.push(digit);
    }
    Ok(token)
}

/// What was not there and is locked is an empty file from then on (RFC 4918 §7.3).
async fn make_empty(site: &Visit, lock: &Lock) -> crate::Result<Entry> {
    let mut upload = Upload::from_bytes(Vec::new());
    if let Some(media_type) = media::to_store(lock.path.name(), None) {
        upload = upload.with_content_type(media_type);
    }
    let options = WriteOptions {
        precondition: crate::Precondition::Absent,
        ..WriteOptions::default()
    };
    site.namespace.write(&lock.path, upload, options).await
}

fn granted(lock: &Lock, status: StatusCode) -> Response {
    let mut text = String::from(multistatus::DECLARATION);
    text.push_str("<D:prop xmlns:D=\"DAV:\">");
    live::discovery(&mut text, std::iter::once(lock));
    text.push_str("</D:prop>");
    multistatus::document(status, Body::from(text))
}

/// RFC 4918 §9.10.6: what lies below and is in the way is told by itself.
fn refused(wanted: &Lock, other: &Lock) -> Result<Response, Refusal> {
    let href = claim::href(other);
    if !wanted.path.contains(&other.path) {
        return Err(Refusal::of(
            StatusCode::LOCKED,
            Precondition::NoConflictingLock,
            &[href],
            "another lock is in the way",
        ));
    }
    let mut out = String::new();
    multistatus::whole(&mut out, &href, StatusCode::LOCKED);
    let own = href::absolute(Door::Dav, &wanted.path, wanted.kind == Kind::Directory);
    multistatus::whole(&mut out, &own, StatusCode::FAILED_DEPENDENCY);
    Ok(multistatus::answer(&out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_random_uuids() {
        let token = token().unwrap();
        assert_eq!(token.len(), "urn:uuid:".len() + 36);
        assert_eq!(token.as_bytes()[9 + 14], b'4');
        assert!(matches!(
            token.as_bytes()[9 + 19],
            b'8' | b'9' | b'a' | b'b'
        ));
        assert_ne!(token, self::token().unwrap());
    }
}
