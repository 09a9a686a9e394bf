//! Links: what the driver computes without the network.

use std::sync::Arc;

use anyhow::{Result, bail};
use orlop::{Link, Path, Volume};

use super::rounds::{calls, in_turn, local_calls};
use crate::{
    client::Target,
    native::{self, Native},
    pace::Pace,
    row::{Row, Unit},
    scale::Scale,
    storage,
};

/// Calls under way at once in the second row.
const AT_A_TIME: usize = 16;

pub(super) async fn measure(scale: Scale, ours: &Volume, native: &Arc<Native>) -> Result<Vec<Row>> {
    // A link that is not good is quickly made.
    let file = Path::parse(format!("{}/{}", storage::FEW, storage::name(0)))?;
    for url in [
        signed(ours, &file).await?,
        native::link(native, &file).await?,
    ] {
        Target::parse(&url)?.get(Pace::UNLIMITED).await?;
    }

    let mut rows = Vec::new();
    for (name, at_a_time) in [
        ("presign, one after the other".to_owned(), 1),
        (format!("presign, {AT_A_TIME} at a time"), AT_A_TIME),
    ] {
        let figures = in_turn(
            scale.rounds,
            async || {
                let ours = ours.clone();
                let call = move |number| {
                    let ours = ours.clone();
                    async move { signed(&ours, &path(number)?).await.map(drop) }
                };
                calls(scale.links, at_a_time, call).await
            },
            async || {
                let native = Arc::clone(native);
                let call = move |number| {
                    let native = Arc::clone(&native);
                    async move { native::link(&native, &path(number)?).await.map(drop) }
                };
                local_calls(scale.links, at_a_time, call).await
            },
        )
        .await?;
        rows.push(Row::compared(name, Unit::Microseconds, figures).at_most(2.0));
    }
    Ok(rows)
}

async fn signed(ours: &Volume, path: &Path) -> Result<String> {
    match ours.link(path, &native::for_client(path)).await? {
        Link::Shareable(link) => Ok(link.url),
        Link::HostOnly(_) => bail!("the driver gave no link for a client"),
    }
}

fn path(number: usize) -> Result<Path> {
    Ok(Path::parse(format!(
        "albums/2026/{number}/IMG_{number:05}.jpg"
    ))?)
}
