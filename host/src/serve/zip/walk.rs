//! All that is in a folder, at any depth, page by page.

use std::{future::Future, sync::Arc, time::Duration};

use futures::{Stream, stream};
use http::StatusCode;
use tokio::time::sleep;

use crate::{Entry, Error, Kind, Namespace, Outcome, Page, Path, Result, serve::status::verdict};

/// Entries of a page at the top. A page of each folder on the way down is held, so those further down are
/// smaller.
const PAGE_LIMIT: u32 = 1000;
const LEAST_PAGE_LIMIT: u32 = 100;

/// Attempts at what fails by the service's fault, with a pause that doubles.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Something in the folder.
#[derive(Debug)]
pub(super) struct Found {
    /// Its path as seen from the folder.
    pub(super) below: Path,
    /// Its path in the namespace.
    pub(super) path: Path,
    pub(super) entry: Entry,
}

/// A folder that is being gone through.
struct Level {
    below: Path,
    path: Path,
    page: Arc<Page>,
    /// The next entry of the page.
    next: usize,
}

/// Goes through a folder whose first page is known: each folder comes before what is in it.
pub(super) fn walk(
    namespace: Namespace,
    folder: Path,
    first: Arc<Page>,
) -> impl Stream<Item = Result<Found>> + Send {
    let top = Level {
        below: Path::ROOT,
        path: folder,
        page: first,
        next: 0,
    };
    stream::try_unfold(
        (namespace, vec![top]),
        |(namespace, mut levels)| async move {
            let found = step(&namespace, &mut levels).await?;
            Ok(found.map(|found| (found, (namespace, levels))))
        },
    )
}

async fn step(namespace: &Namespace, levels: &mut Vec<Level>) -> Result<Option<Found>> {
    loop {
        let depth = levels.len();
        let Some(level) = levels.last_mut() else {
            return Ok(None);
        };
        let Some(entry) = level.page.entries.get(level.next).cloned() else {
            match level.page.next.clone() {
                Some(cursor) => {
                    level.page = page(namespace, &level.path, Some(&cursor), depth - 1).await?;
                    level.next = 0;
                }
                None => drop(levels.pop()),
            }
            continue;
        };
        level.next += 1;
        // A listing gives clean names; one that is not could not be read either.
        let (Ok(path), Ok(below)) = (
            level.path.child(&entry.name),
            level.below.child(&entry.name),
        ) else {
            continue;
        };
        if entry.kind == Kind::Directory {
            let page = match page(namespace, &path, None, depth).await {
                Ok(page) => page,
                // It went while the others were sent, or is nothing for this caller.
                Err(Error::Outcome(Outcome::NotFound) | Error::Denied(_)) => continue,
                Err(error) => return Err(error),
            };
            levels.push(Level {
                below: below.clone(),
                path: path.clone(),
                page,
                next: 0,
            });
        }
        return Ok(Some(Found { below, path, entry }));
    }
}

/// A page of a folder so many levels down. A failure that may pass is tried again, so that an hour's download is
/// not lost to a moment's.
pub(super) async fn page(
    namespace: &Namespace,
    folder: &Path,
    cursor: Option<&str>,
    depth: usize,
) -> Result<Arc<Page>> {
    let depth = u32::try_from(depth).unwrap_or(u32::MAX);
    let limit = (PAGE_LIMIT / depth.saturating_add(1)).max(LEAST_PAGE_LIMIT);
    patiently(|| namespace.list(folder, cursor, limit)).await
}

/// Tries again what failed by the service's fault.
pub(super) async fn patiently<T, F>(attempt: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut pause = PAUSE;
    for _ in 1..ATTEMPTS {
        let error = match attempt().await {
            Err(error) => error,
            result => return result,
        };
        let verdict = verdict(&error);
        let may_pass = verdict.http.is_server_error()
            && verdict.http != StatusCode::NOT_IMPLEMENTED
            && verdict.http != StatusCode::INSUFFICIENT_STORAGE;
        if !may_pass {
            return Err(error);
        }
        tracing::debug!(%error, "trying again, for an archive");
        let told = match &error {
            Error::Outcome(Outcome::RateLimited(told)) => *told,
            _ => None,
        };
        sleep(told.unwrap_or(pause).min(LONGEST_PAUSE)).await;
        pause *= 2;
    }
    attempt().await
}
