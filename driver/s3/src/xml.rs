//! Reading the XML that services answer with: an event at a time, no tree.
//!
//! Elements are told by their local names alone, since services differ in namespaces. Missing and unknown
//! elements are no error; a document that is cut short, or that is none of S3's, is.

pub(crate) mod cors;
pub(crate) mod deletion;
pub(crate) mod fault;
pub(crate) mod listing;
pub(crate) mod prefixes;
pub(crate) mod receipt;
pub(crate) mod uploads;

use std::borrow::Cow;

use quick_xml::{
    Reader,
    errors::Error as XmlError,
    events::{BytesRef, Event},
    name::QName,
};

use self::fault::Document;
use crate::octets;

/// Why an answer could not be taken for what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is an `<Error>`, whatever its status.
    Fault(Document),
    /// It ends too early: asking again may help.
    CutShort,
    /// It is something else than S3 answers with.
    Garbled(String),
}

/// An element that begins or ends. The root has depth 0.
#[derive(Debug)]
pub(crate) enum Node<'name, 'text> {
    /// It begins.
    Open(usize, &'name str),
    /// It ends, after this text behind the last tag inside it.
    Close(usize, &'name str, Cow<'text, str>),
}

/// Room for a text that begins with a reference: an MD5 in quotes, and nothing more, since what leaves the sandbox
/// is cut to its length.
const REFERRING_TEXT: usize = 34;

/// The most elements that are read of one document: several times what a page of 1,000 keys has. An empty one is a
/// few bytes there and many here, so that a document that is nothing else would fill the sandbox.
const ELEMENTS: usize = 100_000;

/// Visits the elements of a document whose root is called `root`.
///
/// # Errors
/// As [`Unread`] tells.
pub(crate) fn visit<'a>(
    body: &'a str,
    root: &str,
    mut visitor: impl FnMut(Node<'_, 'a>),
) -> Result<(), Unread> {
    // Services send white space to keep a connection alive while they work.
    let body = body
        .trim_start_matches(|character: char| character.is_whitespace() || character == '\u{feff}');
    if is_web_page(body) {
        return Err(Unread::Garbled("a web page".to_owned()));
    }
    let mut reader = Reader::from_str(body);
    // Whether tags match is seen to here: the reader would copy every name to remember it.
    reader.config_mut().check_end_names = false;
    let mut open: Vec<&'a str> = Vec::new();
    let mut content = Cow::Borrowed("");
    let mut elements = 0_usize;
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let depth = open.len();
        let event = reader.read_event().map_err(unread)?;
        if matches!(event, Event::Start(_) | Event::Empty(_)) {
            elements += 1;
            if elements > ELEMENTS {
                return Err(Unread::Garbled("more than any answer holds".to_owned()));
            }
        }
        match event {
            Event::Start(start) => {
                let name = local(start.name());
                if depth == 0 {
                    check_root(name, root, body)?;
                }
                visitor(Node::Open(depth, name));
                open.push(tag_name(body, at, start.name()));
                content = Cow::Borrowed("");
            }
            Event::Empty(element) => {
                let name = local(element.name());
                if depth == 0 {
                    check_root(name, root, body)?;
                }
                visitor(Node::Open(depth, name));
                visitor(Node::Close(depth, name, Cow::Borrowed("")));
                if depth == 0 {
                    return Ok(());
                }
                content = Cow::Borrowed("");
            }
            Event::End(end) => {
                if open.pop() != Some(end.name().into_inner()) {
                    return Err(Unread::Garbled("XML that is ill-formed".to_owned()));
                }
                let content = std::mem::take(&mut content);
                visitor(Node::Close(open.len(), local(end.name()), content));
                if open.is_empty() {
                    return Ok(());
                }
            }
            Event::Text(piece) if depth == 0 && !piece.trim().is_empty() => {
                return Err(Unread::Garbled("something that is no XML".to_owned()));
            }
            // Line ends stay as they are, since they may be part of a key.
            Event::Text(piece) => append(&mut content, piece.into_inner()),
            Event::CData(piece) => append(&mut content, piece.into_inner()),
            Event::GeneralRef(reference) => {
                let text = content.to_mut();
                // Most often it is the quote before an ETag: what follows then needs no second place.
                if text.is_empty() {
                    text.reserve(REFERRING_TEXT);
                }
                octets::push(text, resolve(&reference)?);
            }
            Event::Eof => return Err(Unread::CutShort),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

/// The name of the tag that begins at a place of a document, as long as the document lives.
fn tag_name<'a>(body: &'a str, at: usize, name: QName<'_>) -> &'a str {
    let start = at.saturating_add(1);
    let end = start.saturating_add(name.into_inner().len());
    body.get(start..end).unwrap_or_default()
}

/// A name without its namespace. Names are short, and looking at each byte is quicker than a search made for
/// long texts: this is a tenth of the time that a listing takes in the sandbox.
fn local(name: QName<'_>) -> &str {
    let name = name.into_inner();
    let colon = name.bytes().rposition(|byte| byte == b':');
    colon
        .and_then(|colon| name.get(colon + 1..))
        .unwrap_or(name)
}

fn check_root(name: &str, root: &str, body: &str) -> Result<(), Unread> {
    if name == root {
        Ok(())
    } else if name == fault::ROOT {
        Err(fault::read(body).map_or_else(|unread| unread, Unread::Fault))
    } else {
        let name: String = name.chars().take(40).collect();
        Err(Unread::Garbled(format!(
            "a document of type `{}`",
            name.escape_debug()
        )))
    }
}

fn is_web_page(body: &str) -> bool {
    ["<!doctype html", "<html"].iter().any(|start| {
        body.get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start))
    })
}

