//! The way out: one HTTP client for each mount, behind the mount's egress rules.

mod verbatim;

use std::{
    borrow::Cow,
    error::Error,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{Instrument as _, Span, field::Empty};
use url::{Position, Url};

use self::verbatim::{Pieces, Verbatim};
use crate::{
    BoxError, HostError, Limits, Outcome, activity::Activity, effort, egress::Egress, error::code,
};

/// How long to wait for a connection.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long a connection without requests is kept.
const POOL_TIME: Duration = Duration::from_secs(50);
const AGENT: &str = concat!("orlop/", env!("CARGO_PKG_VERSION"));
/// How long a body may stand still.
const IDLE_TIME: Duration = Duration::from_secs(30);
/// How long a service may think about a request that changes something: it may copy gigabytes first.
const CHANGE_TIME: Duration = Duration::from_secs(300);

/// The network as one mount may use it.
#[derive(Debug)]
pub(crate) struct Network {
    mount: Arc<str>,
    client: reqwest::Client,
    verbatim: Verbatim,
    egress: Arc<Egress>,
    permits: Arc<Semaphore>,
    /// Held once more by each download that is under way.
    readers: Arc<()>,
    /// The most bytes of an answer that `fetch` takes.
    response_bytes: u64,
    /// How long a service may think about a request that changes nothing. A third of a call's deadline:
    /// so a driver learns of it, and may try again, before its own time is up.
    answer_time: Duration,
}

/// A request that is ready to go.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: reqwest::Body,
    /// The body's length, where it is known.
    pub(crate) length: Option<u64>,
    /// Moves while the body is being sent.
    pub(crate) activity: Activity,
    /// How often the same was asked for in vain before, without a byte in between.
    pub(crate) attempt: u32,
}

/// The head of an answer, and its body to come.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: AnswerBody,
}

/// A body that comes from the service. It holds the permit of a driver's request, and ends the request when
/// dropped.
pub(crate) struct AnswerBody {
    frames: Frames,
    /// Rings when the service has kept us waiting for too long.
    idle: Pin<Box<tokio::time::Sleep>>,
    /// Whether we wait for the service. While a slow client keeps us from asking, the service is not to blame.
    is_waiting: bool,
    /// The request's, which ends with the body.
    span: Span,
    received: u64,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Network {
    pub(crate) fn new(mount: Arc<str>, egress: Egress, limits: &Limits) -> Result<Self, HostError> {
        // The first to ask decides for the process; a program that has chosen already has chosen well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let egress = Arc::new(egress);
        let client = reqwest::Client::builder()
            .user_agent(AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_TIME)
            .pool_max_idle_per_host(limits.requests_in_flight)
            .pool_idle_timeout(POOL_TIME)
            .dns_resolver(Arc::new(Resolver {
                egress: Arc::clone(&egress),
            }))
            .build()
            .map_err(|error| HostError::Client(error.to_string()))?;
        Ok(Self {
            mount,
            client,
            verbatim: Verbatim::new(Arc::clone(&egress)),
            egress,
            readers: Arc::default(),
            permits: Arc::new(Semaphore::new(limits.requests_in_flight.max(1))),
            response_bytes: limits.response_bytes,
            answer_time: limits.deadline / 3,
        })
    }

    /// Counts a download as long as the value is kept.
    pub(crate) fn reader(&self) -> Arc<()> {
        Arc::clone(&self.readers)
    }

    /// Downloads that are under way.
    pub(crate) fn readers(&self) -> usize {
        Arc::strong_count(&self.readers) - 1
    }

    /// Sends a driver's request, and returns when the answer's head is there.
    pub(crate) async fn send(&self, outgoing: Outgoing) -> Result<Answer, Outcome> {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| Outcome::Unavailable("the host is shutting down".to_owned()))?;
        let target = self.admit(&outgoing.url)?;
        self.send_with(target, outgoing, Some(permit)).await
    }

