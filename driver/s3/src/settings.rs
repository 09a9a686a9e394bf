//! The configuration put in order: every question answered, nothing left to check.

use std::time::Duration;

use orlop_driver::{Error, Result};

use crate::{
    config::{Config, Encryption},
    date,
    endpoint::{Address, Endpoint},
    profile::{Addressing, Profile, SessionToken, hours_of},
    sign::Credentials,
};

/// What the driver works from.
#[derive(Debug)]
pub(crate) struct Settings {
    /// What is known of the service, and what the configuration says otherwise.
    pub(crate) profile: Profile,
    /// The bucket's name.
    pub(crate) bucket: String,
    /// Where the bucket's name goes.
    pub(crate) addressing: Addressing,
    /// Whether the endpoint is on this machine.
    pub(crate) local: bool,
    /// Where the bucket is, as far as the configuration knows.
    pub(crate) site: Site,
    /// Whose signature requests carry; none means that they carry none.
    pub(crate) credentials: Option<Credentials>,
    /// Where download links point, if not to the bucket itself.
    pub(crate) custom_host: Option<CustomHost>,
    /// How long links are good.
    pub(crate) link_life: Duration,
    /// The name of the empty file that keeps a folder; empty for the `folder/` marker.
    pub(crate) placeholder: String,
    /// Whether links name the file in the old form as well.
    pub(crate) plain_filename: bool,
    /// The size of an upload's parts, in bytes.
    pub(crate) part_size: u64,
    /// The size from which files go up in parts, in bytes.
    pub(crate) multipart_threshold: u64,
    /// Parts of one upload in flight.
    pub(crate) upload_concurrency: usize,
    /// The size of a copy's parts, in bytes.
    pub(crate) copy_part_size: u64,
    /// Copies in flight.
    pub(crate) copy_concurrency: usize,
    /// What new objects are kept with besides their own headers: storage class and encryption.
    pub(crate) storage_headers: Vec<(&'static str, String)>,
    /// The age at which unfinished uploads are aborted; none if they are left alone.
    pub(crate) abandoned_after: Option<Duration>,
}

/// Where requests go and which region they are signed for. A wrong region is found out on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    /// The bucket's address.
    pub(crate) address: Address,
    /// The region in signatures.
    pub(crate) region: String,
}

/// A host of the operator's own in download links.
#[derive(Debug)]
pub(crate) struct CustomHost {
    /// The bucket's address there.
    pub(crate) address: Address,
    /// Whether links to it are signed.
    pub(crate) signed: bool,
}

/// The largest part, and the largest upload in one request, of every known service.
pub(crate) const PART_MAX: u64 = 5 << 30;

