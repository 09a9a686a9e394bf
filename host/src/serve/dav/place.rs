//! What is at a place of the namespace, as a client of WebDAV sees it.

use super::{claim::look_up, refusal::Refusal};
use crate::{Entry, Error, Kind, Location, Path, serve::site::Visit};

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
pub(super) async fn occupant(
    site: &Visit,
    path: &Path,
    kind: Kind,
) -> Result<Option<Entry>, Error> {
    let other = match kind {
        Kind::File => Kind::Directory,
        Kind::Directory => Kind::File,
    };
    for want in [kind, other] {
        let location = Location {
            path: path.clone(),
            want: Some(want),
        };
        if let Some(entry) = look_up(site, &location).await? {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}
