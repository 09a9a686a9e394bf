//! Uploads in parts that nobody finished: services keep their parts, and charge for them, until someone aborts them.

use std::{sync::atomic::Ordering, time::Duration};

use futures::{StreamExt, stream};
use orlop_driver::Host;

use crate::{
    driver::S3,
    fault::Fault,
    flight, octets,
    operation::Operation,
    xml::uploads::{self, Unfinished, Uploads},
};

/// Pages of uploads to look through, at most.
const PAGES: u32 = 10;
/// Abortions in flight.
const CONCURRENCY: usize = 16;
/// The note that says that unfinished uploads were looked for.
const SWEPT: &str = "swept";

impl<H: Host> S3<H> {
    /// Aborts what is older than the configured age, the first time that it is called. What goes wrong has nothing
    /// to do with the caller's work, and is for a check to meet again.
    pub(crate) async fn sweep_once(&self) {
        if let Some(age) = self.settings.abandoned_after
            && !self.swept.swap(true, Ordering::Relaxed)
            && self.client.host.recall(SWEPT).is_none()
        {
            self.client.host.note(SWEPT, "");
            drop(self.sweep(age).await);
        }
    }

    /// Aborts the bucket's uploads that are older than `age`, and tells how many those were.
    pub(crate) async fn sweep(&self, age: Duration) -> Result<usize, Fault> {
        let old = self.abandoned(age).await?;
        let jobs = stream::iter(&old).map(|upload| self.drop_upload(&upload.key, &upload.id));
        flight::run(jobs, CONCURRENCY).await?;
        Ok(old.len())
    }

    /// The bucket's uploads that are older than `age`, of the first 10,000.
    pub(crate) async fn abandoned(&self, age: Duration) -> Result<Vec<Unfinished>, Fault> {
        let Some(before) = self.client.now().checked_sub(age) else {
            return Ok(Vec::new());
        };
        let mut old = Vec::new();
        let mut marker = None;
        for _ in 0..PAGES {
            let page = self.list_uploads(marker.as_ref()).await?;
            let is_old = |upload: &Unfinished| upload.begun.is_some_and(|begun| begun < before);
            old.extend(page.uploads.into_iter().filter(is_old));
            // A service that stays where it is has said all that it will.
            if page.next.is_none() || page.next == marker {
                break;
            }
            marker = page.next;
        }
        Ok(old)
    }

    async fn list_uploads(&self, after: Option<&(String, String)>) -> Result<Uploads, Fault> {
        let mut operation = Operation::on_bucket("GET")
            .query("uploads", "")
            .query("max-uploads", "1000");
        if self.settings.profile.list_url_encode {
            operation = operation.query("encoding-type", "url");
        }
        if let Some((key, id)) = after {
            operation = operation.query("key-marker", key.as_str());
            if !id.is_empty() {
                operation = operation.query("upload-id-marker", id.as_str());
            }
        }
        self.client
            .call(&operation, |response| {
                uploads::read(&octets::text(&response.body))
            })
            .await
    }
}
