//! What is at a place of the namespace, as a client of WebDAV sees it.

use super::{claim::look_up, refusal::Refusal};
use crate::{Entry, Error, Kind, Location, Outcome, Path, serve::site::Visit};

/// Entries of a folder that cost little more than the question whether it is there.
const GLANCE: u32 = 100;

/// Refuses if the folder that a path lies in is not there (RFC 4918 §9.7.1 and others).
pub(super) async fn require_parent(site: &Visit, path: &Path) -> Result<(), Refusal> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    match look_up(site, &Location::directory(parent)).await? {
        Some(_) => Ok(()),
        None => Err(Refusal::no_parent()),
    }
}

/// What a new resource of this kind and path would replace. For WebDAV, a file and a folder of one path are one
/// resource, so that it can be of the other kind.
///
/// Where nothing of its own kind is there, one listing of the folder that it would lie in tells of the other kind and of
/// the folder, unless the folder is long.
///
/// # Errors
/// There is nothing, and no folder either that it would lie in.
pub(super) async fn occupant(
    site: &Visit,
    path: &Path,
    kind: Kind,
) -> Result<Option<Entry>, Refusal> {
    let at = |kind| Location {
        path: path.clone(),
        want: Some(kind),
    };
    if let Some(entry) = look_up(site, &at(kind)).await? {
        return Ok(Some(entry));
    }
    let other = match kind {
        Kind::File => Kind::Directory,
        Kind::Directory => Kind::File,
    };
    let Some(parent) = path.parent() else {
        return Ok(look_up(site, &at(other)).await?);
    };
    let page = match site.namespace.list(&parent, None, GLANCE).await {
        Ok(page) => page,
        Err(Error::Outcome(Outcome::NotFound | Outcome::IsADirectory | Outcome::NotADirectory)) => {
            return Err(Refusal::no_parent());
        }
        Err(error) => return Err(error.into()),
    };
    let is_other = |entry: &&Entry| entry.kind == other && entry.name == path.name();
    match page.entries.iter().find(is_other) {
        None if page.next.is_some() => Ok(look_up(site, &at(other)).await?),
        found => Ok(found.cloned()),
    }
}
