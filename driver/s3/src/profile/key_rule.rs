//! Keys that some services do not take.

use orlop_driver::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

/// What a key must not be at a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyRule {
    /// It must not begin with `/`.
    LeadingSlash,
    /// It must not begin with `\`.
    LeadingBackslash,
    /// It must not hold `//`.
    DoubleSlash,
    /// None of its segments may be `.` or `..`.
    DotSegments,
    /// It must hold no control characters: listings would not show it.
    Control,
}

impl KeyRule {
    /// Refuses a key that breaks the rule, before the service does, or takes it and never shows it again.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] saying what is wrong with the name.
    pub(crate) fn check(self, key: &str) -> Result<()> {
        let (broken, what) = match self {
            Self::LeadingSlash => (key.starts_with('/'), "begins with `/`"),
            Self::LeadingBackslash => (key.starts_with('\\'), "begins with `\\`"),
            Self::DoubleSlash => (key.contains("//"), "has an empty segment"),
            Self::DotSegments => (
                key.split('/').any(|segment| matches!(segment, "." | "..")),
                "has a segment `.` or `..`",
            ),
            Self::Control => (
                key.contains(|c: char| c.is_ascii_control()),
                "has a control character",
            ),
        };
        match broken {
            false => Ok(()),
            true => Err(Error::InvalidArgument(format!(
                "this service takes no name that {what}"
            ))),
        }
    }
}
