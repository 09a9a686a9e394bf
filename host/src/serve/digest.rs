//! Digests that a client sends with a body, checked before the body's last bytes go on: what does not match never
//! becomes visible.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use http::{HeaderMap, HeaderName};
use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::problem::Problem;
use crate::{BoxError, Outcome};

static CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
static CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
static REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// What a body has to be.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    md5: Vec<[u8; 16]>,
    sha256: Vec<[u8; 32]>,
}

impl Digests {
    /// Reads `Content-MD5` (RFC 1864), and the `sha-256` of `Content-Digest` and `Repr-Digest` (RFC 9530), which are the
    /// same for a body that is the whole file. Other algorithms are passed over, as that RFC allows.
    ///
    /// # Errors
    /// 400 for a field that cannot be read.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut digests = Self::default();
        for value in headers.get_all(&CONTENT_MD5) {
            let digest = value.to_str().ok().and_then(|text| decode(text.trim()));
            digests
                .md5
                .push(digest.ok_or_else(|| unreadable(&CONTENT_MD5))?);
        }
        for name in [&CONTENT_DIGEST, &REPR_DIGEST] {
            for value in headers.get_all(name) {
                let text = value.to_str().map_err(|_| unreadable(name))?;
                for member in text.split(',') {
                    let (algorithm, digest) = member
                        .trim()
                        .split_once('=')
                        .ok_or_else(|| unreadable(name))?;
                    if algorithm == "sha-256" {
                        let digest = byte_sequence(digest).and_then(decode);
                        digests.sha256.push(digest.ok_or_else(|| unreadable(name))?);
                    }
                }
            }
        }
        Ok(digests)
    }

    /// Whether none was sent that can be checked.
    pub(crate) fn is_empty(&self) -> bool {
        self.md5.is_empty() && self.sha256.is_empty()
    }

    /// The same bytes, but the last of them only once all are known to match; an error in their place otherwise.
    pub(crate) fn guard<S>(self, body: S) -> impl Stream<Item = Result<Bytes, BoxError>> + Send
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send + Unpin,
    {
        let check = Check {
            md5: (!self.md5.is_empty()).then(Md5::new),
            sha256: (!self.sha256.is_empty()).then(Sha256::new),
            digests: self,
        };
        let start = (body.fuse(), None::<Bytes>, Some(check));
        stream::try_unfold(start, |(mut body, mut held, mut check)| async move {
            while let Some(frame) = body.try_next().await? {
                if frame.is_empty() {
                    continue;
                }
                if let Some(check) = &mut check {
                    check.update(&frame);
                }
                if let Some(before) = held.replace(frame) {
                    return Ok(Some((before, (body, held, check))));
                }
            }
            if let Some(check) = check.take() {
                check.finish()?;
            }
            Ok(held.take().map(|last| (last, (body, None, None))))
        })
    }
}

struct Check {
    digests: Digests,
    md5: Option<Md5>,
    sha256: Option<Sha256>,
}

impl Check {
    fn update(&mut self, frame: &[u8]) {
        if let Some(md5) = &mut self.md5 {
            md5.update(frame);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(frame);
        }
    }

    fn finish(self) -> Result<(), Outcome> {
        let md5 = self.md5.map(|md5| md5.finalize().to_vec());
        let sha256 = self.sha256.map(|sha256| sha256.finalize().to_vec());
        let is_same = self
            .digests
            .md5
            .iter()
            .all(|want| md5.as_deref() == Some(&want[..]))
            && self
                .digests
                .sha256
                .iter()
                .all(|want| sha256.as_deref() == Some(&want[..]));
        if is_same {
            Ok(())
        } else {
            Err(Outcome::InvalidArgument(
                "the body does not match the digest that was sent with it".to_owned(),
            ))
        }
    }
}

/// The text of a byte sequence (RFC 9651 §3.3.5), whatever parameters follow.
fn byte_sequence(text: &str) -> Option<&str> {
    text.strip_prefix(':')?
        .split_once(':')
        .map(|(inner, _)| inner)
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

fn unreadable(name: &HeaderName) -> Problem {
    Problem::bad_request(format!("the header `{name}` holds no digest"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn guarded(
        name: &'static str,
        value: &str,
        frames: &[&'static str],
    ) -> Result<Vec<u8>, String> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        let digests = Digests::read(&headers).map_err(|_| "unreadable".to_owned())?;
        let frames: Vec<_> = frames.iter().map(|frame| Ok(Bytes::from(*frame))).collect();
        let mut guarded = std::pin::pin!(digests.guard(stream::iter(frames)));
        let mut bytes = Vec::new();
        while let Some(frame) = guarded.next().await {
            match frame {
                Ok(frame) => bytes.extend_from_slice(&frame),
                Err(_) => return Err(String::from_utf8(bytes).unwrap()),
            }
        }
        Ok(bytes)
    }

    const MD5: &str = "XrY7u+Ae7tCTyyK7j1rNww==";
    const SHA256: &str = "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=";

    #[tokio::test]
    async fn what_matches_goes_through() {
        let sha = format!("sha-512=:AA==:, sha-256=:{SHA256}:");
        for (name, value) in [
            ("content-md5", MD5),
            ("content-digest", &sha),
            ("repr-digest", &sha),
        ] {
            let body = guarded(name, value, &["hello", "", " ", "world"]).await;
            assert_eq!(body.as_deref(), Ok(&b"hello world"[..]), "{name}");
        }
    }

    #[tokio::test]
    async fn the_last_bytes_of_what_does_not_are_held_back() {
        let sha = format!("sha-256=:{SHA256}:");
        for (name, value) in [
            ("content-md5", MD5),
            ("content-digest", &sha),
            ("repr-digest", &sha),
        ] {
            assert_eq!(
                guarded(name, value, &["hello", "world"]).await,
                Err("hello".to_owned())
            );
            assert_eq!(guarded(name, value, &["hello"]).await, Err(String::new()));
            assert_eq!(guarded(name, value, &[]).await, Err(String::new()));
        }
    }

    #[tokio::test]
    async fn what_is_no_digest_is_refused() {
        for (name, value) in [
            ("content-md5", "x"),
            ("content-digest", "sha-256"),
            ("content-digest", "sha-256=:AA==:"),
            ("repr-digest", "sha-256=AA"),
        ] {
            assert_eq!(
                guarded(name, value, &[]).await,
                Err("unreadable".to_owned()),
                "{value}"
            );
        }
    }
}
