//! `Content-Disposition` (RFC 6266).

use std::fmt::Write as _;

use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but the `attr-char` of RFC 5987 §3.2.1.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
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

/// How a browser shall take a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// Show it, if it can.
    Inline,
    /// Save it.
    Attachment,
}

/// The header's value for a file of this name.
///
/// A name that ASCII cannot hold, or that old clients would misread, comes twice: as a likeness, and
/// exactly in `filename*`, which RFC 6266 §4.3 prefers.
pub(crate) fn header(disposition: Disposition, name: &str) -> HeaderValue {
    let mut text = String::with_capacity(name.len() + 24);
    text.push_str(match disposition {
        Disposition::Inline => "inline; filename=\"",
        Disposition::Attachment => "attachment; filename=\"",
    });
    text.extend(
        name.chars()
            .map(|letter| if is_plain(letter) { letter } else { '_' }),
    );
    text.push('"');
    if !name.chars().all(is_plain) {
        let exact = utf8_percent_encode(name, ESCAPED);
        // Writing to a string cannot fail.
        let _ = write!(text, "; filename*=UTF-8''{exact}");
    }
    // All of it is printable ASCII by now.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// Quotes and backslashes would need escapes that clients read differently; some decode `%41`.
fn is_plain(letter: char) -> bool {
    matches!(letter, ' '..='~') && !matches!(letter, '"' | '\\' | '%' | '/')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names() {
        for (name, value) in [
            ("a b.txt", r#"attachment; filename="a b.txt""#),
            (
                "ü.txt",
                "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%BC.txt",
            ),
            (
                "a\"b\\c",
                "attachment; filename=\"a_b_c\"; filename*=UTF-8''a%22b%5Cc",
            ),
            (
                "50%.txt",
                "attachment; filename=\"50_.txt\"; filename*=UTF-8''50%25.txt",
            ),
            ("a;b=c'd", r#"attachment; filename="a;b=c'd""#),
            (
                "日本\n",
                "attachment; filename=\"___\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC%0A",
            ),
        ] {
            assert_eq!(header(Disposition::Attachment, name), value);
        }
        assert_eq!(header(Disposition::Inline, "a"), r#"inline; filename="a""#);
    }

    proptest! {
        #[test]
        fn no_name_breaks_out_of_its_quotes(name in ".{0,20}") {
            let value = header(Disposition::Attachment, &name);
            let text = value.to_str().unwrap();
            prop_assert_eq!(text.matches('"').count(), 2);
            prop_assert!(!text.contains('\\'));
        }
    }
}
