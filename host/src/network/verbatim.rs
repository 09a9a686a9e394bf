//! Requests one level below the usual client: the same connections by the same rules, with two things that it does not
//! offer.
//!
//! - **A URI that nobody tidies up.** Keys may have `.` and `..` segments, S3 takes them as they are, and they are signed
//!   so. The client's URL type resolves them as the URL standard wants (<https://url.spec.whatwg.org/#path-state>), with no
//!   way around it.
//! - **A choice of buffers for reading.** The bytes of a download wait in them while its client is slow, so they decide
//!   what a thousand of them cost; and large ones are what makes a few of them quick.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use http::{HeaderMap, HeaderValue, Method, Response, Uri, header::USER_AGENT};
use http_body_util::BodyDataStream;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{HttpConnector, dns::Name},
    },
    rt::{TokioExecutor, TokioTimer},
};
use tower_service::Service;
use url::{Position, Url};

use super::{AGENT, CONNECT_TIME, POOL_TIME, addresses_allowed};
use crate::{BoxError, Outcome, egress::Egress};

/// How much of an answer is read at once. Up to twice as much waits in the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pieces {
    /// 16 KiB, for downloads by the thousand.
    Small,
    /// 128 KiB, for some at once: half of the processor time.
    Medium,
    /// 512 KiB, for a few: a third of it.
    Large,
}

impl Pieces {
    /// What suits one of so many downloads on the mount.
    pub(super) fn among(downloads: usize) -> Self {
        match downloads {
            0..=4 => Self::Large,
            5..=32 => Self::Medium,
            _ => Self::Small,
        }
    }
}

type Inner = Client<HttpsConnector<HttpConnector<Resolver>>, reqwest::Body>;

/// The clients, each made when the first request for it comes.
#[derive(Debug)]
pub(super) struct Verbatim {
    egress: Arc<Egress>,
    small: OnceLock<Inner>,
    medium: OnceLock<Inner>,
    large: OnceLock<Inner>,
}

/// The URI of a text that a URL would not keep as it is written, with the scheme, host and port that were checked. None
/// unless dot segments are all that is in the way.
pub(super) fn uri(url: &Url, written: &str) -> Option<Uri> {
    if !has_dot_segments(written) {
        return None;
    }
    let origin = &url[..Position::BeforePath];
    // With other names in the place of dots, the URL type takes it as it is, or something else is wrong with it.
    let (path, rest) = written.split_at(path_end(written));
    let names = path.split('/').map(|name| match is_dot_segment(name) {
        true => "-",
        false => name,
    });
    let undotted = names.collect::<Vec<_>>().join("/") + rest;
    let taken = Url::parse(&format!("{origin}{undotted}")).ok()?;
    let is_kept = taken[Position::BeforePath..Position::AfterQuery] == undotted;
    is_kept.then(|| format!("{origin}{written}").parse().ok())?
}

/// Whether a path, with what stands behind it, has segments that a URL would resolve.
pub(super) fn has_dot_segments(written: &str) -> bool {
    let (path, _) = written.split_at(path_end(written));
    path.split('/').any(is_dot_segment)
}

fn path_end(written: &str) -> usize {
    written.find(['?', '#']).unwrap_or(written.len())
}

/// Whether a segment stands for a folder itself or the one above it, encoded or not.
fn is_dot_segment(segment: &str) -> bool {
    let plain = segment.replace("%2e", ".").replace("%2E", ".");
    matches!(plain.as_str(), "." | "..")
}

impl Verbatim {
    pub(super) fn new(egress: Arc<Egress>) -> Self {
        Self {
            egress,
            small: OnceLock::new(),
            medium: OnceLock::new(),
            large: OnceLock::new(),
        }
    }

    pub(super) async fn send(
        &self,
        method: Method,
        uri: Uri,
        headers: HeaderMap,
        body: reqwest::Body,
        pieces: Pieces,
    ) -> Result<Response<Incoming>, Outcome> {
        let host = uri.host().unwrap_or_default().to_owned();
        let mut request = http::Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let agent = HeaderValue::from_static(AGENT);
        request.headers_mut().entry(USER_AGENT).or_insert(agent);
        let sent = self.client(pieces)?.request(request).await;
        sent.map_err(|error| super::outcome(&error, error.is_connect(), &host))
    }

    fn client(&self, pieces: Pieces) -> Result<&Inner, Outcome> {
        let (place, buffer) = match pieces {
            Pieces::Small => (&self.small, 16 << 10),
            Pieces::Medium => (&self.medium, 128 << 10),
            Pieces::Large => (&self.large, 512 << 10),
        };
        if let Some(client) = place.get() {
            return Ok(client);
        }
        let mut connector = HttpConnector::new_with_resolver(Resolver {
            egress: Arc::clone(&self.egress),
        });
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIME));
        let connector = HttpsConnectorBuilder::new()
            .try_with_platform_verifier()
            .map_err(|error| Outcome::Other(format!("cannot set up TLS: {error}")))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_TIME)
            .http1_max_buf_size(buffer)
            .build(connector);
        Ok(place.get_or_init(|| client))
    }
}

/// The frames of an answer's body.
pub(super) fn frames(
    body: Incoming,
    host: String,
) -> impl Stream<Item = Result<Bytes, Outcome>> + Send {
    BodyDataStream::new(body).map_err(move |error| super::outcome(&error, false, &host))
}

/// As the other client's: only what the mount may reach.
#[derive(Clone, Debug)]
struct Resolver {
    egress: Arc<Egress>,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let egress = Arc::clone(&self.egress);
        Box::pin(async move { Ok(addresses_allowed(&egress, name.as_str()).await?.into_iter()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dot_segments_are_sent_this_way() {
        let taken = |written: &str| {
            let url = Url::parse(&format!("https://user.example:8443{written}")).unwrap();
            uri(&url, written).map(|uri| uri.to_string())
        };
        for written in ["/a/../b", "/./", "/..", "/a/%2e%2E/b?x=%2F", "/b/.?x"] {
            assert_eq!(
                taken(written),
                Some(format!("https://user.example:8443{written}"))
            );
        }
        for other in [
            "/a",
            "/a b/..",
            "/../b#c",
            "/...",
            "/a?x=/../",
            "/\u{fc}/..",
        ] {
            assert_eq!(taken(other), None, "{other}");
        }
    }
}
