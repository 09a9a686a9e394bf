//! `Content-Disposition` (RFC 6266): the name that a browser saves a file under.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All that RFC 5987 does not let stand in an extended value.
const EXTENDED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The header for a download of this name. `plain` adds the old `filename`, in ASCII, for clients that do
/// not know `filename*`.
pub(crate) fn attachment(filename: &str, plain: bool) -> String {
    let extended = utf8_percent_encode(filename, EXTENDED);
    if !plain {
        return format!("attachment; filename*=UTF-8''{extended}");
    }
    let fallback: String = filename
        .chars()
        .map(|character| match character {
            // Some clients decode `%`, and quoting is not understood by all.
            '"' | '\\' | '%' | '/' => '_',
            ' '..='~' => character,
            _ => '_',
        })
        .collect();
    format!("attachment; filename=\"{fallback}\"; filename*=UTF-8''{extended}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_in_both_forms() {
        assert_eq!(
            attachment("a b.txt", false),
            "attachment; filename*=UTF-8''a%20b.txt"
        );
        assert_eq!(
            attachment("Ü \"100%\"\r\n.txt", true),
            "attachment; filename=\"_ _100____.txt\"; filename*=UTF-8''%C3%9C%20%22100%25%22%0D%0A.txt"
        );
        assert_eq!(
            attachment("it's(1).txt", false),
            "attachment; filename*=UTF-8''it%27s%281%29.txt"
        );
    }
}
