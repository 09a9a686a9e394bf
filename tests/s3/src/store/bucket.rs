use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

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

    /// Refuses a file where a folder is, and one in a folder where a file is.
    pub(crate) fn check_clash(&self, key: &str) -> S3Result {
        let folder = format!("{key}/");
        let within = self.objects.range(folder.clone()..).next();
        if within.is_some_and(|(found, _)| found.starts_with(&folder)) {
            return Err(clash(
                b"XMinioObjectExistsAsDirectory",
                StatusCode::CONFLICT,
            ));
        }
        let mut above = key.match_indices('/').filter_map(|(end, _)| key.get(..end));
        match above.any(|folder| self.objects.contains_key(folder)) {
            true => Err(clash(b"XMinioParentIsObject", StatusCode::BAD_REQUEST)),
            false => Ok(()),
        }
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

fn clash(code: &[u8], status: StatusCode) -> S3Error {
    let mut error =
        S3Error::new(S3ErrorCode::from_bytes(code).unwrap_or(S3ErrorCode::InternalError));
    error.set_status_code(status);
    error
}

fn no_such_upload() -> s3s::S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )
}
