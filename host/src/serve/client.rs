//! Where a request comes from.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The other end of a connection of our own [`Server`](super::Server): an extension of each request that came over one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Its address; none on a Unix socket.
    pub(crate) address: Option<SocketAddr>,
    /// Whether the connection is encrypted.
    pub(crate) is_secure: bool,
}

/// Who sends a request, as far as the network tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// Its address; none if nobody knows it.
    pub(crate) address: Option<IpAddr>,
    /// Whether nobody can read along.
    pub(crate) is_secure: bool,
}

impl Client {
    /// Reads where a request comes from. What a proxy says of its clients counts only if the proxy is trusted:
    /// anyone can write a header.
    pub(crate) fn of(
        extensions: &Extensions,
        headers: &HeaderMap,
        trusted: &TrustedProxies,
    ) -> Self {
        let peer = extensions.get::<Peer>().copied().unwrap_or_else(|| Peer {
            // A program with a server of its own.
            address: extensions
                .get::<ConnectInfo<SocketAddr>>()
                .map(|info| info.0),
            is_secure: false,
        });
        let address = peer.address.map(|address| address.ip().to_canonical());
        let is_trusted = match address {
            Some(address) => trusted.contains(address),
            // Without a peer of our own, nobody knows what the request came through.
            None => trusted.unix && extensions.get::<Peer>().is_some(),
        };
        if !is_trusted {
            return Self {
                address,
                is_secure: peer.is_secure,
            };
        }
        let scheme = headers.get_all(FORWARDED_PROTO).into_iter().next_back();
        let is_secure = scheme.map_or(peer.is_secure, |scheme| {
            scheme.as_bytes().eq_ignore_ascii_case(b"https")
        });
        Self {
            address: forwarded_for(headers, trusted, address),
            is_secure,
        }
    }
}

/// Each proxy adds who it was called by at the end, so the last address that is not a trusted proxy's is the
/// client's. What stands before it, the client may have written itself.
fn forwarded_for(
    headers: &HeaderMap,
    trusted: &TrustedProxies,
    proxy: Option<IpAddr>,
) -> Option<IpAddr> {
    let values = headers.get_all(FORWARDED_FOR).into_iter();
    let text: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    let mut found = proxy;
    for hop in text.iter().flat_map(|value| value.split(',')).rev() {
        let Ok(address) = hop.trim().parse::<IpAddr>() else {
            break;
        };
        let address = address.to_canonical();
        found = Some(address);
        if !trusted.contains(address) {
            break;
        }
    }
    found
}

/// The proxies whose word counts on who their clients are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Arc<[IpNet]>,
    /// Whether what comes through a Unix socket comes from a trusted proxy.
    unix: bool,
}

impl TrustedProxies {
    /// Whether a proxy at this address is trusted.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }

    /// Reads addresses and networks, such as `127.0.0.1` and `10.0.0.0/8`, and `unix` for all who come through a Unix
    /// socket.
    ///
    /// # Errors
    /// The text that is neither.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, BadProxy> {
        let network = |text: &str| {
            let address = text.parse::<IpAddr>().map(IpNet::from);
            address
                .or_else(|_| text.parse::<IpNet>())
                .map_err(|_| BadProxy(text.to_owned()))
        };
        let (unix, texts): (Vec<&str>, Vec<&str>) =
            texts.into_iter().partition(|text| *text == "unix");
        Ok(Self {
            networks: texts.into_iter().map(network).collect::<Result<_, _>>()?,
            unix: !unix.is_empty(),
        })
    }
}

/// A text that names no proxy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an address nor a network such as 10.0.0.0/8")]
pub struct BadProxy(String);

/// Reads a list with commas.
impl FromStr for TrustedProxies {
    type Err = BadProxy;

    fn from_str(text: &str) -> Result<Self, BadProxy> {
        Self::parse(
            text.split(',')
                .map(str::trim)
                .filter(|text| !text.is_empty()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[(&'static str, &'static str)]) -> Client {
        let mut extensions = Extensions::new();
        extensions.insert(Peer {
            address: peer.parse().ok().map(|address| SocketAddr::new(address, 1)),
            is_secure: false,
        });
        let mut headers = HeaderMap::new();
        for (name, value) in forwarded {
            headers.append(*name, value.parse().unwrap());
        }
        let trusted = "127.0.0.1, 10.0.0.0/8, unix".parse().unwrap();
        Client::of(&extensions, &headers, &trusted)
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        for (peer, forwarded, expected) in [
            ("192.0.2.1", &[][..], "192.0.2.1"),
            ("192.0.2.1", &["198.51.100.1"], "192.0.2.1"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["198.51.100.1, 10.1.2.3"], "198.51.100.1"),
            ("127.0.0.1", &["10.1.2.4, 10.1.2.3"], "10.1.2.4"),
            ("127.0.0.1", &["198.51.100.1, x"], "127.0.0.1"),
            ("127.0.0.1", &["x, 10.1.2.3"], "10.1.2.3"),
            ("127.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            ("a socket file", &["198.51.100.1"], "198.51.100.1"),
            ("a socket file", &[], ""),
        ] {
            let headers: Vec<_> = forwarded
                .iter()
                .map(|value| ("x-forwarded-for", *value))
                .collect();
            let found = client(peer, &headers).address;
            assert_eq!(found, expected.parse().ok(), "{peer} {forwarded:?}");
        }
        assert!(client("127.0.0.1", &[("x-forwarded-proto", "https")]).is_secure);
        assert!(!client("127.0.0.1", &[("x-forwarded-proto", "http")]).is_secure);
        assert!(!client("192.0.2.1", &[("x-forwarded-proto", "https")]).is_secure);
    }

    #[test]
    fn what_names_no_proxy() {
        assert!("".parse::<TrustedProxies>().is_ok());
        for text in ["x", "10.0.0.0/33", "localhost", "10.0.0"] {
            assert!(text.parse::<TrustedProxies>().is_err(), "{text}");
        }
    }
}
