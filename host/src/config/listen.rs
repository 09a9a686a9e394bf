//! Where the server listens, and who may come in.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    str::FromStr,
};

use orlop::{Access, Rights, serve::Users};

/// An address and port to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listen(pub(crate) SocketAddr);

impl Listen {
    /// Where Orlop listens unless told otherwise.
    pub(crate) const DEFAULT: Self = Self(SocketAddr::new(
        std::net::IpAddr::V4(Ipv4Addr::LOCALHOST),
        5244,
    ));

    /// Whether only this machine can reach it.
    pub(crate) fn is_loopback(self) -> bool {
        self.0.ip().to_canonical().is_loopback()
    }

    /// Checks that nobody opens files to a network by accident.
    ///
    /// # Errors
    /// A text that says what to do, for an address that others reach while there are no users and `anonymous` is
    /// not set.
    pub(crate) fn permit(self, users: &Users, anonymous: Option<Anonymous>) -> Result<(), String> {
        if self.is_loopback() || anonymous.is_some() || !users.is_empty() {
            return Ok(());
        }
        Err(format!(
            "listening on {self} lets the network in: add a `[[user]]`, set `anonymous` to \"read\" or \"write\" if \
             anyone who can reach it may read or write, or listen on 127.0.0.1"
        ))
    }
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = match text.strip_prefix("localhost:") {
            Some(port) => format!("{}:{port}", Ipv4Addr::LOCALHOST),
            None => text.to_owned(),
        };
        address
            .parse()
            .map(Self)
            .map_err(|_| "must be an address and a port, such as 127.0.0.1:5244")
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What anyone may do who can reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anonymous {
    /// List and read.
    Read,
    /// Everything.
    Write,
}

impl Anonymous {
    /// What that allows.
    pub(crate) fn access(self) -> Access {
        Access::everywhere(match self {
            Self::Read => Rights::Read,
            Self::Write => Rights::Write,
        })
    }
}

impl FromStr for Anonymous {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            _ => Err("must be \"read\" or \"write\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use orlop::serve::{PasswordHash, User};

    use super::*;

    fn somebody() -> Users {
        let password = PasswordHash::of("x").unwrap();
        let user = User::new("ann", password, Access::none()).unwrap();
        [user].into_iter().collect()
    }

    #[test]
    fn only_loopback_is_open_without_a_word() {
        for (address, loopback) in [
            ("127.0.0.1:5244", true),
            ("127.8.8.8:0", true),
            ("localhost:80", true),
            ("[::1]:5244", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:5244", false),
            ("[::]:5244", false),
            ("192.168.1.2:5244", false),
        ] {
            let listen: Listen = address.parse().unwrap();
            let nobody = Users::default();
            assert_eq!(listen.permit(&nobody, None).is_ok(), loopback, "{address}");
            assert!(listen.permit(&nobody, Some(Anonymous::Read)).is_ok());
            assert!(listen.permit(&somebody(), None).is_ok());
        }
        assert!("5244".parse::<Listen>().is_err());
        assert!("example.com:80".parse::<Listen>().is_err());
    }
}
