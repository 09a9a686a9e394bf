//! The `Range` header (RFC 9110 §14).

use std::ops;

use http::{HeaderMap, header::RANGE};

/// The most ranges that one request may ask for. More of them get the whole file.
const MOST: usize = 32;

/// Ranges with a gap smaller than this between them become one: a part of an answer has a head of about
/// as many bytes.
const GAP: u64 = 80;

/// Which bytes to answer with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bytes {
    /// All: no range was asked for, or none that this server honours.
    Whole,
    /// These, never empty, never past the end.
    Part(ops::Range<u64>),
    /// Two to [`MOST`] of these, apart from each other, in the order they were asked for in.
    Parts(Vec<ops::Range<u64>>),
    /// None that the file has.
    Unsatisfiable,
}

/// Reads the ranges that a request asks of a file of this size.
///
/// A server may ignore `Range`, and this one does so for units other than bytes, for text that does not
/// parse, for more than [`MOST`] ranges, and for ranges that together are more than the file. It joins
/// those that overlap or nearly touch, as RFC 9110 §15.3.7.2 allows.
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
    let specs = set
        .split(',')
        .map(|spec| spec.trim_matches([' ', '\t']))
        .filter(|spec| !spec.is_empty());
    let (mut ranges, mut asked, mut seen) = (Vec::new(), 0_u64, 0);
    for spec in specs {
        seen += 1;
        if seen > MOST {
            return None;
        }
        match one(spec, size)? {
            // Of an empty file, its last bytes are all of it, which no `Content-Range` can say.
            Bytes::Whole => return Some(Bytes::Whole),
            Bytes::Part(range) => {
                asked = asked.saturating_add(range.end - range.start);
                join(&mut ranges, range);
            }
            Bytes::Parts(_) | Bytes::Unsatisfiable => {}
        }
    }
    if seen > 1 && asked > size {
        return None;
    }
    match (seen, ranges.pop()) {
        (0, _) => None,
        (_, None) => Some(Bytes::Unsatisfiable),
        (_, Some(last)) if ranges.is_empty() => Some(Bytes::Part(last)),
        (_, Some(last)) => {
            ranges.push(last);
            Some(Bytes::Parts(ranges))
        }
    }
}

/// Adds a range, and makes it one with those that it nearly touches, in the place of the first of them.
fn join(ranges: &mut Vec<ops::Range<u64>>, mut range: ops::Range<u64>) {
    let mut place = ranges.len();
    let mut index = 0;
    // A range that grew may touch one that it did not before.
    while let Some(other) = ranges.get(index) {
        let is_near = range.start <= other.end.saturating_add(GAP)
            && other.start <= range.end.saturating_add(GAP);
        if is_near {
            range = range.start.min(other.start)..range.end.max(other.end);
            ranges.remove(index);
            place = place.min(index);
            index = 0;
        } else {
            index += 1;
        }
    }
    ranges.insert(place.min(ranges.len()), range);
}

fn one(spec: &str, size: u64) -> Option<Bytes> {
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
            "bytes=0-1,4",
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

    #[test]
    fn several_ranges() {
        let parts = |ranges: &[ops::Range<u64>]| Bytes::Parts(ranges.to_vec());
        for (text, bytes) in [
            ("bytes=0-1,500-501", parts(&[0..2, 500..502])),
            ("bytes=500-501, 0-1", parts(&[500..502, 0..2])),
            ("bytes=0-1,-1", parts(&[0..2, 999..1000])),
            // None that the file has are left out.
            ("bytes=0-1,5000-,500-501", parts(&[0..2, 500..502])),
            ("bytes=5000-,0-1", Bytes::Part(0..2)),
            ("bytes=5000-,6000-", Bytes::Unsatisfiable),
            // Near ones become one.
            ("bytes=0-9,5-19", Bytes::Part(0..20)),
            ("bytes=0-9,10-19", Bytes::Part(0..20)),
            ("bytes=20-29,0-9", Bytes::Part(0..30)),
            (
                "bytes=0-9,900-909,500-509,10-499",
                parts(&[0..510, 900..910]),
            ),
            // More than the file has.
            ("bytes=0-,0-", Bytes::Whole),
            ("bytes=0-999,0-0", Bytes::Whole),
            ("bytes=0-1,5-3", Bytes::Whole),
        ] {
            assert_eq!(ask(text, 1000), bytes, "{text}");
        }
        let many = |count: u64| {
            let specs: Vec<_> = (0..count).map(|n| format!("{0}-{0}", n * 200)).collect();
            format!("bytes={}", specs.join(","))
        };
        assert!(matches!(ask(&many(32), 1 << 20), Bytes::Parts(parts) if parts.len() == 32));
        assert_eq!(ask(&many(33), 1 << 20), Bytes::Whole);
        assert_eq!(ask(&many(5000), 1 << 20), Bytes::Whole);
    }

    proptest! {
        #[test]
        fn parts_lie_apart_inside_the_file(
            specs in prop::collection::vec("[0-9]{0,3}-[0-9]{0,3}", 1..8),
            size in 0_u64..1200,
        ) {
            if let Bytes::Parts(mut parts) = ask(&format!("bytes={}", specs.join(",")), size) {
                prop_assert!(parts.len() > 1);
                parts.sort_by_key(|part| part.start);
                for pair in parts.windows(2) {
                    prop_assert!(pair[0].end + GAP < pair[1].start);
                }
                for part in parts {
                    prop_assert!(part.start < part.end && part.end <= size);
                }
            }
        }

        #[test]
        fn a_part_lies_inside_the_file(text in "bytes=[0-9]{0,3}-[0-9]{0,3}", size in 0_u64..300) {
            if let Bytes::Part(part) = ask(&text, size) {
                prop_assert!(part.start < part.end && part.end <= size);
            }
        }
    }
}
