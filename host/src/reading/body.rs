//! Bodies that hold what they promise.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};

use super::{BodyStream, perform};
use crate::{
    Audience, ByteRange, Error, Outcome, Path, ReadOptions, Result,
    network::AnswerBody,
    sandbox::{Pool, calls::Content},
};

/// Attempts to go on after a break without a single byte in between.
const ATTEMPTS: u32 = 3;

/// Where the bytes come from, should they have to be asked for again.
pub(super) struct Source {
    pub(super) pool: Arc<Pool>,
    pub(super) path: Path,
    /// The strong entity tag that the rest must have; without one, nobody can tell whether it belongs.
    pub(super) etag: Option<String>,
}

struct State {
    source: Source,
    body: AnswerBody,
    /// What is still to come.
    range: Range<u64>,
    attempts: u32,
    failed: bool,
}

/// A body that asks for the rest when the connection breaks.
pub(super) fn resuming(source: Source, body: AnswerBody, range: Range<u64>) -> BodyStream {
    let state = State {
        source,
        body,
        range,
        attempts: 0,
        failed: false,
    };
    Box::pin(stream::unfold(state, |mut state| async move {
        if state.range.is_empty() || state.failed {
            return None;
        }
        let piece = state.next().await;
        state.failed = piece.is_err();
        Some((piece, state))
    }))
}

impl State {
    async fn next(&mut self) -> Result<Bytes> {
        loop {
            let broken = match self.body.next().await {
                Some(Ok(mut piece)) => {
                    let room =
                        usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX);
                    piece.truncate(room);
                    self.range.start += piece.len() as u64;
                    self.attempts = 0;
                    return Ok(piece);
                }
                Some(Err(outcome)) => outcome,
                None => {
                    Outcome::Unavailable("the storage ended the file before its end".to_owned())
                }
            };
            self.attempts += 1;
            if self.source.etag.is_none() || self.attempts > ATTEMPTS {
                return Err(broken.into());
            }
            tracing::debug!(reason = %broken, "a body broke off, asking for the rest");
            match self.source.rest(self.range.clone()).await {
                Ok(body) => self.body = body,
                // Another version has no rest of this one, and a lost file has none at all.
                Err(error @ Error::Outcome(Outcome::PreconditionFailed | Outcome::NotFound)) => {
                    return Err(error);
                }
                Err(_) => {}
            }
        }
    }
}

impl Source {
    async fn rest(&self, range: Range<u64>) -> Result<AnswerBody> {
        let wanted = ByteRange {
            offset: range.start,
            length: Some(range.end - range.start),
        };
        let options = ReadOptions {
            audience: Audience::Host,
            range: Some(wanted),
            filename: None,
            expires: None,
        };
        let Content::Link(link) = self.pool.read(&self.path, &options).await? else {
            return Err(Outcome::Unavailable("the driver changed its mind".to_owned()).into());
        };
        let answer = perform(&self.pool, link, Some(wanted), self.etag.as_deref()).await?;
        let promised = super::text(&answer.headers, http::header::CONTENT_RANGE)
            .and_then(super::content_range);
        match promised {
            Some((promised, _)) if answer.status == 206 && promised == range => Ok(answer.body),
            _ => Err(
                Outcome::Unavailable("the storage cannot go on in the middle".to_owned()).into(),
            ),
        }
    }
}

/// A body of exactly so many bytes: what is more is cut off, what is less is an error.
pub(super) fn exactly(
    pieces: impl Stream<Item = Result<Bytes>> + Send + 'static,
    length: u64,
) -> BodyStream {
    let pieces: BodyStream = Box::pin(pieces);
    Box::pin(stream::unfold(Some((pieces, length)), |state| async move {
        let (mut pieces, left) = state?;
        if left == 0 {
            return None;
        }
        match pieces.next().await {
            Some(Ok(mut piece)) => {
                piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                let left = left - piece.len() as u64;
                Some((Ok(piece), Some((pieces, left))))
            }
            Some(Err(error)) => Some((Err(error), None)),
            None => {
                let short = Outcome::Unavailable(format!("the driver held back {left} bytes"));
                Some((Err(short.into()), None))
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn collect(pieces: &[&'static str], length: u64) -> Vec<Result<Bytes, String>> {
        let pieces: Vec<_> = pieces.iter().map(|text| Ok(Bytes::from(*text))).collect();
        exactly(stream::iter(pieces), length)
            .map(|piece| piece.map_err(|error| error.to_string()))
            .collect()
            .await
    }

    #[tokio::test]
    async fn no_more_and_no_less() {
        assert_eq!(
            collect(&["ab", "cd"], 4).await,
            [Ok("ab".into()), Ok("cd".into())]
        );
        assert_eq!(
            collect(&["ab", "cd"], 3).await,
            [Ok("ab".into()), Ok("c".into())]
        );
        assert_eq!(collect(&["ab"], 0).await, []);
        let short = collect(&["ab"], 3).await;
        assert!(short.last().unwrap().is_err());
    }
}
