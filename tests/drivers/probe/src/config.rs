//! The configuration.

use orlop_driver::Descriptor;
use serde::Deserialize;

/// What an operator can set.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// An address that counts as granted. The probe itself makes no use of it.
    pub(crate) endpoint: String,
    /// A secret.
    pub(crate) token: String,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Config").finish_non_exhaustive()
    }
}

const SCHEMA: &str = r#"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": false,
    "properties": {
        "endpoint": {
            "type": "string",
            "format": "orlop-endpoint",
            "description": "An address that counts as granted."
        },
        "token": {
            "type": "string",
            "writeOnly": true,
            "description": "A secret."
        }
    }
}"#;

pub(crate) fn descriptor() -> Descriptor {
    Descriptor {
        name: "probe".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        title: "Probe".to_owned(),
        summary: "Does what its paths say, for tests.".to_owned(),
        config_schema: SCHEMA.to_owned(),
        extra: Vec::new(),
    }
}
