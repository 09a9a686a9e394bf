//! What is known of a request: counted, and logged when it is over.

mod ending;
mod id;
mod parent;

use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{body::Body, extract::ConnectInfo, extract::Request, response::Response};
use http::{Method, Uri};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tracing::{Instrument as _, field::Empty};

use self::{ending::Ending, id::RequestId};
use super::{
    address,
    client::Peer,
    door::Door,
    meters::MountLabel,
    problem::Cause,
    site::{Site, View},
};
use crate::{Location, effort::Effort};

/// What becomes known of a request while it is answered.
#[derive(Debug)]
pub(crate) struct Record {
    pub(super) id: RequestId,
    began: Instant,
    method: &'static str,
    door: Door,
    /// The mount that the request is for, as metrics name it.
    pub(super) mount: MountLabel,
    path: String,
    peer: Option<SocketAddr>,
    /// Who asked, once that is known.
    pub(super) user: OnceLock<Arc<str>>,
    received: AtomicU64,
    effort: Arc<Effort>,
}

/// Counts and logs a request, and gives it its view of the site.
pub(super) async fn record<N>(
    site: &Site,
    mut request: Request,
    next: impl FnOnce(Request) -> N,
) -> Response
where
    N: Future<Output = Response>,
{
    let view = site.view();
    let record = Arc::new(Record::new(&request, &view));
    request.extensions_mut().insert(view);
    request.extensions_mut().insert(Arc::clone(&record));
    if !request.body().is_end_stream() {
        let record = Arc::clone(&record);
        request = request.map(|body| {
            Body::new(body.map_frame(move |frame| {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                record.received.fetch_add(bytes, Ordering::Relaxed);
                frame
            }))
        });
    }
    let span = tracing::debug_span!(
        "request",
        otel.kind = "server",
        otel.status_code = Empty,
        id = %record.id,
        trace = record.id.trace(),
        method = record.method,
        path = record.path,
        door = record.door.label(),
        mount = record.mount.as_deref(),
        status = Empty,
        received = Empty,
        sent = Empty,
        outcome = Empty,
    );
    #[cfg(feature = "otel")]
    if let Some(parent) = record.id.parent() {
        parent.adopt(&span);
    }
    let ending = Ending::of(Arc::clone(&record), span.clone());
    let effort = Arc::clone(&record.effort);
    let mut response = effort.count(next(request)).instrument(span).await;
    let took = record.began.elapsed();
    let status = response.status();
    site.meters
        .record(record.door, &record.mount, record.method, status, took);
    record.id.write(response.headers_mut());
    let cause = response.extensions_mut().remove::<Cause>();
    ending.answered(status, took, cause).follow(response)
}

impl Record {
    fn new(request: &Request, view: &View) -> Self {
        let door = Door::of(request.uri().path());
        let peer = request.extensions().get::<Peer>();
        let peer = peer.and_then(|peer| peer.address).or_else(|| {
            // A program with a server of its own.
            let peer = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
            Some(peer.0)
        });
        Self {
            id: RequestId::of(request.headers()),
            began: Instant::now(),
            method: method_name(request.method()),
            door,
            mount: mount(door, request.uri(), view),
            // Without the query: it may hold what nobody else shall read.
            path: door.loggable(request.uri().path()).into_owned(),
            peer,
            user: OnceLock::new(),
            received: AtomicU64::new(0),
            effort: Arc::default(),
        }
    }
}

/// The mount that a request is for, as far as its address tells.
fn mount(door: Door, uri: &Uri, view: &View) -> MountLabel {
    let location = match door {
        Door::Operations | Door::Assets => None,
        Door::Api => {
            let query = uri.query().unwrap_or_default();
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            let (_, path) = pairs.find(|(key, _)| key == "path" || key == "from")?;
            path.parse::<Location>().ok()
        }
        _ => address::parse(door, uri.path()).ok(),
    };
    let mount = view.namespace.mount_of(&location?.path)?;
    Some(Arc::clone(mount.label()))
}

/// Methods by name, in a set that no client can make grow.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "PUT" => "PUT",
        "POST" => "POST",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        "PROPFIND" => "PROPFIND",
        "PROPPATCH" => "PROPPATCH",
        "MKCOL" => "MKCOL",
        "COPY" => "COPY",
        "MOVE" => "MOVE",
        "LOCK" => "LOCK",
        "UNLOCK" => "UNLOCK",
        _ => "other",
    }
}
