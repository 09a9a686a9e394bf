//! From nothing to the first listing.

use std::time::Instant;

use anyhow::Result;

use super::rounds::median;
use crate::{
    orlop_process::Orlop,
    row::{Row, Unit},
    scale::Scale,
};

pub(super) async fn measure(scale: Scale, orlop: &Orlop) -> Result<Vec<Row>> {
    // The first start compiles.
    orlop.start()?.list().await?;
    let mut times = Vec::new();
    for _ in 0..scale.starts {
        let began = Instant::now();
        let running = orlop.start()?;
        running.list().await?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    let name = "start of `orlop serve` to the first listing";
    Ok(vec![
        Row::absolute(name, Unit::Milliseconds, median(times)?).at_most(150.0),
    ])
}
