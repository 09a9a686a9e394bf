//! Copying and moving files and trees, step by step.
//!
//! A step that is repeated with the same cursor does no harm: what refuses to overwrite is asked in a step of
//! its own, before the first copy, and sources are removed only once their copies are known to be there.

mod file;
mod tree;

use orlop_driver::{Error, Host, Kind, Path, Plan, Result, Step};
use serde::{Deserialize, Serialize};

use crate::{copy::LargeCopy, cursor, driver::S3, remove::Shrinking};

/// What the next step does.
#[derive(Debug, Serialize, Deserialize)]
enum Stage {
    /// Copies this source; there is nothing at the destination.
    Free(Source),
    /// Copies more parts of a large object. In a tree, `key` names it.
    Large {
        copy: LargeCopy,
        key: Option<String>,
        tree: Option<Tree>,
    },
    /// Copies more of a tree.
    Tree(Tree),
    /// Removes the source file, which was this when it was copied.
    Source(Source),
}

/// A source file as it was found.
#[derive(Debug, Serialize, Deserialize)]
struct Source {
    size: u64,
    etag: Option<String>,
    storage_class: Option<String>,
}

/// How far a tree has come.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Tree {
    /// Copying: the last key that is done.
    after: Option<String>,
    /// Moving: what was done vanishes from the source.
    shrinking: Shrinking,
}

impl<H: Host> S3<H> {
    /// A step of copying, or of moving, a file or a tree.
    pub(crate) async fn transfer_step(
        &self,
        plan: &Plan,
        cursor: Option<&str>,
        moving: bool,
    ) -> Result<Step> {
        check(plan)?;
        let stage = cursor.map(cursor::read::<Stage>).transpose()?;
        match plan.kind {
            Kind::File => self.transfer_file(plan, stage, moving).await,
            Kind::Directory => self.transfer_tree(plan, stage, moving).await,
        }
    }
}

fn check(plan: &Plan) -> Result<()> {
    let wrong = |text: &str| Err(Error::InvalidArgument(text.to_owned()));
    let inside = |outer: &Path, inner: &Path| plan.kind == Kind::Directory && outer.contains(inner);
    if plan.from.is_root() || plan.to.is_root() {
        wrong("the root can be neither source nor destination")
    } else if plan.from == plan.to {
        wrong("the destination is the source")
    } else if inside(&plan.from, &plan.to) {
        wrong("the destination lies inside the source")
    } else if inside(&plan.to, &plan.from) {
        wrong("the source lies inside the destination")
    } else {
        Ok(())
    }
}

/// The end of a step that goes on with `stage`.
fn next(stage: &Stage, items: u64, bytes: u64) -> Result<Step> {
    Ok(Step {
        next: Some(cursor::write(stage)?),
        items,
        bytes,
    })
}
