//! Calls that change nothing.

use std::time::Duration;

use axum::response::Response;
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};

use super::{location, query, respond};
use crate::{
    Download, Driver, Kind, LinkOptions, Mount, Outcome,
    serve::{
        date,
        json::{self, EntryBody, PageBody},
        problem::Problem,
        site::Visit,
    },
};

/// The most entries in a page, and as many as a page has if nobody asks.
pub(crate) const PAGE_LIMIT: u32 = 1000;

#[derive(Deserialize)]
struct ListQuery {
    path: String,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// `GET list`: one page of a directory.
pub(crate) async fn list(site: Visit, uri: Uri) -> Response {
    let answer = async {
        let ListQuery {
            path,
            cursor,
            limit,
        } = query(&uri)?;
        let directory = location("path", &path)?.path;
        let limit = limit.unwrap_or(PAGE_LIMIT);
        if !(1..=PAGE_LIMIT).contains(&limit) {
            return Err(Problem::bad_request(format!(
                "`limit` is from 1 to {PAGE_LIMIT}"
            )));
        }
        let cursor = cursor.as_deref().filter(|cursor| !cursor.is_empty());
        let page = site.namespace.list(&directory, cursor, limit).await?;
        Ok(json::answer(
            StatusCode::OK,
            &PageBody::new(&directory, &page),
        ))
    };
    respond(answer.await)
}

#[derive(Deserialize)]
struct StatQuery {
    path: String,
}

/// `GET stat`: one entry.
pub(crate) async fn stat(site: Visit, uri: Uri) -> Response {
    let answer = async {
        let StatQuery { path } = query(&uri)?;
        let location = location("path", &path)?;
        let entry = site.namespace.stat(&location).await?;
        Ok(json::answer(
            StatusCode::OK,
            &EntryBody::new(location.path, &entry),
        ))
    };
    respond(answer.await)
}

#[derive(Deserialize)]
struct LinkQuery {
    path: String,
    expires: Option<u64>,
}

#[derive(Serialize)]
struct LinkBody {
    url: String,
    expires: Option<String>,
}

/// `GET link`: a URL at the storage that is good for a while.
pub(crate) async fn link(site: Visit, uri: Uri) -> Response {
    let answer = async {
        let LinkQuery { path, expires } = query(&uri)?;
        if expires == Some(0) {
            return Err(Problem::bad_request(
                "`expires` is a number of seconds above 0",
            ));
        }
        let location = location("path", &path)?;
        let entry = site.namespace.stat(&location).await?;
        if entry.kind == Kind::Directory {
            return Err(Outcome::IsADirectory.into());
        }
        let options = LinkOptions {
            filename: Some(entry.name),
            expires: expires.map(Duration::from_secs),
        };
        let link = site.namespace.link(&location.path, options).await?;
        let body = LinkBody {
            url: link.url,
            expires: link.expires.and_then(date::rfc3339),
        };
        Ok(json::answer(StatusCode::OK, &body))
    };
    respond(answer.await)
}

#[derive(Serialize)]
struct MountsBody<'a> {
    mounts: Vec<MountBody<'a>>,
}

#[derive(Serialize)]
struct MountBody<'a> {
    path: String,
    root: String,
    driver: &'a str,
    digest: &'a str,
    interfaces: &'a [String],
    read_only: bool,
    download: &'a str,
    ready: bool,
    last_error: Option<String>,
    instances: usize,
    faults: u64,
}

impl<'a> MountBody<'a> {
    fn new(mount: &'a Mount) -> Self {
        let driver = mount.volume().driver();
        let health = mount.health();
        Self {
            path: format!("/{}", mount.path()),
            root: mount.root().to_string(),
            driver: &driver.descriptor().name,
            digest: driver.digest(),
            interfaces: driver.exports(),
            read_only: mount.is_read_only(),
            download: match mount.download() {
                Download::Redirect => "redirect",
                Download::Proxy => "proxy",
                Download::Worker(worker) => worker.url(),
            },
            ready: health.ready,
            last_error: health.last_error,
            instances: health.instances,
            faults: health.faults,
        }
    }
}

/// `GET mounts`: what is mounted where and how it is. Holds nothing of a mount's configuration.
pub(crate) async fn mounts(site: Visit) -> Response {
    if let Err(problem) = site.require_user() {
        return respond(Err(problem));
    }
    let mounts = site.mounts_seen().map(MountBody::new).collect();
    json::answer(StatusCode::OK, &MountsBody { mounts })
}

#[derive(Serialize)]
struct DriversBody<'a> {
    drivers: Vec<DriverBody<'a>>,
}

#[derive(Serialize)]
struct DriverBody<'a> {
    name: &'a str,
    version: &'a str,
    title: &'a str,
    summary: &'a str,
    digest: &'a str,
    imports: &'a [String],
    exports: &'a [String],
    schema: &'a serde_json::Value,
}

impl<'a> DriverBody<'a> {
    fn new(driver: &'a Driver) -> Self {
        let descriptor = driver.descriptor();
        Self {
            name: &descriptor.name,
            version: &descriptor.version,
            title: &descriptor.title,
            summary: &descriptor.summary,
            digest: driver.digest(),
            imports: driver.imports(),
            exports: driver.exports(),
            schema: driver.schema(),
        }
    }
}

/// `GET drivers`: the drivers of the mounts that the caller sees, each once.
pub(crate) async fn drivers(site: Visit) -> Response {
    if let Err(problem) = site.require_user() {
        return respond(Err(problem));
    }
    let mut drivers: Vec<DriverBody<'_>> = Vec::new();
    for mount in site.mounts_seen() {
        let driver = mount.volume().driver();
        if !drivers.iter().any(|known| known.digest == driver.digest()) {
            drivers.push(DriverBody::new(driver));
        }
    }
    json::answer(StatusCode::OK, &DriversBody { drivers })
}
