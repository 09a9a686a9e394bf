//! `/s/{token}/…`: what users share with people who have no name here.
//!
//! A share of a folder shows the folder and all in it, one of a file gives the file; never what lies above or
//! beside. It allows reading, as far as the user who made it may still read. In the address stands an id with a
//! signature, which is checked before the database is asked.

pub(crate) mod link;
mod pass;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{ALLOW, RANGE},
    request::Parts,
};

use super::{
    Users,
    accept::Wants,
    address,
    caller::Caller,
    door::Door,
    download, href,
    json::{self, EntryBody},
    page::{self, Ground},
    problem::Problem,
    site::{Shared, View, Visit},
};
use crate::{
    Access, Entry, Grant, Kind, Location, Path, Rights,
    state::{Share, instant},
};

/// A share of one file.
pub(crate) const FILE: &str = "file";

/// A share of a folder and all in it.
pub(crate) const DIRECTORY: &str = "directory";

/// How long a download that broke off can be continued after it was counted, in milliseconds.
const CONTINUATION: i64 = 6 * 60 * 60 * 1000;

/// `/s/{token}/…`.
pub(crate) async fn handle(State(site): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let rest = parts.uri.path().strip_prefix("/s/").unwrap_or_default();
    let (token, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // Until it is known what is shared, nothing is.
    let view = parts.extensions.get::<View>().cloned();
    let view = view.unwrap_or_else(|| site.view());
    let nobody = Caller::nameless(Access::none());
    let mut guest = Visit::new(Arc::clone(&site), view.clone(), nobody, None);
    guest.uri = parts.uri.clone();
    guest.ground = Ground {
        address: format!("/s/{token}"),
        root: Path::ROOT,
        is_share: true,
    };
    let answer = async {
        let share = find(&site, token).await?;
        let root = Path::parse(share.path.as_str()).map_err(Problem::internal)?;
        let reader = reader(&view.options.users, &share, &root)?;
        guest.ground.root = root;
        guest.namespace = view.namespace.restricted_to(&reader.access);
        guest.caller = reader;
        if let Some(response) = pass::check(&guest, &share, &parts, body).await? {
            return Ok(response);
        }
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return Err(Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "unsupported",
                "what is shared can only be read",
            )
            .with_header(ALLOW, HeaderValue::from_static("GET, HEAD")));
        }
        show(&guest, &share, &parts, below).await
    };
    let answer = answer.await;
    let mut response = match answer {
        Ok(response) => response,
        // What may not be read does not show, and its path is not the guest's to know.
        Err(problem) if problem.is_denial() => Problem::not_found().render(&guest, &parts.headers),
        Err(problem) => problem.render(&guest, &parts.headers),
    };
    let headers = response.headers_mut();
    headers.insert(
        HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex"),
    );
    response
}

/// The share that an address names, if it is still good for something.
async fn find(site: &Shared, token: &str) -> Result<Share, Problem> {
    let id = link::read(site.share_key().await?, token).ok_or_else(Problem::not_found)?;
    // The signature is ours, so the share was there.
    let share = site.state.share(id).await.map_err(Problem::internal)?;
    let share = share.ok_or_else(gone)?;
    if share.expires.is_some_and(|end| end <= instant::now()) {
        return Err(gone());
    }
    Ok(share)
}

/// What guests may do: read what is shared, as far as who shares it still may.
fn reader(users: &Users, share: &Share, root: &Path) -> Result<Caller, Problem> {
    let owner = users.named(&share.owner).ok_or_else(gone)?;
    let access = owner.access().and(&Access::of([Grant {
        path: root.clone(),
        rights: Rights::Read,
    }]));
    if access.rights(root) < Rights::Read {
        return Err(gone());
    }
    Ok(Caller::nameless(access))
}

