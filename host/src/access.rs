//! Who may do what, by path.

use std::{collections::BTreeSet, fmt, str::FromStr, sync::Arc};

use crate::Path;

/// What may be done at a path. Each right holds those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rights {
    /// Nothing: it does not even show in listings.
    #[default]
    Nothing,
    /// List and read.
    Read,
    /// Change as well.
    Write,
}

impl FromStr for Rights {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::Nothing),
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            _ => Err("must be \"read\", \"write\" or \"none\""),
        }
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Nothing => "none",
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

/// Rights at a path and below it, as far down as no other grant says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Where it begins.
    pub path: Path,
    /// What may be done.
    pub rights: Rights,
}

/// What one caller may do in a namespace: the deepest grant that holds a path decides on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    grants: Arc<[Grant]>,
}

impl Access {
    /// Everything, everywhere.
    pub fn full() -> Self {
        Self::everywhere(Rights::Write)
    }

    /// Nothing at all.
    pub fn none() -> Self {
        Self::of([])
    }

    /// The same rights everywhere.
    pub fn everywhere(rights: Rights) -> Self {
        let path = Path::ROOT;
        Self::of([Grant { path, rights }])
    }

    /// What these grants say together. Of two at one path, the larger holds.
    pub fn of(grants: impl IntoIterator<Item = Grant>) -> Self {
        let mut grants: Vec<Grant> = grants.into_iter().collect();
        grants.sort_by(|a, b| a.path.cmp(&b.path).then(b.rights.cmp(&a.rights)));
        grants.dedup_by(|later, earlier| later.path == earlier.path);
        Self {
            grants: grants.into(),
        }
    }

    /// What both allow.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        // Commonly one of them allows all, and this is asked for every request.
        if self.is_full() {
            return other.clone();
        }
        if other.is_full() {
            return self.clone();
        }
        let both = self.grants.iter().chain(other.grants.iter());
        Self::of(both.map(|grant| Grant {
            path: grant.path.clone(),
            rights: self.rights(&grant.path).min(other.rights(&grant.path)),
        }))
    }

    /// The grants, by path.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// What may be done at a path.
    pub fn rights(&self, path: &Path) -> Rights {
        self.grants
            .iter()
            .filter(|grant| grant.path == *path || grant.path.contains(path))
            .max_by_key(|grant| grant.path.as_str().len())
            .map_or(Rights::Nothing, |grant| grant.rights)
    }

    /// Whether at least these rights hold at a path and everywhere below it.
    pub fn covers(&self, path: &Path, rights: Rights) -> bool {
        self.rights(path) >= rights && self.below(path).all(|grant| grant.rights >= rights)
    }

    /// Whether a path shows: it may be read, or lies on the way to something that may.
    pub fn shows(&self, path: &Path) -> bool {
        self.rights(path) > Rights::Nothing || self.leads_on(path)
    }

    /// Whether something below a path may be read.
    pub fn leads_on(&self, path: &Path) -> bool {
        self.below(path).any(|grant| grant.rights > Rights::Nothing)
    }

    /// Whether anything below a path has grants of its own.
    pub(crate) fn differs_below(&self, path: &Path) -> bool {
        self.below(path).next().is_some()
    }

    /// The names in a directory that lie on the way to something that may be read.
    pub(crate) fn ways(&self, directory: &Path) -> BTreeSet<String> {
        self.below(directory)
            .filter(|grant| grant.rights > Rights::Nothing)
            .filter_map(|grant| {
                let below = grant.path.relative_to(directory)?;
                below.segments().next().map(str::to_owned)
            })
            .collect()
    }

    fn is_full(&self) -> bool {
        matches!(&*self.grants, [only] if only.path.is_root() && only.rights == Rights::Write)
    }

    fn below<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = &'a Grant> {
        self.grants
            .iter()
            .filter(|grant| path.contains(&grant.path))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    fn access(grants: &[(&str, Rights)]) -> Access {
        Access::of(grants.iter().map(|(text, rights)| Grant {
            path: path(text),
            rights: *rights,
        }))
    }

    #[test]
    fn the_deepest_grant_decides() {
        use Rights::{Nothing, Read, Write};
        let access = access(&[
            ("a", Read),
            ("a/b", Write),
            ("a/b/c", Nothing),
            ("x/y", Read),
        ]);
        for (place, rights, shows) in [
            ("", Nothing, true),
            ("a", Read, true),
            ("a/z", Read, true),
            ("a/b", Write, true),
            ("a/bb", Read, true),
            ("a/b/c", Nothing, false),
            ("a/b/c/d", Nothing, false),
            ("x", Nothing, true),
            ("x/z", Nothing, false),
            ("x/y/z", Read, true),
            ("b", Nothing, false),
        ] {
            assert_eq!(access.rights(&path(place)), rights, "{place}");
            assert_eq!(access.shows(&path(place)), shows, "{place}");
        }
        assert!(access.covers(&path("a/b/d"), Write));
        assert!(
            !access.covers(&path("a/b"), Write),
            "a/b/c is not to be written"
        );
        assert!(!access.covers(&path("a"), Read), "a/b/c is not to be read");
        assert_eq!(
            access.ways(&Path::ROOT).into_iter().collect::<Vec<_>>(),
            ["a", "x"]
        );
        assert_eq!(
            access.ways(&path("a")).into_iter().collect::<Vec<_>>(),
            ["b"]
        );
    }

    #[test]
    fn the_ends() {
        assert!(Access::full().covers(&Path::ROOT, Rights::Write));
        assert!(!Access::none().shows(&Path::ROOT));
        let twice = access(&[("a", Rights::Read), ("a", Rights::Write)]);
        assert_eq!(twice.rights(&path("a")), Rights::Write);
    }

    fn any_access() -> impl Strategy<Value = Access> {
        let rights = prop_oneof![
            Just(Rights::Nothing),
            Just(Rights::Read),
            Just(Rights::Write)
        ];
        prop::collection::vec(("[ab](/[ab]){0,3}", rights), 0..5).prop_map(|grants| {
            Access::of(grants.into_iter().map(|(text, rights)| Grant {
                path: path(&text),
                rights,
            }))
        })
    }

    proptest! {
        #[test]
        fn both_allow_what_each_allows(a in any_access(), b in any_access(), place in "[ab](/[ab]){0,4}") {
            let place = path(&place);
            prop_assert_eq!(a.and(&b).rights(&place), a.rights(&place).min(b.rights(&place)));
        }
    }
}
