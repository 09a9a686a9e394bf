//! Who sends a request: found out once, before any door.
//!
//! A request shows who sends it by a name and a password (RFC 7617), by an API token (RFC 6750), or by the cookie
//! that the log-in form gave. One that shows nothing is anonymous. One that shows something wrong is refused at
//! every door, and never taken for anonymous. Doors then work with what the caller may do, and where that is not
//! enough, an anonymous caller is asked to log in.

mod challenge;
mod credential;
pub(crate) mod session;
mod throttle;
mod verifier;

use std::sync::Arc;

use axum::{extract::Request, response::Response};
use http::{
    HeaderMap, HeaderValue, Method,
    header::{CACHE_CONTROL, SET_COOKIE},
    request::Parts,
};
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;
use tracing::Level;

use self::{
    challenge::Asked,
    session::Session,
    verifier::{Refusal, Verifier},
};
pub(crate) use self::{
    challenge::{by_form, unauthenticated},
    credential::Credential,
    verifier::Attempt,
};
use super::{
    PasswordError, PasswordHash, ServeOptions, User, Users,
    caller::{Caller, Means},
    client::Client,
    door::Door,
    grants, origin,
    problem::{Denial, Problem},
    signature::{self, Key},
    site::{Shared, Site, View},
};
use crate::state::instant;

/// The beginning of every API token's secret, so that scanners for leaked secrets can know it.
pub(crate) const TOKEN_PREFIX: &str = "orlop_";

/// What authentication keeps.
#[derive(Debug, Default)]
pub(crate) struct Authentication {
    verifier: Verifier,
    session_key: OnceCell<Key>,
    share_key: OnceCell<Key>,
}

/// Finds out who sends a request, and asks who did not say where that is needed.
pub(super) async fn authenticate<N>(
    site: &Shared,
    request: Request,
    next: impl FnOnce(Request) -> N,
) -> Response
where
    N: Future<Output = Response>,
{
    let (mut parts, body) = request.into_parts();
    let view = parts.extensions.get::<View>().cloned();
    let view = view.unwrap_or_else(|| site.view());
    let trusted = &view.options.trusted_proxies;
    let client = Client::of(&parts.extensions, &parts.headers, trusted);
    let asked = Asked::of(&parts);
    let admission = match admit(site, &view.options, &client, asked.door, &parts).await {
        Ok(admission) => admission,
        Err(NotAdmitted::Refused(problem)) => return asked.refuse(site, &view, problem),
        Err(NotAdmitted::Lapsed(reason)) => {
            let mut response = asked.ask(site, &view, reason);
            add_cookie(&mut response, session::forget(client.is_secure));
            return response;
        }
    };
    let Admission { caller, renewed } = admission;
    let is_named = caller.name.is_some();
    parts.extensions.insert(client);
    parts.extensions.insert(caller);
    let mut response = next(Request::from_parts(parts, body)).await;
    let is_denied = response.extensions_mut().remove::<Denial>().is_some();
    if is_denied && !is_named && !view.options.users.is_empty() && asked.door != Door::Share {
        return asked.ask(site, &view, "log in to do this");
    }
    if let Some(cookie) = renewed {
        add_cookie(&mut response, Ok(cookie));
    }
    if is_named {
        keep_private(&mut response);
    }
    response
}

/// A request that may go on.
struct Admission {
    caller: Caller,
    /// The session's cookie, made to last longer.
    renewed: Option<HeaderValue>,
}

impl From<Caller> for Admission {
    fn from(caller: Caller) -> Self {
        Self {
            caller,
            renewed: None,
        }
    }
}

