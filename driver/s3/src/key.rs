//! Between the paths of the contract and the keys of a bucket.
//!
//! A path is clean, a key is any text, and each key has one path and each path at most one key:
//!
//! * In a segment, `␀` (U+2400) escapes: NUL is `␀0`, `␀` itself is `␀␀`, and a byte that is no part of UTF-8 is
//!   `␀` and two digits, such as `␀FF`.
//! * A segment that is empty, `.` or `..`, followed by any number of `∅` (U+2205), has one more `∅` in the
//!   path than in the key. So the key `a//b` is the path `a/∅/b`, and `..` is `..∅`.
//!
//! A directory's path stands for the prefix that is its key with a `/` behind.

use std::{borrow::Cow, fmt::Write as _};

use orlop_driver::{Error, Path, Result};

use crate::octets;

const ESCAPE: char = '\u{2400}';
const EMPTY: char = '\u{2205}';

/// The key of the file at `path`.
///
/// # Errors
/// [`Error::IsADirectory`] for the root, [`Error::NotFound`] for a path that no key has.
pub(crate) fn of_file(path: &Path) -> Result<String> {
    if path.is_root() {
        return Err(Error::IsADirectory);
    }
    let mut key = String::with_capacity(path.as_str().len());
    for (index, name) in path.as_str().split('/').enumerate() {
        if index > 0 {
            key.push('/');
        }
        push_segment(&mut key, name).ok_or(Error::NotFound)?;
    }
    Ok(key)
}

/// The prefix of the directory at `path`: empty for the root, else with a `/` at its end.
///
/// # Errors
/// [`Error::NotFound`] for a path that no key has.
pub(crate) fn of_directory(path: &Path) -> Result<String> {
    if path.is_root() {
        return Ok(String::new());
    }
    let mut prefix = of_file(path)?;
    prefix.push('/');
    Ok(prefix)
}

/// The name that a segment of a key has in a path. The segment holds no `/`.
pub(crate) fn name(segment: &str) -> Cow<'_, str> {
    let plain = match segment.is_ascii() {
        true => !segment.as_bytes().contains(&0),
        false => !segment.contains([ESCAPE, '\0']) && !octets::is_odd(segment),
    };
    let reserved = is_reserved(segment);
    if plain && !reserved {
        return Cow::Borrowed(segment);
    }
    let mut name = String::with_capacity(segment.len() + 3);
    for chunk in octets::bytes(segment).utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\0' => name.extend([ESCAPE, '0']),
                ESCAPE => name.extend([ESCAPE, ESCAPE]),
                other => name.push(other),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(name, "{ESCAPE}{byte:02X}");
        }
    }
    if reserved {
        name.push(EMPTY);
    }
    Cow::Owned(name)
}

/// Appends the segment that has this name; none if no segment has.
fn push_segment(key: &mut String, name: &str) -> Option<()> {
    let given = name;
    let name = match given.strip_suffix(EMPTY) {
        Some(shorter) if is_reserved(shorter) => shorter,
        _ => given,
    };
    if !name.contains(ESCAPE) && !octets::is_odd(name) {
        key.push_str(name);
        return Some(());
    }
    let start = key.len();
    let mut characters = name.chars();
    while let Some(character) = characters.next() {
        match character {
            ESCAPE => key.push(match characters.next()? {
                '0' => '\0',
                ESCAPE => ESCAPE,
                high => octets::character(byte(high, characters.next()?)?),
            }),
            other => octets::push(key, other),
        }
    }
    // Bytes that are UTF-8 together have another name: the usual one.
    let segment = key.get(start..)?;
    (self::name(segment) == given).then_some(())
}

/// A byte from 0x80 by its two digits.
fn byte(high: char, low: char) -> Option<u8> {
    let digit = |digit: char| {
        let is_right = digit.is_ascii_digit() || digit.is_ascii_uppercase();
        digit.to_digit(16).filter(|_| is_right)
    };
    let byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    (byte >= 0x80).then_some(byte)
}

fn is_reserved(segment: &str) -> bool {
    matches!(segment.trim_end_matches(EMPTY), "" | "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path_of(key: &str) -> Path {
        let names: Vec<_> = key.split('/').map(name).collect();
        Path::parse(names.join("/")).unwrap()
    }

    #[test]
    fn odd_keys_have_readable_paths() {
        let cases = [
            ("a/b.txt", "a/b.txt"),
            ("a//b", "a/∅/b"),
            ("/x", "∅/x"),
            ("/", "∅/∅"),
            ("dir/", "dir/∅"),
            ("..", "..∅"),
            ("./a/..", ".∅/a/..∅"),
            ("∅", "∅∅"),
            ("..∅/x", "..∅∅/x"),
            ("a∅", "a∅"),
            ("...", "..."),
            ("nul\0", "nul␀0"),
            ("␀", "␀␀"),
            ("a\\b%2F+?#\r\n\u{1}", "a\\b%2F+?#\r\n\u{1}"),
            // The bytes 66 FC 72, and U+10FF80.
            ("f\u{10fffc}r", "f␀FCr"),
            ("\u{10fff4}\u{10ff8f}\u{10ffbe}\u{10ff80}", "\u{10ff80}"),
        ];
        for (key, path) in cases {
            assert_eq!(path_of(key).as_str(), path, "{key:?}");
            assert_eq!(of_file(&path_of(key)).unwrap(), key, "{path:?}");
        }
    }

    #[test]
    fn directories_are_prefixes() {
        assert_eq!(of_directory(&Path::ROOT).unwrap(), "");
        assert_eq!(of_directory(&Path::parse("a/∅").unwrap()).unwrap(), "a//");
        assert_eq!(of_file(&Path::ROOT), Err(Error::IsADirectory));
    }

    #[test]
    fn paths_that_no_key_has_are_not_found() {
        for text in [
            "␀",
            "a/␀1",
            "␀␀␀",
            "␀7F",
            "␀fc",
            "␀F",
            "␀C3␀BC",
            "␀F4␀8F␀BE␀80",
        ] {
            assert_eq!(of_file(&Path::parse(text).unwrap()), Err(Error::NotFound));
        }
    }

    const ODD: &str = "[a-b./∅␀\\x00\\x01\r\n%+ ü\u{10fffc}\u{10ffc3}\u{10ffbc}]{1,12}";

    /// The text of the bytes that a text stands for.
    fn usual(key: &str) -> String {
        octets::text(&octets::bytes(key)).into_owned()
    }

    proptest! {
        #[test]
        fn each_key_has_a_path_and_comes_back(key in ODD) {
            prop_assert_eq!(of_file(&path_of(&key)).unwrap(), usual(&key));
        }

        #[test]
        fn each_path_with_a_key_is_the_path_of_that_key(text in "[a./∅␀0CB3ü\u{10ffff}]{1,10}") {
            if let Ok(path) = Path::parse(text) && let Ok(key) = of_file(&path) {
                prop_assert_eq!(path_of(&key), path);
            }
        }

        #[test]
        fn any_text_survives(key in any::<String>().prop_filter("keys are not empty", |key| !key.is_empty())) {
            prop_assert_eq!(of_file(&path_of(&key)).unwrap(), usual(&key));
        }

        #[test]
        fn any_bytes_survive(key in proptest::collection::vec(any::<u8>(), 1..40)) {
            let text = octets::text(&key);
            let back = of_file(&path_of(&text)).unwrap();
            prop_assert_eq!(&*octets::bytes(&back), &key);
        }
    }
}
