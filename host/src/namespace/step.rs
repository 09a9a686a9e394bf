//! Removing, copying and moving, step by step.

use super::{Flow, Namespace, Position, Totals, Work, carry::Sources, walk::Walk, work::Stage};
use crate::{
    Error, Kind, Location, Mount, Outcome, Overwrite, Path, Plan, Result, Rights, Step, Volume,
};

/// Who does some work, and what it is to them.
enum Hand<'a> {
    /// The driver of this mount.
    Driver(&'a Mount, Call),
    /// The host, by reading and writing.
    Host(&'a Plan),
}

/// What a driver does step by step, with paths of its volume.
enum Call {
    Remove(Path, Kind),
    Copy(Plan),
    Rename(Plan),
}

impl Namespace {
    /// Refuses work that cannot be begun, by rights and mounts alone; no storage is asked.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Outcome::PermissionDenied`] on a read-only mount, [`Outcome::InvalidArgument`] for a
    /// tree into itself, [`Outcome::NotFound`] beside all mounts.
    pub fn check(&self, work: &Work) -> Result<()> {
        self.hand(work).map(drop)
    }

    /// Makes the next step of some work: a few seconds' worth, or one file if that takes longer. After an error
    /// the position is as good as before, and the step can be tried again.
    ///
    /// # Errors
    /// As [`check`](Self::check); [`Outcome::NotFound`] if there is no source, [`Outcome::AlreadyExists`] if a
    /// plan refuses to overwrite, among others.
    pub async fn step(&self, work: &Work, position: &mut Position, flow: &Flow) -> Result<()> {
        flow.rewind();
        match self.attempt(work, position, flow).await {
            Ok(()) => {}
            Err(Error::Outcome(Outcome::NotFound))
                if position.again && self.is_achieved(work).await? =>
            {
                position.stage = Stage::Done;
            }
            Err(error) => return Err(error),
        }
        position.again = false;
        Ok(())
    }

    /// Does some work from its beginning to its end. Dropping the future stops after the step that is under way.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub async fn perform(&self, work: &Work, mut progress: impl FnMut(Totals)) -> Result<Totals> {
        let mut position = Position::default();
        let flow = Flow::default();
        while !position.is_done() {
            self.step(work, &mut position, &flow).await?;
            progress(position.totals());
        }
        Ok(position.totals())
    }

    /// Removes a file, or a directory with all that is in it: see [`perform`](Self::perform).
    ///
    /// # Errors
    /// [`Outcome::NotFound`], [`Outcome::PermissionDenied`] among others.
    pub async fn remove(
        &self,
        path: &Path,
        kind: Kind,
        progress: impl FnMut(Totals),
    ) -> Result<Totals> {
        let path = path.clone();
        self.perform(&Work::Remove { path, kind }, progress).await
    }

    /// Copies a file or a tree: see [`perform`](Self::perform).
    ///
    /// # Errors
    /// [`Outcome::AlreadyExists`] if the plan refuses to overwrite, among others.
    pub async fn copy(&self, plan: &Plan, progress: impl FnMut(Totals)) -> Result<Totals> {
        self.perform(&Work::Copy(plan.clone()), progress).await
    }

    /// Moves a file or a tree: see [`perform`](Self::perform).
    ///
    /// # Errors
    /// As [`copy`](Self::copy).
    pub async fn rename(&self, plan: &Plan, progress: impl FnMut(Totals)) -> Result<Totals> {
        self.perform(&Work::Move(plan.clone()), progress).await
    }

    async fn attempt(&self, work: &Work, position: &mut Position, flow: &Flow) -> Result<()> {
        let hand = self.hand(work)?;
        let cursor = match (&mut position.stage, &hand) {
            (Stage::Done, _) => return Ok(()),
            (Stage::Stream(walk), _) => {
                let (plan, sources) = streamed(work)?;
                let again = position.again;
                let totals = &mut position.totals;
                let over = match plan.kind {
                    Kind::File => {
                        self.carry_only(plan, sources, walk.replaces(), again, flow, totals)
                            .await?;
                        true
                    }
                    Kind::Directory => self.walk(plan, sources, walk, again, flow, totals).await?,
                };
                if over {
                    position.stage = Stage::Done;
                }
                return Ok(());
            }
            (Stage::Start, Hand::Host(plan)) => {
                position.stage = self.begin_stream(plan, replaces(plan)).await?;
                return Ok(());
            }
            // The driver could once, and can no more: somebody changed the mounts.
            (Stage::Driver(_), Hand::Host(plan)) => {
                position.stage = self.begin_stream(plan, true).await?;
                return Ok(());
            }
            (Stage::Start, Hand::Driver(..)) => None,
            (Stage::Driver(cursor), Hand::Driver(..)) => Some(cursor.clone()),
        };
        let Hand::Driver(mount, call) = hand else {
            return Ok(());
        };
        // The first step found nothing in the way. What is there now, the driver has put there.
        let has_begun = cursor.is_some();
        let step = call.step(mount.volume(), cursor).await;
        mount.changed();
        match (step, work.plan()) {
            (Ok(step), _) => {
                position.totals.add(step.items, step.bytes);
                position.stage = step.next.map_or(Stage::Done, Stage::Driver);
            }
            // What the storage cannot do by itself is left to the host.
            (Err(Error::Outcome(Outcome::Unsupported(_))), Some(plan)) => {
                position.stage = self.begin_stream(plan, has_begun || replaces(plan)).await?;
            }
            (Err(error), _) => return Err(error),
        }
        Ok(())
    }

    /// The stage that begins to read and write. Nothing is written yet, so that what is found at the destination
    /// is somebody else's for sure.
    async fn begin_stream(&self, plan: &Plan, replaces: bool) -> Result<Stage> {
        let is_tree = plan.kind == Kind::Directory;
        if is_tree && !replaces && self.exists(&plan.to, Kind::Directory).await? {
            return Err(Outcome::AlreadyExists.into());
        }
        Ok(Stage::Stream(Walk::new(replaces)))
    }

    /// Whether what was asked for is reached, now that the source is gone: a removal, or a move whose
    /// destination is there.
    async fn is_achieved(&self, work: &Work) -> Result<bool> {
        match work {
            Work::Remove { .. } => Ok(true),
            Work::Copy(_) => Ok(false),
            Work::Move(plan) => self.exists(&plan.to, plan.kind).await,
        }
    }

    fn hand<'a>(&'a self, work: &'a Work) -> Result<Hand<'a>> {
        match work {
            Work::Remove { path, kind } => {
                self.require_tree(path, Rights::Write)?;
                let (mount, inner) = self.changeable(path)?;
                let call = Call::Remove(mount.rooted(&inner), *kind);
                Ok(Hand::Driver(mount, call))
            }
            Work::Copy(plan) => {
                check_plan(plan)?;
                self.require_tree(&plan.from, Rights::Read)?;
                self.require_tree(&plan.to, Rights::Write)?;
                let from = self.source(&plan.from)?;
                let to = self.changeable(&plan.to)?;
                Ok(between(&from, &to, plan)
                    .map(|inner| Hand::Driver(to.0, Call::Copy(inner)))
                    .unwrap_or(Hand::Host(plan)))
            }
            Work::Move(plan) => {
                check_plan(plan)?;
                self.require_tree(&plan.from, Rights::Write)?;
                self.require_tree(&plan.to, Rights::Write)?;
                let from = self.changeable(&plan.from)?;
                let to = self.changeable(&plan.to)?;
                Ok(between(&from, &to, plan)
                    .map(|inner| Hand::Driver(to.0, Call::Rename(inner)))
                    .unwrap_or(Hand::Host(plan)))
            }
        }
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
    async fn exists(&self, path: &Path, kind: Kind) -> Result<bool> {
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

impl Call {
    async fn step(&self, volume: &Volume, cursor: Option<String>) -> Result<Step> {
        match self {
            Self::Remove(path, kind) => volume.remove(path, *kind, cursor).await,
            Self::Copy(plan) => volume.copy(plan, cursor).await,
            Self::Rename(plan) => volume.rename(plan, cursor).await,
        }
    }
}

fn check_plan(plan: &Plan) -> Result<()> {
    let wrong = |text: &str| Err(Outcome::InvalidArgument(text.to_owned()).into());
    if plan.from == plan.to {
        return wrong("source and destination are the same");
    }
    if plan.kind == Kind::Directory && plan.from.contains(&plan.to) {
        return wrong("the destination lies inside the source");
    }
    Ok(())
}

/// The plan with paths of the volume, if both ends are in one mount whose driver copies and moves.
fn between(from: &(&Mount, Path), to: &(&Mount, Path), plan: &Plan) -> Option<Plan> {
    let (mount, inner) = to;
    let is_one = std::ptr::eq(from.0, *mount);
    (is_one && mount.volume().driver().abilities().transfer).then(|| Plan {
        from: mount.rooted(&from.1),
        to: mount.rooted(inner),
        kind: plan.kind,
        overwrite: plan.overwrite,
    })
}

/// What is streamed, and what becomes of the sources.
fn streamed(work: &Work) -> Result<(&Plan, Sources)> {
    match work {
        Work::Copy(plan) => Ok((plan, Sources::Stay)),
        Work::Move(plan) => Ok((plan, Sources::Go)),
        Work::Remove { .. } => {
            Err(Outcome::InvalidArgument("a removal copies nothing".to_owned()).into())
        }
    }
}

/// Whether a plan may put something where something is.
fn replaces(plan: &Plan) -> bool {
    plan.overwrite == Overwrite::Replace
}
