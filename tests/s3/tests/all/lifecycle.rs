use http::Method;
use orlop_test_s3::{Matcher, Options, Server, StartError};

use crate::client::{Client, server};
use crate::xml::texts;

#[tokio::test]
async fn restarts_at_the_same_address_with_the_same_objects() {
    let first = server().await;
    let client = Client::new(&first);
    client.put("/bkt/k", "x").await.expect(200);
    let (port, store, endpoint) = (first.port(), first.store(), first.endpoint());

    let taken = Server::start(Options {
        port,
        ..Options::default()
    })
    .await;
    assert!(matches!(taken, Err(StartError::Listen { port: refused, .. }) if refused == port));

    first.stop().await;
    let refused = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
    assert!(refused.is_err());

    let second = Server::start_over(
        store,
        Options {
            port,
            ..Options::default()
        },
    )
    .await
    .unwrap();
    assert_eq!(second.endpoint(), endpoint);
    assert_eq!(client.get("/bkt/k").await.expect(200).text(), "x");
    second.store().clear();
    client.get("/bkt/k").await.expect_error(404, "NoSuchKey");
}

#[tokio::test]
async fn stopping_finishes_what_is_under_way() {
    let server = server().await;
    server.store().put("bkt", "k", "x");
    let client = Client::new(&server);
    let gate = server.faults().hold(Matcher::any());
    let held = tokio::spawn(async move { client.get("/bkt/k").await });
    gate.wait_until_reached().await;
    server.stop().await;
    assert_eq!(held.await.unwrap().expect(200).text(), "x");
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_stop() {
    let server = server().await;
    let _idle = tokio::net::TcpStream::connect(("127.0.0.1", server.port()))
        .await
        .unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client
        .get(format!("{}/bkt", server.endpoint()))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    server.stop().await;
}

#[tokio::test]
async fn buckets() {
    let server = server().await;
    let client = Client::new(&server);
    client.put("/second", "").await.expect(200);
    client
        .put("/second", "")
        .await
        .expect_error(409, "BucketAlreadyOwnedByYou");
    let list = client.get("/").await.expect(200);
    assert_eq!(texts(list.text(), "Name"), ["bkt", "second"]);
    client
        .send(Method::HEAD, "/second", &[], "")
        .await
        .expect(200);
    client.put("/second/k", "x").await.expect(200);
    client
        .send(Method::DELETE, "/second", &[], "")
        .await
        .expect_error(409, "BucketNotEmpty");
    client
        .send(Method::DELETE, "/second/k", &[], "")
        .await
        .expect(204);
    client
        .send(Method::DELETE, "/second", &[], "")
        .await
        .expect(204);
    client
        .send(Method::DELETE, "/second", &[], "")
        .await
        .expect_error(404, "NoSuchBucket");
    let location = client.get("/bkt?location").await.expect(200);
    assert_eq!(texts(location.text(), "LocationConstraint"), [""]);
}

#[tokio::test]
async fn buckets_as_host_names() {
    let server = Server::start(Options {
        buckets: vec!["photos".into()],
        ..Options::default()
    })
    .await
    .unwrap();
    server.store().put("photos", "a/b", "x");
    let host = format!("photos.s3.localhost:{}", server.port());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .no_proxy()
        .resolve(
            "photos.s3.localhost",
            ([127, 0, 0, 1], server.port()).into(),
        )
        .build()
        .unwrap();
    let answer = client
        .get(format!("http://{host}/a/b"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.text().await.unwrap(), "x");
}

#[tokio::test]
async fn requests_are_recorded_raw() {
    let server = server().await;
    let client = Client::new(&server);
    client
        .get_with("/bkt/a%20%2F/../x?y=%2B", &[("range", "bytes=0-1")])
        .await
        .expect(404);
    client.put("/bkt/k", "x").await.expect(200);
    let seen = server.requests().list();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].target(), "/bkt/a%20%2F/../x?y=%2B");
    assert_eq!(seen[0].header("range"), Some("bytes=0-1"));
    assert_eq!(
        server
            .requests()
            .count_where(|request| request.method() == Method::PUT),
        1
    );
    server.requests().reset();
    assert_eq!(server.requests().count(), 0);
}
