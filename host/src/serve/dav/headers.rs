//! The headers `Depth` (RFC 4918 §10.2), `Overwrite` (§10.6) and `Timeout` (§10.7).

use http::{HeaderMap, HeaderName};

use crate::serve::problem::Problem;

const DEPTH: HeaderName = HeaderName::from_static("depth");
const OVERWRITE: HeaderName = HeaderName::from_static("overwrite");
const TIMEOUT: HeaderName = HeaderName::from_static("timeout");

/// How long a lock lasts if the client does not say, in seconds.
const USUAL_TIMEOUT: i64 = 60 * 60;

/// The longest that a lock lasts without being refreshed, in seconds.
const LONGEST_TIMEOUT: i64 = 24 * 60 * 60;

/// How far a request reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// The resource alone.
    Zero,
    /// With its members.
    One,
    /// With all below it.
    Infinity,
}

/// Reads `Depth`; a request without it reaches all below.
pub(super) fn depth(headers: &HeaderMap) -> Result<Depth, Problem> {
    let Some(value) = headers.get(DEPTH) else {
        return Ok(Depth::Infinity);
    };
    match value.to_str().unwrap_or_default().trim() {
        "0" => Ok(Depth::Zero),
        "1" => Ok(Depth::One),
        text if text.eq_ignore_ascii_case("infinity") => Ok(Depth::Infinity),
        _ => Err(Problem::bad_request("`Depth` is `0`, `1` or `infinity`")),
    }
}

/// Reads `Overwrite`: whether what is at the destination may be replaced, as it may without the header.
pub(super) fn overwrite(headers: &HeaderMap) -> Result<bool, Problem> {
    match headers.get(OVERWRITE).map(|value| value.as_bytes()) {
        None | Some(b"T" | b"t") => Ok(true),
        Some(b"F" | b"f") => Ok(false),
        Some(_) => Err(Problem::bad_request("`Overwrite` is `T` or `F`")),
    }
}

/// Reads `Timeout`: the first time of it that makes sense, as far as we grant it, in seconds.
pub(super) fn timeout(headers: &HeaderMap) -> i64 {
    let text = headers
        .get(TIMEOUT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let seconds = text.split(',').map(str::trim).find_map(|wish| {
        if wish.eq_ignore_ascii_case("infinite") {
            return Some(LONGEST_TIMEOUT);
        }
        let (unit, digits) = wish.split_once('-')?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        (unit.eq_ignore_ascii_case("second") && is_number)
            .then(|| digits.parse().unwrap_or(LONGEST_TIMEOUT))
    });
    seconds.unwrap_or(USUAL_TIMEOUT).clamp(1, LONGEST_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, value: &str) -> HeaderMap {
        [(name.clone(), value.parse().unwrap())]
            .into_iter()
            .collect()
    }

    #[test]
    fn depths() {
        for (text, expected) in [
            ("0", Some(Depth::Zero)),
            ("1", Some(Depth::One)),
            ("infinity", Some(Depth::Infinity)),
            ("Infinity", Some(Depth::Infinity)),
            ("2", None),
            ("1,noroot", None),
            ("", None),
        ] {
            assert_eq!(depth(&headers(&DEPTH, text)).ok(), expected, "{text}");
        }
        assert_eq!(depth(&HeaderMap::new()).ok(), Some(Depth::Infinity));
    }

    #[test]
    fn overwriting() {
        for (text, expected) in [("T", Some(true)), ("F", Some(false)), ("yes", None)] {
            assert_eq!(
                overwrite(&headers(&OVERWRITE, text)).ok(),
                expected,
                "{text}"
            );
        }
        assert_eq!(overwrite(&HeaderMap::new()).ok(), Some(true));
    }

    #[test]
    fn timeouts_are_bounded() {
        for (text, seconds) in [
            ("Second-60", 60),
            ("Second-0", 1),
            ("Infinite, Second-4100000000", LONGEST_TIMEOUT),
            ("Second-99999999999999999999", LONGEST_TIMEOUT),
            ("Extend, Second-5", 5),
            ("Second--5", USUAL_TIMEOUT),
            ("soon", USUAL_TIMEOUT),
        ] {
            assert_eq!(timeout(&headers(&TIMEOUT, text)), seconds, "{text}");
        }
        assert_eq!(timeout(&HeaderMap::new()), USUAL_TIMEOUT);
    }
}
