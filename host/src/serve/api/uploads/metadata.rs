//! What a client says about a file that it will send: `Upload-Metadata`.

use std::time::SystemTime;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderMap;

use super::{super::location, header};
use crate::{
    Kind, Overwrite, Path,
    resumable::Wish,
    serve::{date, media, problem::Problem},
};

/// Pairs of keys and values, as the client wrote them and as they read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Metadata {
    written: String,
    pairs: Vec<(String, Vec<u8>)>,
}

impl Metadata {
    /// Reads the header. A request without it says nothing.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let written = header(headers, "upload-metadata")?.unwrap_or_default();
        Self::parse(written).ok_or_else(|| {
            Problem::bad_request(
                "`Upload-Metadata` is a list of keys and base64 values, such as `path L2Zvby50eHQ=`, with commas \
                 between them; each key comes once",
            )
        })
    }

    fn parse(written: &str) -> Option<Self> {
        let mut pairs: Vec<(String, Vec<u8>)> = Vec::new();
        for pair in written.split(',').map(str::trim) {
            if pair.is_empty() && written.trim().is_empty() {
                break;
            }
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let is_new = pairs.iter().all(|(before, _)| before != key);
            if key.is_empty() || !is_new {
                return None;
            }
            pairs.push((key.to_owned(), STANDARD.decode(value.trim()).ok()?));
        }
        Some(Self {
            written: written.to_owned(),
            pairs,
        })
    }

    /// What it asks for, with the file's size if that is known.
    pub(super) fn wish(self, length: Option<u64>) -> Result<Wish, Problem> {
        let path = self.path()?;
        let content_type = media::to_store(path.name(), self.text("filetype")?);
        Ok(Wish {
            content_type,
            modified: self.modified()?,
            overwrite: self.overwrite()?,
            path,
            length,
            metadata: self.written,
        })
    }

    /// `path`, or `path` and `filename` if the former is a directory.
    fn path(&self) -> Result<Path, Problem> {
        let Some(path) = self.text("path")? else {
            return Err(Problem::bad_request(
                "`Upload-Metadata` lacks `path`: where the file shall be, or, with a slash at the end, the folder \
                 that `filename` shall be in",
            ));
        };
        let place = location("path", path)?;
        if place.want != Some(Kind::Directory) {
            return Ok(place.path);
        }
        let Some(name) = self.text("filename")? else {
            return Err(Problem::bad_request(
                "`path` ends in a slash, so `Upload-Metadata` needs `filename` as well",
            ));
        };
        let child = place.path.child(name);
        child.map_err(|error| Problem::bad_request(format!("`filename`: {error}")))
    }

    fn modified(&self) -> Result<Option<SystemTime>, Problem> {
        let Some(text) = self.text("modified")? else {
            return Ok(None);
        };
        date::parse_rfc3339(text).map(Some).ok_or_else(|| {
            Problem::bad_request("`modified` is a time such as `2026-11-28T04:10:31Z`")
        })
    }

    /// As for copies and moves, nothing is replaced unless the client says so.
    fn overwrite(&self) -> Result<Overwrite, Problem> {
        match self.text("overwrite")? {
            None | Some("false") => Ok(Overwrite::Refuse),
            Some("true") => Ok(Overwrite::Replace),
            Some(_) => Err(Problem::bad_request("`overwrite` is `true` or `false`")),
        }
    }

    /// A value that is text. An empty one says nothing.
    fn text(&self, key: &str) -> Result<Option<&str>, Problem> {
        let Some((_, value)) = self.pairs.iter().find(|(name, _)| name == key) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(value)
            .map_err(|_| Problem::bad_request(format!("`{key}` is not UTF-8")))?;
        Ok(Some(text).filter(|text| !text.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::*;

    fn written(pairs: &[(&str, &str)]) -> String {
        let pair = |(key, value): &(&str, &str)| format!("{key} {}", STANDARD.encode(value));
        pairs.iter().map(pair).collect::<Vec<_>>().join(",")
    }

    fn wish(pairs: &[(&str, &str)]) -> Result<Wish, Problem> {
        Metadata::parse(&written(pairs)).unwrap().wish(Some(3))
    }

    #[test]
    fn what_is_asked_for() {
        for (pairs, path) in [
            (&[("path", "/a/ü.txt")][..], "a/ü.txt"),
            (&[("filename", "x"), ("path", "/a/b")], "a/b"),
            (&[("filename", "x y"), ("path", "/a/")], "a/x y"),
            (&[("filename", "x"), ("path", "/")], "x"),
        ] {
            assert_eq!(wish(pairs).unwrap().path.as_str(), path, "{pairs:?}");
        }
        let plain = wish(&[("path", "/a.txt"), ("filetype", "")]).unwrap();
        assert_eq!(plain.content_type.as_deref(), Some("text/plain"));
        assert_eq!((plain.modified, plain.overwrite), (None, Overwrite::Refuse));
        assert_eq!(plain.length, Some(3));
        let full = [
            ("path", "/a.txt"),
            ("filetype", "text/x-own"),
            ("modified", "1970-01-01T01:00:02.5+01:00"),
            ("overwrite", "true"),
            ("own", "anything"),
        ];
        let full = wish(&full).unwrap();
        assert_eq!(full.content_type.as_deref(), Some("text/x-own"));
        assert_eq!(
            full.modified,
            Some(UNIX_EPOCH + Duration::from_millis(2_500))
        );
        assert_eq!(full.overwrite, Overwrite::Replace);
    }

    #[test]
    fn what_makes_no_sense() {
        for pairs in [
            &[][..],
            &[("filename", "x")],
            &[("path", "")],
            &[("path", "/a/../b")],
            &[("path", "/a/")],
            &[("path", "/a/"), ("filename", "b/c")],
            &[("path", "/a/"), ("filename", "..")],
            &[("path", "/a"), ("overwrite", "yes")],
            &[("path", "/a"), ("modified", "yesterday")],
            &[("path", "/a"), ("modified", "1969-12-31T23:59:59Z")],
        ] {
            assert!(wish(pairs).is_err(), "{pairs:?}");
        }
        for text in [
            "path L2E=,path L2E=",
            ",",
            "path L2E=,",
            "path *",
            "path L2E= x",
        ] {
            assert_eq!(Metadata::parse(text), None, "{text:?}");
        }
        assert_eq!(Metadata::parse(" ").unwrap().pairs, []);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(
            pairs in prop::collection::btree_map("[!-+.-~]{1,20}", prop::collection::vec(any::<u8>(), 0..40), 0..8)
        ) {
            let text: Vec<String> = pairs
                .iter()
                .map(|(key, value)| match value.is_empty() {
                    true => key.clone(),
                    false => format!("{key} {}", STANDARD.encode(value)),
                })
                .collect();
            let text = text.join(", ");
            let found = Metadata::parse(&text).unwrap();
            prop_assert_eq!(found.pairs, pairs.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(found.written, text);
        }

        #[test]
        fn nothing_breaks_it(text in "[ -~]{0,60}") {
            drop(Metadata::parse(&text));
        }
    }
}
