//! Finding out whether a volume works, and if not, what to change.

mod rights;

use orlop_driver::{Error, Finding, Host, Path, Result, Severity};

use crate::{driver::S3, key, list::Query, profile::Addressing};

/// Services refuse requests of clocks that are 15 minutes off; this much is worth a word before.
const SKEW_WORTH_TELLING: u64 = 60;

impl<H: Host> S3<H> {
    /// Asks for one key, and looks at it; with a scratch file, writes and removes that as well. Says what came
    /// of it.
    pub(crate) async fn findings(&self, scratch: Option<&Path>) -> Result<Vec<Finding>> {
        let query = Query {
            prefix: "",
            folded: false,
            position: None,
            limit: 1,
        };
        let mut findings = Vec::new();
        match self.list_keys(query).await {
            Ok((listing, _)) => {
                if let Some(object) = listing.objects.first() {
                    findings.extend(self.check_looking(&object.key).await);
                }
                if let Some(scratch) = scratch {
                    let writing = self.check_writing(&key::of_file(scratch)?).await;
                    let works = writing.is_empty();
                    findings.extend(writing);
                    if works {
                        findings.extend(self.check_abandoned().await);
                        findings.extend(self.check_cors().await);
                    }
                }
            }
            Err(fault) => findings.push(self.failure(fault.error, &fault.code)),
        }
        findings.extend(self.corrections());
        findings.extend(self.forced_download());
        Ok(findings)
    }

    fn failure(&self, error: Error, code: &str) -> Finding {
        let bucket = &self.settings.bucket;
        let (field, remedy) = match (&error, code) {
            (Error::InvalidConfig(config), _) => {
                let message = config.message.clone();
                return finding(
                    Severity::Failure,
                    config.field.clone(),
                    format!("bucket `{bucket}`: {message}"),
                    self.config_remedy(config.field.as_deref()),
                );
            }
            (_, "InvalidAccessKeyId" | "InvalidAccessKey") => (
                Some("access_key_id"),
                Some("copy the id of a key that is active"),
            ),
            (_, "SignatureDoesNotMatch") => (
                Some("secret_access_key"),
                Some(
                    "copy the secret again, without blanks; a wrong `region` can show like this too",
                ),
            ),
            (
                Error::Unauthenticated(_),
                "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired",
            ) => (
                Some("session_token"),
                Some("give new temporary credentials, or keys that last"),
            ),
            (Error::Unauthenticated(_), _) => {
                (None, Some("check the keys and the clock of this machine"))
            }
            (Error::PermissionDenied(_), _) if self.client.signer.is_none() => (
                Some("access_key_id"),
                Some("the bucket is not public: give an access key"),
            ),
            (Error::PermissionDenied(_), _) => (
                None,
                Some(
                    "allow s3:ListBucket on the bucket, and s3:GetObject on its objects, to this key",
                ),
            ),
            (Error::NotFound, _) => (
                Some("endpoint"),
                Some("the endpoint knows no such bucket: check `endpoint` and `force_path_style`"),
            ),
            (Error::Unavailable(_) | Error::TimedOut, _) => (
                Some("endpoint"),
                Some(
                    "check that the address is right and that the service can be reached from here",
                ),
            ),
            // The host says itself which line would allow it.
            _ => (None, None),
        };
        let message = match &error {
            Error::Blocked(text) => text.clone(),
            error => format!("bucket `{bucket}` cannot be listed: {error}"),
        };
        finding(
            Severity::Failure,
            field.map(str::to_owned),
            message,
            remedy.map(str::to_owned),
        )
    }

    fn config_remedy(&self, field: Option<&str>) -> Option<String> {
        let remedy = match field? {
            "bucket" if self.settings.addressing == Addressing::Path => {
                "check the name; if it is right, the service may want it in the host: force_path_style = false"
            }
            "bucket" => {
                "check the name; if it is right, the service may want it in the path: force_path_style = true"
            }
            "region" => "write the region that is named, and the endpoint of that region",
            "addressing" => "addressing = \"virtual-host\"",
            _ => return None,
        };
        Some(remedy.to_owned())
    }

    /// What links do otherwise than people expect, by the service's own will.
    fn forced_download(&self) -> Option<Finding> {
        let settings = &self.settings;
        let own_host = settings.custom_host.is_none() && settings.addressing != Addressing::Cname;
        (settings.profile.forced_download && own_host).then(|| {
            finding(
                Severity::Note,
                Some("custom_host".to_owned()),
                "links lead to the service's own host, which makes browsers save what they could show"
                    .to_owned(),
                Some(
                    "bind a domain of your own to the bucket and set `custom_host` to it, or serve files with \
                     download = \"proxy\""
                        .to_owned(),
                ),
            )
        })
    }

    /// What the configuration got wrong and the driver put right by itself.
    fn corrections(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let site = self.client.site();
        if site.region != self.settings.site.region {
            findings.push(finding(
                Severity::Warning,
                Some("region".to_owned()),
                format!(
                    "the bucket is in `{}`: each new start asks once in vain",
                    site.region
                ),
                Some(format!("region = \"{}\"", site.region)),
            ));
        }
        let skew = self.client.skew();
        if skew.unsigned_abs() >= SKEW_WORTH_TELLING {
            findings.push(finding(
                Severity::Warning,
                None,
                format!(
                    "this machine's clock differs from the service's by {} seconds",
                    skew.unsigned_abs()
                ),
                Some("set the clock, for instance with NTP".to_owned()),
            ));
        }
        if !site.address.secure && self.client.signer.is_some() && !self.settings.local {
            findings.push(finding(
                Severity::Note,
                Some("endpoint".to_owned()),
                "the connection is not encrypted: others on the way can read files".to_owned(),
                Some("use https if the service has it".to_owned()),
            ));
        }
        findings
    }
}

fn finding(
    severity: Severity,
    field: Option<String>,
    message: String,
    remedy: Option<String>,
) -> Finding {
    Finding {
        severity,
        field,
        message,
        remedy,
    }
}
