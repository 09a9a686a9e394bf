//! Parts of uploads, in memory.

use std::sync::Arc;

use bytes::Bytes;
use md5::Md5;
use sha2::{Digest, Sha256};

use super::body::Rope;
use crate::{DigestAlgorithm, Error, Part, Result};

/// A part: pieces as they came in, which sending, hashing and cloning share.
#[derive(Clone, Debug)]
pub struct NativePart {
    pieces: Arc<[Bytes]>,
    size: u64,
}

impl NativePart {
    pub(crate) fn new(pieces: Vec<Bytes>) -> Self {
        Self {
            size: pieces.iter().map(|piece| piece.len() as u64).sum(),
            pieces: pieces.into(),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.size
    }

    pub(crate) fn body(&self) -> reqwest::Body {
        reqwest::Body::wrap(Rope::new(&self.pieces, self.size))
    }
}

impl Part for NativePart {
    fn size(&self) -> u64 {
        self.size
    }

    async fn digest(&self, algorithm: DigestAlgorithm) -> Result<Vec<u8>> {
        let pieces = Arc::clone(&self.pieces);
        tokio::task::spawn_blocking(move || match algorithm {
            DigestAlgorithm::Md5 => digest::<Md5>(&pieces),
            DigestAlgorithm::Sha256 => digest::<Sha256>(&pieces),
        })
        .await
        .map_err(|error| Error::Other(error.to_string()))
    }

    async fn read(&self, offset: u64, len: u64) -> Result<Vec<u8>> {
        let end = offset.saturating_add(len).min(self.size);
        let mut bytes =
            Vec::with_capacity(usize::try_from(end.saturating_sub(offset)).unwrap_or(0));
        let mut start = 0;
        for piece in self.pieces.iter() {
            let within = |position: u64| {
                usize::try_from(position.saturating_sub(start))
                    .unwrap_or(usize::MAX)
                    .min(piece.len())
            };
            bytes.extend_from_slice(piece.get(within(offset)..within(end)).unwrap_or_default());
            start += piece.len() as u64;
        }
        Ok(bytes)
    }
}

fn digest<D: Digest>(pieces: &[Bytes]) -> Vec<u8> {
    let mut digest = D::new();
    for piece in pieces {
        digest.update(piece);
    }
    digest.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn parts_are_read_and_hashed_over_their_pieces() {
        let part = NativePart::new(vec!["abc".into(), "".into(), "defg".into()]);
        assert_eq!(Part::size(&part), 7);
        for (offset, len, expected) in [
            (0, 7, "abcdefg"),
            (2, 2, "cd"),
            (3, 100, "defg"),
            (6, 1, "g"),
            (7, 1, ""),
            (9, u64::MAX, ""),
        ] {
            assert_eq!(part.read(offset, len).await.unwrap(), expected.as_bytes());
        }
        for algorithm in [DigestAlgorithm::Md5, DigestAlgorithm::Sha256] {
            let whole = NativePart::new(vec!["abcdefg".into()]);
            assert_eq!(
                part.digest(algorithm).await.unwrap(),
                whole.digest(algorithm).await.unwrap()
            );
        }
    }
}
