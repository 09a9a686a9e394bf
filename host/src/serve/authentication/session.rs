//! The cookie that keeps a user logged in.

use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header::COOKIE};
use serde::{Deserialize, Serialize};

use crate::serve::{
    User, Users,
    problem::Problem,
    signature::{self, Key},
};

/// The cookie's name.
const NAME: &str = "orlop_session";

/// How long a session lasts without a request.
const IDLE: Duration = Duration::from_secs(12 * 60 * 60);

/// How long a session lasts at most.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A cookie is renewed if it is older than this, rather than by every request.
const RENEWAL: Duration = Duration::from_secs(60 * 60);

/// What the cookie holds, signed. All of it but the signature can be read by the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// What ends with a log-out.
    pub(crate) id: String,
    /// Who it is.
    pub(crate) user: String,
    /// When the user logged in, in milliseconds since 1970.
    since: i64,
    /// When the cookie is no longer good.
    expires: i64,
    /// A signature of the password's hash: another password ends the session.
    password: String,
}

impl Session {
    /// A session of a user who has just logged in.
    pub(crate) fn begin(key: &Key, user: &User, now: i64) -> Result<Self, Problem> {
        Ok(Self {
            id: signature::encode(&signature::random::<16>()?),
            user: user.name().to_string(),
            since: now,
            expires: now + milliseconds(IDLE),
            password: bound(key, user),
        })
    }

    /// The session that a request brings, and its user. None if the cookie is missing; an error that says why if
    /// it is no good.
    pub(crate) fn of<'u>(
        headers: &HeaderMap,
        key: &Key,
        users: &'u Users,
        now: i64,
    ) -> Option<Result<(Self, &'u User), &'static str>> {
        let text = find(headers, NAME)?;
        Some(Self::read(&text, key, users, now))
    }

    fn read<'u>(
        text: &str,
        key: &Key,
        users: &'u Users,
        now: i64,
    ) -> Result<(Self, &'u User), &'static str> {
        let session: Self =
            unseal(key, b"session", text).ok_or("the session's cookie is not ours")?;
        if now >= session.expires.min(session.last()) {
            return Err("the session has expired");
        }
        let user = users.named(&session.user).ok_or("the user is gone")?;
        if session.password != bound(key, user) {
            return Err("the password was changed");
        }
        Ok((session, user))
    }

    /// When it ends at the latest.
    pub(crate) fn last(&self) -> i64 {
        self.since + milliseconds(LONGEST)
    }

    /// The same session for longer, if its cookie has grown old.
    pub(crate) fn renewed(mut self, now: i64) -> Option<Self> {
        let expires = (now + milliseconds(IDLE)).min(self.last());
        if expires - self.expires < milliseconds(RENEWAL) {
            return None;
        }
        self.expires = expires;
        Some(self)
    }

    /// The header that gives the cookie to the browser.
    pub(crate) fn cookie(&self, key: &Key, is_secure: bool) -> Result<HeaderValue, Problem> {
        let value = seal(key, b"session", self)?;
        set(NAME, &value, "/", LONGEST, is_secure)
    }
}

/// The header that takes the cookie from the browser.
pub(crate) fn forget(is_secure: bool) -> Result<HeaderValue, Problem> {
    set(NAME, "", "/", Duration::ZERO, is_secure)
}

/// What changes with the user's password.
fn bound(key: &Key, user: &User) -> String {
    let parts: [&[u8]; 3] = [
        b"password",
        user.name().as_bytes(),
        user.password().as_str().as_bytes(),
    ];
    signature::encode(&key.sign(&parts))
}

/// Writes a value so that only the server can have written it.
pub(crate) fn seal(key: &Key, purpose: &[u8], value: &impl Serialize) -> Result<String, Problem> {
    let payload = serde_json::to_vec(value).map_err(Problem::internal)?;
    let signature = key.sign(&[purpose, &payload]);
    Ok(format!(
        "{}.{}",
        signature::encode(&payload),
        signature::encode(&signature)
    ))
}

/// Reads what [`seal`] wrote for the same purpose.
pub(crate) fn unseal<T: for<'de> Deserialize<'de>>(
    key: &Key,
    purpose: &[u8],
    text: &str,
) -> Option<T> {
    let (payload, signature) = text.split_once('.')?;
    let payload = signature::decode(payload)?;
    if !key.verify(&[purpose, &payload], &signature::decode(signature)?) {
        return None;
    }
    serde_json::from_slice(&payload).ok()
}

