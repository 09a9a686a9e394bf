use http::Method;
use orlop_test_s3::{Credentials, Options, Server};

use crate::client::{Client, server};
use crate::xml::text;

async fn guarded(region: Option<&str>) -> Server {
    let server = Server::start(Options {
        credentials: Some(Credentials::new("key-id", "secret")),
        region: region.map(str::to_owned),
        buckets: vec!["bkt".into()],
        ..Options::default()
    })
    .await
    .unwrap();
    server.store().put("bkt", "k", "x");
    server
}

fn client(server: &Server, access_key: &str, secret_key: &str) -> Client {
    Client::signing(
        server,
        Credentials::new(access_key, secret_key),
        "eu-west-3",
    )
}

#[tokio::test]
async fn only_the_key_pair_gets_in() {
    let server = guarded(None).await;
    client(&server, "key-id", "secret")
        .get("/bkt/k")
        .await
        .expect(200);
    client(&server, "key-id", "wrong")
        .get("/bkt/k")
        .await
        .expect_error(403, "SignatureDoesNotMatch");
    client(&server, "other", "secret")
        .get("/bkt/k")
        .await
        .expect_error(403, "InvalidAccessKeyId");
    Client::new(&server)
        .get("/bkt/k")
        .await
        .expect_error(403, "AccessDenied");
}

#[tokio::test]
async fn bodies_are_signed_too() {
    let server = guarded(None).await;
    let client = client(&server, "key-id", "secret");
    client.put("/bkt/new", "hello").await.expect(200);
    let forged = client.put_forged("/bkt/new", "signed", "forged").await;
    forged.expect_error(400, "XAmzContentSHA256Mismatch");
    assert_eq!(server.store().bytes("bkt", "new").unwrap(), "hello");
}

#[tokio::test]
async fn a_refused_upload_is_read_to_its_end() {
    let server = guarded(None).await;
    let client = client(&server, "key-id", "wrong");
    let refused = client.put("/bkt/new", vec![7; 8_000_000]).await;
    refused.expect_error(403, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn presigned_urls() {
    let server = guarded(None).await;
    let client = client(&server, "key-id", "secret");
    let anonymous = Client::new(&server);
    let target = client.presign(Method::GET, "/bkt/k?response-content-type=a%2Fb");
    let answer = anonymous.get(&target).await.expect(200);
    assert_eq!(answer.header("content-type"), Some("a/b"));
    anonymous
        .send(Method::DELETE, &target, &[], "")
        .await
        .expect_error(403, "SignatureDoesNotMatch");
    let target = client.presign(Method::PUT, "/bkt/%C3%A4%20b");
    anonymous.put(&target, "y").await.expect(200);
    assert_eq!(server.store().bytes("bkt", "ä b").unwrap(), "y");
}

#[tokio::test]
async fn the_region_must_be_right_if_there_is_one() {
    let server = guarded(Some("eu-central-1")).await;
    let wrong = client(&server, "key-id", "secret");
    let refused = wrong.get("/bkt/k").await;
    assert_eq!(text(refused.text(), "Region"), "eu-central-1");
    refused.expect_error(400, "AuthorizationHeaderMalformed");
    let target = wrong.presign(Method::GET, "/bkt/k");
    Client::new(&server)
        .get(&target)
        .await
        .expect_error(400, "AuthorizationHeaderMalformed");

    let right = Client::signing(
        &server,
        Credentials::new("key-id", "secret"),
        "eu-central-1",
    );
    right.get("/bkt/k").await.expect(200);
    let head = right.send(Method::HEAD, "/bkt", &[], "").await.expect(200);
    assert_eq!(head.header("x-amz-bucket-region"), Some("eu-central-1"));
    let location = right.get("/bkt?location").await.expect(200);
    assert_eq!(text(location.text(), "LocationConstraint"), "eu-central-1");
}

#[tokio::test]
async fn without_a_key_pair_signatures_do_not_matter() {
    let server = server().await;
    server.store().put("bkt", "k", "x");
    let client = client(&server, "whoever", "whatever");
    client.get("/bkt/k").await.expect(200);
    client.put("/bkt/new", "hello").await.expect(200);
    let target = client.presign(Method::GET, "/bkt/new");
    assert_eq!(
        Client::new(&server).get(&target).await.expect(200).text(),
        "hello"
    );
}
