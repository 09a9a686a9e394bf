//! Removing, copying and moving: work that is longer than one call.

use std::ops::ControlFlow;

use super::{Namespace, Totals, transfer::Sources};
use crate::{
    Error, Kind, Location, Mount, Outcome, Overwrite, Path, Plan, Result, Rights, Step, Volume,
};

impl Totals {
    fn add(&mut self, step: &Step) {
        self.items += step.items;
        self.bytes += step.bytes;
    }
}

impl Namespace {
    /// Removes a file, or a directory with all that is in it. Dropping the future stops after the step that is
    /// under way.
    ///
    /// # Errors
    /// [`Outcome::NotFound`], [`Outcome::PermissionDenied`] among others.
    pub async fn remove(
        &self,
        path: &Path,
        kind: Kind,
        mut progress: impl FnMut(Totals),
    ) -> Result<Totals> {
        self.require_tree(path, Rights::Write)?;
        let (mount, inner) = self.changeable(path)?;
        let work = Work::Remove(mount.rooted(&inner), kind);
        chain(mount, &work, &mut progress).await
    }

    /// Copies a file or a tree: by the driver where both ends are in one mount and it can, through the
    /// host otherwise.
    ///
    /// # Errors
    /// [`Outcome::AlreadyExists`] if the plan refuses to overwrite, among others.
    pub async fn copy(&self, plan: &Plan, mut progress: impl FnMut(Totals)) -> Result<Totals> {
        check_plan(plan)?;
        self.require_tree(&plan.from, Rights::Read)?;
        self.require_tree(&plan.to, Rights::Write)?;
        let (from, inner_from) = self.source(&plan.from)?;
        let (to, inner_to) = self.changeable(&plan.to)?;
        if same(from, to) && to.volume().driver().abilities().transfer {
            let work = Work::Copy(rooted(to, plan, &inner_from, &inner_to));
            return match by_driver(to, &work, plan, &mut progress).await? {
                ControlFlow::Break(totals) => Ok(totals),
                ControlFlow::Continue(rest) => {
                    self.stream(&rest, Sources::Stay, &mut progress).await
                }
            };
        }
        self.stream(plan, Sources::Stay, &mut progress).await
    }

    /// Moves a file or a tree. A source is removed only after its copy is known to be there.
    ///
    /// # Errors
    /// As [`copy`](Self::copy).
    pub async fn rename(&self, plan: &Plan, mut progress: impl FnMut(Totals)) -> Result<Totals> {
        check_plan(plan)?;
        self.require_tree(&plan.from, Rights::Write)?;
        self.require_tree(&plan.to, Rights::Write)?;
        let (from, inner_from) = self.changeable(&plan.from)?;
        let (to, inner_to) = self.changeable(&plan.to)?;
        if same(from, to) && to.volume().driver().abilities().transfer {
            let work = Work::Rename(rooted(to, plan, &inner_from, &inner_to));
            return match by_driver(to, &work, plan, &mut progress).await? {
                ControlFlow::Break(totals) => Ok(totals),
                ControlFlow::Continue(rest) => self.stream(&rest, Sources::Go, &mut progress).await,
            };
        }
        self.stream(plan, Sources::Go, &mut progress).await
    }

    /// Something inside a mount that may be read.
    fn source(&self, path: &Path) -> Result<(&Mount, Path)> {
        self.resolve(path).ok_or_else(|| Outcome::NotFound.into())
    }

    /// Something inside a mount that may be changed.
    fn changeable(&self, path: &Path) -> Result<(&Mount, Path)> {
        match self.entry_of(path) {
            Ok((mount, inner)) => {
                mount.check_writable()?;
                Ok((mount, inner))
            }
            Err(Error::Outcome(Outcome::IsADirectory)) => Err(Outcome::PermissionDenied(format!(
                "`/{path}` is a mount or holds mounts, and cannot be changed from here"
            ))
            .into()),
            Err(error) => Err(error),
        }
    }

    /// Whether there is something of that kind.
    pub(super) async fn exists(&self, path: &Path, kind: Kind) -> Result<bool> {
        let location = Location {
            path: path.clone(),
            want: Some(kind),
        };
        match self.stat(&location).await {
            Ok(_) => Ok(true),
            Err(Error::Outcome(Outcome::NotFound)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn check_plan(plan: &Plan) -> Result<()> {
    if plan.from == plan.to {
        return Err(
            Outcome::InvalidArgument("source and destination are the same".to_owned()).into(),
        );
    }
    if plan.kind == Kind::Directory && plan.from.contains(&plan.to) {
        return Err(
            Outcome::InvalidArgument("the destination lies inside the source".to_owned()).into(),
        );
    }
    Ok(())
}

fn same(a: &Mount, b: &Mount) -> bool {
    std::ptr::eq(a, b)
}

fn rooted(mount: &Mount, plan: &Plan, from: &Path, to: &Path) -> Plan {
    Plan {
        from: mount.rooted(from),
        to: mount.rooted(to),
        kind: plan.kind,
        overwrite: plan.overwrite,
    }
}

/// What a driver does step by step, with paths of its volume.
enum Work {
    Remove(Path, Kind),
    Copy(Plan),
    Rename(Plan),
}

impl Work {
    async fn step(&self, volume: &Volume, cursor: Option<String>) -> Result<Step> {
        match self {
            Self::Remove(path, kind) => volume.remove(path, *kind, cursor).await,
            Self::Copy(plan) => volume.copy(plan, cursor).await,
            Self::Rename(plan) => volume.rename(plan, cursor).await,
        }
    }
}

/// Has the driver do it: the totals, or, where the storage cannot do all of it by itself, the plan of what is
/// left to be streamed.
async fn by_driver(
    mount: &Mount,
    work: &Work,
    plan: &Plan,
    progress: &mut impl FnMut(Totals),
) -> Result<ControlFlow<Totals, Plan>> {
    let mut begun = false;
    let mut watched = |totals| {
        begun = true;
        progress(totals);
    };
    match chain(mount, work, &mut watched).await {
        Ok(totals) => Ok(ControlFlow::Break(totals)),
        Err(Error::Outcome(Outcome::Unsupported(_))) => Ok(ControlFlow::Continue(Plan {
            // The first step found nothing in the way. What is there now, the driver has put there.
            overwrite: if begun {
                Overwrite::Replace
            } else {
                plan.overwrite
            },
            ..plan.clone()
        })),
        Err(error) => Err(error),
    }
}

/// Makes one step after another until there is none, and has the mount forget what it knew after each.
async fn chain(mount: &Mount, work: &Work, progress: &mut impl FnMut(Totals)) -> Result<Totals> {
    let mut totals = Totals::default();
    let mut cursor = None;
    loop {
        let step = work.step(mount.volume(), cursor).await;
        mount.changed();
        let step = step?;
        totals.add(&step);
        progress(totals);
        cursor = step.next;
        if cursor.is_none() {
            return Ok(totals);
        }
    }
}

/// Whether a plan may put something where something is.
pub(super) fn replaces(plan: &Plan) -> bool {
    plan.overwrite == Overwrite::Replace
}
