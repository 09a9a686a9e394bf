//! `PROPFIND` (RFC 4918 §9.1): what a resource and its members are.
//!
//! A folder is told page by page, as the driver lists it: nothing is asked of an entry by itself.

use std::{collections::HashMap, io, mem};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::stream;
use http::{StatusCode, request::Parts};
use tokio::sync::mpsc;
use tracing::Instrument as _;

use super::{
    destination,
    headers::{Depth, depth},
    live::{self, Live, Resource},
    multistatus,
    refusal::{Precondition, Refusal},
    xml::{self, Element, Name},
};
use crate::{
    Entry, Kind, Location, Page, Path,
    serve::{door::Door, href, problem::Problem, site::Visit},
    state::{
        StateResult,
        lock::Lock,
        property::{PropertiesByResource, Property},
    },
};

/// The most properties that a request can name: what is not there is told of each entry.
const LIMIT: usize = 200;

/// Entries on a page: as many as a driver gives at most.
const PAGE: u32 = 1000;

/// What a request wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Query {
    /// All live and dead properties.
    All,
    /// The names of those.
    Names,
    /// These.
    Named(Vec<Wanted>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Live(Live),
    Other(Name),
}

/// Answers `PROPFIND`.
pub(super) async fn answer(site: Visit, parts: Parts, body: Body) -> Result<Response, Refusal> {
    let location = destination::location(parts.uri.path())?;
    let depth = depth(&parts.headers)?;
    let query = Query::read(xml::read(body).await?)?;
    let entry = match location.want {
        // The listing says whether the folder is there.
        Some(Kind::Directory) if depth == Depth::One => Entry::directory(location.path.name()),
        _ => site.namespace.stat(&location).await?,
    };
    if entry.kind == Kind::Directory && depth == Depth::Infinity {
        return Err(Refusal::of(
            StatusCode::FORBIDDEN,
            Precondition::FiniteDepth,
            &[],
            "a folder is not told with all that lies below it; ask with `Depth: 1`",
        ));
    }
    let Location { path, .. } = location;
    let teller = Teller::new(site, query, path, entry.kind).await?;
    let mut begun = String::from(multistatus::BEGIN);
    let listed = entry.kind == Kind::Directory && depth == Depth::One;
    let first = if listed {
        Some(teller.page(None).await?)
    } else {
        None
    };
    teller.tell_itself(&mut begun, &entry).await?;
    let Some(first) = first else {
        begun.push_str(multistatus::END);
        return Ok(multistatus::document(
            StatusCode::MULTI_STATUS,
            Body::from(begun),
        ));
    };
    // Up to here a failure is a status. What fails later breaks the answer off, so that nobody takes it for whole.
    teller.tell_page(&mut begun, &first).await?;
    Ok(multistatus::document(
        StatusCode::MULTI_STATUS,
        teller.tell_the_rest(begun, first),
    ))
}

/// Tells of one resource and its members.
struct Teller {
    site: Visit,
    query: Query,
    path: Path,
    href: String,
    locks: Vec<Lock>,
    /// Whether members have dead properties that anybody asked for.
    has_properties: bool,
}

impl Teller {
    async fn new(site: Visit, query: Query, path: Path, kind: Kind) -> StateResult<Self> {
        let locks = if query.wants_locks() {
            site.state.locks_around(&path).await?
        } else {
            Vec::new()
        };
        let has_properties =
            query.wants_properties() && site.state.has_properties_in(&path).await?;
        Ok(Self {
            href: href::absolute(Door::Dav, &path, kind == Kind::Directory),
            site,
            query,
            path,
            locks,
            has_properties,
        })
    }

    async fn page(&self, cursor: Option<&str>) -> crate::Result<std::sync::Arc<Page>> {
        self.site.namespace.list(&self.path, cursor, PAGE).await
    }

    async fn tell_itself(&self, out: &mut String, entry: &Entry) -> StateResult<()> {
        let properties = if self.query.wants_properties() {
            self.site.state.properties(&self.path, entry.kind).await?
        } else {
            Vec::new()
        };
        let resource = Resource {
            path: &self.path,
            entry,
            locks: &self.locks,
        };
        self.query.tell(out, &self.href, &resource, &properties);
        Ok(())
    }

    async fn tell_page(&self, out: &mut String, page: &Page) -> StateResult<()> {
        let paths: Vec<Path> = page
            .entries
            .iter()
            .map(|entry| self.path.child(&entry.name).unwrap_or_default())
            .collect();
        let properties = if self.has_properties {
            self.site.state.properties_of_all(&paths).await?
        } else {
            PropertiesByResource::new()
        };
        let mut href = String::new();
        for (entry, path) in page.entries.iter().zip(&paths) {
            href.clear();
            href.push_str(&self.href);
            href::append(&mut href, &entry.name, entry.kind == Kind::Directory);
            let properties = if properties.is_empty() {
                None
            } else {
                properties.get(&(path.to_string(), entry.kind))
            };
            let resource = Resource {
                path,
                entry,
                locks: &self.locks,
            };
            let properties = properties.map_or(&[][..], Vec::as_slice);
            self.query.tell(out, &href, &resource, properties);
        }
        Ok(())
    }