    /// Sends a request of the host's own: a link that it performs. These are as many as there are clients, and
    /// slow ones must not keep the driver from listing.
    pub(crate) async fn perform(&self, outgoing: Outgoing) -> Result<Answer, Outcome> {
        let target = match self.admit(&outgoing.url)? {
            Target::Url(url) => Target::Verbatim(url.as_str().parse().map_err(|_| {
                Outcome::InvalidArgument("the URL is not one of HTTP's".to_owned())
            })?),
            verbatim => verbatim,
        };
        self.send_with(target, outgoing, None).await
    }

    async fn send_with(
        &self,
        target: Target,
        outgoing: Outgoing,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<Answer, Outcome> {
        let began = Instant::now();
        effort::upstream_request();
        // Neither the path, which may name a tenant's key, nor the query, which may hold a signature.
        let span = tracing::debug_span!(
            "upstream request",
            otel.kind = "client",
            otel.status_code = Empty,
            mount = %self.mount,
            method = outgoing.method,
            host = target.host(),
            attempt = outgoing.attempt,
            sent = outgoing.length,
            status = Empty,
            received = Empty,
            outcome = Empty,
        );
        let sending = self.send_unmeasured(target, outgoing, permit);
        let result = sending.instrument(span.clone()).await;
        let status = match &result {
            Ok(answer) => {
                span.record("status", answer.status);
                span.record("outcome", "answered");
                Cow::Owned(answer.status.to_string())
            }
            // No answer: it was refused on the way out, or lost on the way.
            Err(outcome) => {
                span.record("outcome", code(outcome));
                span.record("otel.status_code", "ERROR");
                Cow::Borrowed("none")
            }
        };
        metrics::counter!(
            "orlop_upstream_requests_total",
            "mount" => self.mount.to_string(), "status" => status,
        )
        .increment(1);
        metrics::histogram!("orlop_upstream_seconds", "mount" => self.mount.to_string())
            .record(began.elapsed());
        result
    }

    async fn send_unmeasured(
        &self,
        target: Target,
        outgoing: Outgoing,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<Answer, Outcome> {
        let mut headers = admit_headers(outgoing.headers, outgoing.length)?;
        let method = Method::from_bytes(outgoing.method.as_bytes())
            .map_err(|_| Outcome::InvalidArgument("the method is not one of HTTP's".to_owned()))?;
        // The client says nothing of a body that is empty, and services want to be told (RFC 9110 §8.6).
        if outgoing.length == Some(0)
            && matches!(method, Method::PUT | Method::POST | Method::PATCH)
        {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let patience = if method.is_safe() || method == Method::DELETE {
            self.answer_time
        } else {
            CHANGE_TIME
        };
        let activity = outgoing.activity.clone();
        activity.touch();
        let sending = self.send_to(target, method, headers, outgoing.body);
        let (status, headers, frames) = activity
            .limit(patience, sending)
            .await
            .ok_or(Outcome::TimedOut)??;
        activity.touch();

        Ok(Answer {
            status,
            headers,
            body: AnswerBody::new(frames, permit),
        })
    }

    async fn send_to(
        &self,
        target: Target,
        method: Method,
        headers: HeaderMap,
        body: reqwest::Body,
    ) -> Result<(u16, HeaderMap, Frames), Outcome> {
        match target {
            Target::Url(url) => {
                let host = url.host_str().unwrap_or_default().to_owned();
                let request = self.client.request(method, url).headers(headers).body(body);
                let response = request
                    .send()
                    .await
                    .map_err(|error| failure(&error, &host))?;
                let (status, headers) = (response.status().as_u16(), response.headers().clone());
                let frames = response
                    .bytes_stream()
                    .map(move |frame| frame.map_err(|error| failure(&error, &host)));
                Ok((status, headers, Box::pin(frames)))
            }
            Target::Verbatim(uri) => {
                let host = uri.host().unwrap_or_default().to_owned();
                let pieces = Pieces::among(self.readers());
                let sending = self.verbatim.send(method, uri, headers, body, pieces);
                let (head, body) = sending.await?.into_parts();
                let frames = verbatim::frames(body, host);
                Ok((head.status.as_u16(), head.headers, Box::pin(frames)))
            }
        }
    }

    /// Sends a request and takes the whole answer, up to `max_bytes` and the mount's own limit.
    pub(crate) async fn fetch(
        &self,
        outgoing: Outgoing,
        max_bytes: u64,
    ) -> Result<(u16, HeaderMap, Bytes), Outcome> {
        let limit = max_bytes.min(self.response_bytes);
        let mut answer = self.send(outgoing).await?;
        let declared = answer
            .headers
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        // A HEAD's answer tells the length of a body that it does not have, so only what comes counts here.
        let mut whole = BytesMut::new();
        if let Some(declared) = declared.filter(|declared| *declared <= limit) {
            whole.reserve(usize::try_from(declared.min(1 << 20)).unwrap_or(0));
        }
        while let Some(frame) = answer.body.next().await {
            let frame = frame?;
            if (whole.len() + frame.len()) as u64 > limit {
                return Err(Outcome::TooLarge(limit));
            }
            whole.extend_from_slice(&frame);
        }
        Ok((answer.status, answer.headers, whole.freeze()))
    }

    /// Decides on a URL, and makes sure that it travels as it was signed.
    fn admit(&self, text: &str) -> Result<Target, Outcome> {
        let url = Url::parse(text)
            .map_err(|error| Outcome::InvalidArgument(format!("not an absolute URL: {error}")))?;
        self.egress.check_url(&url)?;
        let written = text
            .split_once("://")
            .and_then(|(_, rest)| rest.find('/').and_then(|start| rest.get(start..)))
            .unwrap_or("/");
        let travels = &url[Position::BeforePath..Position::AfterQuery];
        if written == travels {
            return Ok(Target::Url(url));
        }
        verbatim::uri(&url, written).map(Target::Verbatim).ok_or_else(|| {
            Outcome::InvalidArgument(
                "the URL has a fragment or a character that must be escaped, so it would not arrive as it is written"
                    .to_owned(),
            )
        })
    }
}

/// Where a request goes.
#[derive(Debug)]
enum Target {
    /// A URL that stays as it is written.
    Url(Url),
    /// One that would not, or whose answer is read through a small buffer.
    Verbatim(Uri),
}

impl Target {
    fn host(&self) -> &str {
        match self {
            Self::Url(url) => url.host_str(),
            Self::Verbatim(uri) => uri.host(),
        }
        .unwrap_or_default()
    }
}

type Frames = Pin<Box<dyn Stream<Item = Result<Bytes, Outcome>> + Send>>;

/// Whether clients take a URL's path for the one that is written: they resolve `.` and `..` segments, and would ask for
/// something else.
pub(crate) fn arrives_as_written(url: &str) -> bool {
    let path = url
        .split_once("://")
        .and_then(|(_, rest)| rest.find('/').and_then(|start| rest.get(start..)))
        .unwrap_or("/");
    !verbatim::has_dot_segments(path)
}

/// Headers that are the host's to set, or that would smuggle a second request into the first.
const FORBIDDEN: [&str; 10] = [
    "connection",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

fn admit_headers(fields: Vec<(String, String)>, length: Option<u64>) -> Result<HeaderMap, Outcome> {
    let mut headers = HeaderMap::with_capacity(fields.len() + 1);
    for (name, value) in fields {
        let lower = name.to_ascii_lowercase();
        if FORBIDDEN.contains(&lower.as_str()) || lower.starts_with("proxy-") {
            return Err(Outcome::Blocked(format!(
                "the header `{lower}` is the host's to set"
            )));
        }
        let name = HeaderName::from_bytes(lower.as_bytes())
            .map_err(|_| Outcome::InvalidArgument("a header's name is not one".to_owned()))?;
        let value = HeaderValue::from_str(&value).map_err(|_| {
            Outcome::InvalidArgument(format!("the value of the header `{name}` is not one"))
        })?;
        if name == header::CONTENT_LENGTH
            && let Some(length) = length
            && value.as_bytes() != length.to_string().as_bytes()
        {
            return Err(Outcome::Blocked(
                "the header `content-length` contradicts the body".to_owned(),
            ));
        }
        if name != header::CONTENT_LENGTH || length.is_none() {
            headers.append(name, value);
        }
    }
    Ok(headers)
}

/// Resolves names, and lets through only the addresses that the mount may reach: the client connects to
/// what was checked.
struct Resolver {
    egress: Arc<Egress>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let egress = Arc::clone(&self.egress);
        Box::pin(async move {
            let allowed = addresses_allowed(&egress, name.as_str()).await?;
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// The addresses of a name that the mount may reach.
async fn addresses_allowed(egress: &Egress, name: &str) -> Result<Vec<SocketAddr>, BoxError> {
    let found = addresses(name).await?;
    let mut allowed = Vec::with_capacity(found.len());
    let mut refused = None;
    for address in found {
        match egress.check_resolved(name, address.ip()) {
            Ok(()) => allowed.push(address),
            Err(outcome) => refused = Some(outcome),
        }
    }
    match refused {
        Some(outcome) if allowed.is_empty() => Err(outcome.into()),
        _ => Ok(allowed),
    }
}

/// The addresses of a name. Those in `localhost` are this machine, whatever a resolver would say (RFC 6761 §6.3).
async fn addresses(name: &str) -> std::io::Result<Vec<SocketAddr>> {
    if name == "localhost" || name.ends_with(".localhost") {
        return Ok([
            IpAddr::from(Ipv4Addr::LOCALHOST),
            Ipv6Addr::LOCALHOST.into(),
        ]
        .map(|address| SocketAddr::new(address, 0))
        .into());
    }
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}

fn failure(error: &reqwest::Error, host: &str) -> Outcome {
    if error.is_timeout() && !error.is_connect() {
        return Outcome::TimedOut;
    }
    outcome(error, error.is_connect(), host)
}

/// Says what went wrong without the URL, which may be signed.
fn outcome(error: &dyn Error, is_connect: bool, host: &str) -> Outcome {
    let mut source = error.source();
    let mut deepest = None;
    while let Some(cause) = source {
        if let Some(refused) = cause.downcast_ref::<Outcome>() {
            return refused.clone();
        }
        deepest = Some(cause.to_string());
        source = cause.source();
    }
    let what = if is_connect {
        "cannot connect to"
    } else {
        "lost the connection to"
    };
    let why = deepest.unwrap_or_else(|| "no reason given".to_owned());
    Outcome::Unavailable(format!("{what} `{host}`: {why}"))
}

/// What a storage means by refusing a request of the host's own, to do `what`.
pub(crate) fn refusal(status: u16, headers: &HeaderMap, what: &str) -> Outcome {
    let retry_after = || {
        let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
        Some(Duration::from_secs(seconds.parse().ok()?))
    };
    match status {
        401 => Outcome::Unauthenticated("the storage does not accept the link".to_owned()),
        403 => Outcome::PermissionDenied(format!("the storage refuses to {what}")),
        404 | 410 => Outcome::NotFound,
        408 | 504 => Outcome::TimedOut,
        429 | 503 => Outcome::RateLimited(retry_after()),
        status => Outcome::Unavailable(format!("the storage answered with status {status}")),
    }
}

impl AnswerBody {
    fn new(frames: Frames, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            frames,
            idle: Box::pin(tokio::time::sleep(IDLE_TIME)),
            is_waiting: false,
            span: Span::current(),
            received: 0,
            _permit: permit,
        }
    }
}

impl Stream for AnswerBody {
    type Item = Result<Bytes, Outcome>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = this.frames.poll_next_unpin(context) {
            this.is_waiting = false;
            if let Some(Ok(bytes)) = &frame {
                this.received += bytes.len() as u64;
            }
            return Poll::Ready(frame);
        }
        if !this.is_waiting {
            this.is_waiting = true;
            let latest = tokio::time::Instant::now() + IDLE_TIME;
            this.idle.as_mut().reset(latest);
        }
        let idle = Future::poll(this.idle.as_mut(), context);
        idle.map(|()| Some(Err(Outcome::TimedOut)))
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.span.record("received", self.received);
    }
}

impl std::fmt::Debug for AnswerBody {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("AnswerBody").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::Grant;

    fn network() -> Network {
        let grant = Grant::endpoint("http://127.0.0.1:9").unwrap();
        Network::new(
            "test".into(),
            Egress::new(vec![grant], false),
            &Limits::default(),
        )
        .unwrap()
    }

    #[tokio::test]
    async fn only_the_time_that_is_spent_waiting_counts() {
        let (service, frames) = futures::channel::mpsc::unbounded();
        let mut body = AnswerBody::new(Box::pin(frames), None);
        let ask = async |body: &mut AnswerBody| futures::poll!(body.next()).is_pending();
        let made = body.idle.deadline();
        assert!(ask(&mut body).await);
        let asked = body.idle.deadline();
        assert!(asked > made, "the time before the first question counts");
        assert!(ask(&mut body).await);
        assert_eq!(body.idle.deadline(), asked, "asking again gives more time");
        service.unbounded_send(Ok(Bytes::from("x"))).unwrap();
        assert!(!ask(&mut body).await);
        assert!(ask(&mut body).await);
        assert!(body.idle.deadline() > asked, "an answer gives no more time");
    }

    #[test]
    fn a_url_travels_as_it_is_written_or_not_at_all() {
        let network = network();
        for good in [
            "http://127.0.0.1:9",
            "http://127.0.0.1:9/",
            "http://127.0.0.1:9/a%2Bb%20c//d?x=%20&y",
            "http://127.0.0.1:9/a/../b",
            "http://127.0.0.1:9/a/%2e%2e/b",
        ] {
            assert!(network.admit(good).is_ok(), "{good}");
        }
        for bad in [
            "http://127.0.0.1:9/a/../b#c",
            "http://127.0.0.1:9/a b",
            "http://127.0.0.1:9/a#b",
            "http://127.0.0.1:9/\u{fc}",
        ] {
            assert!(
                matches!(network.admit(bad), Err(Outcome::InvalidArgument(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn links_with_dot_segments_lead_clients_astray() {
        assert!(arrives_as_written("https://a/b/c..d/.e?x=/../"));
        assert!(!arrives_as_written("https://a/b/../c"));
        assert!(!arrives_as_written("https://a/b/%2E"));
    }

    #[test]
    fn headers_of_the_host_are_refused() {
        for name in [
            "Host",
            "connection",
            "Proxy-Authorization",
            "Transfer-Encoding",
            "TE",
        ] {
            let refused = admit_headers(vec![(name.to_owned(), "x".to_owned())], None);
            assert!(matches!(refused, Err(Outcome::Blocked(_))), "{name}");
        }
        let smuggled = vec![("x-a".to_owned(), "b\r\nhost: evil".to_owned())];
        assert!(matches!(
            admit_headers(smuggled, None),
            Err(Outcome::InvalidArgument(_))
        ));
        let wrong = vec![("content-length".to_owned(), "4".to_owned())];
        assert!(matches!(
            admit_headers(wrong.clone(), Some(5)),
            Err(Outcome::Blocked(_))
        ));
        assert!(admit_headers(wrong, Some(4)).unwrap().is_empty());
    }
}
