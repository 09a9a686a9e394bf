//! What an operator may set about the servers.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use super::Origins;
use crate::Access;

/// How to serve a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServeOptions {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The name that the page shows.
    pub name: String,
    /// The version that the page shows.
    pub version: String,
    /// What callers may do who do not say who they are.
    pub anonymous: Access,
    /// The origins whose pages may use the doors as our own page does.
    pub cors_origins: Origins,
    /// How long requests in flight may take to finish once the server is told to stop.
    pub grace: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 5244).into(),
            name: "Orlop".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            anonymous: Access::full(),
            cors_origins: Origins::default(),
            // Below the 30 s that service managers commonly wait before they kill.
            grace: Duration::from_secs(25),
        }
    }
}

impl ServeOptions {
    /// Listens at this address.
    #[must_use]
    pub fn with_listen(mut self, listen: SocketAddr) -> Self {
        self.listen = listen;
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

    /// Lets pages of these origins use the doors.
    #[must_use]
    pub fn with_cors_origins(mut self, origins: Origins) -> Self {
        self.cors_origins = origins;
        self
    }

    /// Gives requests in flight this long to finish.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }
}
