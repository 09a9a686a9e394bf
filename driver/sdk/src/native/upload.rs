//! Uploads from memory or from a stream.

use std::{
    fmt,
    pin::Pin,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};

use super::NativePart;
use crate::{Error, Result, Upload};

/// An upload from a stream of bytes, which it cuts into parts without copying them.
pub struct NativeUpload {
    size: Option<u64>,
    content_type: Option<String>,
    source: Mutex<Option<Source>>,
}

struct Source {
    pieces: Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>,
    /// What the last part left over.
    rest: Bytes,
    /// Bytes that came so far.
    taken: u64,
}

impl NativeUpload {
    /// An upload of bytes in memory.
    pub fn from_bytes(bytes: impl Into<Bytes>, content_type: Option<&str>) -> Self {
        let bytes = bytes.into();
        let size = bytes.len() as u64;
        Self::from_stream(stream::iter([Ok(bytes)]), Some(size), content_type)
    }

    /// An upload of a stream's bytes, with their number if it is known. The stream ends with an error if its
    /// sender breaks off.
    pub fn from_stream(
        pieces: impl Stream<Item = Result<Bytes>> + Send + 'static,
        size: Option<u64>,
        content_type: Option<&str>,
    ) -> Self {
        Self {
            size,
            content_type: content_type.map(str::to_owned),
            source: Mutex::new(Some(Source {
                pieces: Box::pin(pieces),
                rest: Bytes::new(),
                taken: 0,
            })),
        }
    }

    fn source(&self) -> std::sync::MutexGuard<'_, Option<Source>> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upload for NativeUpload {
    type Part = NativePart;

    fn size(&self) -> Option<u64> {
        self.size
    }

    fn content_type(&self) -> Option<String> {
        self.content_type.clone()
    }

    async fn next(&self, max: u64) -> Result<Option<NativePart>> {
        // While it is out, there is no second call.
        let source = self.source().take();
        let mut source = source.ok_or_else(|| {
            Error::InvalidArgument("calls for an upload's parts overlap, or one failed".to_owned())
        })?;
        let part = source.part(max, self.size).await?;
        *self.source() = Some(source);
        Ok(part)
    }
}

impl Source {
    async fn part(&mut self, max: u64, size: Option<u64>) -> Result<Option<NativePart>> {
        let mut pieces = Vec::new();
        let mut missing = max;
        while missing > 0 {
            if self.rest.is_empty() {
                match self.pieces.next().await {
                    Some(piece) => self.rest = piece?,
                    None => break,
                }
                self.taken += self.rest.len() as u64;
                if size.is_some_and(|size| self.taken > size) {
                    return Err(Error::InvalidArgument(
                        "the upload is longer than announced".to_owned(),
                    ));
                }
                continue;
            }
            let wanted = usize::try_from(missing).unwrap_or(usize::MAX);
            let piece = self.rest.split_to(wanted.min(self.rest.len()));
            missing -= piece.len() as u64;
            pieces.push(piece);
        }
        if missing > 0 && size.is_some_and(|size| self.taken < size) {
            return Err(Error::Unavailable(
                "the upload is shorter than announced".to_owned(),
            ));
        }
        Ok((!pieces.is_empty()).then(|| NativePart::new(pieces)))
    }
}

impl fmt::Debug for NativeUpload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NativeUpload")
            .field("size", &self.size)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Part;

    async fn parts(upload: &NativeUpload, max: u64) -> Result<Vec<String>> {
        let mut parts = Vec::new();
        while let Some(part) = upload.next(max).await? {
            let bytes = part.read(0, u64::MAX).await?;
            parts.push(String::from_utf8(bytes).unwrap());
        }
        Ok(parts)
    }

    fn upload(pieces: &'static [&'static str], size: Option<u64>) -> NativeUpload {
        let pieces = pieces
            .iter()
            .map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
        NativeUpload::from_stream(stream::iter(pieces), size, None)
    }

    #[tokio::test]
    async fn parts_are_equal_whatever_the_pieces() {
        let pieces = &["ab", "", "cdefg", "h"];
        assert_eq!(
            parts(&upload(pieces, None), 3).await.unwrap(),
            ["abc", "def", "gh"]
        );
        assert_eq!(
            parts(&upload(pieces, Some(8)), 4).await.unwrap(),
            ["abcd", "efgh"]
        );
        assert_eq!(
            parts(&upload(pieces, Some(8)), 100).await.unwrap(),
            ["abcdefgh"]
        );
        assert!(parts(&upload(&[], Some(0)), 1).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_upload_keeps_its_word() {
        assert!(parts(&upload(&["abc"], Some(2)), 10).await.is_err());
        assert!(parts(&upload(&["abc"], Some(4)), 10).await.is_err());
        assert!(parts(&upload(&["abc"], Some(4)), 3).await.is_err());
        let whole = NativeUpload::from_bytes("abc", Some("text/plain"));
        assert_eq!(
            (whole.size(), whole.content_type().as_deref()),
            (Some(3), Some("text/plain"))
        );
        assert_eq!(parts(&whole, 2).await.unwrap(), ["ab", "c"]);
    }
}
