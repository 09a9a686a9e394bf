//! What it takes to get a driver going, through the library.

use std::{path::Path, time::Instant};

use anyhow::Result;
use serde_json::Value;

use super::rounds::median;
use crate::{
    row::{Row, Unit},
    sandbox,
    scale::Scale,
};

pub(super) async fn measure(scale: Scale, cache: &Path, config: &Value) -> Result<Vec<Row>> {
    let engine = sandbox::engine(cache)?;
    let (mut loads, mut opens) = (Vec::new(), Vec::new());
    for _ in 0..scale.rounds.ignored + scale.rounds.counted {
        let began = Instant::now();
        let driver = sandbox::load(&engine).await?;
        loads.push(milliseconds(began));
        let began = Instant::now();
        let _volume = sandbox::open(&driver, config).await?;
        opens.push(milliseconds(began));
    }
    let size = sandbox::component()?.len() as f64 / 1e6;
    Ok(vec![
        Row::absolute(
            "load the driver, compiled before",
            Unit::Milliseconds,
            median(loads)?,
        ),
        Row::absolute(
            "open a volume: instance, network, configuration",
            Unit::Milliseconds,
            median(opens)?,
        ),
        Row::absolute("size of the component", Unit::Megabytes, size).at_most(1.0),
    ])
}

fn milliseconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e3
}
