//! WebDAV: a long folder told to a client, against the driver's own listing of it.

use std::time::Instant;

use anyhow::{Result, ensure};
use orlop::{Path, Volume};

use super::rounds::in_turn;
use crate::{
    client::Target,
    orlop_process::{Orlop, Running},
    pace::Pace,
    row::{Row, Unit},
    scale::Scale,
    storage::{LONG, LONG_FILES},
};

/// As many as a listing has at most.
const PAGE: u32 = 1000;

pub(super) async fn measure(scale: Scale, ours: &Volume, orlop: &Orlop) -> Result<Vec<Row>> {
    let running = orlop.start()?;
    let folder = running.target("/dav", &format!("{LONG}/"))?;
    let figures = in_turn(
        scale.rounds,
        async || {
            forget(&running).await?;
            let began = Instant::now();
            told(&folder).await?;
            Ok(began.elapsed().as_secs_f64() * 1e3)
        },
        async || {
            let began = Instant::now();
            listed(ours).await?;
            Ok(began.elapsed().as_secs_f64() * 1e3)
        },
    )
    .await?;
    let name = "PROPFIND of 10,000 entries, against the driver's listing";
    Ok(vec![
        Row::compared(name, Unit::Milliseconds, figures).at_most(1.5),
    ])
}

/// Has the mount forget what it knows: a change does so.
async fn forget(running: &Running) -> Result<()> {
    running
        .target("/d", "changed")?
        .put(1, Pace::UNLIMITED)
        .await
}

async fn told(folder: &Target) -> Result<()> {
    let bytes = folder.propfind().await?;
    // Each entry takes some hundred bytes.
    let least = u64::from(LONG_FILES) * 200;
    ensure!(bytes > least, "the folder was told in {bytes} bytes");
    Ok(())
}

async fn listed(ours: &Volume) -> Result<()> {
    let folder = Path::parse(LONG)?;
    let (mut cursor, mut entries) = (None::<String>, 0);
    loop {
        let page = ours.list(&folder, cursor.as_deref(), PAGE).await?;
        entries += page.entries.len();
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    ensure!(
        entries == LONG_FILES as usize,
        "the listing has {entries} entries"
    );
    Ok(())
}
