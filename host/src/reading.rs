//! Reading files through the host.

mod ahead;
mod body;
mod pace;

use std::{ops::Range, pin::Pin, sync::Arc, time::SystemTime};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::{HeaderMap, header};

use crate::{
    Audience, ByteRange, Error, Kind, Link, Outcome, Path, ReadOptions, Result,
    activity::Activity,
    network::{self, Answer, Outgoing},
    sandbox::{Pool, calls::Content},
};

/// What to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadRequest {
    /// The bytes wanted; none for all.
    pub range: Option<ByteRange>,
    /// The entity tag that the file must still have.
    pub etag: Option<String>,
}

/// A file that is being read.
pub struct Reading {
    /// Bytes in the whole file.
    pub size: u64,
    /// The bytes that the body holds. They may be more than asked for if the storage cannot read parts.
    pub range: Range<u64>,
    /// The file's entity tag.
    pub etag: Option<String>,
    /// When the file was last changed.
    pub modified: Option<SystemTime>,
    /// The media type that the storage keeps.
    pub content_type: Option<String>,
    /// The bytes: exactly as many as `range` says, or an error.
    pub body: BodyStream,
}

/// Bytes of a file, in pieces.
pub type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

impl std::fmt::Debug for Reading {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Reading")
            .field("size", &self.size)
            .field("range", &self.range)
            .field("etag", &self.etag)
            .finish_non_exhaustive()
    }
}

pub(crate) async fn read(pool: &Arc<Pool>, path: &Path, request: ReadRequest) -> Result<Reading> {
    let options = ReadOptions {
        audience: Audience::Host,
        range: request.range,
        filename: None,
        expires: None,
    };
    match pool.read(path, &options).await? {
        Content::Link(link) => {
            // Counted before its answer is there: of a thousand that come at once, each must know of the others.
            let reader = pool.network().reader();
            let answer = perform(pool, link, request.range, request.etag.as_deref(), 0).await?;
            let head =
                Head::read(pool, path, answer.status, &answer.headers, request.range).await?;
            let source = body::Source {
                pool: Arc::clone(pool),
                path: path.clone(),
                etag: head.etag.clone().filter(|etag| !etag.starts_with("W/")),
                _reader: reader,
            };
            let body = body::resuming(source, answer.body, head.range.clone());
            Ok(Reading {
                size: head.size,
                range: head.range,
                etag: head.etag,
                modified: head.modified,
                content_type: head.content_type,
                body,
            })
        }
        Content::Stream(bytes) => {
            let entry = pool.stat(path, Some(Kind::File)).await?;
            if request.etag.is_some() && request.etag != entry.etag {
                return Err(Outcome::PreconditionFailed.into());
            }
            let range = resolve(request.range, entry.size);
            let body = body::exactly(
                bytes.map(|piece| piece.map_err(Error::from)),
                range.end - range.start,
            );
            Ok(Reading {
                size: entry.size,
                range,
                etag: entry.etag,
                modified: entry.modified,
                content_type: entry.content_type,
                body,
            })
        }
    }
}

/// Sends the request that a link stands for.
async fn perform(
    pool: &Pool,
    link: Link,
    range: Option<ByteRange>,
    etag: Option<&str>,
    attempt: u32,
) -> Result<Answer> {
    let (url, mut headers) = match link {
        Link::Shareable(link) => (link.url, Vec::new()),
        Link::HostOnly(request) => (request.url, request.headers),
    };
    if let Some(range) = range {
        let last = range
            .length
            .map(|length| range.offset.saturating_add(length.max(1) - 1).to_string())
            .unwrap_or_default();
        headers.push(("range".to_owned(), format!("bytes={}-{last}", range.offset)));
    }
    if let Some(etag) = etag {
        headers.push(("if-match".to_owned(), etag.to_owned()));
    }
    let outgoing = Outgoing {
        method: "GET".to_owned(),
        url,
        headers,
        body: reqwest::Body::default(),
        length: Some(0),
        activity: Activity::default(),
        attempt,
    };
    let answer = pool.network().perform(outgoing).await?;
    match answer.status {
        200 | 206 => Ok(answer),
        status => Err(refusal(status, &answer.headers).into()),
    }
}

