use http::Method;

use crate::client::{Client, server};

const FUTURE: &str = "Fri, 01 Jan 2100 00:00:00 GMT";
const PAST: &str = "Sat, 01 Jan 2000 00:00:00 GMT";

#[tokio::test]
async fn reads() {
    let server = server().await;
    let client = Client::new(&server);
    let etag = format!("\"{}\"", server.store().put("bkt", "k", "x").etag);
    let modified = client
        .get("/bkt/k")
        .await
        .header("last-modified")
        .unwrap()
        .to_owned();
    let cases = [
        ("if-match", etag.as_str(), 200),
        ("if-match", "*", 200),
        ("if-match", "\"other\"", 412),
        ("if-none-match", &etag, 304),
        ("if-none-match", "*", 304),
        ("if-none-match", "\"other\"", 200),
        ("if-modified-since", &modified, 304),
        ("if-modified-since", PAST, 200),
        ("if-unmodified-since", &modified, 200),
        ("if-unmodified-since", PAST, 412),
        ("if-unmodified-since", FUTURE, 200),
    ];
    for (name, value, status) in cases {
        for method in [Method::GET, Method::HEAD] {
            let answer = client
                .send(method.clone(), "/bkt/k", &[(name, value)], "")
                .await;
            assert_eq!(answer.status, status, "{method} {name}: {value}");
            if status == 304 {
                assert_eq!(answer.header("etag"), Some(etag.as_str()));
                assert_eq!(answer.header("last-modified"), Some(modified.as_str()));
                assert!(answer.body.is_empty());
            }
        }
    }
    let failed = client
        .get_with("/bkt/k", &[("if-match", "\"other\"")])
        .await;
    failed.expect_error(412, "PreconditionFailed");
}

#[tokio::test]
async fn writes() {
    let server = server().await;
    let client = Client::new(&server);
    let put = async |name: &str, value: &str, body: &'static str| {
        client
            .send(Method::PUT, "/bkt/k", &[(name, value)], body)
            .await
    };
    put("if-match", "\"x\"", "0")
        .await
        .expect_error(404, "NoSuchKey");
    let first = put("if-none-match", "*", "1").await.expect(200);
    put("if-none-match", "*", "2")
        .await
        .expect_error(412, "PreconditionFailed");
    put("if-match", "\"other\"", "3")
        .await
        .expect_error(412, "PreconditionFailed");
    assert_eq!(server.store().bytes("bkt", "k").unwrap(), "1");
    put("if-match", first.header("etag").unwrap(), "4")
        .await
        .expect(200);
    assert_eq!(server.store().bytes("bkt", "k").unwrap(), "4");

    let delete = async |etag: &str| {
        client
            .send(Method::DELETE, "/bkt/k", &[("if-match", etag)], "")
            .await
    };
    delete("\"other\"")
        .await
        .expect_error(412, "PreconditionFailed");
    let etag = format!("\"{}\"", server.store().object("bkt", "k").unwrap().etag);
    delete(&etag).await.expect(204);
    assert!(server.store().keys("bkt").is_empty());
}

#[tokio::test]
async fn of_two_creations_one_wins() {
    let server = server().await;
    let client = Client::new(&server);
    let create = |body: &'static str| {
        let client = client.clone();
        async move {
            let headers = [("if-none-match", "*")];
            client
                .send(Method::PUT, "/bkt/once", &headers, body)
                .await
                .status
                .as_u16()
        }
    };
    let (a, b) = tokio::join!(create("a"), create("bkt"));
    let mut statuses = [a, b];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}
