//! Deleting objects, one or many.

use std::sync::atomic::Ordering;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use futures::{StreamExt, stream};
use md5::{Digest, Md5};
use orlop_driver::{Host, Result};

use crate::{
    driver::S3,
    fault::{self, Fault},
    flight, octets,
    operation::{Operation, Payload},
    xml::deletion::{self, Kept},
};

/// Single deletions in flight.
const CONCURRENCY: usize = 32;
/// The note that says that the service does not know DeleteObjects.
const SINGLY: &str = "deletes-singly";

impl<H: Host> S3<H> {
    /// Deletes an object. One that is not there is no error.
    pub(crate) async fn delete_key(&self, key: &str) -> Result<(), Fault> {
        let operation = Operation::on_object("DELETE", key);
        match self.client.call(&operation, |_| Ok(())).await {
            Err(fault) if fault.is_missing() => Ok(()),
            other => other,
        }
    }

    /// Deletes objects: many at once where the service can, else one by one.
    pub(crate) async fn delete_keys(&self, keys: &[&str]) -> Result<()> {
        let (batched, mut single): (Vec<&str>, Vec<&str>) =
            keys.iter().partition(|key| deletion::can_name(key));
        let most = self.settings.profile.delete_batch_max;
        for batch in batched.chunks(most.max(1)) {
            if most == 0 || self.deletes_singly() {
                single.extend(batch);
                continue;
            }
            match self.delete_batch(batch).await {
                Ok(failures) => {
                    for kept in failures {
                        single.push(retried(batch, &kept)?);
                    }
                }
                Err(fault) if fault.is_unknown_call() => {
                    self.deletes_singly.store(true, Ordering::Relaxed);
                    self.client.host.note(SINGLY, "");
                    single.extend(batch);
                }
                // The service may stumble over one of the keys.
                Err(fault)
                    if fault.status == 400 && !fault.is_retryable() && !fault.is_about_time() =>
                {
                    single.extend(batch);
                }
                Err(fault) => return Err(fault.into()),
            }
        }
        let jobs = stream::iter(single).map(|key| self.delete_key(key));
        flight::run(jobs, CONCURRENCY).await?;
        Ok(())
    }

    /// Whether the service was found not to know DeleteObjects.
    fn deletes_singly(&self) -> bool {
        self.deletes_singly.load(Ordering::Relaxed) || self.client.host.recall(SINGLY).is_some()
    }

    async fn delete_batch(&self, keys: &[&str]) -> Result<Vec<Kept>, Fault> {
        let document = deletion::request(keys.iter().copied());
        let operation = Operation::on_bucket("POST")
            .query("delete", "")
            .header("content-type", "application/xml")
            .header("content-md5", BASE64.encode(Md5::digest(&document)))
            .payload(Payload::Document(document));
        self.client
            .call(&operation, |response| {
                let mut failures = deletion::failures(&octets::text(&response.body))?;
                failures.retain(|kept| kept.code != "NoSuchKey");
                Ok(failures)
            })
            .await
    }
}

/// The key to try again by itself, if its failure may pass.
fn retried<'a>(batch: &[&'a str], kept: &Kept) -> Result<&'a str> {
    let key = batch.iter().find(|key| **key == kept.key);
    match key {
        Some(key) if fault::is_retryable(200, &kept.code) => Ok(key),
        _ => {
            let name = kept.key.rsplit('/').next().unwrap_or_default();
            let what = format!("DELETE `{}`", name.escape_debug());
            Err(fault::of_item(&kept.code, &kept.message, &what))
        }
    }
}
