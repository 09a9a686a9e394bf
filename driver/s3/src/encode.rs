//! Percent-encoding as signatures want it: every byte but `A-Z a-z 0-9 - . _ ~`, in upper-case hex.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const PATH: &AsciiSet = &VALUE.remove(b'/');

/// A key for a URL's path: `/` stays.
pub(crate) fn path(key: &str) -> PercentEncode<'_> {
    utf8_percent_encode(key, PATH)
}

/// A name or value of a query: `/` is encoded as well.
pub(crate) fn value(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, VALUE)
}

/// Undoes form encoding: `+` is a space. Bytes that are no UTF-8 become U+FFFD.
pub(crate) fn decode_form(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8_lossy()
        .into_owned()
}

/// Bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_every_byte_that_is_not_unreserved() {
        assert_eq!(path("a b+c/ü~%").to_string(), "a%20b%2Bc/%C3%BC~%25");
        assert_eq!(value("a/b=c&d").to_string(), "a%2Fb%3Dc%26d");
        assert_eq!(path("!*'()$\u{1}").to_string(), "%21%2A%27%28%29%24%01");
        assert_eq!(hex(&[0, 10, 255]), "000aff");
    }

    #[test]
    fn decodes_forms() {
        assert_eq!(decode_form("a+b%2Bc%20d%0D%01"), "a b+c d\r\u{1}");
        assert_eq!(decode_form("%ZZ%"), "%ZZ%");
    }
}
