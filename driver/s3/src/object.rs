//! HEAD: what the service knows of one object.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use orlop_driver::{Entry, Host, Response};

use crate::{
    client::Client,
    date,
    fault::Fault,
    operation::Operation,
    settings::Settings,
    xml::listing::{Object, etag},
};

/// The header in which rclone keeps a file's own time: seconds since the epoch with a fraction.
pub(crate) const MTIME: &str = "x-amz-meta-mtime";

/// An object and what it is kept with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    /// Size, ETag, time and class.
    pub(crate) object: Object,
    /// The media type.
    pub(crate) content_type: Option<String>,
    /// All headers of the answer.
    headers: Vec<(String, String)>,
}

/// How the names of headers begin in which clients keep what they like.
const META: &str = "x-amz-meta-";

/// Headers that belong to an object besides those, its type, and where a website sends for it. Entries tell them
/// under the same names.
const KEPT: [&str; 5] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
];
/// Headers that a copy keeps too, and entries do not tell so.
const COPIED: [&str; 2] = ["content-type", "x-amz-website-redirect-location"];

const STORAGE_CLASS: &str = "x-amz-storage-class";

/// The storage classes that Amazon names beside the usual one. Services list others that they do not take back.
const CLASSES: [&str; 7] = [
    "DEEP_ARCHIVE",
    "GLACIER",
    "GLACIER_IR",
    "INTELLIGENT_TIERING",
    "ONEZONE_IA",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
];

/// What the answer to a request that made an object tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// As HTTP writes it.
    pub(crate) etag: Option<String>,
    /// When, to the second.
    pub(crate) modified: Option<SystemTime>,
}

impl Written {
    /// Reads the answer to a PUT. `Date` is when the service answered, so the object's own time but for the moment
    /// between the two.
    pub(crate) fn read(response: &Response) -> Self {
        let instant = |name| response.header(name).and_then(date::parse_http);
        Self {
            etag: response.header("etag").and_then(etag),
            modified: instant("last-modified").or_else(|| instant("date")),
        }
    }
}

impl<H: Host> Client<H> {
    /// Asks for an object; none if there is none.
    ///
    /// # Errors
    /// The [`Fault`] of the last try.
    pub(crate) async fn head(&self, key: &str) -> Result<Option<Head>, Fault> {
        let operation = Operation::on_object("HEAD", key);
        match self
            .call(&operation, |response| Ok(Head::read(key, response)))
            .await
        {
            Ok(head) => Ok(Some(head)),
            // Some gateways answer 405 for an object that is not there.
            Err(fault) if fault.is_missing() || fault.status == 405 => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

impl Settings {
    /// The storage class of new objects, if the configuration says one.
    pub(crate) fn storage_class(&self) -> Option<&str> {
        let mut headers = self.storage_headers.iter();
        let (_, class) = headers.find(|(name, _)| *name == STORAGE_CLASS)?;
        Some(class)
    }

    /// What a copy is kept with: as the configuration says for new objects, else the storage class of its source,
    /// which a service would not keep by itself.
    pub(crate) fn copy_headers(&self, source: &Object) -> Vec<(&'static str, String)> {
        let kept = source
            .storage_class
            .as_ref()
            .filter(|class| self.storage_class().is_none() && CLASSES.contains(&class.as_str()));
        let headers = self.storage_headers.iter().cloned();
        headers
            .chain(kept.map(|class| (STORAGE_CLASS, class.clone())))
            .collect()
    }
}

impl Head {
    fn read(key: &str, response: &Response) -> Self {
        let header = |name| response.header(name).map(str::trim);
        Self {
            object: Object {
                key: key.to_owned(),
                size: header("content-length")
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0),
                etag: header("etag").and_then(etag),
                modified: header("last-modified").and_then(date::parse_http),
                storage_class: header(STORAGE_CLASS)
                    .filter(|class| *class != "STANDARD")
                    .map(str::to_owned),
            },
            content_type: header("content-type").map(str::to_owned),
            headers: response.headers.clone(),
        }
    }

    /// The entry of this name.
    pub(crate) fn entry(self, name: impl Into<String>) -> Entry {
        self.object
            .kept_entry(name, self.content_type, &self.headers)
    }

    /// The headers that make a copy in parts keep what the object is kept with.
    pub(crate) fn kept_headers(&self) -> Vec<(String, String)> {
        self.headers
            .iter()
            .filter(|(name, _)| {
                let name = name.as_str();
                name.starts_with(META) || KEPT.contains(&name) || COPIED.contains(&name)
            })
            .cloned()
            .collect()
    }
}

impl Object {
    /// The entry of this name, with what listings do not tell: what the object is kept with, by its headers.
    pub(crate) fn kept_entry(
        self,
        name: impl Into<String>,
        content_type: Option<String>,
        headers: &[(impl AsRef<str>, String)],
    ) -> Entry {
        let mut entry = self.entry(name);
        entry.content_type = content_type;
        let mut told: Vec<_> = headers
            .iter()
            .filter_map(|(header, value)| Some((extra_of(header.as_ref())?, value.clone())))
            .collect();
        told.sort_unstable();
        entry.extra.extend(told);
        entry
    }

    /// The entry of this name.
    pub(crate) fn entry(self, name: impl Into<String>) -> Entry {
        let mut entry = Entry::file(name, self.size);
        entry.modified = self.modified;
        entry.etag = self.etag;
        entry.extra.extend(
            self.storage_class
                .map(|class| ("storage-class".to_owned(), class)),
        );
        entry
    }
}

/// The extra in which an entry tells what a header keeps.
fn extra_of(header: &str) -> Option<String> {
    match header {
        MTIME => Some("mtime".to_owned()),
        header if KEPT.contains(&header) => Some(header.to_owned()),
        header => Some(format!("meta-{}", header.strip_prefix(META)?)),
    }
}

/// The header that keeps an extra, if it is one of those that [`extra_of`] gives and can stand in a header.
pub(crate) fn header_of(extra: &str, value: &str) -> Option<Cow<'static, str>> {
    let fits = !value.is_empty() && !value.contains(|c: char| c.is_ascii_control());
    let is_token = |name: &str| {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| is_plain(byte) || b"-_.".contains(&byte))
    };
    let header = match extra {
        "mtime" => Cow::Borrowed(MTIME),
        extra => match KEPT.iter().find(|kept| **kept == extra) {
            Some(kept) => Cow::Borrowed(*kept),
            None => {
                let name = extra.strip_prefix("meta-").filter(|name| is_token(name))?;
                Cow::Owned(format!("{META}{name}"))
            }
        },
    };
    fits.then_some(header)
}

