//! Listings: a full page, with the way to the storage and back.

use std::sync::Arc;

use anyhow::{Result, ensure};
use orlop::{Page, Path, Volume};
use orlop_driver::Storage;

use super::rounds::{calls, in_turn, local_calls};
use crate::{
    native::Native,
    row::{Row, Unit},
    scale::Scale,
    storage::{MANY, MANY_FILES},
};

/// Calls under way at once in the second row.
const AT_A_TIME: usize = 8;

pub(super) async fn measure(scale: Scale, ours: &Volume, native: &Arc<Native>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (name, at_a_time) in [
        ("list 1,000 keys, one after the other".to_owned(), 1),
        (format!("list 1,000 keys, {AT_A_TIME} at a time"), AT_A_TIME),
    ] {
        let (our, base) = in_turn(
            scale.rounds,
            async || {
                let ours = ours.clone();
                let call = move |_| {
                    let ours = ours.clone();
                    async move { full(&ours.list(&Path::parse(MANY)?, None, MANY_FILES).await?) }
                };
                calls(scale.listings, at_a_time, call).await
            },
            async || {
                let native = Arc::clone(native);
                let call = move |_| {
                    let native = Arc::clone(&native);
                    async move { full(&native.list(&Path::parse(MANY)?, None, MANY_FILES).await?) }
                };
                local_calls(scale.listings, at_a_time, call).await
            },
        )
        .await?;
        let figures = (our / 1e3, base / 1e3);
        rows.push(Row::compared(name, Unit::Milliseconds, figures).at_most(1.25));
    }
    Ok(rows)
}

fn full(page: &Page) -> Result<()> {
    let entries = page.entries.len();
    ensure!(
        entries == MANY_FILES as usize,
        "a listing has {entries} entries"
    );
    Ok(())
}
