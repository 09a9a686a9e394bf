//! Paths as clients write them.

use std::{fmt, str::FromStr};

use orlop_driver_types::{Kind, Path, UncleanPath};

/// A place in a namespace as a client writes it: `/photos/a.jpg`, or `/photos/` with a slash at the end for
/// what must be a directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    /// The path from the namespace's root.
    pub path: Path,
    /// The kind that it must be of; none if either will do.
    pub want: Option<Kind>,
}

impl Location {
    /// A place that must be a file.
    pub fn file(path: Path) -> Self {
        Self {
            path,
            want: Some(Kind::File),
        }
    }

    /// A place that must be a directory.
    pub fn directory(path: Path) -> Self {
        Self {
            path,
            want: Some(Kind::Directory),
        }
    }

    /// A place that may be either.
    pub fn any(path: Path) -> Self {
        Self { path, want: None }
    }
}

impl FromStr for Location {
    type Err = UncleanPath;

    /// Takes one slash at the beginning and one at the end away; anything else must be clean already.
    fn from_str(text: &str) -> Result<Self, UncleanPath> {
        let text = text.strip_prefix('/').unwrap_or(text);
        let (text, want) = match text.strip_suffix('/') {
            Some(text) => (text, Some(Kind::Directory)),
            None => (text, None),
        };
        if text.is_empty() && want.is_some() {
            return Err(UncleanPath);
        }
        let path = Path::parse(text)?;
        let want = if path.is_root() {
            Some(Kind::Directory)
        } else {
            want
        };
        Ok(Self { path, want })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "/{}", self.path)?;
        if self.want == Some(Kind::Directory) && !self.path.is_root() {
            formatter.write_str("/")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slashes_at_the_ends() {
        for (text, path, want) in [
            ("", "", Some(Kind::Directory)),
            ("/", "", Some(Kind::Directory)),
            ("/a", "a", None),
            ("a/b", "a/b", None),
            ("/a/b/", "a/b", Some(Kind::Directory)),
        ] {
            let location: Location = text.parse().unwrap();
            assert_eq!(
                (location.path.as_str(), location.want),
                (path, want),
                "{text}"
            );
        }
        for text in ["//", "//a", "/a//", "/a//b", "/./a", "/..", "/a/../b"] {
            assert!(text.parse::<Location>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_prints_as_what_parses_the_same(text in "[a./ü ]{0,12}") {
            if let Ok(location) = text.parse::<Location>() {
                prop_assert_eq!(location.to_string().parse::<Location>(), Ok(location));
            }
        }
    }
}
