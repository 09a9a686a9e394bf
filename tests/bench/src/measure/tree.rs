//! Moving a tree of small objects: the step functions in the sandbox, held against the same requests made natively.

use std::{sync::Arc, time::Instant};

use anyhow::{Context, Result, ensure};
use orlop::{Kind, Overwrite, Path, Plan, Volume};
use orlop_driver::Transfer;
use tokio::{runtime::Handle, task::spawn_blocking};

use super::rounds::in_turn;
use crate::{
    native::Native,
    row::{Row, Unit},
    scale::Scale,
    storage::{TREE_FILES, TREES},
};

pub(super) async fn measure(scale: Scale, ours: &Volume, native: &Arc<Native>) -> Result<Vec<Row>> {
    let [our_tree, base_tree] = TREES;
    let (mut our_place, mut base_place) = (0, 0);
    let figures = in_turn(
        scale.rounds,
        async || {
            let plan = plan(our_tree, our_place)?;
            our_place += 1;
            let began = Instant::now();
            moved(sandboxed(ours, &plan).await?)?;
            Ok(began.elapsed().as_secs_f64())
        },
        async || {
            let plan = plan(base_tree, base_place)?;
            base_place += 1;
            let native = Arc::clone(native);
            let runtime = Handle::current();
            let began = Instant::now();
            let moving = spawn_blocking(move || runtime.block_on(natively(&native, &plan)));
            moved(moving.await.context("a move broke")??)?;
            Ok(began.elapsed().as_secs_f64())
        },
    )
    .await?;
    let name = format!("move a tree of {TREE_FILES} small objects");
    Ok(vec![
        Row::compared(name, Unit::Seconds, figures).at_most(1.3),
    ])
}

/// From where the tree is after so many moves to the next place.
fn plan(tree: &str, moves: u32) -> Result<Plan> {
    let place = |number: u32| match number {
        0 => tree.to_owned(),
        number => format!("{tree}-{number}"),
    };
    Ok(Plan {
        from: Path::parse(place(moves))?,
        to: Path::parse(place(moves + 1))?,
        kind: Kind::Directory,
        overwrite: Overwrite::Replace,
    })
}

async fn sandboxed(ours: &Volume, plan: &Plan) -> Result<u64> {
    let (mut cursor, mut items) = (None, 0);
    loop {
        let step = ours.rename(plan, cursor).await?;
        items += step.items;
        cursor = step.next;
        if cursor.is_none() {
            return Ok(items);
        }
    }
}

async fn natively(native: &Native, plan: &Plan) -> Result<u64> {
    let (mut cursor, mut items) = (None::<String>, 0);
    loop {
        let step = native.rename(plan, cursor.as_deref()).await?;
        items += step.items;
        cursor = step.next;
        if cursor.is_none() {
            return Ok(items);
        }
    }
}

fn moved(items: u64) -> Result<()> {
    ensure!(items == u64::from(TREE_FILES), "{items} objects were moved");
    Ok(())
}
