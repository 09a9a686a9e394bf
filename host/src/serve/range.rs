//! The `Range` header (RFC 9110 §14).

use std::ops;

use http::{HeaderMap, header::RANGE};

/// Which bytes to answer with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bytes {
    /// All: no range was asked for, or none that this server honours.
    Whole,
    /// These, never empty, never past the end.
    Part(ops::Range<u64>),
    /// None that the file has.
    Unsatisfiable,
}

/// Reads the range that a request asks of a file of this size.
///
/// A server may ignore `Range`, and this one does so for units other than bytes, for text that does not
/// parse, and for several ranges at once.
pub(crate) fn requested(headers: &HeaderMap, size: u64) -> Bytes {
    let mut values = headers.get_all(RANGE).into_iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value
            .to_str()
            .ok()
            .and_then(|text| parse(text, size))
            .unwrap_or(Bytes::Whole),
        _ => Bytes::Whole,
    }
}

fn parse(text: &str, size: u64) -> Option<Bytes> {
    let (unit, set) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let mut specs = set
        .split(',')
        .map(|spec| spec.trim_matches([' ', '\t']))
        .filter(|spec| !spec.is_empty());
    let (Some(spec), None) = (specs.next(), specs.next()) else {
        return None;
    };
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        return Some(suffix(position(last)?, size));
    }
    let first = position(first)?;
    let end = if last.is_empty() {
        size
    } else {
        let last = position(last)?;
        if last < first {
            return None;
        }
        last.saturating_add(1).min(size)
    };
    Some(if first < size {
        Bytes::Part(first..end)
    } else {
        Bytes::Unsatisfiable
    })
}

/// The last bytes of a file. Of an empty file they are all of it, which no `Content-Range` can say.
fn suffix(length: u64, size: u64) -> Bytes {
    match (length, size) {
        (0, _) => Bytes::Unsatisfiable,
        (_, 0) => Bytes::Whole,
        _ => Bytes::Part(size.saturating_sub(length)..size),
    }
}

/// A number of any length; more than 64 bits hold is past the end of any file.
fn position(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ask(text: &str, size: u64) -> Bytes {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, text.parse().unwrap());
        requested(&headers, size)
    }

    #[test]
    fn one_range() {
        for (text, size, bytes) in [
            ("bytes=0-0", 10, Bytes::Part(0..1)),
            ("bytes=0-", 10, Bytes::Part(0..10)),
            ("bytes=3-5", 10, Bytes::Part(3..6)),
            ("bytes=3-500", 10, Bytes::Part(3..10)),
            ("bytes=9-", 10, Bytes::Part(9..10)),
            ("bytes=-3", 10, Bytes::Part(7..10)),
            ("bytes=-30", 10, Bytes::Part(0..10)),
            ("BYTES= 1-2 ", 10, Bytes::Part(1..3)),
            ("bytes=,1-2,", 10, Bytes::Part(1..3)),
            ("bytes=0-99999999999999999999999", 10, Bytes::Part(0..10)),
            ("bytes=10-", 10, Bytes::Unsatisfiable),
            ("bytes=99999999999999999999999-", 10, Bytes::Unsatisfiable),
            ("bytes=-0", 10, Bytes::Unsatisfiable),
            ("bytes=0-", 0, Bytes::Unsatisfiable),
            ("bytes=-5", 0, Bytes::Whole),
        ] {
            assert_eq!(ask(text, size), bytes, "{text}");
        }
    }

    #[test]
    fn the_rest_is_ignored() {
        for text in [
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=1",
            "bytes=5-3",
            "bytes=+1-2",
            "bytes=1-2x",
            "bytes=0x1-2",
            "items=0-1",
            "bytes=0-1,4-5",
            "bytes=1 - 2",
            "bytes=--1",
            "",
        ] {
            assert_eq!(ask(text, 10), Bytes::Whole, "{text}");
        }
        let mut twice = HeaderMap::new();
        twice.append(RANGE, "bytes=0-1".parse().unwrap());
        twice.append(RANGE, "bytes=4-5".parse().unwrap());
        assert_eq!(requested(&twice, 10), Bytes::Whole);
        assert_eq!(requested(&HeaderMap::new(), 10), Bytes::Whole);
    }

    proptest! {
        #[test]
        fn a_part_lies_inside_the_file(text in "bytes=[0-9]{0,3}-[0-9]{0,3}", size in 0_u64..300) {
            if let Bytes::Part(part) = ask(&text, size) {
                prop_assert!(part.start < part.end && part.end <= size);
            }
        }
    }
}
