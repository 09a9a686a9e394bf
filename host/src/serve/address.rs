//! From a request's raw path to a place in the namespace.

use percent_encoding::percent_decode_str;

use super::{door::Door, problem::Problem};
use crate::{Kind, Location, Path};

/// Reads the place that a raw path names at a door.
///
/// Each segment is decoded exactly once, and nothing is tidied up: `//`, `.`, `..`, an encoded slash and
/// text that is not UTF-8 are refused, whatever they would have meant to another server. `+` is a plus.
pub(crate) fn parse(door: Door, raw: &str) -> Result<Location, Problem> {
    let rest = raw
        .strip_prefix(door.prefix())
        .and_then(|rest| rest.strip_prefix('/'))
        .ok_or_else(|| Problem::bad_request("the path does not begin with `/`"))?;
    let (rest, want) = match rest.strip_suffix('/') {
        Some(directory) => (directory, Some(Kind::Directory)),
        None if rest.is_empty() => (rest, Some(Kind::Directory)),
        None => (rest, None),
    };
    if rest.is_empty() && raw.ends_with("//") {
        return Err(unclean());
    }
    let text = if rest.contains('%') {
        decode(rest)?
    } else {
        rest.to_owned()
    };
    let path = Path::parse(text).map_err(|_| unclean())?;
    Ok(Location { path, want })
}

fn decode(rest: &str) -> Result<String, Problem> {
    let mut text = String::with_capacity(rest.len());
    for (index, segment) in rest.split('/').enumerate() {
        if index > 0 {
            text.push('/');
        }
        if !is_well_escaped(segment) {
            return Err(Problem::bad_request(
                "the path has a `%` without two hexadecimal digits after it; write `%25` for a `%`",
            ));
        }
        let decoded = percent_decode_str(segment)
            .decode_utf8()
            .map_err(|_| Problem::bad_request("the path is not UTF-8"))?;
        if decoded.contains('/') {
            return Err(Problem::bad_request(
                "the path has an encoded `/` inside a segment, and no name has one",
            ));
        }
        text.push_str(&decoded);
    }
    Ok(text)
}

fn is_well_escaped(segment: &str) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    segment.split('%').skip(1).all(|rest| {
        let mut bytes = rest.as_bytes().iter();
        is_digit(bytes.next()) && is_digit(bytes.next())
    })
}

fn unclean() -> Problem {
    Problem::bad_request("the path has an empty, `.` or `..` segment, or a NUL")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::serve::href;

    #[test]
    fn segments_are_decoded_once() {
        for (raw, path, want) in [
            ("/", "", Some(Kind::Directory)),
            ("/a", "a", None),
            ("/a/", "a", Some(Kind::Directory)),
            ("/a%20b/c%2Bd+e", "a b/c+d+e", None),
            ("/100%2525", "100%25", None),
            ("/%C3%BC/%E2%98%83", "ü/☃", None),
            ("/a%3Fb%23c%5Cd", "a?b#c\\d", None),
            ("/...", "...", None),
        ] {
            let location = parse(Door::Page, raw).unwrap();
            assert_eq!(location.path.as_str(), path, "{raw}");
            assert_eq!(location.want, want, "{raw}");
            let location = parse(Door::Download, &format!("/d{raw}")).unwrap();
            assert_eq!(location.path.as_str(), path, "{raw}");
        }
    }

    #[test]
    fn nothing_is_tidied_up() {
        for raw in [
            "",
            "*",
            "a",
            "//",
            "///",
            "/a//b",
            "/a//",
            "//a",
            "/.",
            "/..",
            "/./a",
            "/a/../b",
            "/a/./",
            "/%2e",
            "/%2E%2e/etc/passwd",
            "/a/%2e%2e/",
            "/a%2Fb",
            "/a%2fb",
            "/%2F",
            "/a%00b",
            "/%",
            "/%zz",
            "/%4",
            "/a%",
            "/%ff",
            "/%c0%af",
            "/%C3",
        ] {
            assert!(parse(Door::Page, raw).is_err(), "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn every_path_survives_its_address(
            names in prop::collection::vec("[^/\0]{1,8}", 0..4),
            directory: bool,
        ) {
            prop_assume!(names.iter().all(|name| name != "." && name != ".."));
            let path = Path::parse(names.join("/")).unwrap();
            let directory = directory || path.is_root();
            for door in [Door::Page, Door::Download, Door::Proxy, Door::Dav] {
                let raw = href::absolute(door, &path, directory);
                prop_assert_eq!(Door::of(&raw), door);
                let location = parse(door, &raw).unwrap();
                prop_assert_eq!(&location.path, &path);
                prop_assert_eq!(location.want, directory.then_some(Kind::Directory));
            }
        }

        #[test]
        fn no_raw_path_makes_an_unclean_one(raw in "[/.%a-c0-9+]{0,12}") {
            if let Ok(location) = parse(Door::Page, &raw) {
                prop_assert!(Path::parse(location.path.as_str()).is_ok());
            }
        }
    }
}
