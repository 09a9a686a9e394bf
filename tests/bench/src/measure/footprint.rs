//! Memory of `orlop serve`.

use anyhow::Result;

use crate::{
    orlop_process::Orlop,
    pace::Pace,
    row::{Row, Unit},
    scale::Scale,
    storage,
};

pub(super) async fn measure(scale: Scale, orlop: &Orlop) -> Result<Vec<Row>> {
    let running = orlop.start()?;
    let usage = running.process().usage();
    running.list().await?;
    let idle = usage.resident()?;

    let small = format!("{}/{}", storage::FEW, storage::name(0));
    running.target("/p", &small)?.get(Pace::UNLIMITED).await?;
    let before = usage.resident()?;
    usage.forget_peak()?;
    running
        .target("/p", storage::LARGE)?
        .get(Pace::UNLIMITED)
        .await?;
    let download = usage.peak()? - before;
    drop(running);

    let running = orlop.start()?;
    let upload = running.target("/d", "footprint.bin")?;
    upload.put(scale.size, Pace::UNLIMITED).await?;
    let peak = running.process().usage().peak()?;

    let size = super::size(scale);
    let row =
        |name: String, figure, limit| Row::absolute(name, Unit::Megabytes, figure).at_most(limit);
    Ok(vec![
        row(
            "resident memory, idle after the first listing".to_owned(),
            idle,
            60.0,
        ),
        row(
            format!("resident memory that a download of {size} through /p/ adds"),
            download,
            10.0,
        ),
        row(
            format!("resident memory, peak of an upload of {size}"),
            peak,
            200.0,
        ),
    ])
}
