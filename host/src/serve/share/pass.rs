//! The password of a share: asked for by a form, or sent with each request.

use std::time::Duration;

use askama::Template;
use axum::{body::Body, response::Response};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{CACHE_CONTROL, SET_COOKIE, WWW_AUTHENTICATE},
    request::Parts,
};
use serde::{Deserialize, Serialize};

use crate::{
    serve::{
        PasswordHash,
        accept::Wants,
        authentication::{Attempt, Credential, by_form, session, unauthenticated},
        client::Client,
        login,
        page::{self, Frame},
        problem::Problem,
        signature,
        site::Visit,
    },
    state::{Share, instant},
};

const SHARE_PASSWORD: HeaderName = HeaderName::from_static("x-share-password");

const COOKIE: &str = "orlop_share";

/// How long the password is not asked for again.
const LASTING: Duration = Duration::from_secs(12 * 60 * 60);

const BASIC: HeaderValue = HeaderValue::from_static("Basic realm=\"Share\", charset=\"UTF-8\"");

/// What the cookie holds, signed.
#[derive(Serialize, Deserialize)]
struct Pass {
    share: String,
    expires: i64,
    /// A signature of the password's hash.
    password: String,
}

#[derive(Template)]
#[template(path = "share.html")]
struct PasswordPage<'a> {
    frame: Frame<'a>,
    /// What was wrong the last time; empty at first.
    failure: String,
}

/// Lets a guest pass who knows the share's password, by `None`; others get the answer that asks for it.
pub(super) async fn check(
    site: &Visit,
    share: &Share,
    parts: &Parts,
    body: Body,
) -> Result<Option<Response>, Problem> {
    let Some(hash) = &share.password else {
        return Ok(None);
    };
    let hash: PasswordHash = hash.parse().map_err(Problem::internal)?;
    let client = parts.extensions.get::<Client>().copied();
    let client = client.ok_or_else(|| Problem::internal("no client"))?;
    if parts.method == Method::POST {
        let form = login::read(body).await?;
        let password = login::field(&form, "password").unwrap_or_default();
        return match attempt(site, share, &hash, &client, password.as_bytes()).await {
            Ok(()) => enter(site, share, &hash, &client).await.map(Some),
            Err(problem) => Ok(Some(ask(site, Some(problem)))),
        };
    }
    if has_pass(site, share, &hash, &parts.headers).await? {
        return Ok(None);
    }
    let password = match sent(&parts.headers) {
        Some(password) => password?,
        None if Wants::of(&parts.headers) == Wants::Html => return Ok(Some(ask(site, None))),
        None => return Err(challenge(unauthenticated("this share has a password"))),
    };
    let checked = attempt(site, share, &hash, &client, &password).await;
    checked.map(|()| None).map_err(challenge)
}

/// The password in the headers of a program.
fn sent(headers: &HeaderMap) -> Option<Result<Vec<u8>, Problem>> {
    if let Some(password) = headers.get(SHARE_PASSWORD) {
        return Some(Ok(password.as_bytes().to_vec()));
    }
    Some(match Credential::of(headers)? {
        Ok(Credential::Basic { password, .. }) => Ok(password),
        Ok(Credential::Bearer(_)) => Err(challenge(unauthenticated("a share takes no token"))),
        Err(reason) => Err(challenge(unauthenticated(reason))),
    })
}

async fn attempt(
    site: &Visit,
    share: &Share,
    hash: &PasswordHash,
    client: &Client,
    password: &[u8],
) -> Result<(), Problem> {
    let attempt = Attempt {
        address: client.address,
        subject: &format!("share {}", share.id),
        password,
        hash,
        is_real: true,
    };
    let checked = site.check_password(attempt).await;
    checked.map_err(|problem| match problem.status {
        StatusCode::UNAUTHORIZED => unauthenticated("the password is wrong"),
        _ => problem,
    })
}

async fn has_pass(
    site: &Visit,
    share: &Share,
    hash: &PasswordHash,
    headers: &HeaderMap,
) -> Result<bool, Problem> {
    let Some(text) = session::find(headers, COOKIE) else {
        return Ok(false);
    };
    let key = site.share_key().await?;
    let pass: Option<Pass> = session::unseal(key, b"pass", &text);
    Ok(pass.is_some_and(|pass| {
        pass.share == share.id
            && pass.expires > instant::now()
            && signature::decode(&pass.password)
                .is_some_and(|bound| key.verify(&[b"pass", hash.as_str().as_bytes()], &bound))
    }))
}

/// Shows what is shared from now on, without asking again.
async fn enter(
    site: &Visit,
    share: &Share,
    hash: &PasswordHash,
    client: &Client,
) -> Result<Response, Problem> {
    let key = site.share_key().await?;
    let pass = Pass {
        share: share.id.clone(),
        expires: instant::now() + i64::try_from(LASTING.as_millis()).unwrap_or_default(),
        password: signature::encode(&key.sign(&[b"pass", hash.as_str().as_bytes()])),
    };
    let value = session::seal(key, b"pass", &pass)?;
    let path = &site.ground.address;
    let cookie = session::set(COOKIE, &value, path, LASTING, client.is_secure)?;
    let mut response = page::see(site.uri.path());
    let headers = response.headers_mut();
    headers.insert(SET_COOKIE, cookie);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn ask(site: &Visit, problem: Option<Problem>) -> Response {
    let failure = problem
        .as_ref()
        .map(|problem| page::sentence(&problem.detail));
    let page = page::html(&PasswordPage {
        frame: Frame::new(site, "Password"),
        failure: failure.unwrap_or_default(),
    });
    let problem = problem.unwrap_or_else(|| unauthenticated("this share has a password"));
    by_form(problem).finish(page)
}

fn challenge(problem: Problem) -> Problem {
    if problem.status == StatusCode::UNAUTHORIZED {
        problem.with_header(WWW_AUTHENTICATE, BASIC)
    } else {
        problem
    }
}
