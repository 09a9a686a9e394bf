//! What a worker is told to fetch: a compact JWE (RFC 7516) that the client carries.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::Serialize;

use super::media;
use crate::{Entry, HostError, Link, Path, Worker};

/// How long a descriptor is good: the client is on its way already.
const LIFE: Duration = Duration::from_secs(5 * 60);

/// The protected header: the key is shared beforehand and encrypts the content itself (RFC 7518 §4.5, §5.3).
const HEADER: &str = r#"{"alg":"dir","enc":"A256GCM"}"#;

/// The content, as `docs/worker.md` describes it.
#[derive(Serialize)]
struct Descriptor<'a> {
    method: &'a str,
    url: &'a str,
    headers: &'a [(String, String)],
    /// In the namespace, not encoded.
    path: String,
    name: &'a str,
    r#type: String,
    size: u64,
    etag: Option<&'a str>,
    /// Seconds since 1970.
    exp: u64,
}

/// Writes a descriptor of a file and the request that fetches it, for a worker's eyes alone.
///
/// # Errors
/// The system has no random numbers.
pub(crate) fn seal(
    worker: &Worker,
    path: &Path,
    entry: &Entry,
    link: &Link,
) -> Result<String, HostError> {
    let (method, url, headers, expires) = match link {
        Link::Shareable(link) => ("GET", &link.url, &[][..], link.expires),
        Link::HostOnly(request) => (
            &*request.method,
            &request.url,
            &request.headers[..],
            request.expires,
        ),
    };
    let last = SystemTime::now() + LIFE;
    let expires = expires.map_or(last, |expires| expires.min(last));
    let descriptor = Descriptor {
        method,
        url,
        headers,
        path: format!("/{path}"),
        name: path.name(),
        r#type: media::type_of(path.name(), entry.content_type.as_deref()),
        size: entry.size,
        etag: entry.etag.as_deref(),
        exp: expires
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs(),
    };
    let text = serde_json::to_vec(&descriptor).map_err(failure)?;
    encrypt(worker.key(), text)
}

fn encrypt(key: &[u8; 32], mut text: Vec<u8>) -> Result<String, HostError> {
    let header = URL_SAFE_NO_PAD.encode(HEADER);
    let mut nonce = [0; NONCE_LEN];
    // By chance alone, 2³² descriptors may share a key (NIST SP 800-38D §8.3).
    getrandom::fill(&mut nonce).map_err(failure)?;
    let cipher = UnboundKey::new(&AES_256_GCM, key).map_err(failure)?;
    let tag = LessSafeKey::new(cipher)
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(header.as_bytes()),
            &mut text,
        )
        .map_err(failure)?;
    let [nonce, text, tag] =
        [&nonce[..], &text, tag.as_ref()].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
    // The key that would stand encrypted in the second place is shared already.
    Ok(format!("{header}..{nonce}.{text}.{tag}"))
}

fn failure(error: impl std::fmt::Display) -> HostError {
    HostError::Internal(format!("a worker's descriptor cannot be made: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SignedRequest, SignedUrl};

    fn open(key: &[u8; 32], token: &str) -> Option<serde_json::Value> {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, "", nonce, text, tag] = parts[..] else {
            return None;
        };
        let [nonce, mut text, tag] =
            [nonce, text, tag].map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
        text.extend(tag);
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
        let nonce = Nonce::try_assume_unique_for_key(&nonce).unwrap();
        let text = cipher
            .open_in_place(nonce, Aad::from(header.as_bytes()), &mut text)
            .ok()?;
        serde_json::from_slice(text).ok()
    }

    #[test]
    fn only_the_worker_reads_it() {
        let worker = Worker::new("https://worker.example/", [7; 32]);
        assert!(!format!("{worker:?}").contains('7'));
        let path = Path::parse("a b/ü.txt").unwrap();
        let link = Link::HostOnly(SignedRequest {
            method: "GET".to_owned(),
            url: "https://storage.example/x".to_owned(),
            headers: vec![("authorization".to_owned(), "secret".to_owned())],
            expires: None,
        });
        let token = seal(&worker, &path, &Entry::file("ü.txt", 5), &link).unwrap();
        let told = open(&[7; 32], &token).unwrap();
        assert_eq!(told["path"], "/a b/ü.txt");
        assert_eq!(told["headers"][0][1], "secret");
        assert_eq!(told["type"], "text/plain; charset=utf-8");
        assert_eq!(told["size"], 5);
        assert_eq!(open(&[8; 32], &token), None);
        let again = seal(&worker, &path, &Entry::file("ü.txt", 5), &link).unwrap();
        assert_ne!(token, again, "a nonce was used twice");
    }

    #[test]
    fn it_does_not_outlive_the_link() {
        let worker = Worker::new("https://worker.example/", [7; 32]);
        let now = SystemTime::now();
        for (life, expected) in [(Some(60), 60), (Some(3600), 300), (None, 300)] {
            let link = Link::Shareable(SignedUrl {
                url: "https://storage.example/x".to_owned(),
                expires: life.map(|life| now + Duration::from_secs(life)),
            });
            let path = Path::parse("x").unwrap();
            let token = seal(&worker, &path, &Entry::file("x", 5), &link).unwrap();
            let told = open(&[7; 32], &token).unwrap();
            let exp = UNIX_EPOCH + Duration::from_secs(told["exp"].as_u64().unwrap());
            let life = exp.duration_since(now).unwrap_or_default().as_secs();
            assert!(life.abs_diff(expected) <= 2, "{life} instead of {expected}");
        }
    }
}
