//! Downloads: `/d/`, as the mount says, and `/p/`, through the host.

use axum::{body::Body, extract::Request, response::Response};
use http::{
    HeaderValue, Method, StatusCode,
    header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY},
    request::Parts,
};

use super::{
    accept::Wants,
    address,
    attachment::Disposition,
    descriptor,
    door::Door,
    file::{self, FileRequest},
    href,
    problem::Problem,
    site::Visit,
    zip,
};
use crate::{Download, Entry, Error, Kind, LinkOptions, Location, Outcome, Path};

/// `/d/{path}`.
pub(crate) async fn by_policy(site: Visit, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let answer = async {
        // A link is good for GET alone, so HEAD never leaves the host.
        if parts.method == Method::GET {
            let location = address::parse(Door::Download, parts.uri.path())?;
            let kind = site.namespace.kind(&location).await?;
            if kind == Kind::File
                && let Some(elsewhere) = elsewhere(&site, &location.path).await?
            {
                return redirect(elsewhere);
            }
        }
        let (path, entry) = find(&site, Door::Download, &parts).await?;
        if entry.kind == Kind::Directory {
            return folder(&site, Door::Download, &parts, path).await;
        }
        serve(
            &site,
            Door::Download,
            &parts,
            &path,
            &entry,
            Disposition::Attachment,
        )
        .await
    };
    match answer.await {
        Ok(response) => response,
        Err(problem) => problem.render(&site, &parts.headers),
    }
}

/// `/p/{path}`; with `?download`, to be saved rather than shown.
pub(crate) async fn through_host(site: Visit, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let answer = async {
        let (path, entry) = find(&site, Door::Proxy, &parts).await?;
        if entry.kind == Kind::Directory {
            return folder(&site, Door::Proxy, &parts, path).await;
        }
        let mut keys = parts.uri.query().unwrap_or_default().split('&');
        let disposition = if keys.any(|key| key.split('=').next() == Some("download")) {
            Disposition::Attachment
        } else {
            Disposition::Inline
        };
        serve(&site, Door::Proxy, &parts, &path, &entry, disposition).await
    };
    match answer.await {
        Ok(response) => response,
        Err(problem) => problem.render(&site, &parts.headers),
    }
}

/// A file's bytes as its mount says: by redirect or through the host.
pub(crate) async fn by_mount(
    site: &Visit,
    door: Door,
    parts: &Parts,
    path: &Path,
    entry: &Entry,
) -> Result<Response, Problem> {
    // A link is good for GET alone, so HEAD never leaves the host.
    if parts.method == Method::GET
        && let Some(elsewhere) = elsewhere(site, path).await?
    {
        return redirect(elsewhere);
    }
    serve(site, door, parts, path, entry, Disposition::Attachment).await
}

async fn find(site: &Visit, door: Door, parts: &Parts) -> Result<(Path, Entry), Problem> {
    let location = address::parse(door, parts.uri.path())?;
    let entry = site.namespace.stat(&location).await?;
    Ok((location.path, entry))
}

/// Where the mount sends clients for the bytes; none if they come through the host.
pub(crate) async fn elsewhere(site: &Visit, path: &Path) -> Result<Option<String>, Problem> {
    let Some(mount) = site.namespace.mount_of(path) else {
        return Ok(None);
    };
    match mount.download() {
        Download::Proxy => Ok(None),
        Download::Redirect => {
            let options = LinkOptions {
                filename: Some(path.name().to_owned()),
                ..LinkOptions::default()
            };
            match site.namespace.link(path, options).await {
                Ok(link) => Ok(Some(link.url)),
                Err(Error::Outcome(Outcome::Unsupported(_))) => Ok(None),
                Err(error) => Err(error.into()),
            }
        }
        Download::Worker(worker) => {
            let link = match site.namespace.request(path).await {
                Err(Error::Outcome(Outcome::Unsupported(_))) => return Ok(None),
                link => link?,
            };
            let entry = site.namespace.stat(&Location::file(path.clone())).await?;
            let descriptor = descriptor::seal(worker, path, &entry, &link).map_err(Error::from)?;
            let below = href::absolute(Door::Download, path, false);
            let below = below.strip_prefix(Door::Download.prefix());
            let below = below.unwrap_or_default();
            Ok(Some(format!(
                "{}{below}?descriptor={descriptor}",
                worker.url()
            )))
        }
    }
}

/// Sends the client elsewhere.
pub(crate) fn redirect(location: String) -> Result<Response, Problem> {
    let location = HeaderValue::try_from(location)
        .map_err(|_| Outcome::Unavailable("the storage gave a link that is no URL".into()))?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    headers.insert(LOCATION, location);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// A folder has no bytes, but can be had as an archive: people are shown it, programs told.
async fn folder(site: &Visit, door: Door, parts: &Parts, path: Path) -> Result<Response, Problem> {
    if zip::is_asked_for(parts.uri.query()) {
        return zip::answer(site, door, parts, path).await;
    }
    if Wants::of(&parts.headers) == Wants::Html {
        return redirect(href::absolute(Door::Page, &path, true));
    }
    Err(Outcome::IsADirectory.into())
}

async fn serve(
    site: &Visit,
    door: Door,
    parts: &Parts,
    path: &Path,
    entry: &Entry,
    disposition: Disposition,
) -> Result<Response, Problem> {
    let request = FileRequest {
        door,
        method: &parts.method,
        headers: &parts.headers,
        path,
        entry,
        disposition,
    };
    file::answer(site, request).await
}
