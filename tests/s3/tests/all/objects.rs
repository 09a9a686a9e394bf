use http::Method;

use crate::client::{Client, query, server};

#[tokio::test]
async fn an_object_comes_back_as_it_was_put() {
    let server = server().await;
    let client = Client::new(&server);
    let headers = [
        ("content-type", "text/plain; charset=utf-8"),
        ("cache-control", "max-age=60"),
        ("content-disposition", "attachment"),
        ("content-encoding", "identity"),
        ("content-language", "de"),
        ("x-amz-meta-colour", "blue"),
        ("x-amz-storage-class", "STANDARD_IA"),
    ];
    let put = client
        .send(Method::PUT, "/bkt/hello.txt", &headers, "hello")
        .await
        .expect(200);
    let etag = "\"5d41402abc4b2a76b9719d911017c592\"";
    assert_eq!(put.header("etag"), Some(etag));
    assert!(put.header("x-amz-request-id").is_some());

    for method in [Method::GET, Method::HEAD] {
        let answer = client
            .send(method.clone(), "/bkt/hello.txt", &[], "")
            .await
            .expect(200);
        for (name, value) in headers {
            assert_eq!(answer.header(name), Some(value), "{method} {name}");
        }
        assert_eq!(answer.header("content-length"), Some("5"));
        assert_eq!(answer.header("etag"), Some(etag));
        assert_eq!(answer.header("accept-ranges"), Some("bytes"));
        assert!(answer.header("last-modified").unwrap().ends_with(" GMT"));
        let body = if method == Method::GET { "hello" } else { "" };
        assert_eq!(answer.text(), body);
    }

    client.put("/bkt/bare", "").await.expect(200);
    let bare = client.get("/bkt/bare").await.expect(200);
    assert_eq!(bare.header("content-type"), Some("binary/octet-stream"));
    assert_eq!(bare.header("x-amz-storage-class"), None);
    assert_eq!(bare.header("content-length"), Some("0"));
}

#[tokio::test]
async fn ranges() {
    let server = server().await;
    let client = Client::new(&server);
    server.store().put("bkt", "k", "0123456789");
    let cases = [
        ("bytes=0-", "0123456789", "bytes 0-9/10"),
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=8-99", "89", "bytes 8-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
    ];
    for (range, body, content_range) in cases {
        let answer = client
            .get_with("/bkt/k", &[("range", range)])
            .await
            .expect(206);
        assert_eq!(answer.text(), body, "{range}");
        assert_eq!(answer.header("content-range"), Some(content_range));
        let length = body.len().to_string();
        assert_eq!(answer.header("content-length"), Some(length.as_str()));

        let head = client
            .send(Method::HEAD, "/bkt/k", &[("range", range)], "")
            .await
            .expect(206);
        assert_eq!(head.header("content-range"), Some(content_range));
        assert_eq!(head.header("content-length"), Some(length.as_str()));
    }
    for range in ["bytes=10-", "bytes=-0"] {
        client
            .get_with("/bkt/k", &[("range", range)])
            .await
            .expect_error(416, "InvalidRange");
    }
    for range in ["bytes=4-2", "bytes=0-1,3-4", "lines=1-2"] {
        let answer = client
            .get_with("/bkt/k", &[("range", range)])
            .await
            .expect(200);
        assert_eq!(answer.text(), "0123456789", "{range}");
    }
    server.store().put("bkt", "empty", "");
    client
        .get_with("/bkt/empty", &[("range", "bytes=0-")])
        .await
        .expect_error(416, "InvalidRange");
}

#[tokio::test]
async fn response_headers_can_be_overridden() {
    let server = server().await;
    let client = Client::new(&server);
    server.store().put("bkt", "k", "x");
    let overrides = [
        ("response-content-type", "text/html"),
        (
            "response-content-disposition",
            "attachment; filename*=UTF-8''a%20b",
        ),
        ("response-cache-control", "no-store"),
        ("response-content-language", "fr"),
        ("response-content-encoding", "x-none"),
        ("response-expires", "Thu, 01 Dec 1994 16:00:00 GMT"),
    ];
    let target = format!("/bkt/k?{}", query(&overrides));
    for method in [Method::GET, Method::HEAD] {
        let answer = client
            .send(method.clone(), &target, &[], "")
            .await
            .expect(200);
        for (name, value) in overrides {
            let name = name.strip_prefix("response-").unwrap();
            assert_eq!(answer.header(name), Some(value), "{method}");
        }
    }
}

#[tokio::test]
async fn digests_are_verified() {
    let server = server().await;
    let client = Client::new(&server);
    let put = async |md5| {
        client
            .send(Method::PUT, "/bkt/k", &[("content-md5", md5)], "hello")
            .await
    };
    put("XUFAKrxLKna5cZ2REBfFkg==").await.expect(200);
    put("AAAAAAAAAAAAAAAAAAAAAA==")
        .await
        .expect_error(400, "BadDigest");
    put("AAAA").await.expect_error(400, "InvalidDigest");
    put("???").await.expect_error(400, "InvalidDigest");
    assert_eq!(server.store().bytes("bkt", "k").unwrap(), "hello");
}

#[tokio::test]
async fn what_is_missing_has_its_own_error() {
    let server = server().await;
    let client = Client::new(&server);
    client.get("/bkt/none").await.expect_error(404, "NoSuchKey");
    client
        .get("/none/k")
        .await
        .expect_error(404, "NoSuchBucket");
    client.get("/none").await.expect_error(404, "NoSuchBucket");
    client
        .put("/none/k", vec![0; 300_000])
        .await
        .expect_error(404, "NoSuchBucket");
    client
        .get("/bkt/none?versionId=x")
        .await
        .expect_error(404, "NoSuchVersion");
    let head = client
        .send(Method::HEAD, "/bkt/none", &[], "")
        .await
        .expect(404);
    assert!(head.body.is_empty());
    client
        .send(Method::HEAD, "/none", &[], "")
        .await
        .expect(404);
    client
        .send(Method::DELETE, "/bkt/none", &[], "")
        .await
        .expect(204);
    client
        .send(Method::DELETE, "/none/k", &[], "")
        .await
        .expect_error(404, "NoSuchBucket");
}

#[tokio::test]
async fn large_bodies_are_kept_in_chunks() {
    let server = server().await;
    let client = Client::new(&server);
    let body: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    client.put("/bkt/large", body.clone()).await.expect(200);
    let object = server.store().object("bkt", "large").unwrap();
    assert!(object.body.chunks().len() > 1, "not copied into one piece");
    assert_eq!(client.get("/bkt/large").await.expect(200).body, body);
    let range = [("range", "bytes=1000000-1999999")];
    let middle = client.get_with("/bkt/large", &range).await.expect(206);
    assert_eq!(middle.body, &body[1_000_000..2_000_000]);
}

#[tokio::test]
async fn a_body_needs_a_length() {
    let server = server().await;
    let mut stream =
        tokio::net::TcpStream::connect(server.endpoint().strip_prefix("http://").unwrap())
            .await
            .unwrap();
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let request = "PUT /bkt/k HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 411 "), "{answer}");
    assert!(answer.contains("MissingContentLength"), "{answer}");
    assert!(server.store().keys("bkt").is_empty());
}
