//! Where the server listens, and who may come in.

use std::{fmt, net::Ipv4Addr, path::PathBuf, str::FromStr};

use orlop::{Access, Rights, serve::ListenAddress};

/// Where to listen: one place or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listen(pub(crate) Vec<ListenAddress>);

impl Default for Listen {
    /// Where Orlop listens unless told otherwise.
    fn default() -> Self {
        Self(vec![ListenAddress::Tcp((Ipv4Addr::LOCALHOST, 5244).into())])
    }
}

impl Listen {
    /// Whether only this machine can reach it.
    pub(crate) fn is_loopback(&self) -> bool {
        self.0.iter().all(ListenAddress::is_local)
    }

    /// Changes the port of every address that has one.
    pub(crate) fn set_port(&mut self, port: u16) {
        for place in &mut self.0 {
            if let ListenAddress::Tcp(address) = place {
                address.set_port(port);
            }
        }
    }

    /// Checks that nobody opens files to a network by accident.
    ///
    /// # Errors
    /// A text that says what to do, for an address that others reach while `anonymous` is not set.
    pub(crate) fn permit(&self, anonymous: Option<Anonymous>) -> Result<(), String> {
        let Some(open) = self.0.iter().find(|place| !place.is_local()) else {
            return Ok(());
        };
        if anonymous.is_some() {
            return Ok(());
        }
        Err(format!(
            "listening on {open} lets the network in: set `anonymous` to \"read\" or \"write\" if anyone \
             who can reach it may read or write, or listen on 127.0.0.1"
        ))
    }
}

impl FromStr for Listen {
    type Err = &'static str;

    /// Reads places with commas between them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let places = text.split(',').map(|place| self::place(place.trim()));
        places.collect::<Result<_, _>>().map(Self)
    }
}

fn place(text: &str) -> Result<ListenAddress, &'static str> {
    if text == "systemd" {
        return Ok(ListenAddress::Inherited);
    }
    if let Some(path) = text.strip_prefix("unix:") {
        let path = PathBuf::from(path);
        if !path.is_absolute() || path.file_name().is_none() {
            return Err("must name a socket file by its whole path, such as unix:/run/orlop.sock");
        }
        return Ok(ListenAddress::Unix(path));
    }
    let address = match text.strip_prefix("localhost:") {
        Some(port) => format!("{}:{port}", Ipv4Addr::LOCALHOST),
        None => text.to_owned(),
    };
    address.parse().map(ListenAddress::Tcp).map_err(|_| {
        "must be an address and a port, such as 127.0.0.1:5244, a socket file, such as \
         unix:/run/orlop.sock, or systemd"
    })
}

impl fmt::Display for Listen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        formatter.write_str(&places.join(","))
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
    use super::*;

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
            ("unix:/run/orlop.sock", true),
            ("127.0.0.1:1, [::1]:1,unix:/run/o", true),
            ("127.0.0.1:1,0.0.0.0:1", false),
            ("systemd", false),
        ] {
            let listen: Listen = address.parse().unwrap();
            assert_eq!(listen.permit(None).is_ok(), loopback, "{address}");
            assert!(listen.permit(Some(Anonymous::Read)).is_ok());
        }
        for text in [
            "5244",
            "example.com:80",
            "",
            "127.0.0.1:1,",
            "unix:",
            "unix:o.sock",
            "unix:/",
        ] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }
}
