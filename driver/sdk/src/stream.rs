//! Bytes that come in pieces.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures::stream::{self, Stream};

use crate::{Error, Result, bindings::orlop::driver::types};

/// A stream of bytes whose last item is an error if it broke off.
///
/// A stream that the host lent and nobody has polled goes back to the host as a handle, without its
/// bytes passing through the sandbox.
pub struct ByteStream(State);

type Pieces = Pin<Box<dyn Stream<Item = Result<Vec<u8>>>>>;

/// A stream of the host's and the future that tells whether it is whole.
pub(crate) type Handles = (
    wit_bindgen::StreamReader<u8>,
    wit_bindgen::FutureReader<Result<(), types::Error>>,
);

enum State {
    Made(Pieces),
    Lent(Option<Handles>),
}

/// Bytes to ask the host for at a time: large enough that the calls do not count.
const READ_SIZE: usize = 256 * 1024;

impl ByteStream {
    /// A stream of pieces that the driver makes.
    pub fn new(pieces: impl Stream<Item = Result<Vec<u8>>> + 'static) -> Self {
        Self(State::Made(Box::pin(pieces)))
    }

    pub(crate) fn lent(handles: Handles) -> Self {
        Self(State::Lent(Some(handles)))
    }

    /// The host's own handles, if it lent this stream and nobody polled it; else the stream again.
    #[doc(hidden)]
    pub fn into_handles(self) -> Result<Handles, Self> {
        match self.0 {
            State::Lent(Some(handles)) => Ok(handles),
            state => Err(Self(state)),
        }
    }
}

impl Stream for ByteStream {
    type Item = Result<Vec<u8>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let State::Lent(handles) = &mut self.0 {
            let Some(handles) = handles.take() else {
                return Poll::Ready(None);
            };
            self.0 = State::Made(Box::pin(read(handles)));
        }
        match &mut self.0 {
            State::Made(pieces) => pieces.as_mut().poll_next(context),
            State::Lent(_) => Poll::Ready(None),
        }
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ByteStream").finish_non_exhaustive()
    }
}

fn read(handles: Handles) -> impl Stream<Item = Result<Vec<u8>>> {
    stream::unfold(Some(handles), |handles| async move {
        let (mut body, trailing) = handles?;
        let (_, piece) = body.read(Vec::with_capacity(READ_SIZE)).await;
        if !piece.is_empty() {
            return Some((Ok(piece), Some((body, trailing))));
        }
        drop(body);
        match trailing.await {
            Ok(()) => None,
            Err(error) => Some((Err(Error::from(error)), None)),
        }
    })
}
