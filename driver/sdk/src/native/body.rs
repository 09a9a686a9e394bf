//! Bodies of requests.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{SinkExt, StreamExt, channel::mpsc};
use http_body::{Body, Frame, SizeHint};

use crate::ByteStream;

/// Bytes in pieces that are sent as they lie, without being joined.
#[derive(Debug)]
pub(crate) struct Rope {
    pieces: VecDeque<Bytes>,
    left: u64,
}

impl Rope {
    /// A rope of these pieces, `size` bytes in all.
    pub(crate) fn new(pieces: &[Bytes], size: u64) -> Self {
        Self {
            pieces: pieces.iter().cloned().collect(),
            left: size,
        }
    }
}

impl Body for Rope {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.pop_front();
        self.left -= piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// A body that a driver makes as it goes. The stream stays on its thread, so a task there hands the pieces
/// over.
pub(crate) fn of_stream(mut stream: ByteStream) -> reqwest::Body {
    let (mut sender, receiver) = mpsc::channel(1);
    tokio::task::spawn_local(async move {
        while let Some(piece) = stream.next().await {
            // Nobody reads any more.
            if sender.send(piece).await.is_err() {
                return;
            }
        }
    });
    reqwest::Body::wrap_stream(receiver)
}
