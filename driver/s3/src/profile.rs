//! What is known of each kind of service: one table, a row for each.
//!
//! An explicit option goes before the chosen `provider`, that before what the endpoint's host tells, and
//! that before [`GENERIC`], which asks of a service only what all have.

use std::time::Duration;

use crate::config::{ListVersion, Provider};

/// Where a bucket's name goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addressing {
    /// First segment of the path: `https://host/bucket/key`.
    Path,
    /// First label of the host: `https://bucket.host/key`.
    VirtualHost,
}

/// One kind of service.
#[derive(Debug)]
pub(crate) struct Profile {
    /// The row's name, as the `provider` option spells it.
    pub(crate) id: &'static str,
    /// Ends of the host names that give the service away; none if it can run anywhere.
    pub(crate) hosts: &'static [&'static str],
    /// The endpoint of a region, where that follows from the region alone.
    pub(crate) endpoint_of: fn(region: &str) -> Option<String>,
    /// The region that an endpoint's host names.
    pub(crate) region_of: fn(host: &str) -> Option<&str>,
    /// The region to sign for if nothing tells.
    pub(crate) region: &'static str,
    /// Where the bucket's name goes.
    pub(crate) addressing: Addressing,
    /// Whether a bucket with dots in its name needs [`Addressing::Path`] on https, since the service's
    /// certificate covers one label only.
    pub(crate) dotted_bucket_in_path: bool,
    /// The list call that works best.
    pub(crate) list_version: ListVersion,
    /// Whether listings may be asked for with `encoding-type=url`.
    pub(crate) list_url_encode: bool,
    /// Whether uploads carry `Content-MD5` where no other digest protects them.
    pub(crate) content_md5: bool,
    /// Whether PUT honours `If-None-Match: *` and `If-Match`.
    pub(crate) conditional_put: bool,
    /// Keys in one DeleteObjects; 0 if it is unknown there.
    pub(crate) delete_batch_max: usize,
    /// The largest object that one CopyObject copies, in bytes.
    pub(crate) copy_max: u64,
    /// Whether UploadPartCopy is known there.
    pub(crate) upload_part_copy: bool,
    /// The most parts of one upload.
    pub(crate) parts_max: u32,
    /// The longest life of a presigned URL.
    pub(crate) presign_max: Duration,
}

/// Signature version 4 allows no more.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
const GB: u64 = 1_000_000_000;

const GENERIC: Profile = Profile {
    id: "generic",
    hosts: &[],
    endpoint_of: |_| None,
    region_of: |_| None,
    region: "us-east-1",
    addressing: Addressing::Path,
    dotted_bucket_in_path: false,
    list_version: ListVersion::V1,
    list_url_encode: false,
    content_md5: true,
    conditional_put: false,
    delete_batch_max: 1000,
    copy_max: 5 * GB,
    upload_part_copy: true,
    parts_max: 10_000,
    presign_max: WEEK,
};

/// The table.
static PROFILES: [Profile; 3] = [
    Profile {
        id: "aws",
        hosts: &[".amazonaws.com", ".amazonaws.com.cn"],
        endpoint_of: aws_endpoint,
        region_of: aws_region,
        addressing: Addressing::VirtualHost,
        dotted_bucket_in_path: true,
        list_version: ListVersion::V2,
        list_url_encode: true,
        conditional_put: true,
        ..GENERIC
    },
    Profile {
        id: "minio",
        list_version: ListVersion::V2,
        list_url_encode: true,
        conditional_put: true,
        ..GENERIC
    },
    GENERIC,
];

static FALLBACK: Profile = GENERIC;

impl Profile {
    /// The row for a chosen provider, else for the endpoint's host, else the generic one.
    pub(crate) fn choose(provider: Option<Provider>, host: Option<&str>) -> &'static Self {
        let chosen = provider.map(Provider::id);
        PROFILES
            .iter()
            .find(|profile| match chosen {
                Some(id) => profile.id == id,
                None => host.is_some_and(|host| profile.has_host(host)),
            })
            .unwrap_or(&FALLBACK)
    }

    /// Whether a host's name gives this service away.
    pub(crate) fn has_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|suffix| host.ends_with(suffix))
    }
}

fn aws_endpoint(region: &str) -> Option<String> {
    let tail = if region.starts_with("cn-") { ".cn" } else { "" };
    Some(format!("s3.{region}.amazonaws.com{tail}"))
}

/// Finds the region in `s3.REGION.amazonaws.com`, `s3-REGION.…`, `BUCKET.s3.dualstack.REGION.…`.
fn aws_region(host: &str) -> Option<&str> {
    let labels = host
        .strip_suffix(".cn")
        .unwrap_or(host)
        .strip_suffix(".amazonaws.com")?;
    let last = labels.rsplit('.').next()?;
    let region = last.strip_prefix("s3-").unwrap_or(last);
    // us-east-1, ap-southeast-2, us-gov-west-1, but not `s3`, `accelerate`, `dualstack`.
    let looks_right =
        region.split('-').count() >= 3 && region.ends_with(|last: char| last.is_ascii_digit());
    looks_right.then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_provider_goes_before_the_host() {
        let aws = Some("s3.eu-west-1.amazonaws.com");
        assert_eq!(Profile::choose(None, aws).id, "aws");
        assert_eq!(Profile::choose(Some(Provider::Minio), aws).id, "minio");
        assert_eq!(
            Profile::choose(None, Some("amazonaws.com.evil.example")).id,
            "generic"
        );
        assert_eq!(Profile::choose(None, None).id, "generic");
    }

    #[test]
    fn amazon_hosts_name_their_region() {
        let cases = [
            ("s3.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("s3-ap-southeast-2.amazonaws.com", Some("ap-southeast-2")),
            (
                "photos.s3.dualstack.us-west-2.amazonaws.com",
                Some("us-west-2"),
            ),
            ("s3.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("s3.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("s3.amazonaws.com", None),
            ("photos.s3.amazonaws.com", None),
            ("s3-accelerate.amazonaws.com", None),
            ("s3-accelerate.dualstack.amazonaws.com", None),
        ];
        for (host, region) in cases {
            assert_eq!(aws_region(host), region, "{host}");
        }
    }

    #[test]
    fn every_provider_has_a_row_and_the_other_way_round() {
        for provider in Provider::ALL {
            assert_eq!(Profile::choose(Some(provider), None).id, provider.id());
        }
        assert_eq!(PROFILES.len(), Provider::ALL.len());
    }
}
