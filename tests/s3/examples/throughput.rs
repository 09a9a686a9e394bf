//! How fast the server is, so that benchmarks know what it costs:
//! `cargo run --release -p orlop-test-s3 --example throughput`.

#![expect(clippy::print_stdout, reason = "a program for people")]

use std::error::Error;
use std::time::Instant;

use bytes::Bytes;
use orlop_test_s3::{EtagKind, Options, Rope, Server};

const CHUNK: usize = 1024 * 1024;
const CHUNKS: usize = 1024;
const KEYS: usize = 100_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start(Options {
        etag: EtagKind::Counter,
        buckets: vec!["bench".into()],
        ..Options::default()
    })
    .await?;
    let chunks: Vec<Bytes> = (0..CHUNKS).map(|n| vec![n as u8; CHUNK].into()).collect();
    server
        .store()
        .put("bench", "large", Rope::from_iter(chunks.iter().cloned()));

    // Building a client asks for a provider even when there is nothing to encrypt.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let url = |target: &str| format!("{}/bench{target}", server.endpoint());

    for _ in 0..3 {
        let started = Instant::now();
        let mut answer = client.get(url("/large")).send().await?;
        let mut received = 0;
        while let Some(chunk) = answer.chunk().await? {
            received += chunk.len();
        }
        report("GET", received, started);
    }
    for _ in 0..3 {
        let started = Instant::now();
        let body = futures::stream::iter(chunks.clone().into_iter().map(Ok::<_, std::io::Error>));
        let answer = client
            .put(url("/uploaded"))
            .header("content-length", CHUNK * CHUNKS)
            .body(reqwest::Body::wrap_stream(body))
            .send()
            .await?;
        answer.error_for_status()?;
        report("PUT", CHUNK * CHUNKS, started);
    }

    server.store().clear();
    for n in 0..KEYS {
        server
            .store()
            .put("bench", &format!("{}/{n:06}", n % 10), "");
    }
    for target in ["?list-type=2&delimiter=/", "?list-type=2"] {
        let started = Instant::now();
        let answer = client.get(url(target)).send().await?.text().await?;
        let elapsed = started.elapsed();
        println!(
            "GET {target} over {KEYS} keys: {elapsed:.1?}, {} bytes",
            answer.len()
        );
    }
    server.stop().await;
    Ok(())
}

fn report(method: &str, bytes: usize, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    let rate = bytes as f64 / seconds / 1e9;
    println!("{method} {bytes} bytes: {seconds:.2} s, {rate:.2} GB/s");
}
