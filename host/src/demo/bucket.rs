//! What `s3s-fs` lacks to behave as S3 does.

use std::{
    future::Future,
    path::{Component, Path, PathBuf},
    pin::Pin,
};

use s3s::{
    S3Request, S3Result,
    access::{S3Access, S3AccessContext},
    dto::{ListObjectsInput, ListObjectsV2Input},
    path::S3Path,
    s3_error,
};

type Answer<'a> = Pin<Box<dyn Future<Output = S3Result<()>> + Send + 'a>>;

/// Asked about each request, once its signature is verified.
///
/// In `s3s-fs` a prefix is a folder on disk, which it takes for an object when asked for the key of that
/// name; and it announces keys as URL-encoded without encoding them.
#[derive(Debug)]
pub(super) struct Guard {
    /// The folder that holds the buckets.
    pub(super) root: PathBuf,
}

impl Guard {
    fn is_prefix(&self, bucket: &str, key: &str) -> bool {
        let key = Path::new(key.trim_end_matches('/'));
        let plain = key
            .components()
            .all(|component| matches!(component, Component::Normal(_)));
        plain && self.root.join(bucket).join(key).is_dir()
    }
}

impl S3Access for Guard {
    fn check<'a, 'c, 'r, 'f>(&'a self, context: &'c mut S3AccessContext<'r>) -> Answer<'f>
    where
        'a: 'f,
        'c: 'f,
        'r: 'f,
    {
        Box::pin(async move {
            if context.credentials().is_none() {
                return Err(s3_error!(AccessDenied, "signature is required"));
            }
            let reads = matches!(context.s3_op().name(), "HeadObject" | "GetObject");
            match context.s3_path() {
                S3Path::Object { bucket, key } if reads && self.is_prefix(bucket, key) => {
                    Err(s3_error!(NoSuchKey))
                }
                _ => Ok(()),
            }
        })
    }

    fn list_objects<'a, 'r, 'f>(
        &'a self,
        request: &'r mut S3Request<ListObjectsInput>,
    ) -> Answer<'f>
    where
        'a: 'f,
        'r: 'f,
    {
        request.input.encoding_type = None;
        Box::pin(async { Ok(()) })
    }

    fn list_objects_v2<'a, 'r, 'f>(
        &'a self,
        request: &'r mut S3Request<ListObjectsV2Input>,
    ) -> Answer<'f>
    where
        'a: 'f,
        'r: 'f,
    {
        request.input.encoding_type = None;
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_on_disk_are_prefixes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("b/x/y")).unwrap();
        std::fs::write(folder.path().join("b/f"), "").unwrap();
        let guard = Guard {
            root: folder.path().to_path_buf(),
        };
        for (key, prefix) in [
            ("x", true),
            ("x/", true),
            ("x/y", true),
            ("f", false),
            ("z", false),
            ("../b/x", false),
        ] {
            assert_eq!(guard.is_prefix("b", key), prefix, "{key}");
        }
    }
}
