//! Copying one object inside the bucket: in one call, or in parts if it is large.

use std::borrow::Cow;

use futures::{StreamExt, TryFutureExt, stream};
use orlop_driver::{CompletedPart, Error, Host, Result};
use serde::{Deserialize, Serialize};

use crate::{
    driver::S3,
    encode,
    fault::Fault,
    flight,
    object::Head,
    operation::Operation,
    xml::{
        Unread,
        listing::{Object, etag},
        receipt,
    },
};

/// Objects up to this size are copied in one call, in bytes. Services would take more, but then need longer
/// than a host waits for one call.
const WHOLE_MAX: u64 = 1 << 30;
/// Bytes of one object to copy in one step: some seconds' worth.
const STEP_BYTES: u64 = 4 << 30;

/// A large copy on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LargeCopy {
    upload: String,
    /// The source's size, in bytes.
    pub(crate) size: u64,
    /// The source's ETag: all parts must come from the same content.
    pub(crate) etag: Option<String>,
    part_size: u64,
    /// The ETags of the parts that are there.
    parts: Vec<String>,
}

impl<H: Host> S3<H> {
    /// Whether an object of this size is copied in one call.
    pub(crate) fn copies_whole(&self, size: u64) -> bool {
        let profile = &self.settings.profile;
        match profile.upload_part_copy {
            true => {
                let wanted = WHOLE_MAX.max(self.settings.copy_part_size);
                size <= wanted.min(profile.copy_max)
            }
            false => size <= profile.copy_max,
        }
    }

    /// Whether the service can copy an object of this size by itself at all.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if not: whoever asked may then copy it by reading and writing.
    pub(crate) fn check_copyable(&self, size: u64) -> Result<()> {
        if self.copies_whole(size) || self.settings.profile.upload_part_copy {
            return Ok(());
        }
        Err(Error::Unsupported(format!(
            "the service cannot copy a file of {size} bytes by itself"
        )))
    }

    /// Copies an object in one call, with all that it is kept with, and tells the copy's ETag; none if the
    /// source is not there.
    pub(crate) async fn copy_whole(
        &self,
        source: &Object,
        to: &str,
    ) -> Result<Option<String>, Fault> {
        let operation = Operation::on_object("PUT", to)
            .header("x-amz-copy-source", self.copy_source(&source.key))
            .headers(self.settings.copy_headers(source));
        let copied = self
            .client
            .call(&operation, |response| {
                let body = String::from_utf8_lossy(&response.body);
                etag(&receipt::etag(&body, "CopyObjectResult")?)
                    .ok_or_else(|| Unread::Garbled("a copy without an ETag".to_owned()))
            })
            .await;
        match copied {
            Ok(etag) => Ok(Some(etag)),
            Err(fault) if fault.is_missing() => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Begins the copy of a large object.
    pub(crate) async fn begin_large_copy(&self, source: Head, to: &str) -> Result<LargeCopy> {
        let size = source.object.size;
        let part_size = self.part_size_for(size, self.settings.copy_part_size)?;
        let kept = source.kept_headers().into_iter();
        let added = self.settings.copy_headers(&source.object);
        let headers = kept.map(|(name, value)| (Cow::Owned(name), value)).chain(
            added
                .into_iter()
                .map(|(name, value)| (Cow::Borrowed(name), value)),
        );
        Ok(LargeCopy {
            upload: self.create_upload(to, headers).await?,
            size,
            etag: source.object.etag,
            part_size,
            parts: Vec::new(),
        })
    }

    /// Copies the next parts; none when the copy is whole. Nothing stays behind if it fails.
    pub(crate) async fn continue_large_copy(
        &self,
        from: &str,
        to: &str,
        mut copy: LargeCopy,
    ) -> Result<Option<LargeCopy>> {
        match self.copy_parts(from, to, &mut copy).await {
            Ok(true) => Ok(None),
            Ok(false) => Ok(Some(copy)),
            // This step was done before, or broke off: the copy begins anew.
            Err(fault) if &*fault.code == "NoSuchUpload" => {
                let source = self.client.head(from).await?.ok_or(Error::NotFound)?;
                Ok(Some(self.begin_large_copy(source, to).await?))
            }
            Err(fault) => {
                // The first error is the one to tell.
                let _ = self.drop_upload(to, &copy.upload).await;
                Err(match fault.error {
                    Error::PreconditionFailed => {
                        Error::Unavailable("the file was changed while it was copied".to_owned())
                    }
                    error => error,
                })
            }
        }
    }

    /// Copies some parts, and tells whether that was all of them.
    async fn copy_parts(&self, from: &str, to: &str, copy: &mut LargeCopy) -> Result<bool, Fault> {
        let total = copy.size.div_ceil(copy.part_size);
        let done = copy.parts.len() as u64;
        let most = (STEP_BYTES / copy.part_size).clamp(1, self.settings.copy_concurrency as u64);
        let until = total.min(done + most);
        let source = self.copy_source(from);
        let jobs = stream::iter(done..until).map(|index| {
            let part = self.copy_part(to, copy, &source, index);
            part.map_ok(move |etag| (index, etag))
        });
        let mut copied = flight::run(jobs, self.settings.copy_concurrency).await?;
        copied.sort_unstable_by_key(|(index, _)| *index);
        copy.parts.extend(copied.into_iter().map(|(_, etag)| etag));
        if until < total {
            return Ok(false);
        }
        let parts: Vec<_> = (1..)
            .zip(&copy.parts)
            .map(|(number, etag)| CompletedPart {
                number,
                etag: etag.clone(),
            })
            .collect();
        self.finish_upload(to, &copy.upload, &parts, None, Some(copy.size))
            .await?;
        Ok(true)
    }

    async fn copy_part(
        &self,
        to: &str,
        copy: &LargeCopy,
        source: &str,
        index: u64,
    ) -> Result<String, Fault> {
        let first = index * copy.part_size;
        let last = copy.size.min(first + copy.part_size).saturating_sub(1);
        let mut operation = Operation::on_object("PUT", to)
            .query("partNumber", (index + 1).to_string())
            .query("uploadId", copy.upload.as_str())
            .header("x-amz-copy-source", source)
            .header("x-amz-copy-source-range", format!("bytes={first}-{last}"));
        if let Some(etag) = &copy.etag {
            operation = operation.header("x-amz-copy-source-if-match", etag.as_str());
        }
        self.client
            .call(&operation, |response| {
                let body = String::from_utf8_lossy(&response.body);
                etag(&receipt::etag(&body, "CopyPartResult")?)
                    .ok_or_else(|| Unread::Garbled("a part without an ETag".to_owned()))
            })
            .await
    }

    /// Makes sure that a copy is there before its source goes. An equal ETag, which the copying told, is
    /// proof; where services make another one the size has to do.
    pub(crate) async fn verify_copy(
        &self,
        source: &Object,
        to: &str,
        etag: Option<&str>,
    ) -> Result<()> {
        if etag.is_some() && etag == source.etag.as_deref() {
            return Ok(());
        }
        match self.client.head(to).await? {
            Some(head) if head.object.size == source.size => Ok(()),
            _ => Err(Error::Unavailable(
                "a copy is not what its source was; the source is left as it is".to_owned(),
            )),
        }
    }

    fn copy_source(&self, key: &str) -> String {
        format!(
            "{}/{}",
            encode::path(&self.settings.bucket),
            encode::path(key)
        )
    }
}
