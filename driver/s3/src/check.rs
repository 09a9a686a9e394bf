//! Finding out whether a volume works, and if not, what to change.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use md5::{Digest, Md5};
use orlop_driver::{Error, Finding, Host, Path, Result, Severity};

use crate::{
    driver::S3,
    fault::Fault,
    key,
    list::Query,
    operation::{Operation, Payload},
    profile::Addressing,
    xml::cors,
};

/// Services refuse requests of clocks that are 15 minutes off; this much is worth a word before.
const SKEW_WORTH_TELLING: u64 = 60;
/// Uploads that are not finished after this time hardly will be.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// What is written to see whether it can be.
const SCRATCH: &str = "Orlop wrote this file to see whether it can, and should have removed it.\n";

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
        Ok(findings)
    }

    /// Whether an object that is listed can be looked at.
    async fn check_looking(&self, key: &str) -> Option<Finding> {
        let fault = self.client.head(key).await.err()?;
        Some(refusal(
            "files are listed, but cannot be looked at",
            &fault,
            "allow s3:GetObject on the bucket's objects to this key; with a KMS key, kms:Decrypt on that key too",
        ))
    }

    /// Whether a file can be written, looked at and removed. Nothing stays behind, whatever fails.
    async fn check_writing(&self, key: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        let md5 = self.settings.profile.content_md5;
        let md5 = md5.then(|| ("content-md5", BASE64.encode(Md5::digest(SCRATCH))));
        let operation = Operation::on_object("PUT", key)
            .header("content-type", "text/plain")
            .headers(md5)
            .headers(self.settings.storage_headers.iter().cloned())
            .payload(Payload::Document(SCRATCH.to_owned()))
            .hasty();
        if let Err(fault) = self.client.call(&operation, |_| Ok(())).await {
            let remedy = match &*fault.code {
                "InvalidStorageClass" => "write a `storage_class` that the service knows",
                code if code.starts_with("KMS") => {
                    "check `sse_kms_key_id`, and allow kms:GenerateDataKey on that key"
                }
                _ => {
                    "allow s3:PutObject on the bucket's objects to this key, or set read_only = true for the mount"
                }
            };
            findings.push(refusal("files cannot be written", &fault, remedy));
            // A refusal has written nothing; where no answer came, it is not known.
            if (400..500).contains(&fault.status) {
                return findings;
            }
        } else {
            match self.client.head(key).await {
                Ok(Some(head)) if head.object.size == SCRATCH.len() as u64 => {}
                Ok(_) => findings.push(finding(
                    Severity::Failure,
                    None,
                    "a file that was just written is not there".to_owned(),
                    Some("check that `endpoint` is the bucket's own, and no cache".to_owned()),
                )),
                Err(fault) => findings.push(refusal(
                    "files can be written, but not looked at",
                    &fault,
                    "allow s3:GetObject on the bucket's objects to this key",
                )),
            }
        }
        let removal = Operation::on_object("DELETE", key).hasty();
        match self.client.call(&removal, |_| Ok(())).await {
            Err(fault) if !fault.is_missing() => {
                let what = format!(
                    "files can be written, but not removed: `{}` is left",
                    key.escape_debug()
                );
                findings.push(refusal(
                    &what,
                    &fault,
                    "allow s3:DeleteObject on the bucket's objects to this key, and remove that file",
                ));
            }
            _ => {}
        }
        findings
    }

    /// Aborts uploads that nobody finished if the configuration says so, else counts them.
    async fn check_abandoned(&self) -> Option<Finding> {
        let counted = match self.settings.abandoned_after {
            Some(age) => self.sweep(age).await,
            None => self.abandoned(DAY).await.map(|uploads| uploads.len()),
        };
        match (counted, self.settings.abandoned_after) {
            (Ok(0), _) => None,
            (Ok(count), Some(_)) => Some(finding(
                Severity::Note,
                Some("abandoned_uploads_after".to_owned()),
                format!("uploads that nobody finished were aborted: {count}"),
                None,
            )),
            (Ok(count), None) => Some(finding(
                Severity::Warning,
                Some("abandoned_uploads_after".to_owned()),
                format!("the bucket keeps uploads that nobody finished for more than a day: {count}"),
                Some(
                    "set `abandoned_uploads_after = 24` to have them aborted, or give the bucket a lifecycle rule for incomplete multipart uploads"
                        .to_owned(),
                ),
            )),
            // Not all services have that call.
            (Err(fault), _) if fault.is_unknown_call() => None,
            (Err(fault), _) => Some(finding(
                Severity::Note,
                None,
                format!("uploads that nobody finished cannot be looked for: {}", fault.error),
                Some(
                    "allow s3:ListBucketMultipartUploads and s3:AbortMultipartUpload to this key"
                        .to_owned(),
                ),
            )),
        }
    }

    /// Whether browsers may upload straight to the service.
    async fn check_cors(&self) -> Option<Finding> {
        let operation = Operation::on_bucket("GET").query("cors", "");
        let allowed = self
            .client
            .call(&operation, |response| {
                cors::allows_uploads(&String::from_utf8_lossy(&response.body))
            })
            .await;
        let what = match allowed {
            Ok(true) => return None,
            Ok(false) => "the bucket's CORS rules do not let browsers upload".to_owned(),
            Err(fault) if fault.is_missing() => {
                "the bucket has no CORS rules: browsers may not upload straight to it".to_owned()
            }
            Err(fault) if fault.is_unknown_call() => return None,
            Err(fault) => format!("the bucket's CORS rules cannot be read: {}", fault.error),
        };
        Some(finding(
            Severity::Note,
            None,
            what,
            Some(
                "for uploads from the page straight to the service, allow PUT from the page's origin, and expose ETag"
                    .to_owned(),
            ),
        ))
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

/// Something that the service did not do, and what may make it.
fn refusal(what: &str, fault: &Fault, remedy: &str) -> Finding {
    // The host says itself which line would allow it; and what may pass has nothing to do with rights.
    let remedy = match &fault.error {
        Error::Blocked(_) => None,
        error if error.is_retryable() => Some("try again later"),
        _ => Some(remedy),
    };
    finding(
        Severity::Failure,
        None,
        format!("{what}: {}", fault.error),
        remedy.map(str::to_owned),
    )
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
