//! Share links: made, listed and revoked by a user who may read what they share.

use axum::{
    extract::{Path as Segment, Request},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header::HOST};
use serde::{Deserialize, Serialize};

use super::{
    changes::body,
    location,
    owner::{owner, too_many},
    respond,
};
use crate::{
    Denied, Error, Kind, Location, Path, Rights,
    serve::{
        client::Client, date, href, json, problem::Problem, share, signature::Key, site::Visit,
    },
    state::{Share, instant},
};

/// The longest that a share lasts which ends at all, in seconds: ten years.
const LONGEST: u64 = 10 * 366 * 24 * 60 * 60;

/// Shares of one user.
const LIMIT: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewShare {
    path: String,
    expires: Option<u64>,
    password: Option<String>,
    downloads: Option<u32>,
}

#[derive(Serialize)]
struct SharesBody {
    shares: Vec<ShareBody>,
}

#[derive(Serialize)]
struct ShareBody {
    id: String,
    url: String,
    path: String,
    kind: String,
    password: bool,
    created: Option<String>,
    expires: Option<String>,
    downloads: i64,
    download_limit: Option<i64>,
}

impl ShareBody {
    fn new(share: Share, key: &Key, here: &str) -> Result<Self, Problem> {
        let time = |milliseconds| date::rfc3339(instant::time(milliseconds));
        let path = Path::parse(share.path).map_err(Problem::internal)?;
        let token = share::link::token(key, &share.id);
        let is_file = share.kind == share::FILE;
        // The name at the end is what the file is saved as.
        let end = if is_file {
            let name = Path::parse(path.name()).map_err(Problem::internal)?;
            href::plain(&name, false)
        } else {
            "/".to_owned()
        };
        let location = if is_file {
            Location::file(path)
        } else {
            Location::directory(path)
        };
        Ok(Self {
            id: share.id,
            url: format!("{here}/s/{token}{end}"),
            path: location.to_string(),
            kind: share.kind,
            password: share.password.is_some(),
            created: time(share.created),
            expires: share.expires.and_then(time),
            downloads: share.downloads,
            download_limit: share.download_limit,
        })
    }
}

/// `POST shares`: shares a file or a folder.
pub(crate) async fn create(site: Visit, request: Request) -> Response {
    let answer = async {
        let owner = owner(&site)?.to_string();
        let here = here(request.uri(), request.headers(), request.extensions());
        let new: NewShare = body(request).await?;
        if new
            .expires
            .is_some_and(|expires| !(1..=LONGEST).contains(&expires))
        {
            return Err(Problem::bad_request(
                "`expires` is a number of seconds from 1 to ten years",
            ));
        }
        if new.downloads == Some(0) {
            return Err(Problem::bad_request("`downloads` is a number above 0"));
        }
        let location = location("path", &new.path)?;
        let path = location.path.clone();
        if site.namespace.access().rights(&path) < Rights::Read {
            let rights = Rights::Read;
            return Err(Error::from(Denied { path, rights }).into());
        }
        let kind = match site.namespace.stat(&location).await?.kind {
            Kind::File => share::FILE,
            Kind::Directory => share::DIRECTORY,
        };
        let shares = site.state.shares_of(&owner).await;
        if shares.map_err(Problem::internal)?.len() >= LIMIT {
            return Err(too_many("shares", LIMIT));
        }
        let password = match new.password {
            Some(password) => Some(site.hash_password(password).await?),
            None => None,
        };
        let now = instant::now();
        let end = |seconds: u64| now + i64::try_from(seconds * 1000).unwrap_or_default();
        let share = Share {
            id: share::link::id()?,
            owner,
            path: path.to_string(),
            kind: kind.to_owned(),
            password: password.map(|hash| hash.as_str().to_owned()),
            created: now,
            expires: new.expires.map(end),
            download_limit: new.downloads.map(i64::from),
            downloads: 0,
            last_download: None,
        };
        site.state
            .add_share(&share)
            .await
            .map_err(Problem::internal)?;
        let body = ShareBody::new(share, site.share_key().await?, &here)?;
        Ok(json::answer(StatusCode::CREATED, &body))
    };
    respond(answer.await)
}

/// `GET shares`: the caller's own.
pub(crate) async fn list(site: Visit, request: Request) -> Response {
    let here = here(request.uri(), request.headers(), request.extensions());
    let answer = async {
        let shares = site.state.shares_of(owner(&site)?).await;
        let key = site.share_key().await?;
        let shares = shares.map_err(Problem::internal)?.into_iter();
        let shares = shares.map(|share| ShareBody::new(share, key, &here));
        let shares = shares.collect::<Result<_, _>>()?;
        Ok(json::answer(StatusCode::OK, &SharesBody { shares }))
    };
    respond(answer.await)
}

/// `DELETE shares/{id}`: from now on, the link leads nowhere.
pub(crate) async fn remove(site: Visit, Segment(id): Segment<String>) -> Response {
    let answer = async {
        let removed = site.state.remove_share(owner(&site)?, &id).await;
        if !removed.map_err(Problem::internal)? {
            return Err(Problem::not_found());
        }
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    respond(answer.await)
}

/// How the caller reaches this server: `https://files.example`. Empty if it did not say.
fn here(uri: &http::Uri, headers: &http::HeaderMap, extensions: &http::Extensions) -> String {
    let host = match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => headers.get(HOST).and_then(|host| host.to_str().ok()),
    };
    let is_secure = extensions
        .get::<Client>()
        .is_some_and(|client| client.is_secure);
    let scheme = if is_secure { "https" } else { "http" };
    host.map_or_else(String::new, |host| format!("{scheme}://{host}"))
}
