//! Uploads through the host, against the same driver natively.

use std::time::Instant;

use anyhow::{Result, ensure};
use orlop::{Kind, Path, WriteOptions};
use orlop_driver::{Removable, Storage, Writable};

use super::rounds::in_turn;
use crate::{
    client::Target,
    native::{self, Native},
    orlop_process::Orlop,
    pace::Pace,
    plain_server::PlainServer,
    row::{Row, Unit},
    scale::Scale,
};

/// The file that is written again and again.
const FILE: &str = "uploads/new.bin";

pub(super) async fn measure(
    scale: Scale,
    orlop: &Orlop,
    native: &Native,
    plain: &PlainServer,
) -> Result<Vec<Row>> {
    let running = orlop.start()?;
    let ours = running.target("/d", FILE)?;
    let baseline = plain.files(FILE)?;
    let size = super::size(scale);
    let lines = super::LINES.map(|gigabits| {
        let how = format!("client on a line of {gigabits} Gbit/s");
        (how, scale.paced, Some(gigabits))
    });
    let all = format!("all on {} cores", super::cores());
    let mut rows = Vec::new();
    for (how, rounds, gigabits) in lines
        .into_iter()
        .chain([(all.clone(), scale.transfers, None)])
    {
        let pace = || gigabits.map_or(Pace::UNLIMITED, Pace::gigabits);
        let figures = in_turn(
            rounds,
            async || through(&ours, native, scale.size, pace()).await,
            async || natively(native, scale.size, pace()).await,
        )
        .await?;
        let name = format!("PUT {size} through /d/, {how}, against native multipart");
        rows.push(Row::compared(name, Unit::MegabytesPerSecond, figures).at_least(0.9));
    }
    let figures = in_turn(
        scale.transfers,
        async || through(&ours, native, scale.size, Pace::UNLIMITED).await,
        async || through(&baseline, native, scale.size, Pace::UNLIMITED).await,
    )
    .await?;
    let name =
        format!("PUT {size} through /d/, {all}, against a plain server with the native driver");
    rows.push(Row::compared(name, Unit::MegabytesPerSecond, figures).at_least(0.9));
    Ok(rows)
}

async fn through(server: &Target, native: &Native, size: u64, pace: Pace) -> Result<f64> {
    let began = Instant::now();
    server.put(size, pace).await?;
    let rate = rate(size, began);
    clear(native, size).await?;
    Ok(rate)
}

async fn natively(native: &Native, size: u64, pace: Pace) -> Result<f64> {
    let upload = native::upload(size, pace);
    let began = Instant::now();
    native
        .write(&Path::parse(FILE)?, upload, &WriteOptions::default())
        .await?;
    let rate = rate(size, began);
    clear(native, size).await?;
    Ok(rate)
}

/// Millions of bytes per second.
fn rate(size: u64, began: Instant) -> f64 {
    size as f64 / 1e6 / began.elapsed().as_secs_f64()
}

/// Sees whether all has arrived, and removes it.
async fn clear(native: &Native, size: u64) -> Result<()> {
    let file = Path::parse(FILE)?;
    let found = native.stat(&file, Some(Kind::File)).await?.size;
    ensure!(found == size, "{found} of {size} bytes have arrived");
    let mut cursor = None;
    loop {
        cursor = native
            .remove(&file, Kind::File, cursor.as_deref())
            .await?
            .next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}
