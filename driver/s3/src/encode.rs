//! Percent-encoding as signatures want it: every byte but `A-Z a-z 0-9 - . _ ~`, in upper-case hex.

use std::{borrow::Cow, fmt};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

use crate::octets;

const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const PATH: &AsciiSet = &VALUE.remove(b'/');

/// Text as it is encoded when it is written somewhere.
pub(crate) struct Encoded<'a> {
    bytes: Cow<'a, [u8]>,
    set: &'static AsciiSet,
}

/// A key for a URL's path: `/` stays.
pub(crate) fn path(key: &str) -> Encoded<'_> {
    Encoded {
        bytes: octets::bytes(key),
        set: PATH,
    }
}

/// A name or value of a query: `/` is encoded as well.
pub(crate) fn value(text: &str) -> Encoded<'_> {
    Encoded {
        bytes: octets::bytes(text),
        set: VALUE,
    }
}

impl Encoded<'_> {
    /// Appends it.
    pub(crate) fn push_to(&self, text: &mut String) {
        text.extend(percent_encode(&self.bytes, self.set));
    }
}

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        percent_encode(&self.bytes, self.set).try_for_each(|piece| formatter.write_str(piece))
    }
}

/// Undoes form encoding: `+` is a space.
pub(crate) fn decode_form(text: &str) -> String {
    let spaced = text.replace('+', " ");
    let bytes = octets::bytes(&spaced);
    octets::text(&Cow::from(percent_decode(&bytes))).into_owned()
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
        assert_eq!(value(&decode_form("%C3+%FF")).to_string(), "%C3%20%FF");
    }
}