fn append<'a>(content: &mut Cow<'a, str>, piece: Cow<'a, str>) {
    if content.is_empty() {
        *content = piece;
    } else {
        content.to_mut().push_str(&piece);
    }
}

/// The character of a reference. Only XML's own names are known: a document cannot define others, so
/// none can swell.
fn resolve(reference: &BytesRef<'_>) -> Result<char, Unread> {
    let character = match reference.as_ref() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference.resolve_char_ref().ok().flatten(),
    };
    character.ok_or_else(|| Unread::Garbled("XML with a reference to no character".to_owned()))
}

fn unread(error: XmlError) -> Unread {
    match error {
        // Each of them is something that was opened and not closed before the end.
        XmlError::Syntax(_) => Unread::CutShort,
        _ => Unread::Garbled("XML that is ill-formed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(body: &str) -> Result<Vec<(usize, String, String)>, Unread> {
        let mut leaves = Vec::new();
        visit(body, "R", |node| {
            if let Node::Close(depth, name, text) = node {
                leaves.push((depth, name.to_owned(), text.into_owned()));
            }
        })?;
        Ok(leaves)
    }

    #[test]
    fn text_comes_out_as_it_was_meant() {
        let body = "  \n\u{feff}<?xml version=\"1.0\"?><!-- x --><R xmlns=\"urn:x\">\
                    <a>1 &lt;&amp;&#x1;&#13;\r\n</a><s3:b>x<![CDATA[<&>]]>y</s3:b><c/></R> tail";
        let expected = [
            (1, "a", "1 <&\u{1}\r\r\n"),
            (1, "b", "x<&>y"),
            (1, "c", ""),
            (0, "R", ""),
        ];
        let found = leaves(body).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|(d, n, t)| (*d, n.as_str(), t.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn more_elements_than_an_answer_has_are_not_kept() {
        let many = |element: &str, count| format!("<R>{}</R>", element.repeat(count));
        assert!(leaves(&many("<a/>", 50_000)).is_ok());
        let bombs = [
            many("<a/>", 1_000_000),
            many("<a></a>", 1_000_000),
            "<R>".repeat(1_000_000),
        ];
        for bomb in bombs {
            let read = visit(&bomb, "R", |_| {});
            assert!(matches!(read, Err(Unread::Garbled(_))), "{read:?}");
        }
    }

    #[test]
    fn what_is_no_answer_is_told_apart() {
        for cut in [
            "",
            " ",
            "<?xml version=\"1.0\"?>",
            "<R",
            "<R><a>",
            "<R><a>x</a>",
            "<R><a>x</a></R",
            "<R><![CDATA[x",
        ] {
            assert_eq!(leaves(cut), Err(Unread::CutShort), "{cut:?}");
        }
        for garbled in [
            "<!DOCTYPE html><html><body>404</body></html>",
            "<HTML></HTML>",
            "{\"error\": 1}",
            "<Other/>",
            "<R><a></b></R>",
            "<!DOCTYPE R [<!ENTITY x \"xxxx\">]><R>&x;</R>",
            "<R>&#0;</R>",
        ] {
            assert!(
                matches!(leaves(garbled), Err(Unread::Garbled(_))),
                "{garbled:?}"
            );
        }
        let Err(Unread::Fault(fault)) = leaves("<Error><Code>SlowDown</Code></Error>") else {
            panic!("an error is not told");
        };
        assert_eq!(fault.code, "SlowDown");
    }
}
