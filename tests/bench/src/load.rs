//! Many requests at once, over connections that stay open.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::Instant,
};

use crate::client::{Target, end_of_head};

/// Asks for these resources over and over for a while, on a connection for each, and returns the answers per
/// second. Every answer must be a 302 without a body.
///
/// One thread does it: what it spends is spent for either side of a comparison.
pub(crate) async fn redirects(targets: Vec<Target>, time: Duration) -> Result<f64> {
    let generating = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let began = Instant::now();
            let connections = targets
                .iter()
                .map(|target| connection(target, began + time));
            let answers: u64 = try_join_all(connections).await?.into_iter().sum();
            Ok(answers as f64 / began.elapsed().as_secs_f64())
        })
    });
    generating.await.context("the load generator broke")?
}

async fn connection(target: &Target, end: Instant) -> Result<u64> {
    let mut stream = target.connect().await?;
    let request = target.request("GET", "");
    let mut answer = Vec::with_capacity(4096);
    let mut answers = 0;
    while Instant::now() < end {
        stream.write_all(request.as_bytes()).await?;
        answer.clear();
        let head = loop {
            let read = stream.read_buf(&mut answer).await?;
            ensure!(read > 0, "the server closed a connection");
            if let Some(head) = end_of_head(&answer) {
                break head;
            }
        };
        ensure!(head == answer.len(), "a redirect has a body");
        ensure!(
            answer.starts_with(b"HTTP/1.1 302 "),
            "an answer was not a redirect"
        );
        answers += 1;
    }
    Ok(answers)
}