    /// What was told already, and then page after page. The next page is fetched while one is being sent; that is all
    /// that is held at a time.
    fn tell_the_rest(self, mut told: String, mut page: std::sync::Arc<Page>) -> Body {
        let (sender, mut receiver) = mpsc::channel::<io::Result<Bytes>>(1);
        let telling = async move {
            while let Some(cursor) = page.next.clone() {
                let piece = Bytes::from(mem::take(&mut told));
                // Nobody listens any more.
                if sender.send(Ok(piece)).await.is_err() {
                    return;
                }
                let next = async {
                    page = self.page(Some(&cursor)).await.map_err(io::Error::other)?;
                    self.tell_page(&mut told, &page)
                        .await
                        .map_err(io::Error::other)
                };
                if let Err(error) = next.await {
                    let path = self.path.as_str();
                    tracing::warn!(path, %error, "a listing over WebDAV broke off");
                    let _ = sender.send(Err(error)).await;
                    return;
                }
            }
            told.push_str(multistatus::END);
            let _ = sender.send(Ok(told.into())).await;
        };
        tokio::spawn(telling.in_current_span());
        Body::from_stream(stream::poll_fn(move |context| receiver.poll_recv(context)))
    }
}

impl Query {
    fn read(document: Option<Element>) -> Result<Self, Problem> {
        // No body is a wish for all (RFC 4918 §9.1).
        let Some(document) = document else {
            return Ok(Self::All);
        };
        if !document.name.is_dav("propfind") {
            return Err(Problem::bad_request("the body is no `propfind`"));
        }
        if document.dav("allprop").is_some() {
            return Ok(Self::All);
        }
        if document.dav("propname").is_some() {
            return Ok(Self::Names);
        }
        let Some(names) = document.dav("prop") else {
            return Err(Problem::bad_request(
                "`propfind` has one of `prop`, `propname` and `allprop` in it",
            ));
        };
        let mut wanted: Vec<Wanted> = Vec::new();
        for element in names.elements() {
            let name = Wanted::of(&element.name);
            if !wanted.contains(&name) {
                wanted.push(name);
            }
            if wanted.len() > LIMIT {
                return Err(Problem::bad_request(
                    "the request names more properties than anybody could want",
                ));
            }
        }
        Ok(Self::Named(wanted))
    }

    fn wants_locks(&self) -> bool {
        match self {
            Self::All => true,
            Self::Names => false,
            Self::Named(wanted) => wanted.contains(&Wanted::Live(Live::LockDiscovery)),
        }
    }

    fn wants_properties(&self) -> bool {
        match self {
            Self::All | Self::Names => true,
            Self::Named(wanted) => wanted
                .iter()
                .any(|wanted| matches!(wanted, Wanted::Other(_))),
        }
    }

    fn tell(&self, out: &mut String, href: &str, resource: &Resource<'_>, dead: &[Property]) {
        multistatus::begin_response(out, href);
        match self {
            Self::All => multistatus::propstat(out, StatusCode::OK, |out| {
                for live in live::ALL {
                    live.write(out, resource);
                }
                out.extend(dead.iter().map(|property| property.value.as_str()));
            }),
            Self::Names => multistatus::propstat(out, StatusCode::OK, |out| {
                for live in live::ALL.iter().filter(|live| live.is_of(resource.entry)) {
                    Name::dav(live.name()).write_empty(out);
                }
                for Property {
                    namespace, name, ..
                } in dead
                {
                    let name = Name {
                        namespace: namespace.clone(),
                        local: name.clone(),
                    };
                    name.write_empty(out);
                }
            }),
            Self::Named(wanted) => tell_named(out, wanted, resource, dead),
        }
        multistatus::end_response(out);
    }
}

fn tell_named(out: &mut String, wanted: &[Wanted], resource: &Resource<'_>, dead: &[Property]) {
    const OPEN: &str = "<D:propstat><D:prop>";
    let begin = out.len();
    out.push_str(OPEN);
    let dead: HashMap<(&str, &str), &str> = dead
        .iter()
        .map(|property| {
            let name = (property.namespace.as_str(), property.name.as_str());
            (name, property.value.as_str())
        })
        .collect();
    let mut missing = Vec::new();
    for name in wanted {
        let is_there = match name {
            Wanted::Live(live) => live.write(out, resource),
            Wanted::Other(Name { namespace, local }) => {
                let value = dead.get(&(namespace.as_str(), local.as_str()));
                out.push_str(value.copied().unwrap_or_default());
                value.is_some()
            }
        };
        if !is_there {
            missing.push(name);
        }
    }
    // A resource is told with at least one status, be there nothing to tell.
    if missing.len() < wanted.len() || wanted.is_empty() {
        multistatus::end_propstat(out, StatusCode::OK);
    } else {
        out.truncate(begin);
    }
    if !missing.is_empty() {
        multistatus::propstat(out, StatusCode::NOT_FOUND, |out| {
            for wanted in missing {
                wanted.write_empty(out);
            }
        });
    }
}

impl Wanted {
    fn of(name: &Name) -> Self {
        Live::of(name).map_or_else(|| Self::Other(name.clone()), Self::Live)
    }

    fn write_empty(&self, out: &mut String) {
        match self {
            Self::Live(live) => {
                out.push_str("<D:");
                out.push_str(live.name());
                out.push_str("/>");
            }
            Self::Other(name) => name.write_empty(out),
        }
    }
}
