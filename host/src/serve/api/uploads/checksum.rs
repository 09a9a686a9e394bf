//! Digests of what one request brings: `Upload-Checksum`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt as _;
use md5::{Digest as _, Md5};
use ring::digest::{self, Context};

use super::header;
use crate::{
    activity::Activity,
    part::{PartBudget, PartBuffer, UploadStream},
    resumable::Refusal,
    serve::problem::Problem,
};

/// What is understood here.
pub(super) const ALGORITHMS: HeaderValue = HeaderValue::from_static("sha1,sha256,md5");

/// The most bytes that can be sent with a digest: they are put aside until it is known to be right.
const LIMIT: u64 = 64 << 20;

/// What the bytes of a request have to come to.
pub(super) struct Checksum {
    hasher: Hasher,
    expected: Vec<u8>,
}

enum Hasher {
    Md5(Md5),
    Sha(Context),
}

impl Checksum {
    /// Reads the header.
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let Some(text) = header(headers, "upload-checksum")? else {
            return Ok(None);
        };
        let (name, value) = text.split_once(' ').unwrap_or((text, ""));
        let hasher = match name {
            "sha1" => Hasher::Sha(Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY)),
            "sha256" => Hasher::Sha(Context::new(&digest::SHA256)),
            "md5" => Hasher::Md5(Md5::new()),
            _ => {
                return Err(Problem::bad_request(
                    "`Upload-Checksum` is of an algorithm that is not known here; see `Tus-Checksum-Algorithm`",
                ));
            }
        };
        let expected = STANDARD.decode(value).map_err(|_| {
            Problem::bad_request("`Upload-Checksum` is an algorithm and a digest in base64")
        })?;
        Ok(Some(Self { hasher, expected }))
    }

    /// The same bytes, all of them and known to be right. Those that are not must not count at all, so they are put
    /// aside before any is taken.
    pub(super) async fn verified(self, mut body: UploadStream) -> Result<UploadStream, Problem> {
        let Self {
            mut hasher,
            expected,
        } = self;
        let mut aside = PartBuffer::new(PartBudget::new(0, None));
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|_| Refusal::Broken)?;
            if aside.size() + bytes.len() as u64 > LIMIT {
                return Err(Refusal::TooLong(LIMIT).into());
            }
            hasher.update(&bytes);
            aside.push(bytes).await.map_err(crate::Error::from)?;
        }
        if hasher.finish() != expected {
            return Err(mismatch());
        }
        let part = aside.finish(Activity::default()).await;
        let part = part.map_err(crate::Error::from)?;
        Ok(part.body().into_data_stream().boxed())
    }
}

impl Hasher {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hasher) => hasher.update(bytes),
            Self::Sha(context) => context.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Md5(hasher) => hasher.finalize().to_vec(),
            Self::Sha(context) => context.finish().as_ref().to_vec(),
        }
    }
}

/// The protocol's own status.
fn mismatch() -> Problem {
    let status = StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST);
    Problem::new(
        status,
        "invalid-argument",
        "the bytes that came do not have the digest that `Upload-Checksum` tells; none of them is kept",
    )
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::stream;

    use super::*;

    async fn verify(text: &str) -> Result<Vec<u8>, u16> {
        let headers = [("upload-checksum".parse().unwrap(), text.parse().unwrap())];
        let checksum = Checksum::of(&headers.into_iter().collect())
            .map_err(|problem| problem.status.as_u16())?
            .unwrap();
        let frames = ["hello ", "world"].map(|text| Ok(Bytes::from(text)));
        let body = checksum.verified(stream::iter(frames).boxed()).await;
        let mut body = body.map_err(|problem| problem.status.as_u16())?;
        let mut whole = Vec::new();
        while let Some(bytes) = body.next().await {
            whole.extend_from_slice(&bytes.unwrap());
        }
        Ok(whole)
    }

    #[tokio::test]
    async fn only_what_is_right_passes() {
        for digest in [
            "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
            "sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=",
            "md5 XrY7u+Ae7tCTyyK7j1rNww==",
        ] {
            assert_eq!(verify(digest).await.as_deref(), Ok(&b"hello world"[..]));
        }
        for (digest, status) in [
            ("sha1 XrY7u+Ae7tCTyyK7j1rNww==", 460),
            ("sha1 ", 460),
            ("sha1", 460),
            ("sha1 *", 400),
            ("crc32 XrY7", 400),
        ] {
            assert_eq!(verify(digest).await, Err(status), "{digest}");
        }
    }
}
