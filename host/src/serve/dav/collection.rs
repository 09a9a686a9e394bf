//! `MKCOL` (RFC 4918 §9.3) and `DELETE` (§9.6).

use axum::{body::Body, response::Response};
use http::{StatusCode, request::Parts};

use super::{
    ALLOWED_ON_FOLDERS,
    claim::{self, Claim},
    destination, place,
    refusal::Refusal,
    work::{self, carry_through},
};
use crate::{
    Error, Kind, Location, Outcome, Work,
    serve::{
        change,
        condition::{self, Condition, Current},
        problem::Problem,
        site::Visit,
    },
};

/// Answers `MKCOL`.
pub(super) async fn make(site: Visit, parts: Parts, body: Body) -> Result<Response, Refusal> {
    let Location { path, .. } = destination::location(parts.uri.path())?;
    if change::has_content(body).await? {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported",
            "a folder is made without content",
        ));
    }
    let is_there = || {
        Refusal::method_not_allowed(
            ALLOWED_ON_FOLDERS,
            "there is something at this path already",
        )
    };
    if place::occupant(&site, &path, Kind::Directory)
        .await?
        .is_some()
    {
        return Err(is_there());
    }
    let claims = [Claim::new(&path, Kind::Directory)];
    claim::permit(&site, &parts, (&path, None), &claims).await?;
    match site.namespace.make_directory(&path).await {
        Err(Error::Outcome(Outcome::AlreadyExists)) => return Err(is_there()),
        result => result?,
    };
    site.state.remove_properties(&path, Kind::Directory).await?;
    Ok(empty(StatusCode::CREATED))
}

/// Answers `DELETE`.
pub(super) async fn delete(site: Visit, parts: Parts) -> Result<Response, Refusal> {
    let location = destination::location(parts.uri.path())?;
    // Removing a tree begins with listing it, so that nothing else has to find out whether it is there.
    let found = match location.want {
        Some(Kind::Directory) => None,
        _ => claim::look_up(&site, &Location::file(location.path.clone())).await?,
    };
    let kind = found.as_ref().map_or(Kind::Directory, |entry| entry.kind);
    let current = found.as_ref().map(Current::from);
    if condition::judge_change(&parts.headers, current) != Condition::Holds {
        return Err(Problem::precondition_failed().into());
    }
    let path = location.path;
    site.namespace.check_change(&path)?;
    let claims = [Claim::tree(&path, kind, true)];
    claim::permit(&site, &parts, (&path, found.as_ref()), &claims).await?;
    carry_through(async move {
        let work = Work::Remove {
            path: path.clone(),
            kind,
        };
        let response = work::perform(&site, work, StatusCode::NO_CONTENT).await?;
        site.state.remove_properties(&path, kind).await?;
        site.state.remove_locks(&path, kind).await?;
        Ok(response)
    })
    .await
}

pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
