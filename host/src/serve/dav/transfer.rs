//! `COPY` (RFC 4918 §9.8) and `MOVE` (§9.9).

use axum::response::Response;
use http::{StatusCode, request::Parts};

use super::{
    claim::{self, Claim},
    collection::empty,
    destination::{self, destination},
    headers::{Depth, depth, overwrite},
    place,
    refusal::Refusal,
    work::{self, carry_through},
};
use crate::{
    Entry, Kind, Overwrite, Path, Plan, Work,
    serve::{problem::Problem, site::Visit},
};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    Copy,
    Move,
}

/// Answers `COPY` or `MOVE`.
pub(super) async fn answer(
    site: Visit,
    parts: Parts,
    transfer: Transfer,
) -> Result<Response, Refusal> {
    let source = destination::location(parts.uri.path())?;
    let target = destination(&parts)?;
    let overwrite = overwrite(&parts.headers)?;
    let deep = match (transfer, depth(&parts.headers)?) {
        (_, Depth::Infinity) => true,
        (Transfer::Copy, Depth::Zero) => false,
        _ => {
            return Err(Problem::bad_request(
                "a move has the depth `infinity`, a copy that or `0`",
            )
            .into());
        }
    };
    let entry = site.namespace.stat(&source).await?;
    let (from, to, kind) = (source.path, target.path, entry.kind);
    if from == to || from.contains(&to) && kind == Kind::Directory {
        return Err(forbidden("the destination is the source or lies inside it"));
    }
    site.namespace.check_change(&to)?;
    if transfer == Transfer::Move {
        site.namespace.check_change(&from)?;
    }
    let occupant = place::occupant(&site, &to, kind).await?;
    if occupant.is_some() && to.contains(&from) {
        return Err(forbidden(
            "the source lies inside the destination, and would be replaced with it",
        ));
    }

    let mut claims = vec![match &occupant {
        Some(occupant) => Claim::tree(&to, occupant.kind, occupant.kind != kind),
        None => Claim::new(&to, kind),
    }];
    if transfer == Transfer::Move {
        claims.push(Claim::tree(&from, kind, true));
    }
    claim::permit(&site, &parts, (&from, Some(&entry)), &claims).await?;
    if occupant.is_some() && !overwrite {
        return Err(Refusal::precondition_failed());
    }
    let plan = Plan {
        from,
        to,
        kind,
        overwrite: if overwrite {
            Overwrite::Replace
        } else {
            Overwrite::Refuse
        },
    };
    carry_through(perform(site, plan, transfer, deep, occupant)).await
}

async fn perform(
    site: Visit,
    plan: Plan,
    transfer: Transfer,
    deep: bool,
    occupant: Option<Entry>,
) -> Result<Response, Refusal> {
    let status = match &occupant {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::CREATED,
    };
    if let Some(occupant) = &occupant {
        clear(&site, &plan.to, occupant.kind, plan.kind).await?;
    }
    match transfer {
        Transfer::Move => move_all(&site, plan, status).await,
        Transfer::Copy => {
            let Plan { from, to, kind, .. } = plan.clone();
            let whole = deep || kind == Kind::File;
            let response = if whole {
                work::perform(&site, Work::Copy(plan), status).await?
            } else {
                site.namespace.make_directory(&to).await?;
                empty(status)
            };
            let state = &site.state;
            state.copy_properties(&from, &to, kind, whole).await?;
            Ok(response)
        }
    }
}

/// The properties go first: if the process is killed, the next one moves the rest of the tree, and nothing else.
async fn move_all(site: &Visit, plan: Plan, status: StatusCode) -> Result<Response, Refusal> {
    let Plan { from, to, kind, .. } = plan.clone();
    let state = &site.state;
    state.move_properties(&from, &to, kind).await?;
    match work::perform(site, Work::Move(plan), status).await {
        Ok(response) => {
            // Locks stay where they are, and there is nothing now (RFC 4918 §7.7).
            state.remove_locks(&from, kind).await?;
            Ok(response)
        }
        Err(refusal) => {
            state.move_properties(&to, &from, kind).await?;
            Err(refusal)
        }
    }
}

/// Takes away what a copy cannot simply be written over: a folder, whose members must not be among the new ones
/// (RFC 4918 §9.8.4), and what is of another kind.
async fn clear(site: &Visit, path: &Path, occupant: Kind, kind: Kind) -> Result<(), Refusal> {
    if occupant == Kind::File && kind == Kind::File {
        return Ok(());
    }
    let work = Work::Remove {
        path: path.clone(),
        kind: occupant,
    };
    let response = work::perform(site, work, StatusCode::NO_CONTENT).await?;
    if response.status() != StatusCode::NO_CONTENT {
        return Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the server stops, and has not begun with this; try again",
        ));
    }
    site.state.remove_properties(path, occupant).await?;
    Ok(())
}

fn forbidden(detail: &'static str) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, "invalid-argument", detail)
}
