use std::ops;

use s3s::dto::Range;
use s3s::{S3Error, S3Result, s3_error};

/// The bytes of an object that a `Range` header asks for, as a half-open range.
pub(super) fn resolve(range: Range, len: u64) -> S3Result<ops::Range<u64>> {
    let resolved = match range {
        Range::Int { first, last } => {
            first..last.map_or(len, |last| len.min(last.saturating_add(1)))
        }
        Range::Suffix { length } => len.saturating_sub(length)..len,
    };
    match resolved.is_empty() {
        true => Err(not_satisfiable()),
        false => Ok(resolved),
    }
}

/// The bytes that `x-amz-copy-source-range` asks for. Both ends must be given and exist.
pub(super) fn resolve_source(range: &str, len: u64) -> S3Result<ops::Range<u64>> {
    match Range::parse(range) {
        Ok(Range::Int {
            first,
            last: Some(last),
        }) if last < len => Ok(first..last + 1),
        Ok(Range::Int { last: Some(_), .. }) => Err(s3_error!(
            InvalidArgument,
            "Range specified is not valid for source object of size: {len}"
        )),
        _ => Err(s3_error!(
            InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy"
        )),
    }
}

/// The `Content-Range` header of an answer.
pub(super) fn content_range(range: &ops::Range<u64>, len: u64) -> String {
    format!(
        "bytes {}-{}/{len}",
        range.start,
        range.end.saturating_sub(1)
    )
}

fn not_satisfiable() -> S3Error {
    s3_error!(InvalidRange, "The requested range is not satisfiable")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let cases = [
            ("bytes=0-", 10, Some(0..10)),
            ("bytes=0-0", 10, Some(0..1)),
            ("bytes=3-5", 10, Some(3..6)),
            ("bytes=9-100", 10, Some(9..10)),
            ("bytes=10-", 10, None),
            ("bytes=-3", 10, Some(7..10)),
            ("bytes=-30", 10, Some(0..10)),
            ("bytes=-0", 10, None),
            ("bytes=0-", 0, None),
            ("bytes=-1", 0, None),
        ];
        for (text, len, expected) in cases {
            let range = Range::parse(text).unwrap();
            assert_eq!(resolve(range, len).ok(), expected, "{text} of {len}");
        }
        assert_eq!(content_range(&(3..6), 10), "bytes 3-5/10");
    }

    #[test]
    fn source_ranges() {
        let cases = [
            ("bytes=0-9", Some(0..10)),
            ("bytes=2-3", Some(2..4)),
            ("bytes=2-10", None),
            ("bytes=2-", None),
            ("bytes=-2", None),
            ("2-3", None),
        ];
        for (text, expected) in cases {
            assert_eq!(resolve_source(text, 10).ok(), expected, "{text}");
        }
    }
}
