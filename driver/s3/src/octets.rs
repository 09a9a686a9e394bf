//! Keys as bytes, and the text that stands for them here.
//!
//! A key is UTF-8, says Amazon, but not every service looks. So that each string of bytes is one text, and each
//! text at most one string of bytes, a byte that is no part of UTF-8 is a character of its own, from the end of
//! the last plane for private use: the byte 0x80 is U+10FF80, 0xFF is U+10FFFF. Those characters themselves are
//! taken for the four bytes that they have in UTF-8, as if those were none.

use std::borrow::Cow;

use memchr::memchr_iter;

/// The character of the byte 0.
const BASE: u32 = 0x0010_ff00;
/// The first byte, in UTF-8, of the characters for bytes.
const LEAD: u8 = 0xf4;

/// The text that stands for some bytes.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) if !is_odd(text) => Cow::Borrowed(text),
        _ => {
            let mut text = String::with_capacity(bytes.len() + 16);
            for chunk in bytes.utf8_chunks() {
                for character in chunk.valid().chars() {
                    push(&mut text, character);
                }
                text.extend(chunk.invalid().iter().copied().map(character));
            }
            Cow::Owned(text)
        }
    }
}

/// The bytes that a text stands for.
pub(crate) fn bytes(text: &str) -> Cow<'_, [u8]> {
    if !is_odd(text) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut place = [0; 4];
    for character in text.chars() {
        match byte(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut place).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// Appends a character that is meant as such.
pub(crate) fn push(text: &mut String, meant: char) {
    match byte(meant) {
        None => text.push(meant),
        Some(_) => {
            let mut place = [0; 4];
            let bytes = meant.encode_utf8(&mut place).as_bytes();
            text.extend(bytes.iter().copied().map(character));
        }
    }
}

/// Whether a text has characters for bytes.
pub(crate) fn is_odd(text: &str) -> bool {
    // Nearly no text has their first byte.
    memchr_iter(LEAD, text.as_bytes()).any(|at| {
        let rest = text.get(at..).and_then(|rest| rest.chars().next());
        rest.is_some_and(|character| byte(character).is_some())
    })
}

/// The byte that a character stands for.
pub(crate) fn byte(character: char) -> Option<u8> {
    let byte = u8::try_from(u32::from(character).checked_sub(BASE)?).ok()?;
    (byte >= 0x80).then_some(byte)
}

/// The character for a byte from 0x80.
pub(crate) fn character(byte: u8) -> char {
    char::from_u32(BASE + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_utf8_is_a_character_for_each_byte() {
        for (from, to) in [
            (&b"plain"[..], "plain"),
            ("ü\u{100000}".as_bytes(), "ü\u{100000}"),
            (b"a\xffb", "a\u{10ffff}b"),
            (b"\xc3", "\u{10ffc3}"),
            // U+10FF80 itself.
            (
                b"\xf4\x8f\xbe\x80",
                "\u{10fff4}\u{10ff8f}\u{10ffbe}\u{10ff80}",
            ),
        ] {
            assert_eq!(text(from), to);
            assert_eq!(*bytes(to), *from);
        }
    }

    proptest! {
        #[test]
        fn bytes_come_back(found in proptest::collection::vec(any::<u8>(), 0..40)) {
            let text = text(&found);
            prop_assert_eq!(&*bytes(&text), &found);
        }

        #[test]
        fn characters_that_are_meant_are_one_text(found in any::<String>()) {
            let mut pushed = String::new();
            found.chars().for_each(|meant| push(&mut pushed, meant));
            prop_assert_eq!(&*text(found.as_bytes()), &pushed);
            prop_assert_eq!(&*bytes(&pushed), found.as_bytes());
        }
    }
}