/// What a storage means by answering a GET with anything but bytes.
fn refusal(status: u16, headers: &HeaderMap) -> Outcome {
    match status {
        // The file is not the one that was asked for, or has become shorter than the range.
        412 | 416 => Outcome::PreconditionFailed,
        status => network::refusal(status, headers, "read the file"),
    }
}

/// What the head of an answer tells of the file.
struct Head {
    size: u64,
    range: Range<u64>,
    etag: Option<String>,
    modified: Option<SystemTime>,
    content_type: Option<String>,
}

impl Head {
    async fn read(
        pool: &Pool,
        path: &Path,
        status: u16,
        headers: &HeaderMap,
        asked: Option<ByteRange>,
    ) -> Result<Self> {
        let length =
            text(headers, header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
        let (range, size) = match (status, length) {
            (206, _) => {
                let start = asked.map_or(0, |asked| asked.offset);
                text(headers, header::CONTENT_RANGE)
                    .and_then(content_range)
                    .filter(|(range, _)| range.start == start)
                    .ok_or_else(|| {
                        Outcome::Unavailable(
                            "the storage answered with other bytes than asked for".to_owned(),
                        )
                    })?
            }
            (_, Some(size)) => (0..size, size),
            (_, None) => {
                let size = pool.stat(path, Some(Kind::File)).await?.size;
                (0..size, size)
            }
        };
        Ok(Self {
            size,
            range,
            etag: text(headers, header::ETAG).map(str::to_owned),
            modified: text(headers, header::LAST_MODIFIED)
                .and_then(|text| httpdate::parse_http_date(text).ok()),
            content_type: text(headers, header::CONTENT_TYPE).map(str::to_owned),
        })
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Reads `bytes 0-9/100` (RFC 9110 §14.4).
fn content_range(text: &str) -> Option<(Range<u64>, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, size): (u64, u64, u64) =
        (first.parse().ok()?, last.parse().ok()?, size.parse().ok()?);
    (first <= last && last < size).then_some((first..last + 1, size))
}

/// The bytes of a file of some size that a range stands for.
fn resolve(range: Option<ByteRange>, size: u64) -> Range<u64> {
    let Some(range) = range else {
        return 0..size;
    };
    let start = range.offset.min(size);
    let end = range
        .length
        .map_or(size, |length| start.saturating_add(length).min(size));
    start..end
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn content_ranges() {
        assert_eq!(content_range("bytes 0-9/100"), Some((0..10, 100)));
        assert_eq!(content_range("bytes 99-99/100"), Some((99..100, 100)));
        for bad in [
            "bytes 9-0/100",
            "bytes 0-100/100",
            "bytes */100",
            "bytes 0-9/*",
            "items 0-9/10",
            "",
        ] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }

    #[test]
    fn ranges_stay_inside_the_file() {
        let range = |offset, length| Some(ByteRange { offset, length });
        assert_eq!(resolve(None, 10), 0..10);
        assert_eq!(resolve(range(3, None), 10), 3..10);
        assert_eq!(resolve(range(3, Some(4)), 10), 3..7);
        assert_eq!(resolve(range(3, Some(u64::MAX)), 10), 3..10);
        assert_eq!(resolve(range(30, Some(1)), 10), 10..10);
    }

    #[test]
    fn refusals_are_told_apart() {
        let none = HeaderMap::new();
        assert_eq!(refusal(404, &none), Outcome::NotFound);
        assert_eq!(refusal(412, &none), Outcome::PreconditionFailed);
        assert_eq!(refusal(503, &none), Outcome::RateLimited(None));
        let mut later = HeaderMap::new();
        later.insert(header::RETRY_AFTER, header::HeaderValue::from_static("7"));
        assert_eq!(
            refusal(429, &later),
            Outcome::RateLimited(Some(Duration::from_secs(7)))
        );
        assert!(matches!(refusal(500, &none), Outcome::Unavailable(_)));
        assert!(matches!(refusal(301, &none), Outcome::Unavailable(_)));
    }
}
