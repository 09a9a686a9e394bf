//! Reading a listing: what the driver makes of a page, without a storage that has to make it first.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use orlop::{Driver, Page, Path, Volume};
use orlop_driver::Storage;
use orlop_driver_s3::S3;

use super::rounds::{calls, in_turn, local_calls};
use crate::{
    canned::{self, AtHand, FULL, SINGLE},
    native::{self, Native},
    row::{Row, Unit},
    sandbox,
    scale::Scale,
    storage::MANY_FILES,
};

/// The time for a page at 400,000 entries in a second, in microseconds.
const PAGE_TIME: f64 = 2_500.0;

pub(super) async fn measure(scale: Scale, driver: &Driver) -> Result<Vec<Row>> {
    let server = canned::start()?;
    let config = canned::config(server.url());
    let ours = sandbox::open(driver, &config).await?;
    let native = native::open(&config)?;
    // Requests and answers cost each side what they cost: the difference between a full page and one of a single
    // entry is what the entries cost.
    let full = side_by_side(scale, &ours, &native, FULL, MANY_FILES).await?;
    let single = side_by_side(scale, &ours, &native, SINGLE, 1).await?;
    let entries = (full.0 - single.0, full.1 - single.1);
    Ok(vec![
        Row::absolute(
            "read a page of 1,000 entries, native, no network",
            Unit::Microseconds,
            at_hand(scale).await?,
        )
        .at_most(PAGE_TIME),
        Row::compared(
            "read a page of 1,000 entries rather than of one",
            Unit::Microseconds,
            entries,
        )
        .at_most(2.0),
    ])
}

async fn side_by_side(
    scale: Scale,
    ours: &Volume,
    native: &Arc<Native>,
    folder: &'static str,
    files: u32,
) -> Result<(f64, f64)> {
    in_turn(
        scale.rounds,
        async || {
            let ours = ours.clone();
            let call = move |_| {
                let ours = ours.clone();
                async move { whole(&ours.list(&Path::parse(folder)?, None, 1000).await?, files) }
            };
            calls(scale.listings, 1, call).await
        },
        async || {
            let native = Arc::clone(native);
            let call = move |_| {
                let native = Arc::clone(&native);
                async move {
                    whole(
                        &native.list(&Path::parse(folder)?, None, 1000).await?,
                        files,
                    )
                }
            };
            local_calls(scale.listings, 1, call).await
        },
    )
    .await
}

/// The microseconds that the driver takes for a full page, built natively, with the page at hand.
async fn at_hand(scale: Scale) -> Result<f64> {
    let config = canned::config("http://127.0.0.1").to_string();
    let native = S3::open(AtHand::default(), &config).context("the driver does not open")?;
    let native = Arc::new(native);
    let call = move |_| {
        let native = Arc::clone(&native);
        async move {
            whole(
                &native.list(&Path::parse(FULL)?, None, 1000).await?,
                MANY_FILES,
            )
        }
    };
    local_calls(scale.listings, 1, call).await
}

fn whole(page: &Page, files: u32) -> Result<()> {
    let entries = page.entries.len();
    ensure!(entries == files as usize, "a listing has {entries} entries");
    Ok(())
}
