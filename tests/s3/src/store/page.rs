use std::collections::BTreeMap;
use std::ops::Bound;

/// A question for one page of a sorted map.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageQuery<'a> {
    /// Only keys that begin so.
    pub(crate) prefix: &'a str,
    /// Keys with this string behind the prefix are rolled up to what ends with it. Never empty.
    pub(crate) delimiter: Option<&'a str>,
    /// Only entries behind this one; a rolled-up prefix counts as passed if it equals this.
    /// Empty: from the start.
    pub(crate) after: &'a str,
    /// The entry `after` itself is one of them, as some services have it.
    pub(crate) inclusive: bool,
    /// How many entries at most, rolled-up prefixes included.
    pub(crate) max: usize,
}

/// One entry of a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entry<'a, V> {
    Key(&'a str, &'a V),
    Prefix(&'a str),
}

impl<V> Entry<'_, V> {
    /// The key or the rolled-up prefix.
    pub(crate) fn name(&self) -> &str {
        match self {
            Entry::Key(name, _) | Entry::Prefix(name) => name,
        }
    }
}

/// Some entries in the order of their bytes.
#[derive(Debug)]
pub(crate) struct Page<'a, V> {
    pub(crate) entries: Vec<Entry<'a, V>>,
    /// Whether there are more.
    pub(crate) truncated: bool,
}

impl<'a> PageQuery<'a> {
    /// Looks the page up. Costs a tree descent per rolled-up prefix, however many keys it has.
    pub(crate) fn run<'m, V>(&self, map: &'m BTreeMap<String, V>) -> Page<'m, V> {
        let mut page = Page {
            entries: Vec::new(),
            truncated: false,
        };
        if self.max == 0 {
            // As Amazon S3 answers, whatever the bucket holds.
            return page;
        }
        let mut start = self.start();
        'seek: while let Some(bound) = start.take() {
            let range = (as_str_bound(&bound), Bound::Unbounded);
            for (key, value) in map.range::<str, _>(range) {
                if !key.starts_with(self.prefix) {
                    break 'seek;
                }
                if page.entries.len() == self.max {
                    page.truncated = true;
                    break 'seek;
                }
                match self.rolled_up(key) {
                    Some(prefix) => {
                        page.entries.push(Entry::Prefix(prefix));
                        start = behind_prefix(prefix).map(Bound::Included);
                        continue 'seek;
                    }
                    None => page.entries.push(Entry::Key(key, value)),
                }
            }
        }
        page
    }

    fn start(&self) -> Option<Bound<String>> {
        if self.after < self.prefix || self.after.is_empty() {
            return Some(Bound::Included(self.prefix.to_owned()));
        }
        if self.inclusive {
            return Some(Bound::Included(self.after.to_owned()));
        }
        if self.rolled_up(self.after) == Some(self.after) {
            return behind_prefix(self.after).map(Bound::Included);
        }
        Some(Bound::Excluded(self.after.to_owned()))
    }

    fn rolled_up<'k>(&self, key: &'k str) -> Option<&'k str> {
        common_prefix(key, self.prefix, self.delimiter)
    }
}

/// What a key is rolled up to: all of it up to the end of the first delimiter behind the prefix.
pub(crate) fn common_prefix<'k>(
    key: &'k str,
    prefix: &str,
    delimiter: Option<&str>,
) -> Option<&'k str> {
    let delimiter = delimiter?;
    let rest = key.strip_prefix(prefix)?;
    let end = prefix.len() + rest.find(delimiter)? + delimiter.len();
    key.get(..end)
}

/// The first string behind all strings with a prefix. `None`: there is none.
fn behind_prefix(prefix: &str) -> Option<String> {
    let mut next = prefix.to_owned();
    while let Some(last) = next.pop() {
        // A range of characters steps over the surrogates.
        if let Some(successor) = (last..=char::MAX).nth(1) {
            next.push(successor);
            return Some(next);
        }
    }
    None
}