/// Why a request goes no further.
enum NotAdmitted {
    /// What it shows is wrong.
    Refused(Problem),
    /// It has the cookie of a session that is no more, and why.
    Lapsed(&'static str),
}

impl From<Problem> for NotAdmitted {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

async fn admit(
    site: &Site,
    options: &ServeOptions,
    client: &Client,
    door: Door,
    request: &Parts,
) -> Result<Admission, NotAdmitted> {
    let (uri, headers) = (&request.uri, &request.headers);
    let anonymous = || Caller::anonymous(options);
    // A share has a password of its own, and shows the same to everybody.
    let is_open = matches!(door, Door::Assets | Door::Share) || uri.path() == "/healthz";
    let users = &options.users;
    let credential = match Credential::of(headers) {
        _ if is_open || users.is_empty() => None,
        Some(Err(reason)) => return Err(unauthenticated(reason).into()),
        Some(Ok(credential)) => Some(credential),
        None => None,
    };
    let admission = match credential {
        // Browsers send it by themselves to nobody, so no other site can make them.
        Some(Credential::Bearer(secret)) => {
            return Ok(by_token(site, users, &secret).await?.into());
        }
        Some(Credential::Basic { name, password }) => {
            let user = site.log_in(users, client, &name, &password).await?;
            Caller::of(&user, Means::Password).into()
        }
        None if is_open || users.is_empty() => anonymous().into(),
        None => match by_session(site, users, client, headers).await? {
            Ok(Some(admission)) => admission,
            Ok(None) => anonymous().into(),
            // Who comes to log in has no use for the old one.
            Err(_) if door == Door::Login => anonymous().into(),
            Err(reason) => return Err(NotAdmitted::Lapsed(reason)),
        },
    };
    if !is_safe(&request.method) {
        origin::guard(uri, headers)?;
    }
    Ok(admission)
}

impl Caller {
    fn of(user: &User, means: Means) -> Self {
        Self {
            name: Some(Arc::clone(user.name())),
            access: user.access().clone(),
            means,
        }
    }
}

/// What a session's cookie shows; the inner error says why it is no good.
async fn by_session(
    site: &Site,
    users: &Users,
    client: &Client,
    headers: &HeaderMap,
) -> Result<Result<Option<Admission>, &'static str>, Problem> {
    let now = instant::now();
    let key = site.session_key().await?;
    let (session, user) = match Session::of(headers, key, users, now) {
        None => return Ok(Ok(None)),
        Some(Err(reason)) => return Ok(Err(reason)),
        Some(Ok(found)) => found,
    };
    let ended = site.state.is_session_ended(&session.id).await;
    if ended.map_err(Problem::internal)? {
        return Ok(Err("the session was ended"));
    }
    let caller = Caller::of(user, Means::Session);
    let renewed = session.renewed(now);
    let renewed = renewed.map(|session| session.cookie(key, client.is_secure));
    Ok(Ok(Some(Admission {
        caller,
        renewed: renewed.transpose()?,
    })))
}

/// What an API token shows: its owner, with what both may do.
async fn by_token(site: &Site, users: &Users, secret: &str) -> Result<Caller, Problem> {
    let wrong = || unauthenticated("the token is wrong, expired or revoked");
    // Others are not worth a question to the database.
    if secret.len() > 128 || !secret.starts_with(TOKEN_PREFIX) {
        return Err(wrong());
    }
    let found = site.state.use_token(&digest(secret), instant::now()).await;
    let token = found.map_err(Problem::internal)?.ok_or_else(wrong)?;
    let user = users.named(&token.owner).ok_or_else(wrong)?;
    let mut caller = Caller::of(user, Means::Token);
    if let Some(allow) = &token.allow {
        let scope = grants::read(allow).map_err(Problem::internal)?;
        caller.access = caller.access.and(&scope);
    }
    Ok(caller)
}

/// What is kept of a token's secret. It has 256 random bits, so it needs neither salt nor a slow hash.
pub(crate) fn digest(secret: &str) -> String {
    signature::encode(&Sha256::digest(secret))
}

impl Site {
    /// The key that signs sessions.
    pub(crate) async fn session_key(&self) -> Result<&Key, Problem> {
        self.key("session", &self.authentication.session_key).await
    }

    /// The key that signs share links.
    pub(crate) async fn share_key(&self) -> Result<&Key, Problem> {
        self.key("share", &self.authentication.share_key).await
    }

    async fn key<'s>(&self, name: &str, cell: &'s OnceCell<Key>) -> Result<&'s Key, Problem> {
        let read = async || self.state.key(name).await.map(Key::new);
        cell.get_or_try_init(read).await.map_err(Problem::internal)
    }

    /// The user of this name and password.
    ///
    /// # Errors
    /// 401 if there is none, 429 if the address has to wait, 503 if too many others are being checked.
    pub(crate) async fn log_in(
        &self,
        users: &Users,
        client: &Client,
        name: &str,
        password: &[u8],
    ) -> Result<User, Problem> {
        let user = users.named(name);
        // Checked in the place of a user who does not exist, so that it takes the same time. With no users at all,
        // there is none, and nothing to hide either.
        let hash = user.map(|user| user.password().clone());
        let Some(hash) = hash.or_else(|| users.decoy()) else {
            return Err(unauthenticated("there are no users"));
        };
        // A name is as long as its user's, or as it needs to be to count failures.
        let short: String = name.chars().take(128).collect();
        let attempt = Attempt {
            address: client.address,
            subject: &format!("user {short}"),
            password,
            hash: &hash,
            is_real: user.is_some(),
        };
        let checked = self.check_password(attempt).await;
        checked.map_err(|problem| {
            // Somebody may have typed a password for the name: only names that exist are logged.
            let who = user.map_or("nobody", |user| user.name());
            let from = client
                .address
                .map_or_else(|| "unknown".to_owned(), |ip| ip.to_string());
            let text = format!("{}: {who} from {from}", problem.detail);
            problem.with_cause(Level::WARN, text)
        })?;
        user.cloned()
            .ok_or_else(|| unauthenticated(challenge::WRONG))
    }

    /// Hashes a password that guards something.
    ///
    /// # Errors
    /// 400 for one that cannot be, 503 if too many others are being checked.
    pub(crate) async fn hash_password(&self, password: String) -> Result<PasswordHash, Problem> {
        match self.authentication.verifier.hash(password).await {
            Some(Ok(hash)) => Ok(hash),
            Some(Err(error @ PasswordError::System)) => Err(Problem::internal(error)),
            Some(Err(error)) => Err(Problem::bad_request(format!("`password`: {error}"))),
            None => Err(challenge::busy()),
        }
    }

    /// Checks a password against a hash.
    pub(crate) async fn check_password(&self, attempt: Attempt<'_>) -> Result<(), Problem> {
        let key = self.session_key().await?;
        let checked = self.authentication.verifier.check(key, attempt).await;
        checked.map_err(|refusal| match refusal {
            Refusal::Wrong => unauthenticated(challenge::WRONG),
            Refusal::TooMany(wait) => challenge::too_many(wait),
            Refusal::Busy => challenge::busy(),
        })
    }
}

/// RFC 9110 §9.2.1, and what WebDAV reads with.
fn is_safe(method: &Method) -> bool {
    method.is_safe() || matches!(method.as_str(), "PROPFIND" | "REPORT" | "SEARCH")
}

/// What one user may see is no matter for caches that others use too.
fn keep_private(response: &mut Response) {
    let headers = response.headers_mut();
    if headers
        .get(CACHE_CONTROL)
        .is_some_and(|value| value == "no-cache")
    {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
}

fn add_cookie(response: &mut Response, cookie: Result<HeaderValue, Problem>) {
    if let Ok(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}
