//! Digests that a client sends along with a file: they have to be those of the bytes that come.
//!
//! Read are `Content-Digest` and `Repr-Digest` (RFC 9530), which mean the same for a file that is written whole, what
//! they replaced, `Digest` (RFC 3230), and `Content-MD5` (RFC 1864).

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use http::HeaderMap;
use md5::Md5;
use sha2::{Digest as _, Sha256, Sha512};

use super::problem::Problem;
use crate::{BoxError, Outcome};

/// What the bytes of a request's body have to come to.
#[derive(Debug, Default)]
pub(crate) struct Digests(Vec<Check>);

impl Digests {
    /// Reads the digests that a request sends. Algorithms that are not known here are passed over, as RFC 9530 §2
    /// wants it.
    ///
    /// # Errors
    /// A digest of a known algorithm is not written as it must be.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut checks = Vec::new();
        for (header, syntax) in HEADERS {
            for value in headers.get_all(header) {
                let malformed = || malformed(header);
                let value = value.to_str().map_err(|_| malformed())?;
                for member in value.split(',') {
                    if let Some(check) = syntax.read(header, member.trim()).ok_or_else(malformed)? {
                        checks.push(check);
                    }
                }
            }
        }
        Ok(Self(checks))
    }

    /// Whether there is nothing to check.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same bytes, which fail before the last of them has passed if they are not what was announced: whoever
    /// counts them would take a failure behind the last one for none.
    pub(crate) fn checked(
        self,
        bytes: impl Stream<Item = Result<Bytes, BoxError>> + Send + Unpin + 'static,
    ) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
        let begin = (bytes.fuse(), self.0, None);
        stream::try_unfold(begin, |(mut bytes, mut checks, mut held)| async move {
            while let Some(frame) = bytes.try_next().await? {
                for check in &mut checks {
                    check.hasher.update(&frame);
                }
                if let Some(passes) = held.replace(frame) {
                    return Ok(Some((passes, (bytes, checks, held))));
                }
            }
            for check in checks.drain(..) {
                check.finish()?;
            }
            Ok(held.take().map(|last| (last, (bytes, checks, held))))
        })
    }
}

/// How a header writes a digest.
#[derive(Clone, Copy)]
enum Syntax {
    /// The base64 of an MD5 digest alone.
    Md5,
    /// `sha-256=…`, as base64.
    Pairs,
    /// `sha-256=:…:`, a dictionary of byte sequences (RFC 8941 §3.2).
    Dictionary,
}

const HEADERS: [(&str, Syntax); 4] = [
    ("content-md5", Syntax::Md5),
    ("content-digest", Syntax::Dictionary),
    ("repr-digest", Syntax::Dictionary),
    ("digest", Syntax::Pairs),
];

impl Syntax {
    /// Reads one digest; `Some(None)` for one of an algorithm that is not known here.
    fn read(self, header: &'static str, member: &str) -> Option<Option<Check>> {
        let (hasher, text) = match self {
            Self::Md5 => (Hasher::Md5(Md5::new()), member),
            Self::Pairs | Self::Dictionary => {
                let (name, value) = member.split_once('=')?;
                let Some(hasher) = Hasher::named(name) else {
                    return Some(None);
                };
                let text = match self {
                    Self::Dictionary => {
                        let (value, _parameters) = value.split_once(';').unwrap_or((value, ""));
                        value.trim().strip_prefix(':')?.strip_suffix(':')?
                    }
                    Self::Md5 | Self::Pairs => value,
                };
                (hasher, text)
            }
        };
        let expected = STANDARD.decode(text).ok()?;
        (expected.len() == hasher.size()).then_some(Some(Check {
            header,
            hasher,
            expected,
        }))
    }
}

fn malformed(header: &str) -> Problem {
    Problem::bad_request(format!("the digest in `{header}` is not written as one"))
}

#[derive(Debug)]
struct Check {
    header: &'static str,
    hasher: Hasher,
    expected: Vec<u8>,
}

impl Check {
    fn finish(self) -> Result<(), Outcome> {
        if self.hasher.finish() == self.expected {
            return Ok(());
        }
        Err(Outcome::InvalidArgument(format!(
            "the bytes that came do not have the digest that `{}` tells; nothing was written",
            self.header
        )))
    }
}

/// A digest in the making.
enum Hasher {
    Md5(Md5),
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "md5" => Some(Self::Md5(Md5::new())),
            "sha-256" => Some(Self::Sha256(Sha256::new())),
            "sha-512" => Some(Self::Sha512(Sha512::new())),
            _ => None,
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Md5(_) => 16,
            Self::Sha256(_) => 32,
            Self::Sha512(_) => 64,
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Md5(hasher) => hasher.finalize().to_vec(),
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
            Self::Sha512(hasher) => hasher.finalize().to_vec(),
        }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Md5(_) => "Md5",
            Self::Sha256(_) => "Sha256",
            Self::Sha512(_) => "Sha512",
        })
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn of(header: &'static str, value: &str) -> Result<Digests, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(
            HeaderName::from_static(header),
            HeaderValue::from_str(value).unwrap(),
        );
        Digests::of(&headers)
    }

    async fn passed(digests: Digests, frames: &[&'static str]) -> (String, Option<BoxError>) {
        let frames: Vec<_> = frames.iter().map(|text| Ok(Bytes::from(*text))).collect();
        let mut checked = Box::pin(digests.checked(stream::iter(frames)));
        let mut text = String::new();
        while let Some(frame) = checked.next().await {
            match frame {
                Ok(bytes) => text.push_str(std::str::from_utf8(&bytes).unwrap()),
                Err(error) => return (text, Some(error)),
            }
        }
        (text, None)
    }

    const MD5: &str = "XrY7u+Ae7tCTyyK7j1rNww==";
    const SHA256: &str = "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=";

    #[tokio::test]
    async fn the_last_bytes_pass_only_if_all_are_right() {
        for (header, value) in [
            ("content-md5", MD5.to_owned()),
            ("content-digest", format!("sha-256=:{SHA256}:")),
            (
                "content-digest",
                format!("unknown=?1, md5=:{MD5}:;a=1, sha-256=:{SHA256}:"),
            ),
            ("repr-digest", format!("sha-256=:{SHA256}:")),
            ("digest", format!("SHA-256={SHA256},MD5={MD5}")),
        ] {
            let right = passed(of(header, &value).unwrap(), &["hello", " ", "world"]).await;
            assert_eq!(right.0, "hello world", "{header}: {value}");
            assert!(right.1.is_none(), "{header}: {value}");
            let (text, error) = passed(of(header, &value).unwrap(), &["hello", " ", "World"]).await;
            assert_eq!(text, "hello ", "{header}: {value}");
            let outcome = error.unwrap().downcast::<Outcome>().unwrap();
            assert!(matches!(*outcome, Outcome::InvalidArgument(_)), "{outcome}");
        }
        let (text, error) = passed(of("content-md5", MD5).unwrap(), &[]).await;
        assert!(text.is_empty() && error.is_some());
    }

    #[test]
    fn what_is_no_digest_is_refused_and_what_is_unknown_passed_over() {
        for (header, value) in [
            ("content-md5", "x"),
            ("content-md5", SHA256),
            ("content-digest", "sha-256"),
            ("content-digest", "sha-256=:eA==:"),
            ("digest", "sha-256=x"),
        ] {
            assert!(of(header, value).is_err(), "{header}: {value}");
        }
        assert!(of("content-digest", "crc32c=:eA==:").unwrap().is_empty());
        assert!(of("digest", "UNIXsum=30637").unwrap().is_empty());
    }
}
