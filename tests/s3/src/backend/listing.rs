use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3s::dto::Object as ListedObject;
use s3s::dto::*;
use s3s::{S3Error, S3Result, s3_error};

use crate::backend::encoding::Encoding;
use crate::backend::{Backend, owner};
use crate::object::Object;
use crate::store::page::{Entry, PageQuery};

/// The most entries of a page, and how many there are unless the client asks for fewer.
const PAGE_MAX: i32 = 1000;

impl Backend {
    pub(super) fn list_v1(&self, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
        let encoding = self.encoding(input.encoding_type);
        let marker = input.marker.unwrap_or_default();
        let scope = Scope {
            bucket: input.bucket,
            prefix: input.prefix.unwrap_or_default(),
            delimiter: input.delimiter.filter(|text| !text.is_empty()),
            after: marker.clone(),
            inclusive: self.quirks.inclusive_start,
            max: self.keys_max(input.max_keys)?,
        };
        let listed = self.list(&scope, &encoding, true)?;
        let sticks = self.quirks.url_encoding_sticks && encoding.declared().is_some();
        let next_marker = match listed.truncated {
            true if sticks => Some(encoding.name(&marker)).filter(|marker| !marker.is_empty()),
            true if scope.delimiter.is_some() && !self.quirks.no_next_marker => {
                Some(match self.quirks.prefixes_unencoded {
                    true => listed.last.clone(),
                    false => encoding.name(&listed.last),
                })
            }
            _ => None,
        };
        Ok(ListObjectsOutput {
            name: Some(scope.bucket),
            prefix: Some(encoding.name(&scope.prefix)),
            marker: Some(encoding.name(&marker)),
            max_keys: Some(scope.max),
            delimiter: scope.delimiter.map(|text| encoding.name(&text)),
            is_truncated: Some(listed.truncated),
            next_marker,
            contents: Some(listed.contents),
            common_prefixes: Some(listed.common_prefixes),
            encoding_type: encoding.declared(),
            ..ListObjectsOutput::default()
        })
    }

    pub(super) fn list_v2(&self, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
        let encoding = self.encoding(input.encoding_type);
        let after = match &input.continuation_token {
            Some(token) => from_token(token)?,
            None => input.start_after.clone().unwrap_or_default(),
        };
        let scope = Scope {
            bucket: input.bucket,
            prefix: input.prefix.unwrap_or_default(),
            delimiter: input.delimiter.filter(|text| !text.is_empty()),
            after,
            inclusive: self.quirks.inclusive_start && input.continuation_token.is_none(),
            max: self.keys_max(input.max_keys)?,
        };
        let listed = self.list(&scope, &encoding, input.fetch_owner == Some(true))?;
        let count = listed.contents.len() + listed.common_prefixes.len();
        Ok(ListObjectsV2Output {
            name: Some(scope.bucket),
            prefix: Some(encoding.name(&scope.prefix)),
            start_after: input.start_after.map(|text| encoding.name(&text)),
            continuation_token: input.continuation_token,
            max_keys: Some(scope.max),
            key_count: i32::try_from(count).ok(),
            delimiter: scope.delimiter.map(|text| encoding.name(&text)),
            is_truncated: Some(listed.truncated),
            next_continuation_token: listed.truncated.then(|| to_token(&listed.last)),
            contents: Some(listed.contents),
            common_prefixes: Some(listed.common_prefixes),
            encoding_type: encoding.declared(),
            ..ListObjectsV2Output::default()
        })
    }

    fn encoding(&self, asked: Option<EncodingType>) -> Encoding {
        Encoding::asked(asked.filter(|_| !self.quirks.no_url_encoding))
    }

    fn keys_max(&self, asked: Option<i32>) -> S3Result<i32> {
        match (asked, i32::try_from(self.quirks.default_page)) {
            (None, Ok(default @ 1..)) => Ok(default),
            (asked, _) => page_max("max-keys", asked),
        }
    }

    fn list(&self, scope: &Scope, encoding: &Encoding, owned: bool) -> S3Result<Listed> {
        self.store.with_bucket(&scope.bucket, |bucket| {
            let page = PageQuery {
                prefix: &scope.prefix,
                delimiter: scope.delimiter.as_deref(),
                after: &scope.after,
                inclusive: scope.inclusive,
                max: usize::try_from(scope.max).unwrap_or_default(),
            }
            .run(&bucket.objects);
            let mut listed = Listed {
                contents: Vec::new(),
                common_prefixes: Vec::new(),
                truncated: page.truncated,
                last: page
                    .entries
                    .last()
                    .map(|entry| entry.name().to_owned())
                    .unwrap_or_default(),
            };
            for entry in page.entries {
                match entry {
                    Entry::Key(key, object) => {
                        listed
                            .contents
                            .push(listed_object(encoding.name(key), object, owned))
                    }
                    Entry::Prefix(prefix) => listed.common_prefixes.push(CommonPrefix {
                        prefix: Some(match self.quirks.prefixes_unencoded {
                            true => prefix.to_owned(),
                            false => encoding.name(prefix),
                        }),
                    }),
                }
            }
            Ok(listed)
        })
    }
}

/// What both versions of the operation ask.
struct Scope {
    bucket: String,
    prefix: String,
    delimiter: Option<String>,
    after: String,
    inclusive: bool,
    max: i32,
}

struct Listed {
    contents: Vec<ListedObject>,
    common_prefixes: Vec<CommonPrefix>,
    truncated: bool,
    /// The last entry as it is, not encoded.
    last: String,
}

fn listed_object(key: String, object: &Arc<Object>, owned: bool) -> ListedObject {
    ListedObject {
        key: Some(key),
        last_modified: Some(object.modified()),
        e_tag: Some(object.etag()),
        size: Some(object.size()),
        storage_class: Some(ObjectStorageClass::from(
            object.metadata.storage_class().to_owned(),
        )),
        owner: owned.then(owner),
        ..ListedObject::default()
    }
}

/// How many entries a page may have.
pub(super) fn page_max(name: &str, asked: Option<i32>) -> S3Result<i32> {
    match asked {
        Some(asked) if asked < 0 => Err(s3_error!(
            InvalidArgument,
            "Argument {name} must be an integer between 0 and 2147483647"
        )),
        asked => Ok(asked.unwrap_or(PAGE_MAX).min(PAGE_MAX)),
    }
}

/// A continuation token. Its alphabet has `+`, `/` and `=`, which clients must encode.
fn to_token(last: &str) -> String {
    STANDARD.encode(format!("\u{ff}?>{last}"))
}

fn from_token(token: &str) -> S3Result<String> {
    let invalid = || -> S3Error {
        s3_error!(
            InvalidArgument,
            "The continuation token provided is incorrect"
        )
    };
    let text = STANDARD.decode(token).map_err(|_| invalid())?;
    let text = String::from_utf8(text).map_err(|_| invalid())?;
    text.strip_prefix("\u{ff}?>")
        .map(str::to_owned)
        .ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_and_others_are_refused() {
        for key in ["a", "ü/日本?>~", "\u{1}"] {
            assert_eq!(from_token(&to_token(key)).unwrap(), key);
        }
        assert!(to_token("x>?>?>?").contains(['+', '/']));
        for token in ["", "a", "YQ==", "!"] {
            assert!(from_token(token).is_err(), "{token:?}");
        }
    }
}
