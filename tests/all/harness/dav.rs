use std::collections::BTreeMap;

use http::Method;
use quick_xml::{NsReader, events::Event, name::ResolveResult};

use super::{Answer, World, send};

/// What an answer tells of one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) href: String,
    /// Statuses and contents by name. WebDAV's own names are bare, others are `{namespace}name`.
    pub(crate) properties: BTreeMap<String, (u16, String)>,
    /// The status of the resource as a whole.
    pub(crate) status: Option<u16>,
}

impl Told {
    /// The content of a property that the resource has.
    #[track_caller]
    pub(crate) fn property(&self, name: &str) -> &str {
        match self.properties.get(name) {
            Some((200, content)) => content,
            other => panic!("{name} of {}: {other:?}", self.href),
        }
    }
}

impl World {
    /// A request of WebDAV.
    pub(crate) async fn dav(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = headers
            .iter()
            .fold(self.request(method, path), |request, (name, value)| {
                request.header(*name, *value)
            });
        send(request.body(body.to_owned())).await
    }

    /// `PROPFIND` of a depth for all properties.
    pub(crate) async fn propfind(&self, path: &str, depth: &str) -> Vec<Told> {
        let answer = self.dav("PROPFIND", path, &[("depth", depth)], "").await;
        answer.expect(207).multistatus()
    }

    /// Sets a property `{urn:x}NAME`, and expects that to work.
    pub(crate) async fn set_property(&self, path: &str, name: &str, value: &str) {
        let body = format!(
            "<propertyupdate xmlns='DAV:'><set><prop><{name} xmlns='urn:x'>{value}</{name}></prop></set></propertyupdate>"
        );
        let answer = self.dav("PROPPATCH", path, &[], &body).await;
        let told = answer.expect(207).multistatus();
        told[0].property(&format!("{{urn:x}}{name}"));
    }

    /// Locks exclusively, and gives the token.
    pub(crate) async fn lock(&self, path: &str, headers: &[(&str, &str)]) -> String {
        let body = "<lockinfo xmlns='DAV:'><lockscope><exclusive/></lockscope><locktype><write/></locktype>\
                    <owner>tester</owner></lockinfo>";
        let answer = self.dav("LOCK", path, headers, body).await;
        assert!(matches!(answer.status.as_u16(), 200 | 201), "{answer:?}");
        let token = answer.header("lock-token");
        token
            .trim_start_matches('<')
            .trim_end_matches('>')
            .to_owned()
    }
}

impl Answer {
    /// Reads a `multistatus`, as strictly as XML is.
    #[track_caller]
    pub(crate) fn multistatus(&self) -> Vec<Told> {
        assert_eq!(
            self.header("content-type"),
            "application/xml; charset=utf-8"
        );
        let mut reader = NsReader::from_str(self.text());
        let mut open: Vec<String> = Vec::new();
        let mut found: Vec<Told> = Vec::new();
        let mut names: Vec<(String, String)> = Vec::new();
        loop {
            let event = reader.read_event().unwrap();
            match event {
                Event::Start(ref start) | Event::Empty(ref start) => {
                    let (namespace, local) = reader.resolver().resolve_element(start.name());
                    let local = local.into_inner();
                    let name = match namespace {
                        ResolveResult::Bound(namespace) if namespace.into_inner() == "DAV:" => {
                            local.to_owned()
                        }
                        ResolveResult::Bound(namespace) => {
                            format!("{{{}}}{local}", namespace.into_inner())
                        }
                        ResolveResult::Unbound => format!("{{}}{local}"),
                        ResolveResult::Unknown(prefix) => panic!("no prefix {prefix}"),
                    };
                    match open.len() {
                        0 => assert_eq!(name, "multistatus"),
                        1 if name == "response" => found.push(Told::default()),
                        4 => names.push((name.clone(), String::new())),
                        5.. => names.last_mut().unwrap().1.push_str(&format!("<{name}>")),
                        _ => {}
                    }
                    if matches!(event, Event::Start(_)) {
                        open.push(name);
                    }
                }
                Event::End(_) => {
                    open.pop();
                }
                Event::Text(text) => take(&open, &text.into_inner(), &mut found, &mut names),
                Event::GeneralRef(reference) => {
                    let text = match reference.as_ref() {
                        "amp" => "&".to_owned(),
                        "lt" => "<".to_owned(),
                        "gt" => ">".to_owned(),
                        "quot" => "\"".to_owned(),
                        _ => reference.resolve_char_ref().unwrap().unwrap().to_string(),
                    };
                    take(&open, &text, &mut found, &mut names);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert!(open.is_empty(), "cut short: {}", self.text());
        found
    }
}

/// Puts a text where it belongs.
fn take(open: &[String], text: &str, found: &mut [Told], names: &mut Vec<(String, String)>) {
    let path: Vec<&str> = open.iter().skip(1).map(String::as_str).collect();
    let status = || text.split(' ').nth(1).unwrap().parse().unwrap();
    match path.as_slice() {
        ["response", "href"] => found.last_mut().unwrap().href.push_str(text),
        ["response", "status"] => found.last_mut().unwrap().status = Some(status()),
        ["response", "propstat", "status"] => {
            let status = status();
            let told = found.last_mut().unwrap();
            for (name, content) in names.drain(..) {
                let before = told.properties.insert(name.clone(), (status, content));
                assert_eq!(before, None, "{name} is told twice");
            }
        }
        ["response", "propstat", "prop", ..] if path.len() > 3 => {
            names.last_mut().unwrap().1.push_str(text);
        }
        _ => assert_eq!(text.trim(), "", "text in {path:?}"),
    }
}
