//! Paths inside a volume.

use std::fmt;

/// A clean path: `/` between segments, none at the ends, no segment empty, `.` or `..`, no NUL.
/// The empty path is the volume's root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(String);

/// The text is not a clean path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a clean path: it has an empty, `.` or `..` segment, or a NUL")]
pub struct UncleanPath;

impl Path {
    /// The volume's root.
    pub const ROOT: Path = Path(String::new());

    /// Takes a text that is clean already.
    ///
    /// # Errors
    /// [`UncleanPath`] for anything else; nothing is tidied up.
    pub fn parse(text: impl Into<String>) -> Result<Self, UncleanPath> {
        let text = text.into();
        let clean = text.is_empty()
            || (!text.contains('\0')
                && text
                    .split('/')
                    .all(|segment| !matches!(segment, "" | "." | "..")));
        if clean {
            Ok(Self(text))
        } else {
            Err(UncleanPath)
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The segments from the root down; none for the root.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }

    /// The last segment; the empty string for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The directory that holds this entry; none for the root.
    pub fn parent(&self) -> Option<Path> {
        if self.is_root() {
            return None;
        }
        let parent = self.0.rsplit_once('/').map_or("", |(parent, _)| parent);
        Some(Path(parent.to_owned()))
    }

    /// The path of `other` below this directory.
    #[must_use]
    pub fn join(&self, other: &Path) -> Path {
        match (self.is_root(), other.is_root()) {
            (true, _) => other.clone(),
            (_, true) => self.clone(),
            _ => Path(format!("{}/{}", self.0, other.0)),
        }
    }

    /// The path of an entry of this directory.
    ///
    /// # Errors
    /// [`UncleanPath`] if the name is not one segment.
    pub fn child(&self, name: &str) -> Result<Path, UncleanPath> {
        if name.is_empty() || name.contains('/') {
            return Err(UncleanPath);
        }
        Ok(self.join(&Path::parse(name)?))
    }

    /// This path as seen from `directory`; none if it is neither that nor inside it.
    pub fn relative_to(&self, directory: &Path) -> Option<Path> {
        if directory.is_root() {
            return Some(self.clone());
        }
        let rest = self.0.strip_prefix(&directory.0)?;
        match rest.strip_prefix('/') {
            Some(rest) => Some(Path(rest.to_owned())),
            None => rest.is_empty().then_some(Path::ROOT),
        }
    }

    /// Whether `other` lies inside this directory, at any depth.
    pub fn contains(&self, other: &Path) -> bool {
        if self.is_root() {
            return !other.is_root();
        }
        other
            .0
            .strip_prefix(&self.0)
            .is_some_and(|rest| rest.starts_with('/'))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clean_text_is_a_path() {
        for clean in ["", "a", "a/b", "a b/ü/☃", "...", "a\\b"] {
            assert_eq!(Path::parse(clean).unwrap().as_str(), clean);
        }
        for unclean in ["/", "/a", "a/", "a//b", ".", "..", "a/./b", "a/..", "a\0b"] {
            assert!(Path::parse(unclean).is_err(), "{unclean:?}");
        }
    }

    #[test]
    fn relations() {
        let path = Path::parse("a/b/c").unwrap();
        assert_eq!(path.name(), "c");
        assert_eq!(path.parent(), Some(Path::parse("a/b").unwrap()));
        assert_eq!(path.segments().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(path.parent().unwrap().contains(&path));
        assert!(Path::ROOT.contains(&path));
        assert!(!Path::parse("a/b/").is_ok_and(|dir| dir.contains(&path)));
        assert!(!Path::parse("a/bb").unwrap().contains(&path));
        assert!(!path.contains(&path));
        assert_eq!(Path::ROOT.parent(), None);

        let parent = Path::parse("a/b").unwrap();
        assert_eq!(path.relative_to(&parent), Some(Path::parse("c").unwrap()));
        assert_eq!(path.relative_to(&path), Some(Path::ROOT));
        assert_eq!(path.relative_to(&Path::parse("a/bb").unwrap()), None);
        assert_eq!(parent.child("c").unwrap(), path);
        assert!(
            parent.child("c/d").is_err()
                && parent.child("").is_err()
                && parent.child("..").is_err()
        );
        assert_eq!(Path::ROOT.join(&path), path);
        assert_eq!(path.join(&Path::ROOT), path);
    }
}
