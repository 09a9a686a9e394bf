//! What the credentials may do, tried out.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use md5::{Digest, Md5};
use orlop_driver::{Error, Finding, Host, Severity};

use super::finding;
use crate::{
    driver::S3,
    fault::Fault,
    operation::{Operation, Payload},
    xml::cors,
};

/// Uploads that are not finished after this time hardly will be.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// What is written to see whether it can be.
const SCRATCH: &str = "Orlop wrote this file to see whether it can, and should have removed it.\n";

impl<H: Host> S3<H> {
    /// Whether an object that is listed can be looked at.
    pub(super) async fn check_looking(&self, key: &str) -> Option<Finding> {
        let fault = self.client.head(key).await.err()?;
        Some(refusal(
            "files are listed, but cannot be looked at",
            &fault,
            "allow s3:GetObject on the bucket's objects to this key; with a KMS key, kms:Decrypt on that key too",
        ))
    }

    /// Whether a file can be written, looked at and removed. Nothing stays behind, whatever fails.
    pub(super) async fn check_writing(&self, key: &str) -> Vec<Finding> {
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
            if self.hides_writes(&fault) {
                let field = Some("addressing");
                return vec![finding(
                    Severity::Failure,
                    field.map(str::to_owned),
                    format!("files are listed, but cannot be written: {}", fault.error),
                    self.config_remedy(field),
                )];
            }
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
    pub(super) async fn check_abandoned(&self) -> Option<Finding> {
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
    pub(super) async fn check_cors(&self) -> Option<Finding> {
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
