//! One connection, from its first byte to its last.

use std::{
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use http::{Request, Response, Version};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{either::Either, sync::CancellationToken};
use tower::Service as _;

use super::{
    client::Peer,
    front::Front,
    listener::Socket,
    options::Patience,
    pulse::{Paced, Pulse, State},
};

/// The most bytes in the head of a request, and the most that wait in a connection to be written. A signed URL
/// of 16 KiB fits, and a thousand slow clients cost tens of megabytes.
const BUFFER: usize = 32 * 1024;

/// Streams at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 250;

/// The shortest time between two looks at a connection.
const LOOK: Duration = Duration::from_millis(10);

/// What every connection is given.
#[derive(Clone, Debug)]
pub(super) struct Welcome {
    pub(super) front: Front,
    pub(super) patience: Patience,
    /// Tells connections to end with the requests that are under way.
    pub(super) ending: CancellationToken,
}

/// Serves a connection to its end.
pub(super) async fn serve(
    socket: Socket,
    peer: Option<SocketAddr>,
    tls: Option<TlsAcceptor>,
    welcome: Welcome,
) {
    let is_secure = tls.is_some();
    let stream = match tls {
        None => Either::Left(socket),
        Some(acceptor) => {
            let greeting = timeout(welcome.patience.idle, acceptor.accept(socket));
            match welcome.ending.run_until_cancelled(greeting).await {
                Some(Ok(Ok(stream))) => Either::Right(stream),
                Some(Ok(Err(error))) => {
                    tracing::debug!(%error, "a client and we did not agree on TLS");
                    return;
                }
                // Too slow, or too late.
                Some(Err(_)) | None => return,
            }
        }
    };
    let pulse = Arc::new(Pulse::default());
    pulse.begin();
    let Welcome {
        front,
        patience,
        ending,
    } = welcome;
    let beat = Arc::clone(&pulse);
    let origin = Peer {
        address: peer,
        is_secure,
    };
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(origin);
        answer(front.clone(), request, Arc::clone(&beat))
    });
    let stream = Watched {
        stream,
        pulse: Arc::clone(&pulse),
    };
    let builder = builder(&patience);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut is_told = false;
    loop {
        tokio::select! {
            result = serving.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            () = ending.cancelled(), if !is_told => {
                is_told = true;
                serving.as_mut().graceful_shutdown();
            }
            () = sleep(next_look(pulse.state(), &patience)) => match pulse.state() {
                State::Idle(time) if time >= patience.idle + patience.write => return,
                State::Idle(time) if time >= patience.idle && !is_told => {
                    is_told = true;
                    serving.as_mut().graceful_shutdown();
                }
                State::Waiting(time) if time >= patience.write => {
                    tracing::debug!("a client no longer takes what it asked for");
                    return;
                }
                _ => {}
            },
        }
    }
}

async fn answer(
    mut front: Front,
    request: Request<Incoming>,
    pulse: Arc<Pulse>,
) -> Result<Response<Body>, std::convert::Infallible> {
    let turn = pulse.turn(request.version() <= Version::HTTP_11);
    let request = request.map(|body| {
        if http_body::Body::is_end_stream(&body) {
            Body::empty()
        } else {
            Body::new(body)
        }
    });
    let response = front.call(request).await?;
    Ok(response.map(|body| {
        if http_body::Body::is_end_stream(&body) {
            body
        } else {
            Body::new(Paced::new(body, turn))
        }
    }))
}

fn builder(patience: &Patience) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .max_buf_size(BUFFER)
        .header_read_timeout(patience.idle);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(BUFFER as u32)
        .keep_alive_interval(patience.idle)
        .keep_alive_timeout(patience.idle);
    builder
}

/// How long a connection in this state can be left alone.
fn next_look(state: State, patience: &Patience) -> Duration {
    let rest = match state {
        State::Busy => patience.idle,
        State::Idle(time) if time < patience.idle => patience.idle - time,
        State::Idle(time) => (patience.idle + patience.write).saturating_sub(time),
        State::Waiting(time) => patience.write.saturating_sub(time),
    };
    rest.max(LOOK)
}

/// A stream whose writes are signs of life.
#[derive(Debug)]
struct Watched<S> {
    stream: S,
    pulse: Arc<Pulse>,
}

impl<S> Watched<S> {
    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(1..)) = written {
            self.pulse.written();
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
