//! AWS Signature Version 4, as S3 wants it: a path is encoded once and never normalised, and the hash of
//! the payload is a signed header.
//!
//! The key derivation and the final HMAC are those of `aws-sigv4`. The canonical request is made here: its
//! inputs are encoded and sorted already, so it can be hashed as it is written, and the derived key,
//! which lasts a day, is kept. That makes a signature several times cheaper than `http_request::sign`, which
//! the tests hold this against.

use std::{
    fmt::{self, Write},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use sha2::{Digest, Sha256};

use crate::{
    date,
    encode::{self, hex},
    settings::Site,
};

/// What stands for the hash of a payload that is not hashed.
pub(crate) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
/// The hash of no bytes.
pub(crate) const EMPTY_PAYLOAD: &str =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Who signs.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// Public, it stands in every signed request.
    pub(crate) access_key_id: String,
    /// Never leaves the driver.
    pub(crate) secret_access_key: String,
    /// Goes with temporary credentials.
    pub(crate) session_token: Option<String>,
    /// When they end, if that is known.
    pub(crate) expires: Option<SystemTime>,
}

/// Signs requests.
#[derive(Debug)]
pub(crate) struct Signer {
    credentials: Credentials,
    key: Mutex<Option<DerivedKey>>,
}

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unsigned<'a> {
    /// `GET`, `PUT`, …
    pub(crate) method: &'a str,
    /// Where it goes.
    pub(crate) site: &'a Site,
    /// The path, encoded.
    pub(crate) path: &'a str,
    /// Names and values of the query, not encoded.
    pub(crate) query: &'a [(&'static str, &'a str)],
    /// The headers to sign beside those that every request has; names in lower case.
    pub(crate) headers: &'a [(&'a str, &'a str)],
}

#[derive(Clone)]
struct DerivedKey {
    day: String,
    region: String,
    key: [u8; 32],
}

