//! Streams of bytes across the sandbox's wall.

use std::{
    any::{Any, TypeId},
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::PollSender;
use wasmtime::{
    StoreContextMut,
    component::{
        Destination, FutureConsumer, FutureReader, Source, StreamConsumer, StreamProducer,
        StreamReader, StreamResult,
    },
};

use super::{bindings::orlop::driver::types, context::Context};
use crate::{Outcome, network::AnswerBody};

/// Bytes copied out of the guest at a time: large enough that the hand-over does not count, small enough that
/// no guest makes the host allocate much.
const COPY: usize = 256 * 1024;
/// Pieces that wait for a slow reader.
const PIECES: usize = 4;

/// Bytes that a guest makes, as the host reads them.
pub(crate) type GuestBytes = Pin<Box<dyn Stream<Item = Result<Bytes, Outcome>> + Send>>;

/// The result that follows a stream: whether it was whole.
type Trailing = Result<(), types::Error>;

/// Lends a service's body to a guest: a stream, and a future that tells whether it was whole.
pub(super) fn lend(
    mut store: StoreContextMut<'_, Context>,
    body: AnswerBody,
) -> wasmtime::Result<(StreamReader<u8>, FutureReader<Trailing>)> {
    let (ended, end) = oneshot::channel();
    let producer = Producer {
        body,
        ended: Some(ended),
    };
    let stream = StreamReader::new(&mut store, producer)?;
    let trailing = FutureReader::new(&mut store, async move {
        // The sender goes away without a word only if nobody read to the end.
        wasmtime::error::Ok(end.await.unwrap_or(Ok(())))
    })?;
    Ok((stream, trailing))
}

/// Takes a stream and its trailing result from a guest. A stream that the host lent comes back as it was,
/// without its bytes having been in the guest.
pub(super) fn take(
    mut store: StoreContextMut<'_, Context>,
    stream: StreamReader<u8>,
    trailing: FutureReader<Trailing>,
) -> wasmtime::Result<GuestBytes> {
    let stream = match stream.try_into::<Producer>(&mut store) {
        Ok(producer) => {
            let mut trailing = trailing;
            trailing.close(&mut store)?;
            return Ok(Box::pin(producer.body));
        }
        Err(stream) => stream,
    };
    let pieces = pipe(&mut store, stream)?;
    let (sender, whole) = oneshot::channel();
    trailing.pipe(&mut store, TrailingConsumer(Some(sender)))?;
    let end = futures::stream::once(async move {
        match whole.await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(Err(Outcome::from(error))),
            Err(_) => Some(Err(Outcome::Unavailable(
                "the driver stopped half way".to_owned(),
            ))),
        }
    });
    Ok(Box::pin(
        pieces.map(Ok).chain(end.filter_map(std::future::ready)),
    ))
}

/// Takes a stream without a trailing result from a guest: the body of a request.
pub(super) fn pipe(
    store: &mut StoreContextMut<'_, Context>,
    stream: StreamReader<u8>,
) -> wasmtime::Result<impl Stream<Item = Bytes> + Send + use<>> {
    let (sender, mut receiver) = mpsc::channel(PIECES);
    stream.pipe(store, PieceConsumer(PollSender::new(sender)))?;
    Ok(futures::stream::poll_fn(move |context| {
        receiver.poll_recv(context)
    }))
}

struct Producer {
    body: AnswerBody,
    ended: Option<oneshot::Sender<Trailing>>,
}

impl Producer {
    fn end(&mut self, whole: Trailing) -> Poll<wasmtime::Result<StreamResult>> {
        if let Some(ended) = self.ended.take() {
            // A guest that dropped the future does not want to know.
            let _ = ended.send(whole);
        }
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

impl StreamProducer<Context> for Producer {
    type Item = u8;
    type Buffer = Bytes;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
        mut store: StoreContextMut<'a, Context>,
        mut destination: Destination<'a, u8, Bytes>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        store.data_mut().cpu.reset();
        if destination.remaining(&mut store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        match self.body.poll_next_unpin(context) {
            Poll::Ready(Some(Ok(frame))) => {
                destination.set_buffer(frame);
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Ready(Some(Err(outcome))) => self.end(Err(outcome.into())),
            Poll::Ready(None) => self.end(Ok(())),
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn try_into(me: Pin<Box<Self>>, wanted: TypeId) -> Result<Box<dyn Any>, Pin<Box<Self>>> {
        if wanted == TypeId::of::<Self>() {
            let me: Box<Self> = Pin::into_inner(me);
            Ok(me)
        } else {
            Err(me)
        }
    }
}

struct PieceConsumer(PollSender<Bytes>);

impl StreamConsumer<Context> for PieceConsumer {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
        mut store: StoreContextMut<Context>,
        source: Source<'_, u8>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        store.data_mut().cpu.reset();
        match self.0.poll_reserve(context) {
            Poll::Ready(Ok(())) => {}
            // Nobody reads any more.
            Poll::Ready(Err(_)) => return Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => return Poll::Pending,
        }
        let mut source = source.as_direct(store);
        let bytes = source.remaining();
        let (taken, _) = bytes.split_at(bytes.len().min(COPY));
        let taken = Bytes::copy_from_slice(taken);
        source.mark_read(taken.len());
        if taken.is_empty() || self.0.send_item(taken).is_ok() {
            Poll::Ready(Ok(StreamResult::Completed))
        } else {
            Poll::Ready(Ok(StreamResult::Dropped))
        }
    }
}

struct TrailingConsumer(Option<oneshot::Sender<Trailing>>);

impl FutureConsumer<Context> for TrailingConsumer {
    type Item = Trailing;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _context: &mut TaskContext<'_>,
        store: StoreContextMut<Context>,
        mut source: Source<'_, Trailing>,
        _finish: bool,
    ) -> Poll<wasmtime::Result<()>> {
        let mut value = None;
        source.read(store, &mut value)?;
        if let (Some(sender), Some(value)) = (self.0.take(), value) {
            // A reader that has gone away does not want to know.
            let _ = sender.send(value);
        }
        Poll::Ready(Ok(()))
    }
}
