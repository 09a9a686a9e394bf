//! Listening, accepting, stopping.

mod auth;
mod body;
mod connection;
mod digest;
mod front;
mod host;
mod intake;
mod paced;
mod refusal;
mod respond;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::backend::Backend;
use crate::faults::Faults;
use crate::options::Options;
use crate::requests::Requests;
use crate::server::auth::OneKey;
use crate::server::connection::serve;
use crate::server::front::Front;
use crate::server::host::SubdomainHost;
use crate::store::Store;

/// The region of a server that was given none.
const DEFAULT_REGION: &str = "us-east-1";

/// How long [`Server::stop`] lets clients take to read the answers that are under way.
const GRACE: Duration = Duration::from_secs(5);

/// An S3 server on 127.0.0.1. It also stops when it is dropped, but then nobody knows when.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    store: Arc<Store>,
    requests: Requests,
    faults: Faults,
    under_way: Arc<AtomicUsize>,
    stopping: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The port is not to be had.
    #[error("cannot listen on 127.0.0.1:{port}, choose another port or 0 for any free one")]
    Listen {
        /// The port of the options.
        port: u16,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl Server {
    /// Starts a server with a store of its own, on the current tokio runtime.
    ///
    /// # Errors
    /// [`StartError::Listen`] if the port is taken.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let store = Arc::new(Store::new(options.etag, options.min_part_size));
        Self::start_over(store, options).await
    }

    /// Starts a server over a store that exists, such as the one of a server that was stopped.
    /// The options' `etag` and `min_part_size` then have no effect.
    ///
    /// # Errors
    /// [`StartError::Listen`] if the port is taken.
    pub async fn start_over(store: Arc<Store>, options: Options) -> Result<Self, StartError> {
        for bucket in &options.buckets {
            store.create_bucket(bucket);
        }
        let port = options.port;
        let failed = |source| StartError::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;

        let requests = Requests::default();
        let faults = Faults::default();
        let under_way = Arc::default();
        let front = front(
            Arc::clone(&store),
            &options,
            requests.clone(),
            faults.clone(),
            Arc::clone(&under_way),
        );
        let (stopping, stopped) = watch::channel(false);
        Ok(Self {
            address,
            store,
            requests,
            faults,
            under_way,
            stopping,
            accepting: tokio::spawn(accept(listener, Arc::new(front), stopped)),
        })
    }

    /// The server's URL without a slash at the end, for path-style requests. As
    /// `http://BUCKET.s3.localhost:PORT` it serves virtual-host-style requests.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The objects.
    pub fn store(&self) -> Arc<Store> {
        Arc::clone(&self.store)
    }

    /// The requests that have come.
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// The faults to inject.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// How many answers have a body that is not all sent, and whose connection is not known to be gone.
    pub fn bodies_under_way(&self) -> usize {
        self.under_way.load(Ordering::Acquire)
    }

    /// Frees the port, releases all gates, lets answers that are under way finish for at most five
    /// seconds, and closes all connections.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        self.faults.clear();
        // The task only fails if the runtime is going down, which closes everything as well.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn front(
    store: Arc<Store>,
    options: &Options,
    requests: Requests,
    faults: Faults,
    under_way: Arc<AtomicUsize>,
) -> Front {
    let region = options.region.clone();
    let backend = Backend::new(
        store,
        region.clone().unwrap_or_else(|| DEFAULT_REGION.to_owned()),
        options.quirks.clone(),
    );
    let mut builder = S3ServiceBuilder::new(backend);
    builder.set_host(SubdomainHost);
    if let Some(credentials) = options.credentials.clone() {
        builder.set_auth(OneKey(credentials));
    }
    Front {
        s3: builder.build(),
        requests,
        faults,
        quirks: options.quirks.clone(),
        region,
        anonymous: options.credentials.is_none(),
        bytes_per_second: options.bytes_per_second,
        under_way,
    }
}

/// Accepts connections until told to stop, then sees them to their end. Dropping the future closes
/// them at once.
async fn accept(listener: TcpListener, front: Arc<Front>, stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let mut told_to_stop = stopped.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A client that is gone before it is accepted is none of the server's business.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, Arc::clone(&front), stopped.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
            _ = told_to_stop.wait_for(|stopped| *stopped) => break,
        }
    }
    drop(listener);
    let all_done = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, all_done).await.is_err() {
        connections.shutdown().await;
    }
}
