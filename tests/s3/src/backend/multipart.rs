use std::collections::BTreeMap;

use s3s::dto::Part as ListedPart;
use s3s::dto::*;
use s3s::{S3Result, s3_error};

use crate::backend::listing::page_max;
use crate::backend::payload::{Declared, Payload};
use crate::backend::precondition::WriteConditions;
use crate::backend::{Backend, owner};
use crate::metadata::Metadata;
use crate::object::{now, timestamp};
use crate::store::upload::{Part, Upload};

impl Backend {
    pub(super) fn begin(
        &self,
        input: CreateMultipartUploadInput,
    ) -> S3Result<CreateMultipartUploadOutput> {
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
        let id = self.store.begin_upload();
        self.store.with_bucket(&input.bucket, |bucket| {
            let name = (input.key.clone(), id.clone());
            bucket.uploads.insert(name, Upload::new(metadata));
            Ok(())
        })?;
        Ok(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        })
    }

    pub(super) async fn write_part(&self, input: UploadPartInput) -> S3Result<UploadPartOutput> {
        check_part_number(input.part_number)?;
        let declared = Declared {
            length: input.content_length,
            md5: input.content_md5.as_deref(),
        };
        let payload = Payload::receive(input.body, declared, self.store.etags.hashes()).await?;
        let part = Part {
            etag: self.store.etags.simple(payload.md5),
            md5: payload.md5,
            body: payload.body,
            modified: now(),
        };
        let etag = ETag::Strong(part.etag.clone());
        self.store.with_bucket(&input.bucket, |bucket| {
            let upload = bucket.upload(&input.key, &input.upload_id)?;
            upload.parts.insert(input.part_number, part);
            Ok(())
        })?;
        Ok(UploadPartOutput {
            e_tag: Some(etag),
            ..UploadPartOutput::default()
        })
    }

    pub(super) fn parts(&self, input: ListPartsInput) -> S3Result<ListPartsOutput> {
        let max = page_max("max-parts", input.max_parts)?;
        let marker = input.part_number_marker.unwrap_or_default();
        self.store.with_bucket(&input.bucket, |bucket| {
            let upload = bucket.upload(&input.key, &input.upload_id)?;
            let mut behind = upload.parts.range(marker.saturating_add(1)..);
            let parts: Vec<_> = behind
                .by_ref()
                .take(usize::try_from(max).unwrap_or_default())
                .map(|(number, part)| ListedPart {
                    part_number: Some(*number),
                    e_tag: Some(ETag::Strong(part.etag.clone())),
                    size: i64::try_from(part.body.len()).ok(),
                    last_modified: Some(timestamp(part.modified)),
                    ..ListedPart::default()
                })
                .collect();
            Ok(ListPartsOutput {
                bucket: Some(input.bucket.clone()),
                key: Some(input.key.clone()),
                upload_id: Some(input.upload_id.clone()),
                part_number_marker: Some(marker),
                next_part_number_marker: parts.last().and_then(|part| part.part_number),
                max_parts: Some(max),
                is_truncated: Some(max > 0 && behind.next().is_some()),
                parts: Some(parts),
                storage_class: Some(StorageClass::from(
                    upload.metadata.storage_class().to_owned(),
                )),
                owner: Some(owner()),
                ..ListPartsOutput::default()
            })
        })
    }

    pub(super) fn complete(
        &self,
        input: CompleteMultipartUploadInput,
    ) -> S3Result<CompleteMultipartUploadOutput> {
        let listed = input
            .multipart_upload
            .and_then(|upload| upload.parts)
            .unwrap_or_default();
        let conditions = WriteConditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
        };
        let etag = self.store.with_bucket(&input.bucket, |bucket| {
            let object = bucket.upload(&input.key, &input.upload_id)?.assemble(
                &listed,
                self.store.min_part_size,
                &self.store.etags,
            )?;
            if self.quirks.equal_parts {
                check_equal(&bucket.upload(&input.key, &input.upload_id)?.parts)?;
            }
            conditions.check(bucket.objects.get(&input.key).map(AsRef::as_ref))?;
            if self.quirks.file_folder_clash {
                bucket.check_clash(&input.key)?;
            }
            let etag = object.etag();
            bucket.end_upload(&input.key, &input.upload_id)?;
            bucket.objects.insert(input.key.clone(), object.into());
            Ok(etag)
        })?;
        Ok(CompleteMultipartUploadOutput {
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(match self.quirks.empty_complete_etag {
                true => ETag::Strong(String::new()),
                false => etag,
            }),
            ..CompleteMultipartUploadOutput::default()
        })
    }

    pub(super) fn abort(
        &self,
        input: AbortMultipartUploadInput,
    ) -> S3Result<AbortMultipartUploadOutput> {
        self.store.with_bucket(&input.bucket, |bucket| {
            bucket.end_upload(&input.key, &input.upload_id)?;
            Ok(AbortMultipartUploadOutput::default())
        })
    }
}

/// All parts but the last have one size, and the last is not larger.
fn check_equal(parts: &BTreeMap<i32, Part>) -> S3Result {
    let mut sizes = parts.values().map(|part| part.body.len());
    let last = sizes.next_back().unwrap_or_default();
    let first = sizes.next().unwrap_or(last);
    if last <= first && sizes.all(|size| size == first) {
        return Ok(());
    }
    Err(s3_error!(
        InvalidPart,
        "All non-trailing parts must have the same length."
    ))
}

/// Parts are numbered from 1 to 10000.
pub(super) fn check_part_number(number: i32) -> S3Result {
    match number {
        1..=10_000 => Ok(()),
        _ => Err(s3_error!(
            InvalidArgument,
            "Part number must be an integer between 1 and 10000, inclusive"
        )),
    }
}
