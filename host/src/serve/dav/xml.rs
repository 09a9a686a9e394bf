//! The XML of requests: read into a small tree, and written again as XML that needs nothing around it.
//!
//! Bodies are bounded in size and depth. There are no document types, so no entities that could swell.

use std::fmt::Write as _;

use axum::body::{Body, to_bytes};
use http::StatusCode;
use quick_xml::{
    NsReader, XmlVersion,
    events::{BytesRef, BytesStart, Event},
    name::{NamespaceResolver, PrefixDeclaration, ResolveResult},
};

use crate::serve::problem::Problem;

/// The namespace of WebDAV's own names.
pub(super) const DAV: &str = "DAV:";

/// The namespace that the prefix `xml` stands for.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// The most bytes of a body.
const BODY_LIMIT: usize = 256 * 1024;

/// The most elements inside each other.
const DEPTH_LIMIT: usize = 32;

/// A name with its namespace, which may be empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) namespace: String,
    pub(super) local: String,
}

/// An element with all that is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: Name,
    attributes: Vec<(Name, String)>,
    children: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Element(Element),
    Text(String),
}

/// Reads the document in a body; none if there is no body.
pub(super) async fn read(body: Body) -> Result<Option<Element>, Problem> {
    let bytes = to_bytes(body, BODY_LIMIT).await.map_err(|_| {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            format!("the body broke off or has more than {BODY_LIMIT} bytes"),
        )
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|_| ill_formed("it is not UTF-8"))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Ok(None);
    }
    parse(text).map(Some)
}

/// Reads a document.
fn parse(text: &str) -> Result<Element, Problem> {
    let mut reader = NsReader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let event = reader
            .read_event()
            .map_err(|error| ill_formed(&error.to_string()))?;
        match event {
            Event::Start(start) => {
                if root.is_some() || open.len() >= DEPTH_LIMIT {
                    return Err(ill_formed("elements lie too deep, or behind the root"));
                }
                open.push(element(&start, reader.resolver())?);
            }
            Event::Empty(start) => {
                if root.is_some() {
                    return Err(ill_formed("an element lies behind the root"));
                }
                let element = element(&start, reader.resolver())?;
                close(element, &mut open, &mut root);
            }
            Event::End(_) => {
                if let Some(element) = open.pop() {
                    close(element, &mut open, &mut root);
                }
            }
            Event::Text(piece) => append(&mut open, &piece.into_inner())?,
            Event::CData(piece) => append(&mut open, &piece.into_inner())?,
            Event::GeneralRef(reference) => {
                append(&mut open, resolve(&reference)?.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(_) => return Err(ill_formed("a document type is not taken")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof if open.is_empty() => {
                return root.ok_or_else(|| ill_formed("it has no element"));
            }
            Event::Eof => return Err(ill_formed("it ends too early")),
        }
    }
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(Node::Element(element)),
        None => *root = Some(element),
    }
}

fn append(open: &mut [Element], text: &str) -> Result<(), Problem> {
    if !text.chars().all(is_char) {
        return Err(ill_formed("it has a character that XML does not allow"));
    }
    match open.last_mut() {
        None if text.trim().is_empty() => {}
        None => return Err(ill_formed("text lies outside the root")),
        Some(parent) => match parent.children.last_mut() {
            Some(Node::Text(before)) => before.push_str(text),
            _ => parent.children.push(Node::Text(text.to_owned())),
        },
    }
    Ok(())
}

fn element(start: &BytesStart<'_>, resolver: &NamespaceResolver) -> Result<Element, Problem> {
    let (namespace, local) = resolver.resolve_element(start.name());
    let name = name(namespace, local.into_inner())?;
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| ill_formed(&error.to_string()))?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| ill_formed(&error.to_string()))?;
        if !value.chars().all(is_char) || attribute.value.contains('<') {
            return Err(ill_formed(
                "an attribute has a character that XML does not allow",
            ));
        }
        match attribute.key.as_namespace_binding() {
            // Namespaces in XML 1.0 §2.2: a prefix cannot be taken back.
            Some(PrefixDeclaration::Named(_)) if value.is_empty() => {
                return Err(ill_formed("a prefix has an empty namespace"));
            }
            Some(_) => {}
            None => {
                let (namespace, local) = resolver.resolve_attribute(attribute.key);
                let name = self::name(namespace, local.into_inner())?;
                attributes.push((name, value.into_owned()));
            }
        }
    }
    Ok(Element {
        name,
        attributes,
        children: Vec::new(),
    })
}

fn name(namespace: ResolveResult<'_>, local: &str) -> Result<Name, Problem> {
    let namespace = match namespace {
        ResolveResult::Unbound => String::new(),
        ResolveResult::Bound(namespace) => namespace.into_inner().to_owned(),
        ResolveResult::Unknown(prefix) => {
            return Err(ill_formed(&format!(
                "the prefix `{prefix}` is not declared"
            )));
        }
    };
    // A reference would have to be resolved, and what is kept is told to other clients.
    let is_plain = |letter| is_char(letter) && !matches!(letter, '&' | '<');
    if !is_name(local) || !namespace.chars().all(is_plain) {
        return Err(ill_formed(
            "a name is none, or its namespace has a reference",
        ));
    }
    Ok(Name {
        namespace,
        local: local.to_owned(),
    })
}

/// Only XML's own names are known.
fn resolve(reference: &BytesRef<'_>) -> Result<char, Problem> {
    let character = match reference.as_ref() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference.resolve_char_ref().ok().flatten(),
    };
    character
        .filter(|character| is_char(*character))
        .ok_or_else(|| ill_formed("it has a reference to no character"))
}

