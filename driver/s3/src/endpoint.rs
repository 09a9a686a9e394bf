//! Addresses of services and buckets.

use orlop_driver::{Error, Result};

use crate::{encode, profile::Addressing};

/// The address of a service as an operator writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Whether it is https.
    pub(crate) secure: bool,
    /// The host in lower case, an IPv6 address in brackets.
    pub(crate) host: String,
    /// The port, unless it is the scheme's own.
    pub(crate) port: Option<u16>,
    /// The path, either empty or with a leading `/` and none at its end.
    pub(crate) path: String,
}

/// Where a bucket's objects are: all of a URL but the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Whether it is https.
    pub(crate) secure: bool,
    /// Host and port as the `Host` header has them.
    pub(crate) authority: String,
    /// The path before the key, encoded; either empty or with a leading `/` and none at its end.
    base: String,
}

impl Endpoint {
    /// Reads an address; `field` is the option that it stands in.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for what is none.
    pub(crate) fn parse(field: &str, text: &str) -> Result<Self> {
        let wrong = |message: &str| Error::config(field, message);
        let text = text.trim();
        let (secure, rest) = match text.split_once("://") {
            None => (true, text),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some(_) => return Err(wrong("must begin with `https://`, `http://` or the host")),
        };
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at_checked(slash).unwrap_or((rest, "")),
            None => (rest, ""),
        };
        if rest.contains(['?', '#', '@', '\\']) || rest.contains(char::is_whitespace) {
            return Err(wrong("must be a host, with a port and a path at most"));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let port = port
                    .parse()
                    .map_err(|_| wrong("the port is not a number up to 65535"))?;
                (host, Some(port))
            }
            _ => (authority, None),
        };
        if host.is_empty() || !rest.is_ascii() {
            return Err(wrong("names no host: write one such as `s3.example.com`"));
        }
        let default_port = if secure { 443 } else { 80 };
        Ok(Self {
            secure,
            host: host.to_ascii_lowercase(),
            port: port.filter(|port| *port != default_port),
            path: path.trim_end_matches('/').to_owned(),
        })
    }

    /// Whether the host can have no subdomains: an IP address or `localhost`.
    pub(crate) fn is_bare(&self) -> bool {
        self.host == "localhost"
            || self.host.starts_with('[')
            || self.host.parse::<std::net::Ipv4Addr>().is_ok()
    }

    /// Whether it is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        let address = self.host.parse::<std::net::Ipv4Addr>();
        self.host == "localhost"
            || self.host == "[::1]"
            || address.is_ok_and(|address| address.is_loopback())
    }

    /// The path without a last segment that is the bucket's name.
    fn path_without(&self, bucket: &str) -> &str {
        self.path
            .strip_suffix(bucket)
            .and_then(|rest| rest.strip_suffix('/'))
            .unwrap_or(&self.path)
    }

    fn authority(&self, host: String) -> String {
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }
}

impl Address {
    /// The address of a bucket at a service. `bare_host` is the endpoint's host without the bucket's name.
    pub(crate) fn of_bucket(
        endpoint: &Endpoint,
        bare_host: &str,
        bucket: &str,
        addressing: Addressing,
    ) -> Self {
        let path = endpoint.path_without(bucket);
        let (host, base) = match addressing {
            Addressing::Path => (
                bare_host.to_owned(),
                format!("{path}/{}", encode::path(bucket)),
            ),
            Addressing::VirtualHost => (format!("{bucket}.{bare_host}"), path.to_owned()),
            Addressing::Cname => (bare_host.to_owned(), path.to_owned()),
        };
        Self {
            secure: endpoint.secure,
            authority: endpoint.authority(host),
            base,
        }
    }

    /// The address of a bucket at a custom host, which stands for the bucket's own host. In path style
    /// the bucket stays in the path, unless it is to be removed.
    pub(crate) fn of_custom_host(
        host: &Endpoint,
        bucket: &str,
        addressing: Addressing,
        remove_bucket: bool,
    ) -> Self {
        let base = match (addressing, remove_bucket) {
            (_, true) => host.path_without(bucket).to_owned(),
            (Addressing::VirtualHost | Addressing::Cname, false) => host.path.clone(),
            (Addressing::Path, false) => {
                format!("{}/{}", host.path_without(bucket), encode::path(bucket))
            }
        };
        Self {
            secure: host.secure,
            authority: host.authority(host.host.clone()),
            base,
        }
    }

    /// The same at another host.
    pub(crate) fn at(&self, authority: String) -> Self {
        Self {
            authority,
            ..self.clone()
        }
    }