fn as_str_bound(bound: &Bound<String>) -> Bound<&str> {
    bound.as_ref().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn map(keys: &[&str]) -> BTreeMap<String, ()> {
        keys.iter().map(|key| ((*key).to_owned(), ())).collect()
    }

    fn all_pages(
        map: &BTreeMap<String, ()>,
        prefix: &str,
        delimiter: Option<&str>,
        max: usize,
    ) -> Vec<String> {
        let mut names = Vec::new();
        let mut after = String::new();
        loop {
            let query = PageQuery {
                prefix,
                delimiter,
                after: &after,
                inclusive: false,
                max,
            };
            let page = query.run(map);
            assert!(page.entries.len() <= max);
            names.extend(page.entries.iter().map(|entry| entry.name().to_owned()));
            if !page.truncated {
                return names;
            }
            assert_eq!(page.entries.len(), max, "a truncated page is full");
            let last = page.entries.last().unwrap().name().to_owned();
            assert!(last > after);
            after = last;
        }
    }

    #[test]
    fn rolls_up_and_keeps_awkward_keys_apart() {
        let map = map(&["a", "a/", "a/b", "a//b", "a0", "b/c/d", "b/c/e", "é/ü"]);
        let cases: [(&str, Option<&str>, &[&str]); 7] = [
            (
                "",
                None,
                &["a", "a/", "a//b", "a/b", "a0", "b/c/d", "b/c/e", "é/ü"],
            ),
            ("", Some("/"), &["a", "a/", "a0", "b/", "é/"]),
            ("a/", Some("/"), &["a/", "a//", "a/b"]),
            ("b/", Some("/"), &["b/c/"]),
            ("b/c", Some("/"), &["b/c/"]),
            (
                "",
                Some("/c/"),
                &["a", "a/", "a//b", "a/b", "a0", "b/c/", "é/ü"],
            ),
            ("zzz", Some("/"), &[]),
        ];
        for (prefix, delimiter, expected) in cases {
            for max in 1..9 {
                assert_eq!(
                    all_pages(&map, prefix, delimiter, max),
                    expected,
                    "{prefix:?} {delimiter:?} {max}"
                );
            }
        }
    }

    #[test]
    fn a_marker_inside_a_prefix_does_not_hide_the_rest_of_it() {
        let map = map(&["a/1", "a/2", "b"]);
        let names = |after| {
            let query = PageQuery {
                prefix: "",
                delimiter: Some("/"),
                after,
                inclusive: false,
                max: 10,
            };
            let page = query.run(&map);
            page.entries
                .iter()
                .map(|entry| entry.name().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names("a/1"), ["a/", "b"]);
        assert_eq!(names("a/"), ["b"]);
        assert_eq!(names("a/2"), ["b"]);
    }

    #[test]
    fn nothing_asked_nothing_truncated() {
        let query = PageQuery {
            prefix: "",
            delimiter: None,
            after: "",
            inclusive: false,
            max: 0,
        };
        let map = map(&["a"]);
        let page = query.run(&map);
        assert!(page.entries.is_empty() && !page.truncated);
    }

    #[test]
    fn successors_of_prefixes() {
        let cases = [
            ("a/", Some("a0")),
            ("a\u{d7ff}", Some("a\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
        ];
        for (prefix, expected) in cases {
            assert_eq!(behind_prefix(prefix).as_deref(), expected, "{prefix:?}");
        }
    }

    proptest! {
        #[test]
        fn pages_agree_with_a_plain_scan(
            keys in prop::collection::btree_set("[ab/\u{10ffff}]{1,5}", 0..40),
            prefix in "[ab/]{0,2}",
            delimiter in prop::option::of("[ab/]{1,2}"),
            max in 1usize..6,
        ) {
            let map: BTreeMap<String, ()> = keys.iter().map(|key| (key.clone(), ())).collect();
            let expected: BTreeSet<String> = keys
                .iter()
                .filter(|key| key.starts_with(&prefix))
                .map(|key| match &delimiter {
                    Some(delimiter) => match key[prefix.len()..].find(delimiter.as_str()) {
                        Some(at) => key[..prefix.len() + at + delimiter.len()].to_owned(),
                        None => key.clone(),
                    },
                    None => key.clone(),
                })
                .collect();
            let found = all_pages(&map, &prefix, delimiter.as_deref(), max);
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