impl Settings {
    /// Puts a configuration in order.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] naming the option that cannot be as it is.
    pub(crate) fn new(config: Config) -> Result<Self> {
        let bucket = config.bucket.trim().to_owned();
        if bucket.is_empty() || bucket.contains('/') {
            return Err(Error::config(
                "bucket",
                "must be the name of a bucket, without `/`",
            ));
        }
        let region = config.region.trim();
        let (row, endpoint) = service(&config, region)?;
        let profile = row.with_options(&config)?;
        if profile.https_only && !endpoint.secure && profile.has_host(&endpoint.host) {
            return Err(Error::config(
                "endpoint",
                format!("{} speaks https alone: leave `http://` out", profile.title),
            ));
        }
        let region = match region {
            "" => profile
                .region_of(&endpoint.host)
                .or(profile.region)
                .ok_or_else(|| no_region(&profile))?,
            given => given,
        };
        let (addressing, host) = addressing(&config, &profile, &endpoint, &bucket)?;
        let site = Site {
            address: Address::of_bucket(&endpoint, host, &bucket, addressing),
            region: region.to_owned(),
        };
        let custom_host = match config.custom_host.trim() {
            "" => None,
            text => {
                let host = Endpoint::parse("custom_host", text)?;
                if config.enable_custom_host_presign
                    && !profile.presign_custom_domain
                    && !profile.has_host(&host.host)
                {
                    return Err(Error::config(
                        "enable_custom_host_presign",
                        format!(
                            "{} takes signed links on its own hosts alone: set it to false",
                            profile.title
                        ),
                    ));
                }
                Some(CustomHost {
                    address: Address::of_custom_host(
                        &host,
                        &bucket,
                        addressing,
                        config.remove_bucket,
                    ),
                    signed: config.enable_custom_host_presign,
                })
            }
        };
        if config.placeholder.contains('/') {
            return Err(Error::config(
                "placeholder",
                "must be a file name, without `/`",
            ));
        }

        let credentials = credentials(&config, &profile)?;
        let part_min = profile.part_min;
        let link_life = hours_of("sign_url_expire", config.sign_url_expire)?;
        Ok(Self {
            addressing,
            local: endpoint.is_local(),
            site,
            credentials,
            custom_host,
            link_life: link_life.min(profile.presign_max),
            storage_headers: storage_headers(&config)?,
            abandoned_after: match config.abandoned_uploads_after {
                0 => None,
                hours => Some(Duration::from_secs(u64::from(hours) * 3600)),
            },
            profile,
            placeholder: config.placeholder,
            plain_filename: config.add_filename_to_disposition,
            part_size: within("part_size", config.part_size.0, part_min, PART_MAX)?,
            multipart_threshold: within(
                "multipart_threshold",
                config.multipart_threshold.0,
                0,
                PART_MAX,
            )?,
            upload_concurrency: concurrency("upload_concurrency", config.upload_concurrency)?,
            copy_part_size: within(
                "copy_part_size",
                config.copy_part_size.0,
                part_min,
                PART_MAX,
            )?,
            copy_concurrency: concurrency("copy_concurrency", config.copy_concurrency)?,
            bucket,
        })
    }

    /// Refuses a key that the service would not take, or would take and never show.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] saying what is wrong with it.
    pub(crate) fn admit(&self, key: &str) -> Result<()> {
        self.profile
            .key_rules
            .iter()
            .try_for_each(|rule| rule.check(key))
    }

    /// The size of equal parts for a file of `size` bytes: `wanted`, or what keeps their number within the
    /// service's limit, in whole MiB.
    pub(crate) fn part_size_for(&self, size: u64, wanted: u64) -> u64 {
        let least = size.div_ceil(u64::from(self.profile.parts_max));
        if least <= wanted {
            wanted
        } else {
            least.next_multiple_of(1 << 20)
        }
    }
}

impl Settings {
    /// The size of the part that follows `done` others of a file whose size nobody knows. Parts begin small and
    /// grow by their first size with each tenth of what the service allows, so that a file may become 5.5 times
    /// as large as with equal ones; where the service wants those, they are equal.
    pub(crate) fn part_size_after(&self, done: u32, first: u64) -> u64 {
        if self.profile.equal_parts {
            return first;
        }
        let tenth = u64::from(done) * 10 / u64::from(self.profile.parts_max.max(1));
        first.saturating_mul(tenth + 1).min(PART_MAX)
    }

    /// The largest file that can be written without its size being known before, in bytes.
    pub(crate) fn unknown_size_max(&self) -> u64 {
        let first = self.part_size;
        (0..self.profile.parts_max)
            .map(|done| self.part_size_after(done, first))
            .fold(0, u64::saturating_add)
    }
}

impl Site {
    /// The same bucket in another region: the host changes along if it names the region.
    pub(crate) fn in_region(&self, region: &str) -> Self {
        let address = &self.address;
        let authority: Vec<_> = address
            .authority
            .split('.')
            .map(|label| if label == self.region { region } else { label })
            .collect();
        Self {
            address: address.at(authority.join(".")),
            region: region.to_owned(),
        }
    }
}

