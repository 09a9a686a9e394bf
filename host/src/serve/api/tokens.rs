//! API tokens: made, listed and revoked by the user whose rights they carry.

use axum::{
    extract::{Path as Segment, Request},
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{
    changes::body,
    owner::{owner, too_many},
    respond,
};
use crate::{
    serve::{
        authentication::{TOKEN_PREFIX, digest},
        date,
        grants::{self, GrantBody},
        json,
        problem::Problem,
        signature,
        site::Visit,
    },
    state::{Token, instant},
};

/// A year, which is the longest that a token lasts, in seconds.
const LONGEST: u64 = 366 * 24 * 60 * 60;

/// Tokens of one user.
const LIMIT: usize = 200;

/// The longest name of a token, in bytes.
const NAME_LIMIT: usize = 128;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    name: String,
    allow: Option<Vec<GrantBody>>,
    expires: u64,
}

#[derive(Serialize)]
struct TokensBody {
    tokens: Vec<TokenBody>,
}

#[derive(Serialize)]
struct TokenBody {
    id: String,
    name: String,
    allow: Option<Vec<GrantBody>>,
    created: Option<String>,
    expires: Option<String>,
    used: Option<String>,
    /// Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl TokenBody {
    fn new(token: Token, secret: Option<String>) -> Result<Self, Problem> {
        let time = |milliseconds| date::rfc3339(instant::time(milliseconds));
        let allow = token.allow.as_deref().map(serde_json::from_str);
        Ok(Self {
            id: token.id,
            name: token.name,
            allow: allow.transpose().map_err(Problem::internal)?,
            created: time(token.created),
            expires: time(token.expires),
            used: token.used.and_then(time),
            secret,
        })
    }
}

/// `POST tokens`: makes a token, and shows its secret this once.
pub(crate) async fn create(site: Visit, request: Request) -> Response {
    let answer = async {
        let owner = owner(&site)?.to_string();
        let new: NewToken = body(request).await?;
        if new.name.trim().is_empty() || new.name.len() > NAME_LIMIT {
            return Err(Problem::bad_request(format!(
                "`name` has 1 to {NAME_LIMIT} bytes"
            )));
        }
        if !(1..=LONGEST).contains(&new.expires) {
            return Err(Problem::bad_request(
                "`expires` is a number of seconds from 1 to a year",
            ));
        }
        let allow = new.allow.as_deref().map(|grants| {
            grants::access(grants)
                .map_err(|error| Problem::bad_request(format!("`allow`: {error}")))?;
            serde_json::to_string(grants).map_err(Problem::internal)
        });
        let tokens = site.state.tokens_of(&owner).await;
        if tokens.map_err(Problem::internal)?.len() >= LIMIT {
            return Err(too_many("tokens", LIMIT));
        }
        let now = instant::now();
        let secret = signature::encode(&signature::random::<32>()?);
        let secret = format!("{TOKEN_PREFIX}{secret}");
        let token = Token {
            id: signature::encode(&signature::random::<12>()?),
            owner,
            name: new.name,
            allow: allow.transpose()?,
            created: now,
            expires: now + i64::try_from(new.expires * 1000).unwrap_or_default(),
            used: None,
        };
        let added = site.state.add_token(&token, &digest(&secret)).await;
        added.map_err(Problem::internal)?;
        let body = TokenBody::new(token, Some(secret))?;
        Ok(json::answer(StatusCode::CREATED, &body))
    };
    respond(answer.await)
}

/// `GET tokens`: the caller's own, without their secrets.
pub(crate) async fn list(site: Visit) -> Response {
    let answer = async {
        let tokens = site.state.tokens_of(owner(&site)?).await;
        let tokens = tokens.map_err(Problem::internal)?.into_iter();
        let tokens = tokens.map(|token| TokenBody::new(token, None));
        let tokens = tokens.collect::<Result<_, _>>()?;
        Ok(json::answer(StatusCode::OK, &TokensBody { tokens }))
    };
    respond(answer.await)
}

/// `DELETE tokens/{id}`: from now on, the token is worth nothing.
pub(crate) async fn remove(site: Visit, Segment(id): Segment<String>) -> Response {
    let answer = async {
        let removed = site.state.remove_token(owner(&site)?, &id).await;
        if !removed.map_err(Problem::internal)? {
            return Err(Problem::not_found());
        }
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    respond(answer.await)
}