/// `Char` of XML 1.0 §2.2.
fn is_char(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// A `NCName`; of letters beyond ASCII, any that XML allows somewhere in a name.
fn is_name(text: &str) -> bool {
    let begins = |letter: char| {
        letter.is_ascii_alphabetic()
            || letter == '_'
            || (letter >= '\u{c0}' && letter.is_alphanumeric())
    };
    let goes_on = |letter: char| {
        begins(letter) || letter.is_ascii_digit() || matches!(letter, '-' | '.' | '\u{b7}')
    };
    let mut letters = text.chars();
    letters.next().is_some_and(begins) && letters.all(goes_on)
}

fn ill_formed(reason: &str) -> Problem {
    Problem::bad_request(format!("the body is no XML that can be read: {reason}"))
}

impl Name {
    /// One of WebDAV's own names.
    pub(super) fn dav(local: &str) -> Self {
        Self {
            namespace: DAV.to_owned(),
            local: local.to_owned(),
        }
    }

    /// Whether it is this one of WebDAV's own.
    pub(super) fn is_dav(&self, local: &str) -> bool {
        self.namespace == DAV && self.local == local
    }

    /// Writes an empty element of this name.
    pub(super) fn write_empty(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.local);
        out.push_str(" xmlns=\"");
        escape(out, &self.namespace);
        out.push_str("\"/>");
    }
}

impl Element {
    /// The elements in it.
    pub(super) fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|child| match child {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first of WebDAV's elements of this name in it.
    pub(super) fn dav(&self, local: &str) -> Option<&Element> {
        self.elements().find(|element| element.name.is_dav(local))
    }

    /// Writes it as XML that needs nothing around it.
    pub(super) fn write(&self, out: &mut String) {
        self.write_in(out, None);
    }

    /// Writes what is in it so.
    pub(super) fn write_content(&self, out: &mut String) {
        for child in &self.children {
            child.write(out, None);
        }
    }

    fn write_in(&self, out: &mut String, around: Option<&str>) {
        let Name { namespace, local } = &self.name;
        out.push('<');
        out.push_str(local);
        if around != Some(namespace) {
            out.push_str(" xmlns=\"");
            escape(out, namespace);
            out.push('"');
        }
        for (index, (name, value)) in self.attributes.iter().enumerate() {
            out.push(' ');
            if name.namespace == XML {
                out.push_str("xml:");
            } else if !name.namespace.is_empty() {
                // Writing to a string cannot fail.
                let _ = write!(out, "xmlns:n{index}=\"");
                escape(out, &name.namespace);
                let _ = write!(out, "\" n{index}:");
            }
            out.push_str(&name.local);
            out.push_str("=\"");
            escape(out, value);
            out.push('"');
        }
        if self.children.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        for child in &self.children {
            child.write(out, Some(namespace));
        }
        out.push_str("</");
        out.push_str(local);
        out.push('>');
    }
}

impl Node {
    fn write(&self, out: &mut String, around: Option<&str>) {
        match self {
            Self::Element(element) => element.write_in(out, around),
            Self::Text(text) => escape(out, text),
        }
    }
}

/// Writes a text so that it can stand between tags and in quotes. What XML does not allow becomes `\u{fffd}`.
pub(super) fn escape(out: &mut String, text: &str) {
    let needs_none = |byte: u8| byte > b'\'' && !matches!(byte, b'<' | b'>') && byte < 0x7f;
    if text.bytes().all(|byte| needs_none(byte) || byte == b' ') {
        out.push_str(text);
        return;
    }
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            letter if is_char(letter) => out.push(letter),
            _ => out.push('\u{fffd}'),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str) -> String {
        let mut out = String::new();
        parse(text).unwrap().write(&mut out);
        out
    }

    #[test]
    fn what_is_written_needs_nothing_around_it() {
        for (text, expected) in [
            ("<a/>", "<a xmlns=\"\"/>"),
            (
                "<D:a xmlns:D='DAV:'><D:b/></D:a>",
                "<a xmlns=\"DAV:\"><b/></a>",
            ),
            (
                "<a xmlns='u'><b xmlns=''>t</b><c/></a>",
                "<a xmlns=\"u\"><b xmlns=\"\">t</b><c/></a>",
            ),
            (
                "<x:a xmlns:x='u' xml:lang='de' x:k='1' k=\"&quot;\"/>",
                "<a xmlns=\"u\" xml:lang=\"de\" xmlns:n1=\"u\" n1:k=\"1\" k=\"&quot;\"/>",
            ),
            (
                "<?xml version='1.0'?><!-- c --><a> &lt;<![CDATA[<&]]>&#x10000;</a>",
                "<a xmlns=\"\"> &lt;&lt;&amp;\u{10000}</a>",
            ),
        ] {
            assert_eq!(written(text), expected);
            assert_eq!(written(expected), expected);
        }
    }

    #[test]
    fn what_is_no_xml_is_refused() {
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        for text in [
            "x",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "<b:a/>",
            "<a xmlns:b=''/>",
            "<a b='1' b='2'/>",
            "<a b='<'/>",
            "<a>&unknown;</a>",
            "<a>&#0;</a>",
            "<a>&#1;</a>",
            "<a>\u{1}</a>",
            "<a b='&#1;'/>",
            "<1/>",
            "<a xmlns='&amp;'/>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            &deep,
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_read_is_read_again(text in "<a>[<>a-c/&;'\"= x:\\[\\]!-]{0,24}</a>") {
            if let Ok(element) = parse(&text) {
                let mut out = String::new();
                element.write(&mut out);
                prop_assert_eq!(parse(&out).unwrap(), element);
            }
        }

        #[test]
        fn any_text_can_be_written(text: String) {
            let mut out = String::from("<a b=\"");
            escape(&mut out, &text);
            out.push_str("\"/>");
            prop_assert!(parse(&out).is_ok(), "{}", out);
        }
    }
}