async fn show(
    guest: &Visit,
    share: &Share,
    parts: &Parts,
    below: &str,
) -> Result<Response, Problem> {
    let is_used_up = share
        .download_limit
        .is_some_and(|limit| share.downloads >= limit);
    if is_used_up && !continues(share, parts) {
        return Err(gone());
    }
    let location = locate(guest, share, below)?;
    let entry = guest.namespace.stat(&location).await?;
    if entry.kind == Kind::Directory {
        // As on the page, links are relative to an address that ends in a slash.
        if !parts.uri.path().ends_with('/') {
            let below = guest.ground.shown(&location.path);
            let address = format!("{}{}", guest.ground.address, href::plain(&below, true));
            return Ok(page::see(&address));
        }
        return page::folder::view(guest, parts, location.path).await;
    }
    if Wants::of(&parts.headers) == Wants::Json {
        let path = if share.kind == FILE {
            Path::parse(location.path.name()).map_err(Problem::internal)?
        } else {
            guest.ground.shown(&location.path)
        };
        return Ok(json::answer(StatusCode::OK, &EntryBody::new(path, &entry)));
    }
    give(guest, share, parts, &location.path, &entry).await
}

/// The place in the namespace that the rest of an address names. A shared file is at the top of its share, and there
/// by its name.
fn locate(guest: &Visit, share: &Share, below: &str) -> Result<Location, Problem> {
    let root = &guest.ground.root;
    let below = if below.is_empty() { "/" } else { below };
    let Location { path, want } = address::parse(Door::Page, below)?;
    if share.kind == DIRECTORY {
        let want = if path.is_root() {
            Some(Kind::Directory)
        } else {
            want
        };
        let path = root.join(&path);
        return Ok(Location { path, want });
    }
    let is_it = path.is_root() || (path.as_str() == root.name() && want.is_none());
    if !is_it {
        return Err(Problem::not_found());
    }
    Ok(Location::file(root.clone()))
}

/// Gives a file away, and counts that.
async fn give(
    guest: &Visit,
    share: &Share,
    parts: &Parts,
    path: &Path,
    entry: &Entry,
) -> Result<Response, Problem> {
    let is_continued = continues(share, parts);
    let is_counted = parts.method == Method::GET && !is_continued;
    if is_counted {
        count(guest, share).await?;
    }
    let answer = download::by_mount(guest, Door::Share, parts, path, entry).await;
    let status = answer.as_ref().map_or(StatusCode::OK, Response::status);
    let is_given = answer.is_ok()
        && matches!(
            status,
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::FOUND
        );
    if is_counted && !is_given {
        let uncounted = guest.state.uncount_download(&share.id).await;
        uncounted.map_err(Problem::internal)?;
    }
    // `If-Range` turned the part that was asked for into the whole.
    if is_continued && is_given && status == StatusCode::OK && parts.method == Method::GET {
        count(guest, share).await?;
    }
    answer
}

async fn count(guest: &Visit, share: &Share) -> Result<(), Problem> {
    let counted = guest.state.count_download(&share.id, instant::now()).await;
    if counted.map_err(Problem::internal)? {
        return Ok(());
    }
    Err(gone())
}

/// Whether a request goes on with a download that was counted a while ago: it begins past the first byte.
fn continues(share: &Share, parts: &Parts) -> bool {
    let is_recent = share
        .last_download
        .is_some_and(|last| instant::now() - last < CONTINUATION);
    is_recent && begins_later(&parts.headers)
}

/// Whether one range is asked for, which begins past the first byte. The last bytes of a file, `-500`, may be all.
fn begins_later(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(RANGE).into_iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let first = value
        .to_str()
        .ok()
        .and_then(|text| text.strip_prefix("bytes="))
        .filter(|ranges| !ranges.contains(','))
        .and_then(|range| range.split_once('-'));
    first.is_some_and(|(first, _)| first.trim().parse::<u64>().is_ok_and(|first| first > 0))
}

fn gone() -> Problem {
    Problem::new(
        StatusCode::GONE,
        "not-found",
        "this share has ended: it expired, was used up, or was taken back",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_download_begins() {
        for (range, later) in [
            ("bytes=0-", false),
            ("bytes=0-0", false),
            ("bytes=1-", true),
            ("bytes=500-999", true),
            ("bytes=-500", false),
            ("bytes=1-2,0-", false),
            ("bytes=1-2, 5-6", false),
            ("bytes=x-", false),
            ("bytes", false),
            ("", false),
        ] {
            let headers = [(RANGE, range.parse().unwrap())].into_iter().collect();
            assert_eq!(begins_later(&headers), later, "{range}");
        }
        assert!(!begins_later(&HeaderMap::new()));
    }
}
