use s3s::S3Result;
use s3s::dto::*;

use crate::backend::encoding::Encoding;
use crate::backend::listing::page_max;
use crate::backend::{Backend, owner};
use crate::object::timestamp;
use crate::store::page::common_prefix;
use crate::store::upload::Upload;

impl Backend {
    /// Lists the unfinished uploads by key, then by age.
    pub(super) fn uploads(
        &self,
        input: ListMultipartUploadsInput,
    ) -> S3Result<ListMultipartUploadsOutput> {
        let encoding = Encoding::asked(input.encoding_type);
        let max = page_max("max-uploads", input.max_uploads)?;
        let prefix = input.prefix.unwrap_or_default();
        let delimiter = input.delimiter.filter(|text| !text.is_empty());
        let marker = Marker::new(input.key_marker, input.upload_id_marker);

        let mut page = UploadPage {
            left: max,
            ..UploadPage::default()
        };
        self.store.with_bucket(&input.bucket, |bucket| {
            for ((key, id), upload) in &bucket.uploads {
                if !key.starts_with(&prefix) || marker.has_passed(key, id) {
                    continue;
                }
                match common_prefix(key, &prefix, delimiter.as_deref()) {
                    Some(common) if common == marker.key || page.is_last(common) => {}
                    _ if page.left == 0 => {
                        page.truncated = max > 0;
                        break;
                    }
                    Some(common) => page.push_prefix(common, &encoding),
                    None => page.push_upload(key, id, upload, &encoding),
                }
            }
            Ok(())
        })?;
        Ok(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            prefix: Some(encoding.name(&prefix)),
            delimiter: delimiter.map(|text| encoding.name(&text)),
            key_marker: Some(encoding.name(&marker.key)),
            upload_id_marker: Some(marker.id),
            max_uploads: Some(max),
            is_truncated: Some(page.truncated),
            next_key_marker: page.truncated.then(|| encoding.name(&page.last_key)),
            next_upload_id_marker: page.truncated.then_some(page.last_id),
            uploads: Some(page.uploads),
            common_prefixes: Some(page.common_prefixes),
            encoding_type: encoding.declared(),
            ..ListMultipartUploadsOutput::default()
        })
    }
}

/// Where the page before ended.
struct Marker {
    key: String,
    id: String,
}

impl Marker {
    /// An upload id without a key means nothing.
    fn new(key: Option<String>, id: Option<String>) -> Self {
        let key = key.unwrap_or_default();
        let id = id.filter(|_| !key.is_empty()).unwrap_or_default();
        Self { key, id }
    }

    fn has_passed(&self, key: &str, id: &str) -> bool {
        let same_key_later = key == self.key && !self.id.is_empty() && id > self.id.as_str();
        key <= self.key.as_str() && !same_key_later
    }
}

#[derive(Default)]
struct UploadPage {
    left: i32,
    uploads: Vec<MultipartUpload>,
    common_prefixes: Vec<CommonPrefix>,
    truncated: bool,
    last_key: String,
    /// Empty behind a common prefix.
    last_id: String,
}

impl UploadPage {
    fn is_last(&self, common: &str) -> bool {
        self.last_id.is_empty() && self.last_key == common
    }

    fn push_prefix(&mut self, common: &str, encoding: &Encoding) {
        self.left -= 1;
        (self.last_key, self.last_id) = (common.to_owned(), String::new());
        self.common_prefixes.push(CommonPrefix {
            prefix: Some(encoding.name(common)),
        });
    }

    fn push_upload(&mut self, key: &str, id: &str, upload: &Upload, encoding: &Encoding) {
        self.left -= 1;
        (self.last_key, self.last_id) = (key.to_owned(), id.to_owned());
        self.uploads.push(MultipartUpload {
            key: Some(encoding.name(key)),
            upload_id: Some(id.to_owned()),
            initiated: Some(timestamp(upload.initiated)),
            owner: Some(owner()),
            storage_class: Some(StorageClass::from(
                upload.metadata.storage_class().to_owned(),
            )),
            ..MultipartUpload::default()
        });
    }
}