/// The kind of service and its endpoint, each of which may give the other.
fn service(config: &Config, region: &str) -> Result<(&'static Profile, Endpoint)> {
    if !config.endpoint.trim().is_empty() {
        let endpoint = Endpoint::parse("endpoint", &config.endpoint)?;
        let profile = Profile::choose(config.provider.as_deref(), Some(&endpoint.host))?;
        return Ok((profile, endpoint));
    }
    let profile = Profile::choose(config.provider.as_deref(), None)?;
    let region = match (region, profile.region) {
        ("", None) if !profile.endpoints.is_empty() => return Err(no_region(profile)),
        ("", region) => region.unwrap_or_default(),
        (given, _) => given,
    };
    let address = profile.endpoint_of(region).ok_or_else(|| {
        Error::config(
            "endpoint",
            "is missing: write the address of the service, such as `s3.example.com`",
        )
    })?;
    Ok((profile, Endpoint::parse("endpoint", &address)?))
}

fn no_region(profile: &Profile) -> Error {
    Error::config(
        "region",
        format!(
            "is missing: {} wants to know it, and the endpoint does not tell",
            profile.title
        ),
    )
}

/// Where the bucket's name goes, and the endpoint's host without that name.
fn addressing<'a>(
    config: &Config,
    profile: &Profile,
    endpoint: &'a Endpoint,
    bucket: &str,
) -> Result<(Addressing, &'a str)> {
    let host = endpoint.host.as_str();
    let bare = host
        .strip_prefix(bucket)
        .and_then(|rest| rest.strip_prefix('.'))
        .filter(|rest| !rest.is_empty() && (profile.hosts.is_empty() || profile.has_host(rest)));
    // At a service that may run under any name, a host such as `data.example.com` only looks as if it
    // began with the bucket `data` where the bucket goes into the path.
    let chosen = |addressing| match (addressing, bare) {
        (Addressing::Cname, _) => (addressing, host),
        (Addressing::Path, _) if profile.hosts.is_empty() => (addressing, host),
        (_, Some(bare)) => (addressing, bare),
        (_, None) => (addressing, host),
    };
    let told = match (config.addressing, config.force_path_style) {
        (Some(told), Some(path)) if (told == Addressing::Path) != path => {
            return Err(Error::config(
                "force_path_style",
                "contradicts `addressing`: leave one of them out",
            ));
        }
        (Some(told), _) => Some(told),
        (None, Some(true)) => Some(Addressing::Path),
        (None, Some(false)) => Some(Addressing::VirtualHost),
        (None, None) => None,
    };
    Ok(match told {
        Some(told) => chosen(told),
        None if endpoint.is_bare() => (Addressing::Path, host),
        None if bare.is_some() && config.provider.is_none() && profile.hosts.is_empty() => {
            chosen(Addressing::VirtualHost)
        }
        None if profile.dotted_bucket_in_path && endpoint.secure && bucket.contains('.') => {
            chosen(Addressing::Path)
        }
        None => chosen(profile.addressing),
    })
}

fn credentials(config: &Config, profile: &Profile) -> Result<Option<Credentials>> {
    let id = config.access_key_id.trim();
    let secret = config.secret_access_key.trim();
    let token = config.session_token.trim();
    let expires = match config.session_token_expires.trim() {
        "" => None,
        text => Some(
            date::parse_iso(text)
                .filter(|_| text.ends_with('Z'))
                .ok_or_else(|| {
                    Error::config(
                        "session_token_expires",
                        "is no time such as `2026-11-24T18:00:00Z`",
                    )
                })?,
        ),
    };
    match (profile.session_token, token) {
        (SessionToken::Required, "") if !id.is_empty() => {
            return Err(Error::config(
                "session_token",
                format!(
                    "is missing: {} gives temporary keys alone; set `session_tokens` to \"taken\" if not",
                    profile.title
                ),
            ));
        }
        (SessionToken::Refused, token) if !token.is_empty() => {
            return Err(Error::config(
                "session_token",
                format!(
                    "must be empty: {} knows none; set `session_tokens` to \"taken\" if it does",
                    profile.title
                ),
            ));
        }
        _ => {}
    }
    match (id, secret) {
        ("", "") if token.is_empty() => Ok(None),
        ("", _) => Err(Error::config(
            "access_key_id",
            "is missing: give id and secret, or neither for a public bucket",
        )),
        (_, "") => Err(Error::config(
            "secret_access_key",
            "is missing: give id and secret, or neither for a public bucket",
        )),
        _ => Ok(Some(Credentials {
            access_key_id: id.to_owned(),
            secret_access_key: secret.to_owned(),
            session_token: (!token.is_empty()).then(|| token.to_owned()),
            expires,
        })),
    }
}