    /// The path of an object, or of the bucket itself, as it goes over the wire and into signatures.
    pub(crate) fn path(&self, key: Option<&str>) -> String {
        match key {
            None if self.base.is_empty() => "/".to_owned(),
            None => self.base.clone(),
            Some(key) => {
                let mut path = String::with_capacity(self.base.len() + 1 + key.len() * 5 / 4);
                path.push_str(&self.base);
                path.push('/');
                encode::path(key).push_to(&mut path);
                path
            }
        }
    }

    /// `https://` or `http://`.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.secure { "https://" } else { "http://" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(address: &Address, key: &str) -> String {
        format!(
            "{}{}{}",
            address.scheme(),
            address.authority,
            address.path(Some(key))
        )
    }

    #[test]
    fn endpoints_are_read_leniently() {
        let cases = [
            ("s3.example.com", "https", "s3.example.com", None, ""),
            ("S3.Example.com/", "https", "s3.example.com", None, ""),
            (
                "https://s3.example.com:443/",
                "https",
                "s3.example.com",
                None,
                "",
            ),
            ("HTTP://127.0.0.1:9000", "http", "127.0.0.1", Some(9000), ""),
            ("http://h:80//", "http", "h", None, ""),
            ("http://h:443", "http", "h", Some(443), ""),
            (
                " https://h/gate/photos/ ",
                "https",
                "h",
                None,
                "/gate/photos",
            ),
            ("http://[::1]:9000", "http", "[::1]", Some(9000), ""),
            ("[::1]", "https", "[::1]", None, ""),
            ("localhost:9000", "https", "localhost", Some(9000), ""),
        ];
        for (text, scheme, host, port, path) in cases {
            let endpoint = Endpoint::parse("endpoint", text).unwrap();
            assert_eq!(endpoint.secure, scheme == "https", "{text}");
            assert_eq!(endpoint.host, host, "{text}");
            assert_eq!(endpoint.port, port, "{text}");
            assert_eq!(endpoint.path, path, "{text}");
        }
        for text in [
            "", "https://", "ftp://h", "h:port", "h:99999", "u@h", "h?x", "a b", "hö.st",
        ] {
            let error = Endpoint::parse("endpoint", text).unwrap_err();
            assert!(matches!(error, Error::InvalidConfig(_)), "{text}");
        }
    }

    #[test]
    fn buckets_go_into_host_or_path_once() {
        let at = |text: &str, addressing| {
            let endpoint = Endpoint::parse("endpoint", text).unwrap();
            let bare = endpoint.host.clone();
            url(
                &Address::of_bucket(&endpoint, &bare, "photos", addressing),
                "a b/c",
            )
        };
        assert_eq!(at("h:9", Addressing::Path), "https://h:9/photos/a%20b/c");
        assert_eq!(at("h/photos", Addressing::Path), "https://h/photos/a%20b/c");
        assert_eq!(
            at("h/gate/photos/", Addressing::Path),
            "https://h/gate/photos/a%20b/c"
        );
        assert_eq!(
            at("h/myphotos", Addressing::Path),
            "https://h/myphotos/photos/a%20b/c"
        );
        assert_eq!(
            at("http://h", Addressing::VirtualHost),
            "http://photos.h/a%20b/c"
        );
        assert_eq!(
            at("h/photos", Addressing::VirtualHost),
            "https://photos.h/a%20b/c"
        );
    }

    #[test]
    fn custom_hosts_keep_the_bucket_in_path_style_unless_told() {
        let at = |text: &str, addressing, remove| {
            let host = Endpoint::parse("custom_host", text).unwrap();
            url(
                &Address::of_custom_host(&host, "data", addressing, remove),
                "database.txt",
            )
        };
        use Addressing::{Path, VirtualHost};
        assert_eq!(
            at("cdn.example", Path, false),
            "https://cdn.example/data/database.txt"
        );
        assert_eq!(
            at("http://cdn.example/x/", Path, false),
            "http://cdn.example/x/data/database.txt"
        );
        assert_eq!(
            at("cdn.example/data", Path, false),
            "https://cdn.example/data/database.txt"
        );
        assert_eq!(
            at("cdn.example/data", Path, true),
            "https://cdn.example/database.txt"
        );
        assert_eq!(
            at("cdn.example", Path, true),
            "https://cdn.example/database.txt"
        );
        assert_eq!(
            at("cdn.example", VirtualHost, false),
            "https://cdn.example/database.txt"
        );
        assert_eq!(
            at("cdn.example", VirtualHost, true),
            "https://cdn.example/database.txt"
        );
    }

    #[test]
    fn the_bucket_itself_has_a_path_too() {
        let endpoint = Endpoint::parse("endpoint", "h").unwrap();
        let path = Address::of_bucket(&endpoint, "h", "b", Addressing::Path);
        assert_eq!(path.path(None), "/b");
        let host = Address::of_bucket(&endpoint, "h", "b", Addressing::VirtualHost);
        assert_eq!(host.path(None), "/");
    }
}
