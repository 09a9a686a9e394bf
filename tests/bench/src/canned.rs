//! Listings without a storage behind them: the same page again and again, so that what is measured is what the
//! driver makes of it. In a process of its own, and in the place of the network.

use std::{
    io::Write as _,
    net::Ipv4Addr,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use axum::{Router, body::Bytes, extract::State, http::Uri};
use orlop_driver::{
    ByteStream, Host, Request, Response, StreamedResponse,
    native::{NativePart, NativeUpload},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{process::Process, storage::MANY_FILES, until_orphaned};

/// The first argument of the process that is this server.
pub(crate) const ROLE: &str = "serve-pages";
/// A folder whose listing is a full page.
pub(crate) const FULL: &str = "full";
/// A folder of one entry.
pub(crate) const SINGLE: &str = "single";

/// Starts the server.
pub(crate) fn start() -> Result<Process> {
    Process::start_role(&[ROLE])
}

/// The configuration of a driver for it.
pub(crate) fn config(url: &str) -> Value {
    json!({"provider": "minio", "bucket": "bench", "endpoint": url})
}

/// Is the server.
pub(crate) async fn serve() -> Result<()> {
    let pages = (
        Bytes::from(page(FULL, MANY_FILES)),
        Bytes::from(page(SINGLE, 1)),
    );
    let router = Router::new().fallback(answer).with_state(pages);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    tokio::select! {
        served = axum::serve(listener, router) => served.context("the server broke")?,
        () = until_orphaned() => {}
    }
    Ok(())
}

async fn answer(State((full, single)): State<(Bytes, Bytes)>, uri: Uri) -> Bytes {
    if uri.query().unwrap_or_default().contains(FULL) {
        full
    } else {
        single
    }
}

/// A page as Amazon S3 writes it.
fn page(folder: &str, files: u32) -> String {
    let mut page = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>bench</Name>\
         <Prefix>{folder}/</Prefix><KeyCount>{files}</KeyCount><MaxKeys>1000</MaxKeys>\
         <Delimiter>/</Delimiter><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
    );
    for number in 0..files {
        page += &format!(
            "<Contents><Key>{folder}/IMG_{number:05}.jpg</Key>\
             <LastModified>2026-11-24T07:55:58.000Z</LastModified>\
             <ETag>&quot;9b2cf535f27731c974343645a39{number:05}&quot;</ETag><Size>{}</Size>\
             <StorageClass>STANDARD</StorageClass></Contents>",
            number * 977
        );
    }
    page + "</ListBucketResult>"
}

/// A network that has the full page at hand.
#[derive(Debug)]
pub(crate) struct AtHand(Vec<u8>);

impl Default for AtHand {
    fn default() -> Self {
        Self(page(FULL, MANY_FILES).into_bytes())
    }
}

impl Host for AtHand {
    type Part = NativePart;
    type Upload = NativeUpload;

    async fn fetch(
        &self,
        _request: Request<'_, NativePart>,
        _max_bytes: u64,
    ) -> orlop_driver::Result<Response> {
        Ok(Response {
            status: 200,
            headers: Vec::new(),
            body: self.0.clone(),
        })
    }

    async fn send(
        &self,
        request: Request<'_, NativePart>,
    ) -> orlop_driver::Result<StreamedResponse> {
        let response = self.fetch(request, u64::MAX).await?;
        Ok(StreamedResponse {
            status: response.status,
            headers: response.headers,
            body: ByteStream::new(futures::stream::iter([Ok(response.body)])),
        })
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn recall(&self, _name: &str) -> Option<String> {
        None
    }

    fn note(&self, _name: &str, _text: &str) {}

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn random(&self) -> u64 {
        0
    }
}
