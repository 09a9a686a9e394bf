//! What Orlop's front doors are held against: the same HTTP server, set up in the same way, with handlers
//! that know the answer already, or have the driver built in natively. In a process of its own.

use std::{io::Write, net::Ipv4Addr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_LENGTH, LOCATION, REFERRER_POLICY},
    },
    response::Response,
    routing::get,
};
use futures::TryStreamExt;
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use orlop_driver::{Error, Writable, WriteOptions, native::NativeUpload};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
};
use tower::Service as _;

use crate::{
    client::Target,
    native::{self, Native},
    process::Process,
    storage, until_orphaned,
};

/// The first argument of the process that is this server; the second is the driver's configuration.
pub(crate) const ROLE: &str = "serve-plain";

/// The server, while it runs.
#[derive(Debug)]
pub(crate) struct PlainServer {
    process: Process,
}

/// As `orlop` has it.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone)]
struct Known {
    native: Arc<Native>,
    /// Links to the large file and to the medium one.
    links: [String; 2],
    location: HeaderValue,
    client: reqwest::Client,
}

impl PlainServer {
    /// Starts it.
    pub(crate) fn start(storage: &Process) -> Result<Self> {
        let config = storage::config(storage).to_string();
        let process = Process::start_role(&[ROLE, &config])?;
        Ok(Self { process })
    }

    /// Where it answers GET with one and the same redirect, and takes PUT to the path.
    pub(crate) fn files(&self, path: &str) -> Result<Target> {
        Target::parse(&format!("{}/d/{path}", self.process.url()))
    }

    /// Where it fetches the large file and passes the bytes on.
    pub(crate) fn large_file(&self) -> Result<Target> {
        Target::parse(&format!("{}/p/{}", self.process.url(), storage::LARGE))
    }

    /// The same for the medium file.
    pub(crate) fn medium_file(&self) -> Result<Target> {
        Target::parse(&format!("{}/p/{}", self.process.url(), storage::MEDIUM))
    }

    /// The process.
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }
}

/// Is the server.
pub(crate) async fn serve(config: &str) -> Result<()> {
    let config = serde_json::from_str(config).context("the configuration is no JSON")?;
    let native = native::open(&config)?;
    let link = native::link(&native, &orlop::Path::parse(storage::LARGE)?).await?;
    let medium = native::link(&native, &orlop::Path::parse(storage::MEDIUM)?).await?;
    let router = Router::new()
        .route("/d/{*path}", get(redirect).put(write))
        .route("/p/{*path}", get(proxy))
        .with_state(Known {
            native,
            location: HeaderValue::try_from(&link).context("the link cannot stand in a header")?,
            links: [link, medium],
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

async fn proxy(
    State(known): State<Known>,
    Path(path): Path<String>,
) -> Result<Response, StatusCode> {
    let [large, medium] = &known.links;
    let link = if path == storage::MEDIUM {
        medium
    } else {
        large
    };
    let answer = known.client.get(link).send().await;
    let answer = answer.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let length = answer.headers().get(CONTENT_LENGTH).cloned();
    let mut response = Response::new(Body::from_stream(answer.bytes_stream()));
    if let Some(length) = length {
        response.headers_mut().insert(CONTENT_LENGTH, length);
    }
    Ok(response)
}

async fn write(
    State(known): State<Known>,
    Path(path): Path<String>,
    request: Request,
) -> Result<StatusCode, StatusCode> {
    let path = orlop::Path::parse(path).map_err(|_| StatusCode::BAD_REQUEST)?;
    let length = request.headers().get(CONTENT_LENGTH);
    let size = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let pieces = request
        .into_body()
        .into_data_stream()
        .map_err(|error| Error::Unavailable(error.to_string()));
    let upload = NativeUpload::from_stream(pieces, size, None);
    let runtime = Handle::current();
    // What a driver does stays on its thread.
    let writing = tokio::task::spawn_blocking(move || {
        let options = WriteOptions::default();
        runtime.block_on(known.native.write(&path, upload, &options))
    });
    match writing.await {
        Ok(Ok(_)) => Ok(StatusCode::CREATED),
        _ => Err(StatusCode::BAD_GATEWAY),
    }
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
