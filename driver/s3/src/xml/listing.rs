//! `ListBucketResult`: a page of keys, of either list call.

use std::{borrow::Cow, time::SystemTime};

use super::{Node, Unread, visit};
use crate::{date, encode};

/// A page of a bucket's listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Objects, in the service's order.
    pub(crate) objects: Vec<Object>,
    /// What keys have in common up to the delimiter, in the service's order and as it wrote them: see
    /// [`prefixes`](super::prefixes).
    pub(crate) prefixes: Vec<String>,
    /// Whether the service says that it encoded what comes from keys.
    pub(crate) encoded: bool,
    /// Whether more follows.
    pub(crate) truncated: bool,
    /// Where the first call goes on, if it says.
    pub(crate) next_marker: Option<String>,
    /// Where the second call goes on.
    pub(crate) next_token: Option<String>,
}

/// An object as listings have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Object {
    /// Its key.
    pub(crate) key: String,
    /// Its bytes.
    pub(crate) size: u64,
    /// As HTTP writes it.
    pub(crate) etag: Option<String>,
    /// To the second.
    pub(crate) modified: Option<SystemTime>,
    /// Unless it is the usual one.
    pub(crate) storage_class: Option<String>,
}

/// The most objects of a page.
const PAGE: usize = 1000;
/// Few objects take less of a page, in bytes.
const LEAST_OBJECT: usize = 200;

/// Reads a page.
///
/// # Errors
/// It is none, or not whole.
pub(crate) fn read(body: &str) -> Result<Listing, Unread> {
    let mut listing = Listing {
        objects: Vec::with_capacity((body.len() / LEAST_OBJECT).min(PAGE)),
        ..Listing::default()
    };
    let mut object = None;
    let mut in_prefixes = false;
    let mut broken = None;
    visit(body, "ListBucketResult", |node| match node {
        Node::Open(1, "Contents") => object = Some(Object::default()),
        Node::Open(1, name) => in_prefixes = name == "CommonPrefixes",
        Node::Close(1, name, text) => match name {
            "Contents" => listing.objects.extend(object.take()),
            "IsTruncated" => listing.truncated = text.trim() == "true",
            "NextMarker" => listing.next_marker = Some(text.into_owned()),
            "NextContinuationToken" => listing.next_token = Some(text.into_owned()),
            "EncodingType" => listing.encoded = text.trim() == "url",
            _ => {}
        },
        Node::Close(2, name, text) => match &mut object {
            Some(object) => match name {
                "Key" => object.key = text.into_owned(),
                "LastModified" => object.modified = date::parse_iso(&text),
                "ETag" => object.etag = owned_etag(text),
                "Size" => match text.trim().parse() {
                    Ok(size) => object.size = size,
                    Err(_) => broken = Some("a size that is no number"),
                },
                "StorageClass" if text != "STANDARD" => {
                    object.storage_class = Some(text.into_owned())
                }
                _ => {}
            },
            None if in_prefixes && name == "Prefix" => listing.prefixes.push(text.into_owned()),
            None => {}
        },
        _ => {}
    })?;
    if let Some(broken) = broken {
        return Err(Unread::Garbled(broken.to_owned()));
    }
    if listing.encoded {
        listing.decode();
    }
    listing.next_marker = listing.next_marker.filter(|marker| !marker.is_empty());
    listing.next_token = listing.next_token.filter(|token| !token.is_empty());
    Ok(listing)
}

impl Listing {
    /// Undoes `encoding-type=url` in keys. Prefixes and the marker are left: not all services encode them.
    fn decode(&mut self) {
        let keys = self.objects.iter_mut().map(|object| &mut object.key);
        for text in keys {
            if text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
                *text = encode::decode_form(text);
            }
        }
    }
}

impl Listing {
    /// Undoes the encoding of the marker, once that of the prefixes is undone. Ceph leaves it as it is, though it
    /// says otherwise; then it is the last of the page.
    pub(crate) fn decode_marker(&mut self) {
        let key = self.objects.last().map(|object| object.key.as_str());
        let last = key.max(self.prefixes.last().map(String::as_str));
        if let Some(marker) = &mut self.next_marker
            && last != Some(marker)
        {
            *marker = encode::decode_form(marker);
        }
    }
}

/// As [`etag`], without another copy of what is right as it is.
fn owned_etag(text: Cow<'_, str>) -> Option<String> {
    let is_right = text.len() > 2 && text.starts_with('"') && text.ends_with('"');
    match is_right {
        true => Some(text.into_owned()),
        false => etag(&text),
    }
}