/// A file's own time as [`MTIME`] has it.
pub(crate) fn mtime(modified: SystemTime) -> String {
    let since = modified
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    let text = format!("{}.{:09}", since.as_secs(), since.subsec_nanos());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_become_entries() {
        let headers = [
            ("content-length", "12"),
            ("content-type", "text/plain"),
            ("etag", "abc"),
            ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("x-amz-storage-class", "STANDARD_IA"),
            ("x-amz-meta-mtime", "784111777.5"),
            ("x-amz-request-id", "1"),
        ];
        let response = Response {
            status: 200,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: Vec::new(),
        };
        let head = Head::read("dir/a.txt", &response);
        let kept: Vec<_> = head
            .kept_headers()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(kept, ["content-type", "x-amz-meta-mtime"]);
        let entry = head.entry("a.txt");
        assert_eq!((entry.name.as_str(), entry.size), ("a.txt", 12));
        assert_eq!(entry.etag.as_deref(), Some("\"abc\""));
        assert_eq!(
            entry.modified,
            Some(UNIX_EPOCH + Duration::from_secs(784_111_777))
        );
        let extra = [("storage-class", "STANDARD_IA"), ("mtime", "784111777.5")];
        assert_eq!(
            entry.extra,
            extra.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn what_entries_tell_is_what_writes_take() {
        for (header, extra) in [
            ("x-amz-meta-mtime", "mtime"),
            ("x-amz-meta-colour", "meta-colour"),
            ("cache-control", "cache-control"),
            ("expires", "expires"),
        ] {
            assert_eq!(extra_of(header).as_deref(), Some(extra));
            assert_eq!(header_of(extra, "x").as_deref(), Some(header));
        }
        for header in ["content-type", "x-amz-request-id", "etag"] {
            assert_eq!(extra_of(header), None, "{header}");
        }
        for (extra, value) in [
            ("storage-class", "GLACIER"),
            ("authorization", "x"),
            ("x-amz-acl", "public-read"),
            ("meta-", "x"),
            ("meta-a b", "x"),
            ("meta-A", "x"),
            ("meta-a:", "x"),
            ("mtime", ""),
            ("meta-a", "b\r\nx-amz-acl: public-read"),
        ] {
            assert_eq!(header_of(extra, value), None, "{extra}");
        }
    }

    #[test]
    fn times_of_files_are_written_as_rclone_does() {
        let at = |nanos| mtime(UNIX_EPOCH + Duration::new(1_700_000_000, nanos));
        assert_eq!(at(0), "1700000000");
        assert_eq!(at(123_000_000), "1700000000.123");
    }
}