/// Headers that say how new objects are kept.
fn storage_headers(config: &Config) -> Result<Vec<(&'static str, String)>> {
    let class = header_value("storage_class", &config.storage_class)?;
    let key = header_value("sse_kms_key_id", &config.sse_kms_key_id)?;
    if key.is_some() && config.server_side_encryption != Some(Encryption::Kms) {
        return Err(Error::config(
            "sse_kms_key_id",
            "is for `server_side_encryption = \"aws:kms\"` alone",
        ));
    }
    let encryption = config
        .server_side_encryption
        .map(|encryption| encryption.name().to_owned());
    Ok([
        ("x-amz-storage-class", class),
        ("x-amz-server-side-encryption", encryption),
        ("x-amz-server-side-encryption-aws-kms-key-id", key),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect())
}

fn header_value(field: &str, text: &str) -> Result<Option<String>> {
    let text = text.trim();
    match text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(Some(text.to_owned()).filter(|text| !text.is_empty())),
        false => Err(Error::config(
            field,
            "must be visible ASCII, without blanks",
        )),
    }
}

fn within(field: &str, bytes: u64, least: u64, most: u64) -> Result<u64> {
    if (least..=most).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(Error::config(
            field,
            format!("must be from {least} to {most} bytes"),
        ))
    }
}

