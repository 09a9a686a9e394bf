//! Listening, changing what is served, and stopping without breaking off what is under way.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    ListenAddress, ServeOptions, TlsError, TlsFiles,
    connection::{self, Welcome},
    front::Front,
    listener::{Listener, Socket},
    routes,
    site::{Shared, Site},
    tls::Tls,
};
use crate::{Namespace, state::State};

/// How long to wait after the system refused a connection, commonly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Why serving could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address is taken, not this machine's, or not allowed.
    #[error("cannot listen on {address}; choose another with `listen`")]
    Bind {
        /// The address asked for.
        address: ListenAddress,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There is no certificate to show.
    #[error("no TLS with `tls_certificate` and `tls_key`")]
    Tls(#[from] TlsError),
}

/// The front doors, not yet open.
#[derive(Debug)]
pub struct Server {
    site: Shared,
    front: Front,
}

impl Server {
    /// A server of this namespace.
    pub fn new(namespace: Namespace, state: State, options: ServeOptions) -> Self {
        let site: Shared = Arc::new(Site::new(namespace, state, options));
        Self {
            front: routes::front(Arc::clone(&site)),
            site,
        }
    }

    /// Takes the addresses. From now on clients can connect; they are answered once the server runs.
    ///
    /// # Errors
    /// [`ServeError::Bind`] if the system refuses an address, [`ServeError::Tls`] for a certificate that cannot
    /// be used.
    pub async fn bind(self) -> Result<Bound, ServeError> {
        let Self { site, front } = self;
        let options = site.view().options;
        let tls = options.tls.as_ref().map(Tls::load).transpose()?;
        let mut listeners = Vec::new();
        for address in &options.listen {
            let bound = Listener::bind(address, options.socket_mode).await;
            listeners.extend(bound.map_err(|source| ServeError::Bind {
                address: address.clone(),
                source,
            })?);
        }
        Ok(Bound {
            site,
            front,
            listeners,
            tls: tls.map(Arc::new),
        })
    }
}

/// A server that holds its addresses.
#[derive(Debug)]
pub struct Bound {
    site: Shared,
    front: Front,
    listeners: Vec<Listener>,
    tls: Option<Arc<Tls>>,
}

/// Changes what a server serves while it runs. Requests that are under way end as they began.
#[derive(Clone, Debug)]
pub struct Reload {
    site: Shared,
    tls: Option<Arc<Tls>>,
}

impl Reload {
    /// Serves this from the next request on. Where it listens stays as it is.
    pub fn serve(&self, namespace: Namespace, options: ServeOptions) {
        self.site.show(namespace, options);
    }

    /// Gives the next connections what the certificate's files hold now.
    ///
    /// # Errors
    /// [`TlsError`] for a certificate that cannot be used: the old one stays.
    pub fn certificate(&self, files: &TlsFiles) -> Result<(), TlsError> {
        match &self.tls {
            Some(tls) => tls.reload(files),
            None => Ok(()),
        }
    }
}

impl Bound {
    /// The first network address that it listens on, with the real port if 0 was asked for; none if it listens
    /// on files alone.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listeners.iter().find_map(Listener::address)
    }

    /// Where clients find it: `http://127.0.0.1:5244/`, `unix:/run/orlop.sock`.
    pub fn urls(&self) -> Vec<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.listeners
            .iter()
            .map(|listener| match listener.address() {
                Some(address) => format!("{scheme}://{address}/"),
                None => listener.to_string(),
            })
            .collect()
    }

    /// What changes it while it runs.
    pub fn reload(&self) -> Reload {
        Reload {
            site: Arc::clone(&self.site),
            tls: self.tls.clone(),
        }
    }

    /// Serves until `shutdown` is ready. Then it takes no more connections, lets requests in flight and the steps
    /// of tasks finish for [`ServeOptions::grace`], and closes what is left.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let Self {
            site,
            front,
            listeners,
            tls,
        } = self;
        site.tasks.begin();
        site.resumables.begin();
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        let open = metrics::gauge!("orlop_connections");
        let mut was_full = false;
        loop {
            let options = site.view().options;
            open.set(connections.len() as f64);
            let is_full = connections.len() >= options.max_connections;
            if is_full && !was_full {
                tracing::warn!(
                    connections = connections.len(),
                    "new connections wait: `max_connections` are open"
                );
            }
            was_full = is_full;
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => {}
                accepted = std::future::poll_fn(|context| accept(&listeners, context)), if !is_full => {
                    match accepted {
                        Ok((socket, peer)) => {
                            let welcome = Welcome {
                                front: front.clone(),
                                patience: options.patience,
                                ending: site.ending.clone(),
                            };
                            // A socket file is on this machine: nobody listens in on it.
                            let tls = peer.and(tls.as_ref()).map(|tls| tls.acceptor());
                            connections.spawn(connection::serve(socket, peer, tls, welcome));
                        }
                        Err(error) => {
                            tracing::warn!(%error, "a connection was not accepted");
                            sleep(ACCEPT_PAUSE).await;
                        }
                    }
                }
            }
        }
        drop(listeners);
        site.ending.cancel();
        site.tasks.stop();
        site.resumables.stop();
        tracing::debug!(
            connections = connections.len(),
            "finishing what is in flight"
        );
        let finished = async {
            while connections.join_next().await.is_some() {}
            site.tasks.stopped().await;
            site.resumables.stopped().await;
        };
        if timeout(site.view().options.grace, finished).await.is_err() {
            tracing::warn!(
                connections = connections.len(),
                "ending what did not finish in time"
            );
        }
        connections.shutdown().await;
        open.set(0.0);
    }
}

fn accept(
    listeners: &[Listener],
    context: &mut Context<'_>,
) -> Poll<io::Result<(Socket, Option<SocketAddr>)>> {
    for listener in listeners {
        if let Poll::Ready(accepted) = listener.poll_accept(context) {
            return Poll::Ready(accepted);
        }
    }
    Poll::Pending
}