/// An ETag as HTTP writes it: some services leave the quotes out.
pub(crate) fn etag(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text == "\"\"" {
        return None;
    }
    let quoted = text.ends_with('"') && (text.starts_with('"') || text.starts_with("W/\""));
    let etag = if quoted {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("\"{text}\""))
    };
    Some(etag.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_page_as_amazon_writes_it() {
        let body = r#"<?xml version="1.0" encoding="UTF-8"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
              <Name>photos</Name><Prefix>a/</Prefix><Delimiter>/</Delimiter><MaxKeys>2</MaxKeys>
              <EncodingType>url</EncodingType><KeyCount>2</KeyCount><IsTruncated>true</IsTruncated>
              <NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>
              <Contents>
                <Key>a/b+c%2Bd%0D.txt</Key><LastModified>2013-05-24T00:00:00.123Z</LastModified>
                <ETag>&quot;9b2cf535f27731c974343645a3985328&quot;</ETag><Size>12</Size>
                <Owner><ID>x</ID><DisplayName>me</DisplayName></Owner><StorageClass>GLACIER</StorageClass>
              </Contents>
              <CommonPrefixes><Prefix>a/sub%20dir/</Prefix></CommonPrefixes>
              <Contents><Key>a/z</Key><Size>0</Size><StorageClass>STANDARD</StorageClass></Contents>
            </ListBucketResult>"#;
        let listing = read(body).unwrap();
        let first = Object {
            key: "a/b c+d\r.txt".into(),
            size: 12,
            etag: Some("\"9b2cf535f27731c974343645a3985328\"".into()),
            modified: Some(UNIX_EPOCH + Duration::from_secs(1_369_353_600)),
            storage_class: Some("GLACIER".into()),
        };
        let second = Object {
            key: "a/z".into(),
            ..Object::default()
        };
        assert_eq!(listing.objects, [first, second]);
        assert_eq!(listing.prefixes, ["a/sub%20dir/"]);
        assert!(listing.encoded);
        assert!(listing.truncated);
        assert_eq!(
            listing.next_token.as_deref(),
            Some("1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=")
        );
    }

    #[test]
    fn nothing_is_decoded_unless_the_service_says_so() {
        let body = "<ListBucketResult><Contents><Key>a%20b+c</Key></Contents>\
                    <NextMarker>a%20</NextMarker></ListBucketResult>";
        let listing = read(body).unwrap();
        assert_eq!(listing.objects.first().unwrap().key, "a%20b+c");
        assert_eq!(listing.next_marker.as_deref(), Some("a%20"));
    }

    #[test]
    fn a_marker_is_decoded_unless_it_is_the_last_entry_as_it_stands() {
        for (key, marker, expected) in [
            ("a+%2B", "a+%2B", "a +"),
            ("a+%2B", "a +", "a +"),
            ("a%2520", "a%20", "a%20"),
            ("a", "b%20c", "b c"),
        ] {
            let mut listing = read(&format!(
                "<ListBucketResult><EncodingType>url</EncodingType><NextMarker>{marker}</NextMarker>\
                 <Contents><Key>{key}</Key></Contents></ListBucketResult>"
            ))
            .unwrap();
            listing.decode_marker();
            assert_eq!(
                listing.next_marker.as_deref(),
                Some(expected),
                "{key} {marker}"
            );
        }
    }

    #[test]
    fn etags_get_their_quotes() {
        assert_eq!(etag("\"a\"").as_deref(), Some("\"a\""));
        assert_eq!(etag("a").as_deref(), Some("\"a\""));
        assert_eq!(etag("W/\"a\"").as_deref(), Some("W/\"a\""));
        assert_eq!(etag(""), None);
        assert_eq!(etag("\"\""), None);
    }

    #[test]
    fn a_broken_page_is_no_shorter_page() {
        assert!(
            read("<ListBucketResult><Contents><Size>many</Size></Contents></ListBucketResult>")
                .is_err()
        );
        assert_eq!(
            read("<ListBucketResult><Contents><Key>a</Key>"),
            Err(Unread::CutShort)
        );
    }

    fn escape(text: &str) -> String {
        text.chars()
            .map(|character| match character {
                '<' | '&' | '>' | '\r' | '\u{1}'..='\u{1f}' => {
                    format!("&#x{:x};", u32::from(character))
                }
                other => other.to_string(),
            })
            .collect()
    }

    proptest! {
        #[test]
        fn keys_are_read_back(
            keys in proptest::collection::vec("[a-z<>&;%+ \"'\r\n\t\\x01ü]{1,8}", 0..6),
            encoded in any::<bool>(),
        ) {
            let write = |key: &String| {
                if encoded { encode::value(key).to_string().replace("%20", "+") } else { escape(key) }
            };
            let mut body = String::from("<ListBucketResult>");
            for key in &keys {
                body += &format!("<Contents><Key>{}</Key><Size>1</Size></Contents>", write(key));
                body += &format!("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", write(key));
            }
            if encoded {
                body += "<EncodingType>url</EncodingType>";
            }
            body += "</ListBucketResult>";
            let listing = read(&body).unwrap();
            let found: Vec<_> = listing.objects.into_iter().map(|object| object.key).collect();
            prop_assert_eq!(&found, &keys);
            let prefixes: Vec<_> = keys
                .iter()
                .map(|key| if encoded { write(key) } else { key.clone() })
                .collect();
            prop_assert_eq!(listing.prefixes, prefixes);
        }

        #[test]
        fn any_text_is_read_or_refused(body in ".{0,200}") {
            let _ = read(&body);
            let _ = read(&format!("<ListBucketResult>{body}</ListBucketResult>"));
        }
    }
}
