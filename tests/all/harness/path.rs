use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// A path of the namespace as it stands in a URL, slashes kept.
pub(crate) fn encode(path: &str) -> String {
    utf8_percent_encode(path, ESCAPED).to_string()
}
