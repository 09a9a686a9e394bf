//! Links to places in the namespace.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::door::{Door, is_reserved};
use crate::Path;

/// All that RFC 3986 §2.3 does not call unreserved. More than a path needs, so that one function serves
/// for queries and for `Location` too, and no browser has a reason to rewrite it.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A link from the top of the server.
pub(crate) fn absolute(door: Door, path: &Path, directory: bool) -> String {
    let mut link = String::with_capacity(door.prefix().len() + path.as_str().len() + 2);
    link.push_str(door.prefix());
    for (index, name) in path.segments().enumerate() {
        link.push('/');
        push_name(&mut link, name, door == Door::Page && index == 0);
    }
    if directory || path.is_root() {
        link.push('/');
    }
    link
}

/// A path as it stands in an address after something that no door is told apart by.
pub(crate) fn plain(path: &Path, directory: bool) -> String {
    let mut link = String::with_capacity(path.as_str().len() + 2);
    for name in path.segments() {
        link.push('/');
        push_name(&mut link, name, false);
    }
    if directory || path.is_root() {
        link.push('/');
    }
    link
}

/// A link from the page of a folder to one of its entries. The `./` keeps a colon in the name from
/// making it a scheme.
pub(crate) fn relative(folder: &Path, name: &str, directory: bool) -> String {
    let mut link = String::with_capacity(name.len() + 3);
    link.push_str("./");
    push_name(&mut link, name, folder.is_root());
    if directory {
        link.push('/');
    }
    link
}

/// A value for a query.
pub(crate) fn query_value(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, ESCAPED)
}

/// Puts a name behind a link that ends in a slash, anywhere but at the top of the page's own space.
pub(crate) fn append(link: &mut String, name: &str, directory: bool) {
    push_name(link, name, false);
    if directory {
        link.push('/');
    }
}

/// At the top of the page's own space, a name spelt like a door has its first letter escaped.
fn push_name(link: &mut String, name: &str, at_top: bool) {
    let rest = match name.as_bytes().first() {
        Some(first) if at_top && is_reserved(name) => {
            // Writing to a string cannot fail. Reserved names are ASCII.
            let _ = write!(link, "%{first:02X}");
            name.get(1..).unwrap_or_default()
        }
        _ => name,
    };
    link.extend(utf8_percent_encode(rest, ESCAPED));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped() {
        let path = |text: &str| Path::parse(text).unwrap();
        for (door, text, directory, link) in [
            (Door::Page, "", true, "/"),
            (Door::Page, "photos", true, "/photos/"),
            (Door::Page, "d", true, "/%64/"),
            (Door::Page, "metrics", false, "/%6Detrics"),
            (Door::Page, "a/d", false, "/a/d"),
            (Door::Download, "d/x", false, "/d/d/x"),
            (Door::Proxy, "", true, "/p/"),
            (
                Door::Proxy,
                "a b/100%?#&",
                false,
                "/p/a%20b/100%25%3F%23%26",
            ),
            (Door::Page, "ü\"'<>\\", false, "/%C3%BC%22%27%3C%3E%5C"),
        ] {
            assert_eq!(absolute(door, &path(text), directory), link);
        }
        assert_eq!(
            relative(&path("a"), "javascript:x", false),
            "./javascript%3Ax"
        );
        assert_eq!(relative(&path("a"), "d", true), "./d/");
        assert_eq!(relative(&Path::ROOT, "d", true), "./%64/");
    }
}
