use http::Method;

use crate::client::{Client, Response, server};
use crate::xml::text;

async fn copy(client: &Client, target: &str, headers: &[(&str, &str)]) -> Response {
    client.send(Method::PUT, target, headers, "").await
}

#[tokio::test]
async fn metadata_follows_the_directive() {
    let server = server().await;
    let client = Client::new(&server);
    let headers = [
        ("content-type", "text/plain"),
        ("x-amz-meta-colour", "blue"),
        ("x-amz-storage-class", "STANDARD_IA"),
    ];
    client
        .send(Method::PUT, "/bkt/from", &headers, "hello")
        .await
        .expect(200);

    let source = ("x-amz-copy-source", "/bkt/from");
    let answer = copy(
        &client,
        "/bkt/same",
        &[source, ("content-type", "ignored/ignored")],
    )
    .await
    .expect(200);
    assert_eq!(
        text(answer.text(), "ETag"),
        "\"5d41402abc4b2a76b9719d911017c592\""
    );
    assert!(text(answer.text(), "LastModified").ends_with('Z'));
    let same = client.get("/bkt/same").await.expect(200);
    assert_eq!(same.header("content-type"), Some("text/plain"));
    assert_eq!(same.header("x-amz-meta-colour"), Some("blue"));
    assert_eq!(same.header("x-amz-storage-class"), None, "not copied");

    let replace = ("x-amz-metadata-directive", "REPLACE");
    copy(
        &client,
        "/bkt/new",
        &[
            ("x-amz-copy-source", "bkt/from"),
            replace,
            ("content-type", "a/b"),
        ],
    )
    .await
    .expect(200);
    let new = client.get("/bkt/new").await.expect(200);
    assert_eq!(new.text(), "hello");
    assert_eq!(new.header("content-type"), Some("a/b"));
    assert_eq!(new.header("x-amz-meta-colour"), None);

    copy(&client, "/bkt/from", &[source])
        .await
        .expect_error(400, "InvalidRequest");
    copy(&client, "/bkt/from", &[source, replace])
        .await
        .expect(200);
}

#[tokio::test]
async fn conditions_on_the_source() {
    let server = server().await;
    let client = Client::new(&server);
    let etag = format!("\"{}\"", server.store().put("bkt", "from", "x").etag);
    let source = ("x-amz-copy-source", "bkt/from");
    let cases = [
        ("x-amz-copy-source-if-match", etag.as_str(), 200),
        ("x-amz-copy-source-if-match", "\"other\"", 412),
        ("x-amz-copy-source-if-none-match", &etag, 412),
        ("x-amz-copy-source-if-none-match", "\"other\"", 200),
        (
            "x-amz-copy-source-if-modified-since",
            "Fri, 01 Jan 2100 00:00:00 GMT",
            412,
        ),
        (
            "x-amz-copy-source-if-unmodified-since",
            "Sat, 01 Jan 2000 00:00:00 GMT",
            412,
        ),
    ];
    for (name, value, status) in cases {
        let answer = copy(&client, "/bkt/to", &[source, (name, value)]).await;
        assert_eq!(answer.status, status, "{name}: {value}");
    }
    copy(&client, "/bkt/to", &[("x-amz-copy-source", "bkt/none")])
        .await
        .expect_error(404, "NoSuchKey");
    copy(&client, "/bkt/to", &[("x-amz-copy-source", "none/x")])
        .await
        .expect_error(404, "NoSuchBucket");
    copy(&client, "/none/to", &[source])
        .await
        .expect_error(404, "NoSuchBucket");
}
