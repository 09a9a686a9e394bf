//! The driver in the sandbox, through the library.

use std::path::Path;

use anyhow::{Context, Result};
use orlop::{Driver, Engine, EngineOptions, Volume, VolumeOptions};
use serde_json::Value;

/// The name of the driver.
const DRIVER: &str = "s3";

/// An engine that keeps compiled drivers in a folder.
pub(crate) fn engine(cache: &Path) -> Result<Engine> {
    Ok(Engine::new(
        EngineOptions::default().with_cache_directory(cache),
    )?)
}

/// The driver's component.
pub(crate) fn component() -> Result<&'static [u8]> {
    orlop::built_in(DRIVER).context("the library has no S3 driver inside")
}

/// Loads the driver.
pub(crate) async fn load(engine: &Engine) -> Result<Driver> {
    Ok(engine.load(component()?.to_vec()).await?)
}

/// Opens a volume with default limits.
pub(crate) async fn open(driver: &Driver, config: &Value) -> Result<Volume> {
    Ok(driver.open(VolumeOptions::new(config.clone())).await?)
}
