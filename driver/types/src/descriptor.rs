//! What a driver says of itself and of its state.

/// What a driver says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// A short name in lower case, such as `s3`.
    pub name: String,
    /// The driver's version, by semantic versioning.
    pub version: String,
    /// A name for people.
    pub title: String,
    /// One or two sentences on what it is for.
    pub summary: String,
    /// JSON Schema (2020-12) of the configuration. Secrets have `"writeOnly": true`; a field that names
    /// the service has `"format": "orlop-endpoint"`.
    pub config_schema: String,
    /// More facts, by name.
    pub extra: Vec<(String, String)>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Works, but not as well as it could.
    Warning,
    /// Does not work.
    Failure,
}

/// Something that a check found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The field of the configuration that it is about, if it is one.
    pub field: Option<String>,
    /// What was tried and what came of it, without secrets.
    pub message: String,
    /// What the operator can do about it.
    pub remedy: Option<String>,
}
