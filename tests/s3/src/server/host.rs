use std::net::IpAddr;

use http::HeaderMap;
use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// Names under this one are buckets.
const DOMAIN: &str = ".s3.localhost";

/// Virtual-host style under `s3.localhost`, path style under every other name.
#[derive(Debug)]
pub(super) struct SubdomainHost;

impl S3Host for SubdomainHost {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let virtual_host = VirtualHost::new(host);
        Ok(match bucket_in_host(host) {
            Some(bucket) => virtual_host.with_bucket(bucket),
            None => virtual_host,
        })
    }
}

/// The bucket that a `Host` header names.
pub(super) fn bucket_in_host(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.strip_suffix(DOMAIN)
}

/// Whether a request goes to the service itself, not to a domain of someone's own that points there.
pub(super) fn is_own(headers: &HeaderMap) -> bool {
    let host = headers.get("host").and_then(|host| host.to_str().ok());
    let name = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    name.is_some_and(|name| {
        let is_domain = DOMAIN.strip_prefix('.') == Some(name) || name.ends_with(DOMAIN);
        is_domain || name == "localhost" || name.parse::<IpAddr>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_bucket() {
        let cases = [
            ("photos.s3.localhost:8333", Some("photos")),
            ("a.b.s3.localhost", Some("a.b")),
            ("s3.localhost:8333", None),
            ("localhost:8333", None),
            ("localhost", None),
        ];
        for (host, expected) in cases {
            let virtual_host = SubdomainHost.parse_host_header(host).unwrap();
            assert_eq!(virtual_host.bucket(), expected, "{host}");
        }
    }
}
