//! Which addresses a driver may reach: none, unless the operator named it.

mod address;
mod grant;

use std::net::IpAddr;

use url::{Host, Url};

pub(crate) use self::{address::is_public, grant::Grant};
use crate::Outcome;

/// The addresses that one mount may reach.
#[derive(Clone, Debug, Default)]
pub(crate) struct Egress {
    grants: Vec<Grant>,
    allow_private_network: bool,
}

/// The most common answer to "where did my request go": a refusal that names its own cure.
fn refusal(what: &str, cure: &str) -> Outcome {
    Outcome::Blocked(format!("{what}; to allow it, set `{cure}` on the mount"))
}

impl Egress {
    pub(crate) fn new(grants: Vec<Grant>, allow_private_network: bool) -> Self {
        Self {
            grants,
            allow_private_network,
        }
    }

    /// Decides on a URL by its text. Names are decided on again, by what they resolve to.
    ///
    /// # Errors
    /// [`Outcome::Blocked`] with the line of configuration that would allow it.
    pub(crate) fn check_url(&self, url: &Url) -> Result<(), Outcome> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Outcome::Blocked(format!(
                "`{}` addresses are never allowed, only http and https",
                url.scheme()
            )));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Outcome::Blocked(
                "addresses with user information are never allowed".to_owned(),
            ));
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Outcome::Blocked("the address has no host".to_owned()));
        };
        let name = host.to_string();
        if !self.grants.iter().any(|grant| grant.covers(&host, port)) {
            let written = match url.port() {
                Some(port) => format!("{name}:{port}"),
                None => name,
            };
            return Err(refusal(
                &format!("requests to `{written}` are not granted"),
                &format!("allow_hosts = [\"{written}\"]"),
            ));
        }
        let literal = match host {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        };
        match literal {
            Some(address) => self.check_address(&name, port, address),
            None => Ok(()),
        }
    }

    /// Decides on an address that the host part of a URL is or resolves to.
    ///
    /// # Errors
    /// [`Outcome::Blocked`] for an address inside a network, unless the operator allowed those, or wrote
    /// this very one as an endpoint.
    pub(crate) fn check_address(
        &self,
        name: &str,
        port: u16,
        address: IpAddr,
    ) -> Result<(), Outcome> {
        if self.allow_private_network
            || is_public(address)
            || self.grants.iter().any(|grant| grant.is_local(name, port))
        {
            return Ok(());
        }
        Err(refusal(
            &format!("`{name}` is the address {address}, which is inside a network"),
            "allow_private_network = true",
        ))
    }

    /// Whether any grant of a local name stands for every port that `name` may be asked on. A resolver does
    /// not learn the port, so it lets local names pass, and `check_url` has decided on the port before.
    pub(crate) fn check_resolved(&self, name: &str, address: IpAddr) -> Result<(), Outcome> {
        if self.grants.iter().any(|grant| grant.is_local_name(name)) {
            return Ok(());
        }
        self.check_address(name, 0, address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn egress(endpoints: &[&str], hosts: &[&str], private: bool) -> Egress {
        let grants = endpoints
            .iter()
            .filter_map(|text| Grant::endpoint(text))
            .chain(hosts.iter().map(|text| Grant::host(text).unwrap()))
            .collect();
        Egress::new(grants, private)
    }

    fn verdict(egress: &Egress, url: &str) -> bool {
        egress.check_url(&Url::parse(url).unwrap()).is_ok()
    }

    #[test]
    fn nothing_is_granted_by_default() {
        let none = Egress::default();
        for url in [
            "https://example.com/",
            "http://127.0.0.1/",
            "http://localhost/",
            "file:///etc/passwd",
            "ftp://example.com/",
        ] {
            assert!(!verdict(&none, url), "{url}");
        }
    }

    #[test]
    fn an_endpoint_grants_itself_and_its_subdomains() {
        let egress = egress(&["https://s3.example.com"], &[], false);
        assert!(verdict(&egress, "https://s3.example.com/bucket"));
        assert!(verdict(&egress, "https://bucket.s3.example.com/key"));
        assert!(!verdict(&egress, "https://s3.example.com:8443/"));
        assert!(!verdict(&egress, "http://s3.example.com/"));
        assert!(!verdict(&egress, "https://evils3.example.com/"));
        assert!(!verdict(&egress, "https://example.com/"));
        assert!(!verdict(&egress, "https://user@s3.example.com/"));
    }

    #[test]
    fn an_endpoint_without_a_scheme_grants_both() {
        let egress = egress(&["s3.example.com"], &[], false);
        assert!(verdict(&egress, "https://s3.example.com/"));
        assert!(verdict(&egress, "http://b.s3.example.com/"));
        assert!(!verdict(&egress, "http://b.s3.example.com:8080/"));
    }

    #[test]
    fn a_local_endpoint_grants_that_address_and_port_alone() {
        let egress = egress(&["http://127.0.0.1:9000", "localhost:9001"], &[], false);
        assert!(verdict(&egress, "http://127.0.0.1:9000/bucket"));
        assert!(verdict(&egress, "http://localhost:9001/bucket"));
        for url in [
            "http://127.0.0.1:9001/",
            "http://127.0.0.1/",
            "http://127.0.0.2:9000/",
            "http://localhost:9000/",
            "http://[::1]:9000/",
        ] {
            assert!(!verdict(&egress, url), "{url}");
        }
        // The same address in other clothes is the same address.
        assert!(verdict(&egress, "http://2130706433:9000/"));
        assert!(verdict(&egress, "http://0x7f.1:9000/"));
    }

    #[test]
    fn a_name_that_leads_inside_is_refused() {
        let named = egress(&[], &["internal.example.com"], false);
        let inside: IpAddr = "10.0.0.7".parse().unwrap();
        let outside: IpAddr = "93.184.216.34".parse().unwrap();
        assert!(
            named
                .check_resolved("internal.example.com", outside)
                .is_ok()
        );
        let refused = named
            .check_resolved("internal.example.com", inside)
            .unwrap_err();
        assert!(
            refused.to_string().contains("allow_private_network = true"),
            "{refused}"
        );
        let open = egress(&[], &["internal.example.com"], true);
        assert!(open.check_resolved("internal.example.com", inside).is_ok());
    }

    #[test]
    fn a_granted_literal_inside_still_needs_the_network_allowed() {
        assert!(!verdict(
            &egress(&[], &["10.0.0.7"], false),
            "https://10.0.0.7/"
        ));
        assert!(verdict(
            &egress(&[], &["10.0.0.7"], true),
            "https://10.0.0.7/"
        ));
    }

    #[test]
    fn a_refusal_names_its_cure() {
        let refused = Egress::default()
            .check_url(&Url::parse("https://example.com:8443/x?secret").unwrap())
            .unwrap_err();
        let text = refused.to_string();
        assert!(
            text.contains("allow_hosts = [\"example.com:8443\"]"),
            "{text}"
        );
        assert!(!text.contains("secret"), "{text}");
    }
}
