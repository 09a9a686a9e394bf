//! Reading a configuration.

use serde::de::DeserializeOwned;

use crate::{ConfigError, Error, Result};

/// Reads a configuration into the driver's own type.
///
/// # Errors
/// [`Error::InvalidConfig`] naming what does not fit. The host checks the schema first, so this catches
/// only what a schema cannot say.
pub fn parse_config<C: DeserializeOwned>(config: &str) -> Result<C> {
    serde_json::from_str(config).map_err(|error| {
        Error::InvalidConfig(ConfigError {
            field: None,
            message: error.to_string(),
        })
    })
}
