use std::sync::Arc;

use md5::{Digest as _, Md5};
use s3s::dto::*;
use s3s::{S3Result, s3_error};

use crate::backend::Backend;
use crate::backend::multipart::check_part_number;
use crate::backend::precondition::{ReadConditions, WriteConditions};
use crate::backend::range::resolve_source;
use crate::etag::Md5Digest;
use crate::metadata::Metadata;
use crate::object::{Object, now, timestamp};
use crate::rope::Rope;
use crate::store::upload::Part;

/// The largest object that one request may copy: 5 GiB.
const COPY_MAX: u64 = 5 * 1024 * 1024 * 1024;

impl Backend {
    pub(super) async fn copy(&self, input: CopyObjectInput) -> S3Result<CopyObjectOutput> {
        let replaces = input
            .metadata_directive
            .as_ref()
            .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
        let (bucket, key) = plain_source(&input.copy_source)?;
        if bucket == input.bucket && key == input.key && !replaces && input.storage_class.is_none()
        {
            return Err(s3_error!(
                InvalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes."
            ));
        }
        let source = self.source(
            &input.copy_source,
            ReadConditions {
                if_match: input.copy_source_if_match,
                if_none_match: input.copy_source_if_none_match,
                if_modified_since: input.copy_source_if_modified_since,
                if_unmodified_since: input.copy_source_if_unmodified_since,
            },
        )?;
        let most = match self.quirks.copy_max {
            0 => COPY_MAX,
            most => most,
        };
        if source.body.len() > most {
            return Err(s3_error!(
                InvalidRequest,
                "The specified copy source is larger than the maximum allowable size for a copy source: {most}"
            ));
        }
        // The storage class is not copied: it is the usual one unless the client names another.
        let storage_class = input.storage_class.map(|class| class.as_str().to_owned());
        let metadata = match replaces {
            true => Metadata {
                content_type: input.content_type,
                content_encoding: input.content_encoding,
                content_language: input.content_language,
                content_disposition: input.content_disposition,
                cache_control: input.cache_control,
                expires: input.expires,
                storage_class,
                user: input.metadata.unwrap_or_default(),
            },
            false => Metadata {
                storage_class,
                ..source.metadata.clone()
            },
        };
        let md5 = self.md5(&source.body).await;
        let object = Object::new(source.body.clone(), self.store.etags.simple(md5), metadata);
        let result = CopyObjectResult {
            e_tag: Some(object.etag()),
            last_modified: Some(object.modified()),
            ..CopyObjectResult::default()
        };
        self.commit(
            &input.bucket,
            input.key,
            object,
            &WriteConditions::default(),
        )?;
        Ok(CopyObjectOutput {
            copy_object_result: Some(result),
            ..CopyObjectOutput::default()
        })
    }

    pub(super) async fn copy_part(
        &self,
        input: UploadPartCopyInput,
    ) -> S3Result<UploadPartCopyOutput> {
        check_part_number(input.part_number)?;
        let source = self.source(
            &input.copy_source,
            ReadConditions {
                if_match: input.copy_source_if_match,
                if_none_match: input.copy_source_if_none_match,
                if_modified_since: input.copy_source_if_modified_since,
                if_unmodified_since: input.copy_source_if_unmodified_since,
            },
        )?;
        let body = match &input.copy_source_range {
            Some(range) => source.body.slice(resolve_source(range, source.body.len())?),
            None => source.body.clone(),
        };
        if body.len() > COPY_MAX {
            return Err(s3_error!(
                InvalidRequest,
                "The specified copy source is larger than the maximum allowable size for a copy source: {COPY_MAX}"
            ));
        }
        let md5 = self.md5(&body).await;
        let part = Part {
            etag: self.store.etags.simple(md5),
            md5,
            body,
            modified: now(),
        };
        let result = CopyPartResult {
            e_tag: Some(ETag::Strong(part.etag.clone())),
            last_modified: Some(timestamp(part.modified)),
            ..CopyPartResult::default()
        };
        self.store.with_bucket(&input.bucket, |bucket| {
            let upload = bucket.upload(&input.key, &input.upload_id)?;
            upload.parts.insert(input.part_number, part);
            Ok(())
        })?;
        Ok(UploadPartCopyOutput {
            copy_part_result: Some(result),
            ..UploadPartCopyOutput::default()
        })
    }

    fn source(&self, source: &CopySource, conditions: ReadConditions) -> S3Result<Arc<Object>> {
        let (bucket, key) = plain_source(source)?;
        let object = self
            .store
            .with_bucket(bucket, |bucket| bucket.object(key))?;
        conditions.check_source(&object)?;
        Ok(object)
    }

    /// Hashes stored bytes if entity tags are hashes, letting others run in between.
    async fn md5(&self, body: &Rope) -> Option<Md5Digest> {
        if !self.store.etags.hashes() {
            return None;
        }
        let mut hash = Md5::new();
        for chunk in body.chunks() {
            hash.update(chunk);
            tokio::task::yield_now().await;
        }
        Some(hash.finalize().into())
    }
}

fn plain_source(source: &CopySource) -> S3Result<(&str, &str)> {
    match source {
        CopySource::Bucket {
            bucket,
            key,
            version_id: None,
        } => Ok((bucket, key)),
        CopySource::Bucket { .. } => Err(s3_error!(
            NoSuchVersion,
            "The specified version does not exist."
        )),
        _ => Err(s3_error!(
            NotImplemented,
            "access points are not implemented"
        )),
    }
}
