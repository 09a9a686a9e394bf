//! The `CommonPrefixes` of a listing that says it is encoded: Ceph encodes keys and leaves these as they are.
//!
//! `a%20b/` can then be either of two folders. What settles it, for all prefixes of a page at once: a prefix that
//! no encoder writes so, and that what was asked for must be at its start. Where nothing settles it, the listing
//! is taken at its word.

use crate::encode;

/// Undoes the encoding of a page's prefixes, if they have it. `asked` is the prefix that was asked for.
pub(crate) fn decode(prefixes: &mut [String], asked: &str) {
    if are_plain(prefixes, asked) {
        return;
    }
    for prefix in prefixes {
        if prefix.contains(['%', '+']) {
            *prefix = encode::decode_form(prefix);
        }
    }
}

fn are_plain(prefixes: &[String], asked: &str) -> bool {
    for prefix in prefixes {
        if !looks_encoded(prefix) || !encode::decode_form(prefix).starts_with(asked) {
            return true;
        }
        if !prefix.starts_with(asked) {
            return false;
        }
    }
    false
}

/// Whether an encoder may have written this: only characters that some encoder leaves, and no `%` that stands
/// for nothing.
fn looks_encoded(text: &str) -> bool {
    let left = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    text.bytes().all(left)
        && text.split('%').skip(1).all(|rest| {
            rest.get(..2)
                .is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_decoded_unless_they_show_that_they_are_plain() {
        let cases: [(&str, &[&str], &[&str]); 10] = [
            ("", &["a%20b/", "c+d/"], &["a b/", "c d/"]),
            ("", &["a/", "b/"], &["a/", "b/"]),
            // A space, a letter beyond ASCII and a lone `%` are never written by an encoder.
            ("", &["a%20b/", "c d/"], &["a%20b/", "c d/"]),
            ("", &["a%20b/", "\u{fc}/"], &["a%20b/", "\u{fc}/"]),
            ("", &["a%20b/", "100%/"], &["a%20b/", "100%/"]),
            ("", &["a+b/", "\r/"], &["a+b/", "\r/"]),
            // What was asked for is at the start of what is right.
            ("a%20b/", &["a%20b/c/"], &["a%20b/c/"]),
            ("a%20b/", &["a%2520b/c%2Bd/"], &["a%20b/c+d/"]),
            ("a b/", &["a%20b/%25/"], &["a b/%/"]),
            ("a+b/", &["a+b/c/", "a+b/%41/"], &["a+b/c/", "a+b/%41/"]),
        ];
        for (asked, written, meant) in cases {
            let mut prefixes: Vec<_> = written.iter().map(|text| (*text).to_owned()).collect();
            decode(&mut prefixes, asked);
            assert_eq!(prefixes, meant, "{asked:?} {written:?}");
        }
    }
}
