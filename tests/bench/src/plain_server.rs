//! What Orlop's front doors are held against: the same HTTP server, set up in the same way, with handlers
//! that know the answer already. In a process of its own.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Context, Result};
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_LENGTH, LOCATION, REFERRER_POLICY},
    },
    response::Response,
    routing::get,
};
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use std::io::Write;
use tokio::net::{TcpListener, TcpStream};
use tower::Service as _;

use crate::{process::Process, until_orphaned};

/// The first argument of the process that is this server; the second is the URL that it knows.
pub(crate) const ROLE: &str = "serve-plain";
/// Where it answers with a redirect to the URL.
pub(crate) const REDIRECT: &str = "d";
/// Where it fetches the URL and passes the bytes on.
pub(crate) const PROXY: &str = "p";

/// As `orlop` has it.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone)]
struct Known {
    url: String,
    location: HeaderValue,
    client: reqwest::Client,
}

/// Starts the server.
pub(crate) fn start(url: &str) -> Result<Process> {
    Process::start_role(&[ROLE, url])
}

/// Is the server.
pub(crate) async fn serve(url: &str) -> Result<()> {
    let router = Router::new()
        .route(&format!("/{REDIRECT}/{{*path}}"), get(redirect))
        .route(&format!("/{PROXY}/{{*path}}"), get(proxy))
        .with_state(Known {
            url: url.to_owned(),
            location: HeaderValue::try_from(url).context("the URL cannot stand in a header")?,
            client: reqwest::Client::builder()
                .no_proxy()
                .tcp_nodelay(true)
                .build()?,
        });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    tokio::select! {
        () = accept(listener, router) => {}
        () = until_orphaned() => {}
    }
    Ok(())
}

async fn redirect(State(known): State<Known>) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    headers.insert(LOCATION, known.location);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

async fn proxy(State(known): State<Known>) -> Result<Response, StatusCode> {
    let answer = known.client.get(&known.url).send().await;
    let answer = answer.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let length = answer.headers().get(CONTENT_LENGTH).cloned();
    let mut response = Response::new(Body::from_stream(answer.bytes_stream()));
    if let Some(length) = length {
        response.headers_mut().insert(CONTENT_LENGTH, length);
    }
    Ok(response)
}

async fn accept(listener: TcpListener, router: Router) {
    // A client that is gone before it is accepted is none of the server's business.
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream, router.clone()));
        }
    }
}

async fn connection(stream: TcpStream, router: Router) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| router.clone().call(request));
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    // That a client goes away is how every connection here ends.
    let _ = builder
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
