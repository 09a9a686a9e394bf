//! One address that the operator granted.

use std::net::IpAddr;

use url::Host;

/// One address that the operator granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    host: Named,
    /// Names below `host` are granted too.
    subdomains: bool,
    /// The name itself is granted, not only those below it.
    apex: bool,
    ports: Ports,
    /// The operator wrote a local address as the endpoint, so it may be local.
    local: bool,
}

/// What was named.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Named {
    /// One host.
    Host(Host<String>),
    /// The hosts of a service in all its regions: what stands before the region, and what behind it.
    Regions { before: String, after: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ports {
    One(u16),
    /// 80 and 443: the text named neither a port nor a scheme.
    Web,
}

impl Ports {
    fn contains(self, port: u16) -> bool {
        match self {
            Self::One(one) => one == port,
            Self::Web => matches!(port, 80 | 443),
        }
    }
}

impl Grant {
    /// The grant that an endpoint in a configuration stands for: `host`, `host:port` or a URL. It covers
    /// subdomains, for buckets in host names, and the address itself may be local. None if it is no address.
    pub(crate) fn endpoint(text: &str) -> Option<Self> {
        let (host, ports) = parse(text)?;
        let local = match &host {
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(address) => !super::is_public(IpAddr::V4(*address)),
            Host::Ipv6(address) => !super::is_public(IpAddr::V6(*address)),
        };
        Some(Self {
            subdomains: matches!(host, Host::Domain(_)),
            apex: true,
            host: Named::Host(host),
            ports,
            local,
        })
    }

    /// The grant that an entry of `allow_hosts` stands for: `host`, `host:port`, `scheme://host[:port]`, or
    /// any of these with `*.` before the host, which covers the names below it and not the name itself.
    pub(crate) fn host(text: &str) -> Option<Self> {
        let below = text.contains("*.");
        let (host, ports) = parse(&text.replacen("*.", "", 1))?;
        if below && !matches!(host, Host::Domain(_)) {
            return None;
        }
        Some(Self {
            host: Named::Host(host),
            subdomains: below,
            apex: !below,
            ports,
            local: false,
        })
    }

    /// The grant that an endpoint stands for which a built-in driver knows of a service, such as
    /// `s3.{region}.example.com`: https, in any region, with subdomains for buckets in host names.
    pub(crate) fn service(pattern: &str) -> Option<Self> {
        let host = match pattern.split_once("{region}") {
            Some((before, after)) => Named::Regions {
                before: before.to_owned(),
                after: after.to_owned(),
            },
            None => Named::Host(parse(pattern)?.0),
        };
        Some(Self {
            host,
            subdomains: true,
            apex: true,
            ports: Ports::One(443),
            local: false,
        })
    }

    pub(super) fn covers(&self, host: &Host<&str>, port: u16) -> bool {
        self.ports.contains(port) && self.covers_host(host)
    }

    pub(super) fn is_local(&self, name: &str, port: u16) -> bool {
        self.is_local_name(name) && self.ports.contains(port)
    }

    pub(super) fn is_local_name(&self, name: &str) -> bool {
        self.local && Host::parse(name).is_ok_and(|host| self.covers_host(&borrow(&host)))
    }

    fn covers_host(&self, host: &Host<&str>) -> bool {
        match (&self.host, host) {
            (Named::Host(Host::Domain(granted)), Host::Domain(name)) => {
                (self.apex && granted == name)
                    || (self.subdomains
                        && name
                            .strip_suffix(granted.as_str())
                            .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')))
            }
            (Named::Host(Host::Ipv4(granted)), Host::Ipv4(address)) => granted == address,
            (Named::Host(Host::Ipv6(granted)), Host::Ipv6(address)) => granted == address,
            (Named::Regions { before, after }, Host::Domain(name)) => {
                is_regional(name, before, after)
            }
            _ => false,
        }
    }
}

/// Whether a name is that of a service in some region, or lies below it. A region is part of one label.
fn is_regional(name: &str, before: &str, after: &str) -> bool {
    let Some(rest) = name.strip_suffix(after) else {
        return false;
    };
    let Some((below, region)) = rest.rfind(before).and_then(|start| {
        let (below, tail) = rest.split_at_checked(start)?;
        Some((below, tail.strip_prefix(before)?))
    }) else {
        return false;
    };
    let is_region = !region.is_empty()
        && region
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_region && (below.is_empty() || (below.len() > 1 && below.ends_with('.')))
}

fn borrow(host: &Host<String>) -> Host<&str> {
    match host {
        Host::Domain(name) => Host::Domain(name),
        Host::Ipv4(address) => Host::Ipv4(*address),
        Host::Ipv6(address) => Host::Ipv6(*address),
    }
}

fn parse(text: &str) -> Option<(Host<String>, Ports)> {
    let text = text.trim();
    let with_scheme = text.contains("://");
    let url = if with_scheme {
        url::Url::parse(text).ok()?
    } else {
        url::Url::parse(&format!("https://{text}")).ok()?
    };
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let host = match url.host()? {
        // A trailing dot means the same name to the resolver.
        Host::Domain(name) => Host::Domain(name.trim_end_matches('.').to_owned()),
        Host::Ipv4(address) => Host::Ipv4(address),
        Host::Ipv6(address) => Host::Ipv6(address),
    };
    // `Url` forgets a port that is its scheme's own, and so does the wish that it stood for.
    let ports = match (url.port(), with_scheme, text.ends_with(":443")) {
        (Some(port), _, _) => Ports::One(port),
        (None, true, _) => Ports::One(url.port_or_known_default()?),
        (None, false, true) => Ports::One(443),
        (None, false, false) => Ports::Web,
    };
    Some((host, ports))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_covers_what_is_below_and_nothing_else() {
        let grant = Grant::host("*.example.com").unwrap();
        assert!(grant.covers(&Host::Domain("a.example.com"), 443));
        assert!(grant.covers(&Host::Domain("a.b.example.com"), 80));
        assert!(!grant.covers(&Host::Domain("example.com"), 443));
        assert!(!grant.covers(&Host::Domain("badexample.com"), 443));
        assert!(!grant.covers(&Host::Domain(".example.com"), 443));
    }

    #[test]
    fn a_service_is_granted_in_all_its_regions() {
        let grant = Grant::service("s3.{region}.example.com").unwrap();
        for (name, covered) in [
            ("s3.eu-west-1.example.com", true),
            ("bucket.s3.eu-west-1.example.com", true),
            ("my.bucket.s3.eu-west-1.example.com", true),
            ("s3.example.com", false),
            ("s3..example.com", false),
            (".s3.eu.example.com", false),
            ("evils3.eu.example.com", false),
            ("s3.eu.west.example.com", false),
            ("s3.eu.example.com.evil.net", false),
            ("s3.eu.evil-example.com", false),
        ] {
            assert_eq!(grant.covers(&Host::Domain(name), 443), covered, "{name}");
            assert!(!grant.covers(&Host::Domain(name), 80), "{name}");
        }
        let fixed = Grant::service("storage.example.com").unwrap();
        assert!(fixed.covers(&Host::Domain("b.storage.example.com"), 443));
        assert!(!fixed.covers(&Host::Domain("example.com"), 443));
    }

    #[test]
    fn what_is_no_address_grants_nothing() {
        for text in ["", "ftp://x", "http://", "*.127.0.0.1", "a b"] {
            assert_eq!(Grant::host(text), None, "{text}");
        }
    }

    #[test]
    fn a_written_port_is_the_only_one() {
        let grant = Grant::host("example.com:443").unwrap();
        assert!(grant.covers(&Host::Domain("example.com"), 443));
        assert!(!grant.covers(&Host::Domain("example.com"), 80));
    }
}
