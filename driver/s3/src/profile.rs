//! What is known of each kind of service.
//!
//! [`table`] has a row for each. An explicit option goes before the row of the chosen `provider`, that before
//! the row that the endpoint's host gives away, and that before the one for services that nobody knows.

mod addresses;
mod key_rule;
mod table;

use std::{borrow::Cow, time::Duration};

use orlop_driver::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{Config, ListVersion};

pub(crate) use self::key_rule::KeyRule;

/// Where a bucket's name goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Addressing {
    /// First segment of the path: `https://host/bucket/key`.
    Path,
    /// First label of the host: `https://bucket.host/key`.
    VirtualHost,
    /// Nowhere: the endpoint is a domain of your own that stands for the bucket.
    Cname,
}

/// How a request protects what it carries, if its row asks for no checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PayloadHash {
    /// `UNSIGNED-PAYLOAD` on https, where the connection protects it; its SHA-256 on http.
    UnsignedOnHttps,
    /// Its SHA-256 everywhere.
    Sha256,
}

/// Checksums beside `Content-MD5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ChecksumHeaders {
    /// None: many services refuse requests that have them.
    None,
    /// `x-amz-checksum-sha256` on uploads in one request.
    Sha256,
}

/// Whether temporary credentials are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SessionToken {
    /// They are not.
    Refused,
    /// They may be used.
    Taken,
    /// There are no others.
    Required,
}

/// One kind of service.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    /// The row's name, as the `provider` option spells it.
    pub(crate) id: &'static str,
    /// The name that people know.
    pub(crate) title: &'static str,
    /// The host names that give the service away, ends of them if they begin with a dot; none if it can run
    /// anywhere.
    pub(crate) hosts: &'static [&'static str],
    /// Its endpoints, `{region}` in the place of a region. The first is the usual one.
    pub(crate) endpoints: &'static [&'static str],
    /// The region to sign for if nothing tells; none where it has to be told.
    pub(crate) region: Option<&'static str>,
    /// Where the bucket's name goes.
    pub(crate) addressing: Addressing,
    /// Whether a bucket with dots in its name needs [`Addressing::Path`] on https, since the service's
    /// certificate covers one label only.
    pub(crate) dotted_bucket_in_path: bool,
    /// Whether the service listens on https alone.
    pub(crate) https_only: bool,
    /// The list call that works best.
    pub(crate) list_version: ListVersion,
    /// Whether listings may be asked for with `encoding-type=url`.
    pub(crate) list_url_encode: bool,
    /// Whether a listing begins with the very key that it was to begin behind.
    pub(crate) list_start_inclusive: bool,
    /// How what is sent is hashed.
    pub(crate) payload_hash: PayloadHash,
    /// The checksums to send.
    pub(crate) checksum_headers: ChecksumHeaders,
    /// Whether uploads carry `Content-MD5` where no other digest protects them.
    pub(crate) content_md5: bool,
    /// Keys in one DeleteObjects; 0 where it is better not tried. A service that does not know the call is
    /// found out at the first try.
    pub(crate) delete_batch_max: usize,
    /// The largest object that one CopyObject copies, in bytes.
    pub(crate) copy_max: u64,
    /// Whether UploadPartCopy is known there.
    pub(crate) upload_part_copy: bool,
    /// The smallest part of an upload but the last, in bytes.
    pub(crate) part_min: u64,
    /// The most parts of one upload.
    pub(crate) parts_max: u32,
    /// Whether all parts of an upload but the last must have one size.
    pub(crate) equal_parts: bool,
    /// Whether the ETag of an object that was written in one request is its MD5. It is looked at where no digest
    /// goes along with what is sent.
    pub(crate) etag_is_md5: bool,
    /// Whether the ETag of an object that was written in parts is the MD5 of their MD5s and their number.
    pub(crate) multipart_etag_standard: bool,
    /// Whether temporary credentials are known.
    pub(crate) session_token: SessionToken,
    /// Whether PUT honours `If-None-Match: *` and `If-Match`.
    pub(crate) conditional_put: bool,
    /// The longest life of a presigned URL.
    pub(crate) presign_max: Duration,
    /// Whether a presigned URL works on a domain of one's own.
    pub(crate) presign_custom_domain: bool,
    /// Whether browsers save what they get from the service's own domain, whatever it is.
    pub(crate) forced_download: bool,
    /// Keys that the service does not take.
    pub(crate) key_rules: Cow<'static, [KeyRule]>,
}

