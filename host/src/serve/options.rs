//! What an operator may set about the servers.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use super::{TrustedProxies, Users};
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
    /// Who may log in. Without any, names and passwords are not looked at.
    pub users: Users,
    /// The proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count.
    pub trusted_proxies: TrustedProxies,
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
            users: Users::default(),
            trusted_proxies: TrustedProxies::default(),
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

    /// Gives requests in flight this long to finish.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }
}
