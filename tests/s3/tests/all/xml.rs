use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;

/// The texts of all elements with this name, references resolved.
pub(crate) fn texts(xml: &str, name: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    let mut found = Vec::new();
    let mut open = false;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) if start.name().as_ref() == name => {
                open = true;
                found.push(String::new());
            }
            Event::Empty(start) if start.name().as_ref() == name => found.push(String::new()),
            Event::End(_) => open = false,
            Event::Text(text) if open => found.last_mut().unwrap().push_str(&text),
            Event::GeneralRef(reference) if open => {
                let text = resolve_xml_entity(&reference).map(str::to_owned);
                let text = text.unwrap_or_else(|| character(&reference).to_string());
                found.last_mut().unwrap().push_str(&text);
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

/// The text of the only element with this name.
#[track_caller]
pub(crate) fn text(xml: &str, name: &str) -> String {
    let found = texts(xml, name);
    assert_eq!(found.len(), 1, "{name} in {xml}");
    found.into_iter().next().unwrap()
}

/// The names in a listing: first the keys, then the common prefixes.
pub(crate) fn listed(xml: &str) -> (Vec<String>, Vec<String>) {
    let prefixes = xml
        .split("<CommonPrefixes>")
        .skip(1)
        .map(|rest| text(rest.split("</CommonPrefixes>").next().unwrap(), "Prefix"))
        .collect();
    (texts(xml, "Key"), prefixes)
}

fn character(reference: &str) -> char {
    let number = reference.strip_prefix('#').unwrap();
    let code = match number.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16).unwrap(),
        None => number.parse().unwrap(),
    };
    char::from_u32(code).unwrap()
}