impl Signer {
    /// A signer for these credentials.
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            key: Mutex::new(None),
        }
    }

    /// The headers that sign a request: `x-amz-date`, `x-amz-content-sha256`, `authorization` and, if there
    /// is one, the session token's.
    pub(crate) fn headers(
        &self,
        request: &Unsigned<'_>,
        payload_hash: &str,
        now: SystemTime,
    ) -> Vec<(&'static str, String)> {
        let date = date::basic(now);
        let mut added = vec![
            ("x-amz-content-sha256", payload_hash.to_owned()),
            ("x-amz-date", date.clone()),
        ];
        if let Some(token) = &self.credentials.session_token {
            added.push(("x-amz-security-token", token.clone()));
        }
        let mut headers: Vec<_> = [("host", request.site.address.authority.as_str())]
            .into_iter()
            .chain(request.headers.iter().copied())
            .chain(added.iter().map(|(name, value)| (*name, value.as_str())))
            .collect();
        headers.sort_unstable_by_key(|(name, _)| *name);
        let names = names(&headers);

        let mut query = String::new();
        push_query(&mut query, request.query);
        let scope = Scope::s3(&date, request.site);
        let signature = self.signature(request, &query, &headers, payload_hash, scope, now);
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.credentials.access_key_id
        );
        added.push(("authorization", authorization));
        added
    }

    /// A URL that carries its signature and is good for `life` (whole seconds) from `now`.
    pub(crate) fn url(&self, request: &Unsigned<'_>, life: Duration, now: SystemTime) -> String {
        let date = date::basic(now);
        let mut headers = Vec::with_capacity(1 + request.headers.len());
        headers.push(("host", request.site.address.authority.as_str()));
        headers.extend_from_slice(request.headers);
        headers.sort_unstable_by_key(|(name, _)| *name);
        let names = names(&headers);

        let address = &request.site.address;
        let mut url = String::with_capacity(
            512 + request.path.len()
                + self
                    .credentials
                    .session_token
                    .as_ref()
                    .map_or(0, String::len),
        );
        url.push_str(address.scheme());
        url.push_str(&address.authority);
        url.push_str(request.path);
        url.push('?');
        let start = url.len();
        // In the order in which a signature wants them: `X` sorts before every name of our own.
        let scope = Scope::s3(&date, request.site);
        url.push_str("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=");
        encode::value(&self.credentials.access_key_id).push_to(&mut url);
        for part in scope.parts() {
            url.push_str("%2F");
            encode::value(part).push_to(&mut url);
        }
        url.push_str("&X-Amz-Date=");
        url.push_str(&date);
        // Writing to a string cannot fail.
        let _ = write!(url, "&X-Amz-Expires={}", life.as_secs());
        if let Some(token) = &self.credentials.session_token {
            url.push_str("&X-Amz-Security-Token=");
            encode::value(token).push_to(&mut url);
        }
        url.push_str("&X-Amz-SignedHeaders=");
        encode::value(&names).push_to(&mut url);
        if !request.query.is_empty() {
            url.push('&');
            push_query(&mut url, request.query);
        }

        let query = url.get(start..).unwrap_or_default();
        let signature = self.signature(request, query, &headers, UNSIGNED_PAYLOAD, scope, now);
        url.push_str("&X-Amz-Signature=");
        url.push_str(&signature);
        url
    }

    /// Signs a request whose headers, all of those to sign, are sorted.
    fn signature(
        &self,
        request: &Unsigned<'_>,
        query: &str,
        headers: &[(&str, &str)],
        payload_hash: &str,
        scope: Scope<'_>,
        now: SystemTime,
    ) -> String {
        let mut hasher = Sha256::new();
        for part in [request.method, "\n", request.path, "\n", query, "\n"] {
            hasher.update(part);
        }
        for (name, value) in headers {
            hasher.update(name);
            hasher.update(":");
            for (index, word) in value.split_ascii_whitespace().enumerate() {
                hasher.update(if index == 0 { "" } else { " " });
                hasher.update(word);
            }
            hasher.update("\n");
        }
        for part in ["\n", &names(headers), "\n", payload_hash] {
            hasher.update(part);
        }

        let date = scope.date;
        let hash = hex(&hasher.finalize());
        let string_to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hash}");
        calculate_signature(self.key(scope, now), string_to_sign.as_bytes())
    }

    /// The key of a day and region, derived anew only when one of them changes.
    fn key(&self, scope: Scope<'_>, now: SystemTime) -> [u8; 32] {
        let mut kept = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(kept) if kept.day == scope.day() && kept.region == scope.region => kept.key,
            _ => {
                let derived = generate_signing_key(
                    &self.credentials.secret_access_key,
                    now,
                    scope.region,
                    scope.service,
                );
                let mut key = [0; 32];
                key.iter_mut()
                    .zip(derived.as_ref())
                    .for_each(|(to, from)| *to = *from);
                *kept = Some(DerivedKey {
                    day: scope.day().to_owned(),
                    region: scope.region.to_owned(),
                    key,
                });
                key
            }
        }
    }
}

/// What a signature is good for.
#[derive(Clone, Copy)]
struct Scope<'a> {
    date: &'a str,
    region: &'a str,
    service: &'static str,
}

impl<'a> Scope<'a> {
    fn s3(date: &'a str, site: &'a Site) -> Self {
        Self {
            date,
            region: &site.region,
            service: "s3",
        }
    }

    fn day(&self) -> &'a str {
        self.date.get(..8).unwrap_or_default()
    }

    fn parts(&self) -> [&'a str; 4] {
        [self.day(), self.region, self.service, "aws4_request"]
    }
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [day, region, service, end] = self.parts();
        write!(formatter, "{day}/{region}/{service}/{end}")
    }
}

/// Writes a query in the one form that signatures know: encoded, sorted, with `=` also where no value is.
/// Names are plain ASCII, so that sorting them before or after encoding is the same.
pub(crate) fn push_query(text: &mut String, query: &[(&'static str, &str)]) {
    let mut sorted = query.to_vec();
    sorted.sort_unstable();
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            text.push('&');
        }
        encode::value(name).push_to(text);
        text.push('=');
        encode::value(value).push_to(text);
    }
}

fn names(headers: &[(&str, &str)]) -> String {
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    names.join(";")
}

// Neither may show a secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DerivedKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