fn concurrency(field: &str, number: u32) -> Result<usize> {
    match usize::try_from(number) {
        Ok(number @ 1..=64) => Ok(number),
        _ => Err(Error::config(field, "must be from 1 to 64")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn settings(mut config: Value) -> Result<Settings> {
        if config.get("bucket").is_none() {
            config["bucket"] = json!("photos");
        }
        Settings::new(serde_json::from_value(config).unwrap())
    }

    #[test]
    fn addresses_and_regions_follow_from_what_is_given() {
        let cases = [
            (
                json!({"endpoint": "http://127.0.0.1:9000"}),
                "http://127.0.0.1:9000/photos/k",
                "us-east-1",
            ),
            (
                json!({"endpoint": "s3.example.com/photos/"}),
                "https://s3.example.com/photos/k",
                "us-east-1",
            ),
            (
                json!({"endpoint": "photos.s3.example.com"}),
                "https://photos.s3.example.com/k",
                "us-east-1",
            ),
            (
                json!({"endpoint": "photos.example.com", "provider": "minio", "region": "home"}),
                "https://photos.example.com/photos/k",
                "home",
            ),
            (
                json!({"endpoint": "s3.example.com", "force_path_style": false}),
                "https://photos.s3.example.com/k",
                "us-east-1",
            ),
            (
                json!({"endpoint": "photos.s3.example.com", "force_path_style": false}),
                "https://photos.s3.example.com/k",
                "us-east-1",
            ),
            (
                json!({"endpoint": "s3.eu-west-1.amazonaws.com"}),
                "https://photos.s3.eu-west-1.amazonaws.com/k",
                "eu-west-1",
            ),
            (
                json!({"endpoint": "https://photos.s3.eu-west-1.amazonaws.com/"}),
                "https://photos.s3.eu-west-1.amazonaws.com/k",
                "eu-west-1",
            ),
            (
                json!({"endpoint": "photos.s3.eu-west-1.amazonaws.com", "force_path_style": true}),
                "https://s3.eu-west-1.amazonaws.com/photos/k",
                "eu-west-1",
            ),
            (
                json!({"endpoint": "s3.amazonaws.com", "bucket": "s3"}),
                "https://s3.s3.amazonaws.com/k",
                "us-east-1",
            ),
            (
                json!({"provider": "aws", "region": "eu-central-1"}),
                "https://photos.s3.eu-central-1.amazonaws.com/k",
                "eu-central-1",
            ),
            (
                json!({"provider": "aws", "bucket": "my.photos"}),
                "https://s3.us-east-1.amazonaws.com/my.photos/k",
                "us-east-1",
            ),
            (
                json!({"endpoint": "s3.example.com", "addressing": "virtual-host"}),
                "https://photos.s3.example.com/k",
                "us-east-1",
            ),
            (
                json!({"provider": "oss", "endpoint": "files.example.com", "addressing": "cname"}),
                "https://files.example.com/k",
                "cn-hangzhou",
            ),
            (
                json!({"provider": "oss", "region": "cn-shanghai"}),
                "https://photos.s3.oss-cn-shanghai.aliyuncs.com/k",
                "cn-shanghai",
            ),
            (
                json!({"endpoint": "photos.cos.ap-guangzhou.myqcloud.com"}),
                "https://photos.cos.ap-guangzhou.myqcloud.com/k",
                "ap-guangzhou",
            ),
            (
                json!({"endpoint": "photos.storage.googleapis.com"}),
                "https://storage.googleapis.com/photos/k",
                "auto",
            ),
            (
                json!({"provider": "aws", "endpoint": "http://localhost:9000"}),
                "http://localhost:9000/photos/k",
                "us-east-1",
            ),
        ];
        for (config, url, region) in cases {
            let site = settings(config.clone()).unwrap().site;
            let address = &site.address;
            let found = format!(
                "{}{}{}",
                address.scheme(),
                address.authority,
                address.path(Some("k"))
            );
            assert_eq!(
                (found.as_str(), site.region.as_str()),
                (url, region),
                "{config}"
            );
        }
    }

    #[test]
    fn what_cannot_work_names_its_option() {
        let cases = [
            (json!({}), "endpoint"),
            (json!({"provider": "minio"}), "endpoint"),
            (json!({"provider": "cos"}), "region"),
            (json!({"endpoint": "cos.accelerate.myqcloud.com"}), "region"),
            (json!({"provider": "s4", "endpoint": "h"}), "provider"),
            (
                json!({"endpoint": "http://s3.us-west-004.backblazeb2.com"}),
                "endpoint",
            ),
            (
                json!({"endpoint": "h", "addressing": "cname", "force_path_style": true}),
                "force_path_style",
            ),
            (
                json!({"endpoint": "h", "addressing": "path", "force_path_style": false}),
                "force_path_style",
            ),
            (
                json!({"provider": "upyun", "access_key_id": "a", "secret_access_key": "s", "session_token": "t"}),
                "session_token",
            ),
            (
                json!({"provider": "doge", "region": "ap-shanghai", "access_key_id": "a", "secret_access_key": "s"}),
                "session_token",
            ),
            (
                json!({"endpoint": "h", "session_token_expires": "soon"}),
                "session_token_expires",
            ),
            (
                json!({"provider": "r2", "endpoint": "a.r2.cloudflarestorage.com", "custom_host": "cdn.example",
                       "enable_custom_host_presign": true}),
                "enable_custom_host_presign",
            ),
            (
                json!({"endpoint": "h", "storage_class": "a\r\nb: c"}),
                "storage_class",
            ),
            (
                json!({"endpoint": "h", "sse_kms_key_id": "k"}),
                "sse_kms_key_id",
            ),
            (
                json!({"endpoint": "h", "delete_batch_max": 1001}),
                "delete_batch_max",
            ),
            (json!({"endpoint": "gopher://h"}), "endpoint"),
            (json!({"endpoint": "h", "bucket": " "}), "bucket"),
            (json!({"endpoint": "h", "bucket": "a/b"}), "bucket"),
            (
                json!({"endpoint": "h", "access_key_id": "a"}),
                "secret_access_key",
            ),
            (
                json!({"endpoint": "h", "secret_access_key": "s"}),
                "access_key_id",
            ),
            (
                json!({"endpoint": "h", "session_token": "t"}),
                "access_key_id",
            ),
            (
                json!({"endpoint": "h", "custom_host": "a?b"}),
                "custom_host",
            ),
            (
                json!({"endpoint": "h", "sign_url_expire": 0}),
                "sign_url_expire",
            ),
            (
                json!({"endpoint": "h", "sign_url_expire": 169}),
                "sign_url_expire",
            ),
            (
                json!({"endpoint": "h", "placeholder": "a/b"}),
                "placeholder",
            ),
            (json!({"endpoint": "h", "part_size": 1}), "part_size"),
            (json!({"endpoint": "h", "part_size": "1MiB"}), "part_size"),
            (
                json!({"endpoint": "h", "multipart_threshold": "6GiB"}),
                "multipart_threshold",
            ),
            (
                json!({"endpoint": "h", "upload_concurrency": 0}),
                "upload_concurrency",
            ),
            (
                json!({"endpoint": "h", "copy_concurrency": 65}),
                "copy_concurrency",
            ),
        ];
        for (config, field) in cases {
            let Err(Error::InvalidConfig(error)) = settings(config.clone()) else {
                panic!("{config} is accepted");
            };
            assert_eq!(error.field.as_deref(), Some(field), "{config}");
        }
    }

    #[test]
    fn keys_are_optional_and_links_last_as_told() {
        let public = settings(json!({"endpoint": "h", "sign_url_expire": 0.5})).unwrap();
        assert!(public.credentials.is_none());
        assert_eq!(public.link_life, Duration::from_secs(1800));
        let keyed =
            settings(json!({"endpoint": "h", "access_key_id": "a", "secret_access_key": "s"}));
        assert!(keyed.unwrap().credentials.is_some());
    }

    #[test]
    fn parts_grow_only_when_there_would_be_too_many() {
        let settings = settings(json!({"endpoint": "h"})).unwrap();
        let mib = 1 << 20;
        for (size, part) in [
            (1, 16),
            (100 * mib, 16),
            (160_000 * mib, 16),
            (160_001 * mib, 17),
        ] {
            let found = settings.part_size_for(size, 16 * mib);
            assert_eq!(found, part * mib);
            assert!(size.div_ceil(found) <= 10_000);
        }
    }

    #[test]
    fn parts_of_a_file_of_unknown_size_grow_where_they_may() {
        let with = |options: Value| {
            let mut config = json!({"endpoint": "h", "part_size": "16MiB"});
            for (name, value) in options.as_object().unwrap() {
                config[name] = value.clone();
            }
            settings(config).unwrap()
        };
        let mib = 1 << 20;
        let growing = with(json!({}));
        for (done, part) in [(0, 16), (999, 16), (1000, 32), (9999, 160)] {
            assert_eq!(growing.part_size_after(done, 16 * mib), part * mib);
        }
        assert_eq!(growing.unknown_size_max(), 880_000 * mib);
        let few = with(json!({"parts_max": 1000}));
        assert_eq!(few.unknown_size_max(), 88_000 * mib);
        let equal = with(json!({"equal_parts": true}));
        assert_eq!(equal.unknown_size_max(), 160_000 * mib);
    }

    #[test]
    fn another_region_changes_the_host_that_names_it() {
        let site = settings(json!({"provider": "aws", "region": "us-east-1"}))
            .unwrap()
            .site;
        let moved = site.in_region("eu-west-3");
        assert_eq!(moved.address.authority, "photos.s3.eu-west-3.amazonaws.com");
        assert_eq!(moved.region, "eu-west-3");
    }
}