/// The value of a cookie of this name.
pub(crate) fn find(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(COOKIE).into_iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}

/// The header that sets a cookie which no script can read and no other site can make a browser change things with.
pub(crate) fn set(
    name: &str,
    value: &str,
    path: &str,
    age: Duration,
    is_secure: bool,
) -> Result<HeaderValue, Problem> {
    let age = cookie::time::Duration::try_from(age).map_err(Problem::internal)?;
    let cookie = Cookie::build((name, value))
        .path(path)
        .max_age(age)
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_secure)
        .build();
    HeaderValue::try_from(cookie.to_string()).map_err(Problem::internal)
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, serve::PasswordHash};

    const HOUR: i64 = 60 * 60 * 1000;
    const NOW: i64 = 1_800_000_000_000;

    fn user(name: &str) -> User {
        User::new(name, PasswordHash::of("x").unwrap(), Access::full()).unwrap()
    }

    fn users(user: &User) -> Users {
        [user.clone()].into_iter().collect()
    }

    fn sent(cookie: &HeaderValue) -> HeaderMap {
        let pair = cookie.to_str().unwrap().split(';').next().unwrap();
        let pair = format!("other=1; {pair}; more=x");
        [(COOKIE, pair.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn a_session_lasts_while_it_is_used() {
        let key = Key::new([1; 32]);
        let ann = user("ann");
        let users = users(&ann);
        let session = Session::begin(&key, &ann, NOW).unwrap();
        let cookie = session.cookie(&key, true).unwrap();
        let text = cookie.to_str().unwrap();
        for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Secure"] {
            assert!(text.contains(part), "{text}");
        }
        let headers = sent(&cookie);
        let at = |now| Session::of(&headers, &key, &users, now).unwrap();
        assert_eq!(at(NOW).unwrap().0, session);
        assert_eq!(at(NOW + 12 * HOUR - 1).unwrap().0, session);
        assert!(at(NOW + 12 * HOUR).is_err());
        // Another host's clock may be behind.
        assert!(at(NOW - 1).is_ok());
        assert_eq!(session.clone().renewed(NOW + HOUR - 1), None);
        let mut renewed = session.clone().renewed(NOW + HOUR).unwrap();
        assert_eq!(renewed.id, session.id);
        let mut now = NOW + 12 * HOUR;
        while let Some(next) = renewed.clone().renewed(now) {
            renewed = next;
            now += 11 * HOUR;
        }
        assert!(renewed.expires <= session.last(), "30 days at most");
        assert!(now > NOW + 29 * 24 * HOUR);
    }

    #[test]
    fn cookies_that_do_not_count() {
        let key = Key::new([1; 32]);
        let ann = user("ann");
        let known = users(&ann);
        let session = Session::begin(&key, &ann, NOW).unwrap();
        let headers = sent(&session.cookie(&key, false).unwrap());
        let text = find(&headers, NAME).unwrap();
        assert!(Session::read(&text, &key, &known, NOW).is_ok());
        // Another password, another user of the name, no user.
        assert!(Session::read(&text, &key, &users(&user("ann")), NOW).is_err());
        assert!(Session::read(&text, &key, &users(&user("bob")), NOW).is_err());
        assert!(Session::read(&text, &Key::new([2; 32]), &known, NOW).is_err());
        for index in 0..text.len() {
            let mut tampered = text.clone().into_bytes();
            tampered[index] = if tampered[index] == b'A' { b'B' } else { b'A' };
            let tampered = String::from_utf8(tampered).unwrap();
            assert!(
                Session::read(&tampered, &key, &known, NOW).is_err(),
                "{index}"
            );
        }
        for text in ["", ".", "x", "x.y", &format!("{text}A"), &text[1..]] {
            assert!(Session::read(text, &key, &known, NOW).is_err(), "{text}");
        }
        // Sealed for something else.
        let other = seal(&key, b"share", &session).unwrap();
        assert!(Session::read(&other, &key, &known, NOW).is_err());
        assert_eq!(Session::of(&HeaderMap::new(), &key, &known, NOW), None);
    }
}
