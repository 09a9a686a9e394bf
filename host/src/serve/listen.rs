//! Where a server listens.

use std::{fmt, net::SocketAddr, path::PathBuf};

/// Where a server takes connections.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListenAddress {
    /// An address and a port; port 0 takes any free one.
    Tcp(SocketAddr),
    /// A socket file, for programs on this machine.
    Unix(PathBuf),
    /// The sockets that the service manager has opened already, and handed over (`LISTEN_FDS`).
    Inherited,
}

impl ListenAddress {
    /// Whether only this machine can reach it. Nobody knows that of sockets that somebody else opened.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
            Self::Inherited => false,
        }
    }
}

impl From<SocketAddr> for ListenAddress {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
            Self::Inherited => formatter.write_str("systemd"),
        }
    }
}
