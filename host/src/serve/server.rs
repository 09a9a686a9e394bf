//! Listening, serving connections, and stopping without breaking off what is under way.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::Router;
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};
use tower::Service as _;

use super::{ServeOptions, client::Peer, routes, site::Site};
use crate::{Namespace, state::State, tasks::Tasks};

/// How long a client may take over the head of a request, the first one included.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long to wait after the system refused a connection, commonly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// The most bytes in the headers of a request over HTTP/2. HTTP/1 has 100 headers and 400 KiB at most.
const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// Streams at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 250;

/// Why serving could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address is taken, not this machine's, or not allowed.
    #[error("cannot listen on {address}; choose another with `listen`")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// The front doors, not yet open.
#[derive(Debug)]
pub struct Server {
    router: Router,
    tasks: Tasks,
    options: ServeOptions,
}

impl Server {
    /// A server of this namespace.
    pub fn new(namespace: Namespace, state: State, options: ServeOptions) -> Self {
        let site = Arc::new(Site::new(namespace, state, options.clone()));
        Self {
            tasks: site.tasks.clone(),
            router: routes::over(site),
            options,
        }
    }

    /// Takes the address. From now on clients can connect; they are answered once the server runs.
    ///
    /// # Errors
    /// [`ServeError::Bind`] if the system refuses the address.
    pub async fn bind(self) -> Result<Bound, ServeError> {
        let address = self.options.listen;
        let listen = async {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            io::Result::Ok((listener, address))
        };
        let (listener, address) = listen
            .await
            .map_err(|source| ServeError::Bind { address, source })?;
        Ok(Bound {
            listener,
            address,
            router: self.router,
            tasks: self.tasks,
            grace: self.options.grace,
        })
    }
}

/// A server that holds its address.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    tasks: Tasks,
    grace: Duration,
}

impl Bound {
    /// The address it listens on, with the real port if 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is ready. Then it takes no more connections, lets requests in flight and the steps
    /// of tasks finish for [`ServeOptions::grace`], and closes what is left.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let Self {
            listener,
            router,
            tasks,
            grace,
            ..
        } = self;
        tasks.begin();
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, address)) => {
                        let peer = Peer { address: Some(address.ip()), is_secure: false };
                        connections.spawn(connection(stream, peer, router.clone(), graceful.watcher()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection was not accepted");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        tasks.stop();
        tracing::debug!(
            connections = connections.len(),
            "finishing what is in flight"
        );
        let ending = futures::future::join(graceful.shutdown(), tasks.stopped());
        if timeout(grace, ending).await.is_err() {
            tracing::warn!(
                connections = connections.len(),
                "ending what did not finish in time"
            );
        }
        connections.shutdown().await;
    }
}

async fn connection(stream: TcpStream, peer: Peer, router: Router, watcher: Watcher) {
    // Answers are written whole; waiting to fill a packet only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let has_begun = Arc::new(AtomicBool::new(false));
    let begun = Arc::clone(&has_begun);
    let service = service_fn(move |mut request: http::Request<_>| {
        begun.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(peer);
        router.clone().call(request)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADER_BYTES)
        .keep_alive_interval(HEADER_TIMEOUT)
        .keep_alive_timeout(HEADER_TIMEOUT);
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    let mut serving = pin!(watcher.watch(serving.into_owned()));
    // Until the first bytes tell HTTP/1 from HTTP/2, hyper itself waits for ever.
    let result = tokio::select! {
        result = &mut serving => result,
        () = sleep(HEADER_TIMEOUT) => {
            if !has_begun.load(Ordering::Relaxed) {
                return;
            }
            serving.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}
