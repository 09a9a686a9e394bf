//! Entries as the program prints them.

use std::{fmt, time::SystemTime};

use orlop::{Entry, Kind, Location, Path};
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::output::printable;

/// An entry for machines, with the names that the JSON API uses.
#[derive(Debug, Serialize)]
pub(super) struct EntryJson<'a> {
    name: &'a str,
    path: String,
    kind: &'static str,
    size: u64,
    modified: Option<String>,
    etag: Option<&'a str>,
    content_type: Option<&'a str>,
}

impl<'a> EntryJson<'a> {
    /// The entry at a path.
    pub(super) fn new(path: &Path, entry: &'a Entry) -> Self {
        Self {
            name: &entry.name,
            path: location(path, entry.kind).to_string(),
            kind: kind(entry.kind),
            size: entry.size,
            modified: entry.modified.and_then(rfc3339),
            etag: entry.etag.as_deref(),
            content_type: entry.content_type.as_deref(),
        }
    }
}

/// An entry as a line of a listing.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// What to call it.
    pub(super) name: &'a str,
    /// The entry.
    pub(super) entry: &'a Entry,
    /// With size and time.
    pub(super) long: bool,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_directory = self.entry.kind == Kind::Directory;
        if self.long {
            let modified = self.entry.modified.and_then(rfc3339);
            let modified = modified.as_deref().unwrap_or("-");
            if is_directory {
                write!(formatter, "{:>14}  {modified:<20}  ", "-")?;
            } else {
                write!(formatter, "{:>14}  {modified:<20}  ", self.entry.size)?;
            }
        }
        formatter.write_str(&printable(self.name))?;
        if is_directory {
            formatter.write_str("/")?;
        }
        Ok(())
    }
}

/// Where an entry of some kind is; a directory's ends in `/`, so that it is never taken for a file beside it.
fn location(path: &Path, kind: Kind) -> Location {
    match kind {
        Kind::File => Location::any(path.clone()),
        Kind::Directory => Location::directory(path.clone()),
    }
}

/// The contract's word for a kind.
pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Directory => "directory",
    }
}

/// An instant to the second; none before the year 0 or after 9999.
pub(super) fn rfc3339(instant: SystemTime) -> Option<String> {
    let instant = OffsetDateTime::from(instant).replace_nanosecond(0).ok()?;
    instant.format(&Rfc3339).ok()
}

/// The path of an entry in a directory.
pub(super) fn child(directory: &Path, name: &str) -> Result<Path, orlop::Error> {
    let text = if directory.is_root() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    };
    Path::parse(text).map_err(|error| {
        orlop::Error::Outcome(orlop::Outcome::Other(format!(
            "the driver listed {}, which is {error}",
            printable(name)
        )))
    })
}

/// A location as the user may read it.
pub(super) fn shown(location: &Location) -> String {
    printable(&location.to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn file() -> Entry {
        let mut entry = Entry::file("a b.txt", 1234);
        entry.modified = Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_323_045_678));
        entry.etag = Some("\"x\"".to_owned());
        entry
    }

    #[test]
    fn lines() {
        for (entry, long, expected) in [
            (file(), false, "a b.txt"),
            (
                file(),
                true,
                "          1234  2026-01-02T03:04:05Z  a b.txt",
            ),
            (Entry::directory("b"), false, "b/"),
            (
                Entry::directory("b"),
                true,
                "             -  -                     b/",
            ),
        ] {
            let line = Line {
                name: &entry.name,
                entry: &entry,
                long,
            };
            assert_eq!(line.to_string(), expected);
        }
    }

    #[test]
    fn json() {
        let path = Path::parse("demo/a b.txt").unwrap();
        assert_eq!(
            serde_json::to_value(EntryJson::new(&path, &file())).unwrap(),
            serde_json::json!({
                "name": "a b.txt", "path": "/demo/a b.txt", "kind": "file", "size": 1234,
                "modified": "2026-01-02T03:04:05Z", "etag": "\"x\"", "content_type": null,
            })
        );
        let path = Path::parse("demo/b").unwrap();
        let folder = serde_json::to_value(EntryJson::new(&path, &Entry::directory("b"))).unwrap();
        assert_eq!(folder.get("path").unwrap(), "/demo/b/");
    }
}
