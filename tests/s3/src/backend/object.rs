use std::sync::Arc;

use s3s::dto::*;
use s3s::{Body, S3Result, s3_error};

use crate::backend::Backend;
use crate::backend::payload::{Declared, Payload};
use crate::backend::precondition::{ReadConditions, WriteConditions};
use crate::backend::range::{content_range, resolve};
use crate::metadata::Metadata;
use crate::object::Object;

/// The most objects that one request may delete.
const DELETE_MAX: usize = 1000;

impl Backend {
    pub(super) fn read(&self, input: GetObjectInput) -> S3Result<GetObjectOutput> {
        refuse_parts_and_versions(input.part_number, input.version_id.as_deref())?;
        let object = self
            .store
            .with_bucket(&input.bucket, |bucket| bucket.object(&input.key))?;
        ReadConditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        }
        .check(&object)?;
        let len = object.body.len();
        let range = input.range.map(|range| resolve(range, len)).transpose()?;
        let body = match &range {
            Some(range) => object.body.slice(range.clone()),
            None => object.body.clone(),
        };
        let metadata = &object.metadata;
        Ok(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: i64::try_from(body.len()).ok(),
            content_range: range.map(|range| content_range(&range, len)),
            body: Some(StreamingBlob::from(Body::http_body(body.into_body()))),
            e_tag: Some(object.etag()),
            last_modified: Some(object.modified()),
            content_type: Some(metadata.content_type()),
            content_encoding: metadata.content_encoding.clone(),
            content_language: metadata.content_language.clone(),
            content_disposition: metadata.content_disposition.clone(),
            cache_control: metadata.cache_control.clone(),
            expires: metadata.expires.clone(),
            storage_class: metadata.unusual_storage_class(),
            metadata: Some(metadata.user.clone()),
            ..GetObjectOutput::default()
        })
    }

    pub(super) fn describe(&self, input: HeadObjectInput) -> S3Result<HeadObjectOutput> {
        refuse_parts_and_versions(input.part_number, input.version_id.as_deref())?;
        let object = self
            .store
            .with_bucket(&input.bucket, |bucket| bucket.object(&input.key))?;
        ReadConditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        }
        .check(&object)?;
        let len = object.body.len();
        let range = input.range.map(|range| resolve(range, len)).transpose()?;
        let content_length = range.as_ref().map_or(len, |range| range.end - range.start);
        let metadata = object.metadata.clone();
        Ok(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: i64::try_from(content_length).ok(),
            content_range: range.map(|range| content_range(&range, len)),
            e_tag: Some(object.etag()),
            last_modified: Some(object.modified()),
            content_type: input
                .response_content_type
                .or(Some(metadata.content_type())),
            content_encoding: input
                .response_content_encoding
                .or(metadata.content_encoding),
            content_language: input
                .response_content_language
                .or(metadata.content_language),
            content_disposition: input
                .response_content_disposition
                .or(metadata.content_disposition),
            cache_control: input.response_cache_control.or(metadata.cache_control),
            expires: input.response_expires.or(metadata.expires),
            storage_class: object.metadata.unusual_storage_class(),
            metadata: Some(metadata.user),
            ..HeadObjectOutput::default()
        })
    }

    pub(super) async fn write(&self, input: PutObjectInput) -> S3Result<PutObjectOutput> {
        let declared = Declared {
            length: input.content_length,
            md5: input.content_md5.as_deref(),
        };
        let payload = Payload::receive(input.body, declared, self.store.etags.hashes()).await?;
        let metadata = Metadata {
            content_type: input.content_type,
            content_encoding: input.content_encoding,
            content_language: input.content_language,
            content_disposition: input.content_disposition,
            cache_control: input.cache_control,
            expires: input.expires,
            storage_class: input.storage_class.map(|class| class.as_str().to_owned()),
            user: input.metadata.unwrap_or_default(),
        };
        let etag = self.store.etags.simple(payload.md5);
        let object = Object::new(payload.body, etag, metadata);
        let etag = object.etag();
        let conditions = WriteConditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
        };
        self.commit(&input.bucket, input.key, object, &conditions)?;
        Ok(PutObjectOutput {
            e_tag: Some(etag),
            ..PutObjectOutput::default()
        })
    }

    /// Puts an object in its place, if the conditions hold at this moment.
    pub(super) fn commit(
        &self,
        bucket: &str,
        key: String,
        object: Object,
        conditions: &WriteConditions,
    ) -> S3Result {
        self.store.with_bucket(bucket, |bucket| {
            conditions.check(bucket.objects.get(&key).map(Arc::as_ref))?;
            if self.quirks.file_folder_clash {
                bucket.check_clash(&key)?;
            }
            bucket.objects.insert(key, Arc::new(object));
            Ok(())
        })
    }

    pub(super) fn delete(&self, input: DeleteObjectInput) -> S3Result<DeleteObjectOutput> {
        refuse_parts_and_versions(None, input.version_id.as_deref())?;
        let conditions = WriteConditions {
            if_match: input.if_match,
            if_none_match: None,
        };
        self.store.with_bucket(&input.bucket, |bucket| {
            conditions.check(bucket.objects.get(&input.key).map(Arc::as_ref))?;
            bucket.objects.remove(&input.key);
            Ok(DeleteObjectOutput::default())
        })
    }

    pub(super) fn delete_many(&self, input: DeleteObjectsInput) -> S3Result<DeleteObjectsOutput> {
        let keys = input.delete.objects;
        if keys.is_empty() || keys.len() > DELETE_MAX {
            return Err(s3_error!(
                MalformedXML,
                "The XML you provided was not well-formed or did not validate against our published schema"
            ));
        }
        let quiet = input.delete.quiet == Some(true);
        self.store.with_bucket(&input.bucket, |bucket| {
            let mut deleted = Vec::new();
            for identifier in keys {
                bucket.objects.remove(&identifier.key);
                if !quiet {
                    deleted.push(DeletedObject {
                        key: Some(identifier.key),
                        ..DeletedObject::default()
                    });
                }
            }
            Ok(DeleteObjectsOutput {
                deleted: Some(deleted),
                ..DeleteObjectsOutput::default()
            })
        })
    }
}

/// The store keeps neither the borders of parts nor old versions.
fn refuse_parts_and_versions(part_number: Option<i32>, version: Option<&str>) -> S3Result {
    if part_number.is_some() {
        return Err(s3_error!(NotImplemented, "partNumber is not implemented"));
    }
    match version {
        None | Some("null") => Ok(()),
        Some(_) => Err(s3_error!(
            NoSuchVersion,
            "The specified version does not exist."
        )),
    }
}
