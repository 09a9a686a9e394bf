//! DeleteObjects: the document that asks and the one that answers.

use super::{Node, Unread, visit};
use crate::octets;

/// A key that could not be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The key.
    pub(crate) key: String,
    /// Why, as a code.
    pub(crate) code: String,
    /// Why, for people.
    pub(crate) message: String,
}

/// Whether a key can stand in an XML document: XML 1.0 has no way to write most control characters.
pub(crate) fn can_name(key: &str) -> bool {
    !octets::is_odd(key)
        && key.chars().all(
            |character| matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..),
        )
}

/// The document that asks for these keys to be deleted, and for word of failures only.
pub(crate) fn request<'a>(keys: impl IntoIterator<Item = &'a str>) -> String {
    let mut document = String::from(
        "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>",
    );
    for key in keys {
        document.push_str("<Object><Key>");
        for character in key.chars() {
            match character {
                '<' => document.push_str("&lt;"),
                '>' => document.push_str("&gt;"),
                '&' => document.push_str("&amp;"),
                '\r' => document.push_str("&#13;"),
                '\n' => document.push_str("&#10;"),
                '\t' => document.push_str("&#9;"),
                other => document.push(other),
            }
        }
        document.push_str("</Key></Object>");
    }
    document.push_str("</Delete>");
    document
}

/// Reads which keys could not be deleted. No answer at all means that all were.
///
/// # Errors
/// It is no `DeleteResult`, or not whole.
pub(crate) fn failures(body: &str) -> Result<Vec<Kept>, Unread> {
    if body.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut failures = Vec::new();
    let mut kept = None;
    visit(body, "DeleteResult", |node| match node {
        Node::Open(1, "Error") => kept = Some(Kept::default()),
        Node::Close(1, ..) => failures.extend(kept.take()),
        Node::Close(2, name, text) => {
            if let Some(kept) = &mut kept {
                match name {
                    "Key" => kept.key = text.into_owned(),
                    "Code" => kept.code = text.into_owned(),
                    "Message" => kept.message = text.into_owned(),
                    _ => {}
                }
            }
        }
        _ => {}
    })?;
    Ok(failures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Node, visit};
    use proptest::prelude::*;

    #[test]
    fn only_failures_are_told() {
        let body = "<DeleteResult><Deleted><Key>a</Key></Deleted>\
                    <Error><Key>b&amp;c</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>";
        let kept = Kept {
            key: "b&c".into(),
            code: "AccessDenied".into(),
            message: "no".into(),
        };
        assert_eq!(failures(body).unwrap(), [kept]);
        assert_eq!(failures("<DeleteResult/>").unwrap(), []);
        assert_eq!(failures("").unwrap(), []);
        assert!(failures("<DeleteResult><Error><Key>b").is_err());
    }

    #[test]
    fn some_keys_have_no_xml() {
        assert!(can_name("a\tb\r\n ü☃\u{100000}"));
        assert!(!can_name("a\u{1}"));
        assert!(!can_name("a\u{ffff}"));
    }

    proptest! {
        #[test]
        fn keys_are_read_back(keys in proptest::collection::vec("[a-z<>&\"'\r\n\t ü]{1,8}", 0..5)) {
            let document = request(keys.iter().map(String::as_str));
            let mut found = Vec::new();
            visit(&document, "Delete", |node| {
                if let Node::Close(2, "Key", text) = node {
                    found.push(text.into_owned());
                }
            }).unwrap();
            prop_assert_eq!(found, keys);
        }
    }
}
