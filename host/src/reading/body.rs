//! Bodies that hold what they promise.

use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};

use super::{
    BodyStream,
    ahead::{Ahead, BLOCK, Block},
    pace::{Pace, Seen},
    perform,
};
use crate::{
    Audience, ByteRange, Error, Outcome, Path, ReadOptions, Result,
    network::AnswerBody,
    sandbox::{Pool, calls::Content},
};

/// Attempts to go on after a break without a single byte in between.
const ATTEMPTS: u32 = 3;

/// How long a body is watched before it is decided whether one connection is enough.
const WINDOW: Duration = Duration::from_millis(500);
/// How long several are tried.
const TRIAL: Duration = Duration::from_secs(2);
/// How much faster several must be.
const GAIN: f64 = 1.25;
/// What must be left for it to be worth while, in bytes.
const LEAST: u64 = 16 << 20;
/// A connection that brings so many bytes in a second is not what a download waits for.
const FAST: f64 = 100e6;
/// With more downloads than this on a mount, they are each other's parallel connections.
const FEW: usize = 8;

/// Where the bytes come from, should they have to be asked for again.
pub(super) struct Source {
    pub(super) pool: Arc<Pool>,
    pub(super) path: Path,
    /// The strong entity tag that the rest must have; without one, nobody can tell whether it belongs.
    pub(super) etag: Option<String>,
    /// Counts this download as long as it is under way.
    pub(super) _reader: Arc<()>,
}

/// Where the next bytes come from.
enum Flow {
    Answer(AnswerBody),
    Block(Block),
    /// From nowhere yet: they have to be asked for.
    Nothing,
}

struct State {
    source: Arc<Source>,
    flow: Flow,
    /// Where the flow ends.
    until: u64,
    /// What is still to come.
    range: Range<u64>,
    pace: Pace,
    stage: Stage,
    ahead: Ahead,
    attempts: u32,
    failed: bool,
}

/// How a body is read: over one connection, until it is known to be slower than the client.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// Over one connection.
    Single,
    /// Over several, to see whether that is faster than this many bytes in a second.
    Trying(f64),
    /// Over several, since it is.
    Parallel,
    /// Over one, since several are no faster.
    Settled,
}

/// A body that asks for the rest when the connection breaks, and for more at once when one connection is slow.
pub(super) fn resuming(source: Source, body: AnswerBody, range: Range<u64>) -> BodyStream {
    let state = State {
        source: Arc::new(source),
        flow: Flow::Answer(body),
        until: range.end,
        range,
        pace: Pace::new(WINDOW),
        stage: Stage::Single,
        ahead: Ahead::default(),
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

impl Flow {
    async fn next(&mut self) -> Option<Result<Bytes>> {
        match self {
            Self::Answer(body) => Some(body.next().await?.map_err(Error::from)),
            Self::Block(block) => block.next().await,
            Self::Nothing => None,
        }
    }
}

impl State {
    async fn next(&mut self) -> Result<Bytes> {
        let began = Instant::now();
        loop {
            if self.range.start == self.until {
                self.turn();
            }
            let broken = match self.flow.next().await {
                Some(Ok(mut piece)) => {
                    let room = usize::try_from(self.until - self.range.start).unwrap_or(usize::MAX);
                    piece.truncate(room);
                    self.range.start += piece.len() as u64;
                    self.attempts = 0;
                    let now = Instant::now();
                    if let Some(seen) = self.pace.note(piece.len(), now - began, now) {
                        self.decide(seen);
                    }
                    return Ok(piece);
                }
                Some(Err(error)) => error,
                None => {
                    Outcome::Unavailable("the storage ended the file before its end".to_owned())
                        .into()
                }
            };
            self.attempts += 1;
            if self.source.etag.is_none() || self.attempts > ATTEMPTS || is_final(&broken) {
                return Err(broken);
            }
            tracing::debug!(reason = %broken, "a body broke off, asking for the rest");
            match self
                .source
                .rest(self.range.start..self.until, self.attempts)
                .await
            {
                Ok(body) => self.flow = Flow::Answer(body),
                Err(error) if is_final(&error) => return Err(error),
                Err(_) => self.flow = Flow::Nothing,
            }
        }
    }

    /// The flow is at its end: on to the next block, or back to one connection for all that is left.
    fn turn(&mut self) {
        (self.flow, self.until) = match self.ahead.take() {
            Some(block) => {
                let end = block.end;
                (Flow::Block(block), end)
            }
            None => (Flow::Nothing, self.range.end),
        };
        if matches!(self.stage, Stage::Trying(_) | Stage::Parallel) {
            self.ahead.fill(&self.source, self.until, self.range.end);
        }
    }

    fn decide(&mut self, seen: Seen) {
        match self.stage {
            Stage::Single => {
                let left = self.range.end - self.range.start;
                let is_worth_it = seen.is_starved
                    && seen.rate < FAST
                    && left >= LEAST
                    && self.source.etag.is_some()
                    && self.source.readers() <= FEW;
                if is_worth_it {
                    // The one that is open goes on for a block, while those behind it are fetched.
                    self.until = self.range.start + BLOCK;
                    self.ahead.fill(&self.source, self.until, self.range.end);
                    self.stage = Stage::Trying(seen.rate);
                    self.pace = Pace::new(TRIAL);
                }
            }
            Stage::Trying(before) if seen.rate >= before * GAIN => self.stage = Stage::Parallel,
            // A client that has become slow tells nothing about the storage.
            Stage::Trying(_) if seen.is_starved => self.stage = Stage::Settled,
            Stage::Trying(_) | Stage::Parallel | Stage::Settled => {}
        }
    }
}

/// Another version has no rest of this one, and a lost file has none at all.
fn is_final(error: &Error) -> bool {
    matches!(
        error,
        Error::Outcome(Outcome::PreconditionFailed | Outcome::NotFound)
    )
}

impl Source {
    /// Downloads that are under way on the mount, this one included.
    fn readers(&self) -> usize {
        self.pool.network().readers()
    }

    /// Asks for a part of the same version, after so many attempts in vain.
    pub(super) async fn rest(&self, range: Range<u64>, attempt: u32) -> Result<AnswerBody> {
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
        let answer = perform(
            &self.pool,
            link,
            Some(wanted),
            self.etag.as_deref(),
            attempt,
        )
        .await?;
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
