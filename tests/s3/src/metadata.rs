use std::collections::HashMap;

use s3s::dto::{StorageClass, Timestamp};

/// What an object carries besides its bytes. `None` means that the header is not sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// `Content-Type`; sent as `binary/octet-stream` when there is none.
    pub content_type: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Expires`.
    pub expires: Option<Timestamp>,
    /// `x-amz-storage-class`; `None` is `STANDARD`.
    pub storage_class: Option<String>,
    /// User metadata: `x-amz-meta-*`, without this prefix, in lower case.
    pub user: HashMap<String, String>,
}

impl Metadata {
    /// The content type that a client sees.
    pub(crate) fn content_type(&self) -> String {
        self.content_type
            .clone()
            .unwrap_or_else(|| "binary/octet-stream".to_owned())
    }

    /// The storage class as listings name it.
    pub(crate) fn storage_class(&self) -> &str {
        self.storage_class
            .as_deref()
            .unwrap_or(StorageClass::STANDARD)
    }

    /// The storage class as `x-amz-storage-class` names it: not at all when it is the usual one.
    pub(crate) fn unusual_storage_class(&self) -> Option<StorageClass> {
        let class = self.storage_class();
        (class != StorageClass::STANDARD).then(|| StorageClass::from(class.to_owned()))
    }
}
