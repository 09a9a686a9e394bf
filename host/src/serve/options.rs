//! What an operator may set about the servers.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use super::{ListenAddress, Origins, TlsFiles, TrustedProxies, Users};
use crate::Access;

/// How to serve a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServeOptions {
    /// Where to listen.
    pub listen: Vec<ListenAddress>,
    /// Who may use the socket files, as file modes have it.
    pub socket_mode: u32,
    /// The certificate for connections over a network; without, they are in the clear.
    pub tls: Option<TlsFiles>,
    /// Connections at once; more wait until one ends.
    pub max_connections: usize,
    /// How long clients may take.
    pub patience: Patience,
    /// The name that the page shows.
    pub name: String,
    /// The version that the page shows.
    pub version: String,
    /// What callers may do who do not say who they are.
    pub anonymous: Access,
    /// Who may log in. Without any, names and passwords are not looked at.
    pub users: Users,
    /// The proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count.
    pub trusted_proxies: TrustedProxies,
    /// The origins whose pages may use the doors as our own page does.
    pub cors_origins: Origins,
    /// The folder for bytes of resumable uploads that are not yet with the storage; without, one that is gone when the
    /// process ends. It counts when the server is made.
    pub spool: Option<PathBuf>,
    /// How long requests in flight may take to finish once the server is told to stop.
    pub grace: Duration,
}

/// How long clients may take before their connection is closed. None of it limits how long a transfer takes
/// that gets on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Patience {
    /// For the head of a request, the first one included, and between requests.
    pub idle: Duration,
    /// For the next bytes of a request's body.
    pub body: Duration,
    /// Without taking any bytes of an answer.
    pub write: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(30),
            body: Duration::from_secs(60),
            write: Duration::from_secs(120),
        }
    }
}

impl Patience {
    /// Waits this long for a request.
    #[must_use]
    pub fn with_idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// Waits this long for more of a request's body.
    #[must_use]
    pub fn with_body(mut self, body: Duration) -> Self {
        self.body = body;
        self
    }

    /// Waits this long for a client to take more of an answer.
    #[must_use]
    pub fn with_write(mut self, write: Duration) -> Self {
        self.write = write;
        self
    }
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 5244)).into()],
            // The server's user and group: a proxy before it is put into the group.
            socket_mode: 0o660,
            tls: None,
            max_connections: 4096,
            patience: Patience::default(),
            name: "Orlop".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            anonymous: Access::full(),
            users: Users::default(),
            trusted_proxies: TrustedProxies::default(),
            cors_origins: Origins::default(),
            spool: None,
            // Below the 30 s that service managers commonly wait before they kill.
            grace: Duration::from_secs(25),
        }
    }
}

impl ServeOptions {
    /// Listens at these addresses.
    #[must_use]
    pub fn with_listen(mut self, listen: impl IntoIterator<Item = ListenAddress>) -> Self {
        self.listen = listen.into_iter().collect();
        self
    }

    /// Gives socket files this mode.
    #[must_use]
    pub fn with_socket_mode(mut self, mode: u32) -> Self {
        self.socket_mode = mode;
        self
    }

    /// Proves its name by this certificate.
    #[must_use]
    pub fn with_tls(mut self, tls: Option<TlsFiles>) -> Self {
        self.tls = tls;
        self
    }

    /// Takes so many connections at once.
    #[must_use]
    pub fn with_max_connections(mut self, max_connections: usize) -> Self {
        self.max_connections = max_connections;
        self
    }

    /// Gives clients this much time.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Shows this name on the page.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Shows this version on the page.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Lets callers who do not say who they are do this.
    #[must_use]
    pub fn with_anonymous(mut self, anonymous: Access) -> Self {
        self.anonymous = anonymous;
        self
    }

    /// Lets these users log in.
    #[must_use]
    pub fn with_users(mut self, users: Users) -> Self {
        self.users = users;
        self
    }

    /// Believes these proxies who their clients are.
    #[must_use]
    pub fn with_trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.trusted_proxies = proxies;
        self
    }

    /// Lets pages of these origins use the doors.
    #[must_use]
    pub fn with_cors_origins(mut self, origins: Origins) -> Self {
        self.cors_origins = origins;
        self
    }

    /// Keeps bytes of resumable uploads in this folder.
    #[must_use]
    pub fn with_spool(mut self, spool: Option<PathBuf>) -> Self {
        self.spool = spool;
        self
    }

    /// Gives requests in flight this long to finish.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }
}
