//! Whether locks and the `If` header let a request do what it wants.

use http::{StatusCode, request::Parts};

use super::{
    destination,
    if_header::{Demands, List, State},
    refusal::{Precondition, Refusal},
};
use crate::{
    Entry, Error, Kind, Location, Outcome, Path,
    serve::{door::Door, href, site::Visit},
    state::lock::Lock,
};

/// A resource that a request wants to change.
#[derive(Clone, Debug)]
pub(super) struct Claim<'a> {
    pub(super) path: &'a Path,
    pub(super) kind: Kind,
    /// Whether all below it is changed as well.
    pub(super) tree: bool,
    /// Whether it comes to be or goes, which changes the folder that it lies in.
    pub(super) membership: bool,
}

impl<'a> Claim<'a> {
    /// The content or the properties of what is there.
    pub(super) fn content(path: &'a Path, kind: Kind) -> Self {
        Self {
            path,
            kind,
            tree: false,
            membership: false,
        }
    }

    /// Something that comes to be.
    pub(super) fn new(path: &'a Path, kind: Kind) -> Self {
        Self {
            membership: true,
            ..Self::content(path, kind)
        }
    }

    /// What is there, with all below it, and whether it goes.
    pub(super) fn tree(path: &'a Path, kind: Kind, goes: bool) -> Self {
        Self {
            tree: kind == Kind::Directory,
            membership: goes,
            ..Self::content(path, kind)
        }
    }

    fn is_touched_by(&self, lock: &Lock) -> bool {
        lock.covers(self.path, self.kind)
            || (self.tree && self.path.contains(&lock.path))
            || (self.membership
                && self
                    .path
                    .parent()
                    .is_some_and(|parent| lock.covers(&parent, Kind::Directory)))
    }
}

/// Refuses a change that a lock forbids, or whose `If` header does not hold.
///
/// `found` is what the request is about, none if nothing is there.
pub(super) async fn permit(
    site: &Visit,
    parts: &Parts,
    found: (&Path, Option<&Entry>),
    claims: &[Claim<'_>],
) -> Result<(), Refusal> {
    let demands = Demands::read(&parts.headers)?;
    judge(site, parts, found, &demands).await?;
    for claim in claims {
        let mut locks = site.state.locks_around(claim.path).await?;
        locks.retain(|lock| claim.is_touched_by(lock));
        let missing = missing(&locks, |lock| is_submitted(site, &demands, lock));
        if !missing.is_empty() {
            let hrefs: Vec<String> = missing.into_iter().map(href).collect();
            return Err(locked(&hrefs));
        }
    }
    Ok(())
}

fn locked(hrefs: &[String]) -> Refusal {
    Refusal::of(
        StatusCode::LOCKED,
        Precondition::LockTokenSubmitted,
        hrefs,
        "this is locked, and the request has no token of the lock",
    )
}

/// Where a lock begins.
pub(super) fn href(lock: &Lock) -> String {
    href::absolute(Door::Dav, &lock.path, lock.kind == Kind::Directory)
}

/// The locks whose token is needed and was not submitted. Of shared ones at one place, any will do.
fn missing(locks: &[Lock], is_submitted: impl Fn(&Lock) -> bool) -> Vec<&Lock> {
    let is_open = |lock: &Lock| {
        is_submitted(lock)
            || locks.iter().any(|other| {
                let is_same_place = other.path == lock.path && other.kind == lock.kind;
                is_same_place && !lock.exclusive && !other.exclusive && is_submitted(other)
            })
    };
    locks.iter().filter(|lock| !is_open(lock)).collect()
}

/// A token counts if it comes from the one who made the lock (RFC 4918 §6.4).
fn is_submitted(site: &Visit, demands: &Demands, lock: &Lock) -> bool {
    holds(site, lock) && demands.tokens().any(|token| token == lock.token)
}

/// Whether the caller made a lock.
pub(super) fn holds(site: &Visit, lock: &Lock) -> bool {
    site.caller.name.as_deref().unwrap_or_default() == lock.holder
}

/// Judges the conditions of the `If` header.
async fn judge(
    site: &Visit,
    parts: &Parts,
    found: (&Path, Option<&Entry>),
    demands: &Demands,
) -> Result<(), Refusal> {
    for list in &demands.lists {
        if list_holds(site, parts, found, list).await? {
            return Ok(());
        }
    }
    if demands.lists.is_empty() {
        return Ok(());
    }
    Err(Refusal::precondition_failed())
}

async fn list_holds(
    site: &Visit,
    parts: &Parts,
    (path, entry): (&Path, Option<&Entry>),
    list: &List,
) -> Result<bool, Refusal> {
    let Some(reference) = &list.resource else {
        return conditions_hold(site, path, entry, list).await;
    };
    // What is no resource of ours is in no state that we know.
    let Ok(location) = destination::resolve(parts, reference) else {
        return Ok(false);
    };
    if location.path == *path {
        return conditions_hold(site, path, entry, list).await;
    }
    let other = look_up(site, &location).await?;
    conditions_hold(site, &location.path, other.as_ref(), list).await
}

async fn conditions_hold(
    site: &Visit,
    path: &Path,
    entry: Option<&Entry>,
    list: &List,
) -> Result<bool, Refusal> {
    let kind = entry.map_or(Kind::File, |entry| entry.kind);
    let locks = site.state.locks_around(path).await?;
    let is_in = |state: &State| match state {
        State::Locked(token) => locks
            .iter()
            .any(|lock| lock.token == *token && lock.covers(path, kind)),
        State::Tagged(tag) => entry.and_then(|entry| entry.etag.as_deref()) == Some(tag),
    };
    Ok(list
        .conditions
        .iter()
        .all(|condition| is_in(&condition.state) != condition.not))
}

/// What is at a place; none if nothing is.
pub(super) async fn look_up(site: &Visit, location: &Location) -> Result<Option<Entry>, Error> {
    match site.namespace.stat(location).await {
        Ok(entry) => Ok(Some(entry)),
        Err(Error::Outcome(Outcome::NotFound | Outcome::IsADirectory | Outcome::NotADirectory)) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
