use futures::StreamExt as _;
use http::{Method, StatusCode};
use orlop_test_s3::{Fault, Matcher, Rope};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Client, server};
use crate::xml::text;

fn host(server: &orlop_test_s3::Server) -> String {
    server
        .endpoint()
        .strip_prefix("http://")
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn errors_as_many_as_asked() {
    let server = server().await;
    let client = Client::new(&server);
    let faults = server.faults();
    faults.inject(
        Matcher::any().method(Method::PUT).path("/k").times(2),
        Fault::slow_down(),
    );
    faults.inject(
        Matcher::any().method(Method::GET),
        Fault::error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
    );
    for _ in 0..2 {
        // Larger than the socket's buffers: the answer must come through nevertheless.
        let answer = client.put("/bkt/k", vec![0; 8_000_000]).await;
        assert_eq!(answer.header("retry-after"), Some("0"));
        answer.expect_error(503, "SlowDown");
    }
    assert!(server.store().keys("bkt").is_empty());
    client.put("/bkt/k", "x").await.expect(200);
    client
        .get("/bkt/k")
        .await
        .expect_error(500, "InternalError");
    client.get("/bkt/k").await.expect(200);
    assert_eq!(faults.waiting(), 0);
}

#[tokio::test]
async fn resets_before_and_after() {
    let server = server().await;
    let client = Client::new(&server);
    server
        .faults()
        .inject(Matcher::any().path("before"), Fault::Reset);
    server
        .faults()
        .inject(Matcher::any().path("after"), Fault::LoseAnswer);
    for key in ["before", "after"] {
        let sent = client
            .try_send(Method::PUT, &format!("/bkt/{key}"), &[], "x")
            .await;
        assert!(sent.is_err(), "{key}");
    }
    assert_eq!(server.store().keys("bkt"), ["after"]);

    server.faults().inject(Matcher::any(), Fault::Reset);
    let mut stream = TcpStream::connect(host(&server)).await.unwrap();
    stream
        .write_all(b"GET /bkt/after HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let error = stream.read(&mut [0; 100]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn bodies_are_cut_where_asked() {
    let server = server().await;
    let body: Vec<u8> = (0..5_000_000u32).map(|n| (n % 251) as u8).collect();
    let chunks: Rope = body
        .chunks(100_000)
        .map(|chunk| chunk.to_vec().into())
        .collect();
    server.store().put("bkt", "k", chunks);
    for after in [0, 1, 99_999, 100_000, 3_456_789, 5_000_000] {
        server
            .faults()
            .inject(Matcher::any(), Fault::CutBody { after });
        let mut stream = TcpStream::connect(host(&server)).await.unwrap();
        stream
            .write_all(b"GET /bkt/k HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap()
            + 4;
        let head = std::str::from_utf8(&answer[..end]).unwrap().to_lowercase();
        assert!(head.contains("content-length: 5000000"), "{head}");
        assert!(
            answer[end..] == body[..after as usize],
            "{after}: {}",
            answer.len() - end
        );
    }
    let client = Client::new(&server);
    assert_eq!(client.get("/bkt/k").await.expect(200).body.len(), 5_000_000);
}

#[tokio::test]
async fn gates_hold_requests_without_effect() {
    let server = server().await;
    let client = Client::new(&server);
    let gate = server.faults().hold(Matcher::any().method(Method::PUT));
    let held = tokio::spawn({
        let client = client.clone();
        async move { client.put("/bkt/k", "x").await }
    });
    gate.wait_until_reached().await;
    client.get("/bkt/k").await.expect_error(404, "NoSuchKey");
    assert!(!held.is_finished());
    gate.release();
    held.await.unwrap().expect(200);
    client.get("/bkt/k").await.expect(200);
}

#[tokio::test]
async fn gates_hold_bodies_and_see_clients_leave() {
    let server = server().await;
    server.store().put("bkt", "k", "0123456789");
    let gate = server.faults().hold_body(Matcher::any().times(2), 4);

    // reqwest needs a provider to be built, not to be used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/bkt/k", server.endpoint());
    let mut first = client.get(&url).send().await.unwrap().bytes_stream();
    assert_eq!(first.next().await.unwrap().unwrap(), "0123");
    let second = client.get(&url).send().await.unwrap();
    drop(second);
    gate.wait_until_abandoned().await;
    gate.release();
    assert_eq!(first.next().await.unwrap().unwrap(), "456789");
    assert!(first.next().await.is_none());
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_at_the_gate() {
    let server = server().await;
    let gate = server.faults().hold(Matcher::any());
    let client = Client::new(&server);
    let held = tokio::spawn(async move { client.get("/bkt/k").await });
    gate.wait_until_reached().await;
    held.abort();
    gate.wait_until_abandoned().await;
}

#[tokio::test]
async fn errors_in_a_successful_answer() {
    let server = server().await;
    let client = Client::new(&server);
    server.store().put("bkt", "from", "x");
    let copies = Matcher::when(|request| request.header("x-amz-copy-source").is_some());
    server
        .faults()
        .inject(copies, Fault::error_in_ok("InternalError"));
    let source = [("x-amz-copy-source", "bkt/from")];
    let answer = client
        .send(Method::PUT, "/bkt/to", &source, "")
        .await
        .expect(200);
    assert_eq!(text(answer.text(), "Code"), "InternalError");
    assert_eq!(server.store().keys("bkt"), ["from"]);
    client
        .send(Method::PUT, "/bkt/to", &source, "")
        .await
        .expect(200);
    assert_eq!(server.store().keys("bkt"), ["from", "to"]);
}