impl Profile {
    /// The row for a chosen provider, else for the endpoint's host, else the one for services nobody knows.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for a provider that is not in the table.
    pub(crate) fn choose(provider: Option<&str>, host: Option<&str>) -> Result<&'static Self> {
        let found = match (provider, host) {
            (Some(id), _) => {
                let row = table::PROFILES.iter().find(|profile| profile.id == id);
                return row.ok_or_else(|| {
                    Error::config("provider", "is none that this driver knows: leave it out")
                });
            }
            (None, Some(host)) => table::PROFILES
                .iter()
                .find(|profile| profile.has_host(host)),
            (None, None) => None,
        };
        Ok(found.unwrap_or(&table::GENERIC_ROW))
    }

    /// All rows, in the order in which a form should offer them.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        table::PROFILES.iter()
    }

    /// Whether a host's name gives this service away.
    pub(crate) fn has_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|name| match name.starts_with('.') {
            true => host.ends_with(name),
            false => host == *name,
        })
    }

    /// The endpoint of a region, where that follows from the region alone.
    pub(crate) fn endpoint_of(&self, region: &str) -> Option<String> {
        addresses::fill(self.endpoints, region)
    }

    /// The region that an endpoint's host names.
    pub(crate) fn region_of<'h>(&self, host: &'h str) -> Option<&'h str> {
        addresses::region(self.endpoints, host)
    }

    /// The row with what the configuration says otherwise.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] naming the option that cannot be as it is.
    pub(crate) fn with_options(&self, config: &Config) -> Result<Self> {
        let mut row = self.clone();
        set(&mut row.list_version, config.list_object_version);
        set(&mut row.list_url_encode, config.list_url_encode);
        set(&mut row.list_start_inclusive, config.list_start_inclusive);
        set(&mut row.payload_hash, config.payload_hash);
        set(&mut row.checksum_headers, config.checksum_headers);
        set(&mut row.content_md5, config.content_md5);
        set(&mut row.upload_part_copy, config.upload_part_copy);
        set(&mut row.equal_parts, config.equal_parts);
        set(&mut row.etag_is_md5, config.etag_is_md5);
        set(
            &mut row.multipart_etag_standard,
            config.multipart_etag_standard,
        );
        set(&mut row.session_token, config.session_tokens);
        set(&mut row.conditional_put, config.conditional_put);
        set(&mut row.presign_custom_domain, config.presign_custom_domain);
        set(&mut row.https_only, config.https_only);
        set(&mut row.forced_download, config.forced_download);
        set(&mut row.dotted_bucket_in_path, config.dotted_bucket_in_path);
        set(&mut row.copy_max, config.copy_max.map(|size| size.0));
        set(&mut row.part_min, config.part_min.map(|size| size.0));
        if let Some(rules) = &config.key_rules {
            row.key_rules = Cow::Owned(rules.clone());
        }
        if let Some(most) = config.parts_max {
            row.parts_max = in_range("parts_max", most, 1, 10_000)?;
        }
        if let Some(most) = config.delete_batch_max {
            let most = in_range("delete_batch_max", most, 0, 1000)?;
            row.delete_batch_max = usize::try_from(most).unwrap_or(0);
        }
        if let Some(hours) = config.presign_max {
            row.presign_max = hours_of("presign_max", hours)?;
        }
        Ok(row)
    }
}

/// A time that an option gives in hours: more than none, and at most the week that signature version 4 allows.
///
/// # Errors
/// [`Error::InvalidConfig`] naming the option.
pub(crate) fn hours_of(field: &str, hours: f64) -> Result<Duration> {
    if hours > 0.0 && hours <= 168.0 {
        Ok(Duration::from_secs_f64(hours * 3600.0).max(Duration::from_secs(1)))
    } else {
        Err(Error::config(
            field,
            "must be more than 0 and at most 168 hours",
        ))
    }
}

fn set<T>(value: &mut T, option: Option<T>) {
    if let Some(option) = option {
        *value = option;
    }
}

fn in_range(field: &str, number: u32, least: u32, most: u32) -> Result<u32> {
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(Error::config(
            field,
            format!("must be from {least} to {most}"),
        ))
    }
}

#[cfg(test)]
mod tests;
