//! Whose tokens and shares a call is about.

use std::sync::Arc;

use http::StatusCode;

use crate::serve::{caller::Means, problem::Problem, site::Visit};

/// The caller, if it is a user in person: what lasts is not made by what may be gone tomorrow.
///
/// # Errors
/// 401 for a caller who did not say who it is, 403 for an API token.
pub(super) fn owner(site: &Visit) -> Result<&Arc<str>, Problem> {
    let name = site.require_user()?.ok_or_else(|| {
        refused("tokens and shares belong to users, and the configuration has none")
    })?;
    if site.caller.means == Means::Token {
        return Err(refused(
            "a token cannot do this: tokens and shares are made with the password",
        ));
    }
    Ok(name)
}

fn refused(detail: &'static str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "permission-denied", detail)
}

/// Somebody who makes too many of something.
pub(super) fn too_many(what: &str, limit: usize) -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "quota-exceeded",
        format!("you have {limit} {what}, which is the most: remove some"),
    )
}
