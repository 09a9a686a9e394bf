//! The buckets and what is in them.

pub(crate) mod bucket;
pub(crate) mod page;
pub(crate) mod upload;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use md5::{Digest as _, Md5};
use s3s::{S3Result, s3_error};

use crate::etag::{EtagKind, Etags};
use crate::metadata::Metadata;
use crate::object::Object;
use crate::rope::Rope;
use crate::store::bucket::Bucket;

/// The objects of a server, for tests to look at and to change behind its back.
///
/// It outlives its server, so that a second one can be started over the same objects.
#[derive(Debug)]
pub struct Store {
    pub(crate) etags: Etags,
    pub(crate) min_part_size: u64,
    buckets: Mutex<BTreeMap<String, Bucket>>,
    uploads_begun: AtomicU64,
}

impl Store {
    /// An empty store. `min_part_size` is in bytes; the last part may be smaller.
    pub fn new(etag: EtagKind, min_part_size: u64) -> Self {
        Self {
            etags: Etags::new(etag),
            min_part_size,
            buckets: Mutex::default(),
            uploads_begun: AtomicU64::new(0),
        }
    }

    /// Creates a bucket, unless it is there already.
    pub fn create_bucket(&self, name: &str) {
        self.buckets().entry(name.to_owned()).or_default();
    }

    /// Writes an object without metadata, creating the bucket if it is missing.
    pub fn put(&self, bucket: &str, key: &str, body: impl Into<Rope>) -> Arc<Object> {
        self.put_with(bucket, key, body, Metadata::default())
    }

    /// Writes an object with metadata, creating the bucket if it is missing.
    pub fn put_with(
        &self,
        bucket: &str,
        key: &str,
        body: impl Into<Rope>,
        metadata: Metadata,
    ) -> Arc<Object> {
        let body = body.into();
        let md5 = self.etags.hashes().then(|| {
            let mut hash = Md5::new();
            body.chunks().iter().for_each(|chunk| hash.update(chunk));
            hash.finalize().into()
        });
        self.insert(
            bucket,
            key,
            Object::new(body, self.etags.simple(md5), metadata),
        )
    }

    /// Stores an object as it is, so with any entity tag and time, creating the bucket if it is
    /// missing.
    pub fn insert(&self, bucket: &str, key: &str, object: Object) -> Arc<Object> {
        let object = Arc::new(object);
        self.buckets()
            .entry(bucket.to_owned())
            .or_default()
            .objects
            .insert(key.to_owned(), Arc::clone(&object));
        object
    }

    /// The object under a key.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Arc<Object>> {
        self.buckets().get(bucket)?.objects.get(key).cloned()
    }

    /// The bytes under a key.
    pub fn bytes(&self, bucket: &str, key: &str) -> Option<Bytes> {
        self.object(bucket, key)
            .map(|object| object.body.to_bytes())
    }

    /// All keys of a bucket in the order of their bytes; none when there is no such bucket.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        self.buckets()
            .get(bucket)
            .map(|bucket| bucket.objects.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// Removes an object. `false`: there was none.
    pub fn remove(&self, bucket: &str, key: &str) -> bool {
        self.buckets()
            .get_mut(bucket)
            .is_some_and(|bucket| bucket.objects.remove(key).is_some())
    }

    /// How many multipart uploads of a bucket are neither completed nor aborted.
    pub fn unfinished_uploads(&self, bucket: &str) -> usize {
        self.buckets()
            .get(bucket)
            .map_or(0, |bucket| bucket.uploads.len())
    }

    /// How many parts the unfinished multipart uploads of a bucket hold.
    pub fn unfinished_parts(&self, bucket: &str) -> usize {
        self.buckets().get(bucket).map_or(0, |bucket| {
            bucket
                .uploads
                .values()
                .map(|upload| upload.parts.len())
                .sum()
        })
    }

    /// Removes all objects and unfinished uploads. The buckets stay.
    pub fn clear(&self) {
        for bucket in self.buckets().values_mut() {
            bucket.objects.clear();
            bucket.uploads.clear();
        }
    }

    pub(crate) fn buckets(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn with_bucket<T>(
        &self,
        name: &str,
        act: impl FnOnce(&mut Bucket) -> S3Result<T>,
    ) -> S3Result<T> {
        let mut buckets = self.buckets();
        let bucket = buckets
            .get_mut(name)
            .ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist"))?;
        act(bucket)
    }

    /// An upload id that sorts behind all earlier ones, with the punctuation of Amazon's.
    pub(crate) fn begin_upload(&self) -> String {
        let n = self.uploads_begun.fetch_add(1, Ordering::Relaxed);
        format!("{n:012x}.{}_-", self.etags.simple(None))
    }
}
