use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::server::front::Front;

/// How much is read ahead of an upload, in bytes: large enough that its chunks stay few.
const READ_AHEAD: usize = 1024 * 1024;

/// What may wait in the kernel for its turn to be sent, in bytes.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 128 << 10;

/// Serves a connection until the client closes it or the server stops.
pub(super) async fn serve(
    stream: TcpStream,
    front: Arc<Front>,
    mut stopped: watch::Receiver<bool>,
) {
    // Only costs latency when it fails.
    let _ = stream.set_nodelay(true);
    // A thousand readers who hold still are no reason to fill this machine's memory for sockets.
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
    let link = Arc::new(Link::default());
    let connection = Connection {
        stream,
        link: Arc::clone(&link),
    };
    let service = service_fn(|request| {
        let front = Arc::clone(&front);
        let link = Arc::clone(&link);
        async move { front.answer(request, link).await }
    });
    let mut builder = http1::Builder::new();
    builder.header_read_timeout(None).max_buf_size(READ_AHEAD);
    let mut served = pin!(builder.serve_connection(TokioIo::new(connection), service));
    // That a client went away, or was cut off, is what tests do.
    tokio::select! {
        _ = served.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}

/// How a request handler breaks the connection that it serves.
#[derive(Debug, Default)]
pub(super) struct Link {
    cut: AtomicBool,
    reset: AtomicBool,
}

impl Link {
    /// Closes the connection once all that was written is on its way.
    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::Release);
    }

    /// Makes the end of the connection a reset.
    pub(super) fn reset(&self) {
        self.reset.store(true, Ordering::Release);
    }
}

/// A TCP connection that its [`Link`] can break.
struct Connection {
    stream: TcpStream,
    link: Arc<Link>,
}

impl Connection {
    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.get_mut().stream)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.link.reset.load(Ordering::Acquire) {
            // Closing a socket that does not linger sends RST instead of FIN.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write(cx, bytes)
    }

    /// Called when hyper's own buffers are empty, so this is where a cut loses nothing.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.link.cut.load(Ordering::Acquire) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
