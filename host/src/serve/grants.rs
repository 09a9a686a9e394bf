//! Rights by path as JSON: `[{"path": "/photos", "rights": "read"}]`.

use serde::{Deserialize, Serialize};

use crate::{Access, Grant, Location};

/// A grant as programs write it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantBody {
    pub(crate) path: String,
    pub(crate) rights: String,
}

/// Understands grants.
///
/// # Errors
/// A text that says what makes no sense.
pub(crate) fn access(grants: &[GrantBody]) -> Result<Access, String> {
    let grant = |body: &GrantBody| {
        let location: Location = body
            .path
            .parse()
            .map_err(|error| format!("`{}`: {error}", body.path))?;
        let rights = body
            .rights
            .parse()
            .map_err(|error| format!("`rights` {error}"))?;
        Ok::<_, String>(Grant {
            path: location.path,
            rights,
        })
    };
    let grants = grants.iter().map(grant).collect::<Result<Vec<_>, _>>()?;
    Ok(Access::of(grants))
}

/// Reads grants from JSON.
pub(crate) fn read(json: &str) -> Result<Access, String> {
    let grants: Vec<GrantBody> = serde_json::from_str(json).map_err(|error| error.to_string())?;
    access(&grants)
}
