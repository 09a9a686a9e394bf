//! Several parts of one file in one answer: `multipart/byteranges` (RFC 9110 §14.6).

use std::ops::Range;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::HeaderValue;

use crate::{ByteRange, Error, HostError, Namespace, Outcome, Path, ReadRequest, Reading, Result};

/// Parts of one version of one file.
#[derive(Debug)]
pub(crate) struct Parts {
    /// What stands between the parts, and in none of the heads.
    boundary: String,
    /// Each part with the head that stands before it.
    parts: Vec<(Bytes, Range<u64>)>,
    /// The bytes of the whole body.
    length: u64,
}

impl Parts {
    /// An answer of these ranges of a file of this size and type.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(crate) fn new(
        ranges: Vec<Range<u64>>,
        size: u64,
        media_type: &HeaderValue,
    ) -> Result<Self> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| HostError::Internal(error.to_string()))?;
        // Nobody can guess it, so that no file can pretend to hold the end of a part.
        let boundary: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let media_type = media_type.to_str().unwrap_or("application/octet-stream");
        let mut length = end(&boundary).len() as u64;
        let mut parts = Vec::with_capacity(ranges.len());
        for range in ranges {
            let Range { start, end } = range;
            let head = format!(
                "\r\n--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: bytes {start}-{}/{size}\r\n\r\n",
                end.saturating_sub(1)
            );
            length += head.len() as u64 + (end - start);
            parts.push((Bytes::from(head), range));
        }
        Ok(Self {
            boundary,
            parts,
            length,
        })
    }

    /// The answer's own type.
    pub(crate) fn media_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.boundary)
    }

    /// Bytes in the body.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The body, of which the first part is being read. The others are read one after another, each when the
    /// one before it is through.
    pub(crate) fn stream(
        self,
        namespace: Namespace,
        path: Path,
        first: Reading,
    ) -> impl stream::Stream<Item = Result<Bytes>> + Send + 'static {
        let end = end(&self.boundary);
        let etag = first.etag.clone();
        let mut first = Some(first);
        let parts = self.parts.into_iter().map(move |(head, range)| {
            let reading = first.take();
            let (namespace, path, etag) = (namespace.clone(), path.clone(), etag.clone());
            let body = stream::once(async move {
                let reading = match reading {
                    Some(reading) => reading,
                    None => read(&namespace, &path, range, etag).await?,
                };
                Ok::<_, Error>(reading.body)
            });
            stream::iter([Ok(head)]).chain(body.try_flatten())
        });
        stream::iter(parts)
            .flatten()
            .chain(stream::iter([Ok(Bytes::from(end))]))
    }
}

fn end(boundary: &str) -> String {
    format!("\r\n--{boundary}--\r\n")
}

async fn read(
    namespace: &Namespace,
    path: &Path,
    range: Range<u64>,
    etag: Option<String>,
) -> Result<Reading> {
    let request = ReadRequest {
        range: Some(ByteRange {
            offset: range.start,
            length: Some(range.end - range.start),
        }),
        etag,
    };
    let reading = namespace.read(path, request).await?;
    if reading.range != range {
        let message = "the storage answered with another part than asked for".to_owned();
        return Err(Outcome::Unavailable(message).into());
    }
    Ok(reading)
}
