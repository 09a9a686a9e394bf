use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use s3s::{S3Result, s3_error};

use crate::object::{Object, now};
use crate::store::upload::Upload;

/// A bucket. Keys are opaque: `a`, `a/`, `a/b` and `a//b` are four objects.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) created: SystemTime,
    pub(crate) objects: BTreeMap<String, Arc<Object>>,
    /// Unfinished uploads by key and upload id, in the order in which S3 lists them.
    pub(crate) uploads: BTreeMap<(String, String), Upload>,
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            created: now(),
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
        }
    }
}

impl Bucket {
    pub(crate) fn object(&self, key: &str) -> S3Result<Arc<Object>> {
        self.objects
            .get(key)
            .cloned()
            .ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))
    }

    pub(crate) fn upload(&mut self, key: &str, id: &str) -> S3Result<&mut Upload> {
        self.uploads
            .get_mut(&(key.to_owned(), id.to_owned()))
            .ok_or_else(no_such_upload)
    }

    pub(crate) fn end_upload(&mut self, key: &str, id: &str) -> S3Result<Upload> {
        self.uploads
            .remove(&(key.to_owned(), id.to_owned()))
            .ok_or_else(no_such_upload)
    }
}

fn no_such_upload() -> s3s::S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )
}
