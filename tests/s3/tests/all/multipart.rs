use http::Method;
use md5::{Digest as _, Md5};
use orlop_test_s3::{EtagKind, Options, Server};

use crate::client::{Client, Response, query, server};
use crate::xml::{listed, text, texts};

async fn begin(client: &Client, path: &str) -> String {
    let headers = [("content-type", "video/mp4"), ("x-amz-meta-a", "bkt")];
    let answer = client
        .send(Method::POST, &format!("{path}?uploads"), &headers, "")
        .await
        .expect(200);
    text(answer.text(), "UploadId")
}

async fn part(client: &Client, path: &str, id: &str, number: u32, body: &'static str) -> Response {
    let query = query(&[("partNumber", &number.to_string()), ("uploadId", id)]);
    client.put(&format!("{path}?{query}"), body).await
}

async fn complete(client: &Client, path: &str, id: &str, parts: &[(u32, &str)]) -> Response {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| {
            let etag = etag.replace('"', "&quot;");
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
        })
        .collect();
    let xml = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    let target = format!("{path}?{}", query(&[("uploadId", id)]));
    client.send(Method::POST, &target, &[], xml).await
}

#[tokio::test]
async fn round_trip() {
    let server = server().await;
    let client = Client::new(&server);
    let id = begin(&client, "/bkt/k").await;
    assert_eq!(server.store().unfinished_uploads("bkt"), 1);
    // Out of order, one twice, one that will not be used.
    let mut etags = Vec::new();
    for (number, body) in [
        (3, "ghi"),
        (1, "wrong"),
        (1, "abcde"),
        (2, "fffff"),
        (9, "unused"),
    ] {
        let answer = part(&client, "/bkt/k", &id, number, body).await.expect(200);
        etags.push((number, answer.header("etag").unwrap().to_owned()));
    }
    assert_eq!(server.store().unfinished_parts("bkt"), 4);
    assert!(server.store().keys("bkt").is_empty());

    let parts = [(1, etags[2].1.as_str()), (2, &etags[3].1), (3, &etags[0].1)];
    let answer = complete(&client, "/bkt/k", &id, &parts).await.expect(200);
    let md5s = ["abcde", "fffff", "ghi"].map(Md5::digest).concat();
    let etag: String = Md5::digest(&md5s)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(text(answer.text(), "ETag"), format!("\"{etag}-3\""));
    assert_eq!(text(answer.text(), "Key"), "k");
    assert_eq!(server.store().unfinished_uploads("bkt"), 0);

    let object = client.get("/bkt/k").await.expect(200);
    assert_eq!(object.text(), "abcdefffffghi");
    assert_eq!(object.header("content-type"), Some("video/mp4"));
    assert_eq!(object.header("x-amz-meta-a"), Some("bkt"));
    complete(&client, "/bkt/k", &id, &parts)
        .await
        .expect_error(404, "NoSuchUpload");
}

#[tokio::test]
async fn completion_is_checked() {
    let server = server().await;
    let client = Client::new(&server);
    let id = begin(&client, "/bkt/k").await;
    let mut etags = Vec::new();
    for (number, body) in [(1, "tiny"), (2, "large enough"), (3, "x")] {
        let answer = part(&client, "/bkt/k", &id, number, body).await.expect(200);
        etags.push(answer.header("etag").unwrap().to_owned());
    }
    let [one, two, three] = [0, 1, 2].map(|n| etags[n].as_str());
    let refused = async |parts: &[(u32, &str)], code: &str| {
        complete(&client, "/bkt/k", &id, parts)
            .await
            .expect_error(400, code);
    };
    refused(&[], "MalformedXML").await;
    refused(&[(3, three), (2, two)], "InvalidPartOrder").await;
    refused(&[(2, two), (2, two)], "InvalidPartOrder").await;
    refused(&[(2, one)], "InvalidPart").await;
    refused(&[(4, two)], "InvalidPart").await;
    refused(&[(1, one), (2, two)], "EntityTooSmall").await;
    assert!(server.store().keys("bkt").is_empty());
    complete(&client, "/bkt/k", &id, &[(2, two), (3, three)])
        .await
        .expect(200);
    assert_eq!(server.store().bytes("bkt", "k").unwrap(), "large enoughx");
}

#[tokio::test]
async fn unknown_uploads_and_bad_parts() {
    let server = server().await;
    let client = Client::new(&server);
    let id = begin(&client, "/bkt/k").await;
    part(&client, "/bkt/k", "none", 1, "x")
        .await
        .expect_error(404, "NoSuchUpload");
    part(&client, "/bkt/other", &id, 1, "x")
        .await
        .expect_error(404, "NoSuchUpload");
    part(&client, "/bkt/k", &id, 0, "x")
        .await
        .expect_error(400, "InvalidArgument");
    part(&client, "/bkt/k", &id, 10_001, "x")
        .await
        .expect_error(400, "InvalidArgument");
    let target = format!("/bkt/k?partNumber=1&uploadId={id}");
    let wrong = [("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")];
    client
        .send(Method::PUT, &target, &wrong, "x")
        .await
        .expect_error(400, "BadDigest");
    let abort = format!("/bkt/k?uploadId={id}");
    client
        .send(Method::DELETE, &abort, &[], "")
        .await
        .expect(204);
    client
        .send(Method::DELETE, &abort, &[], "")
        .await
        .expect_error(404, "NoSuchUpload");
    client.get(&abort).await.expect_error(404, "NoSuchUpload");
    assert_eq!(server.store().unfinished_uploads("bkt"), 0);
}

#[tokio::test]
async fn parts_can_be_copied() {
    let server = server().await;
    let client = Client::new(&server);
    server.store().put("bkt", "source ä", "0123456789");
    let id = begin(&client, "/bkt/k").await;
    let copy = async |number: u32, range: Option<&'static str>| {
        let mut headers = vec![("x-amz-copy-source", "/bkt/source%20%C3%A4")];
        headers.extend(range.map(|range| ("x-amz-copy-source-range", range)));
        let target = format!("/bkt/k?partNumber={number}&uploadId={id}");
        client.send(Method::PUT, &target, &headers, "").await
    };
    let whole = copy(1, None).await.expect(200);
    let some = copy(2, Some("bytes=2-4")).await.expect(200);
    copy(3, Some("bytes=5-10"))
        .await
        .expect_error(400, "InvalidArgument");
    let (whole, some) = (text(whole.text(), "ETag"), text(some.text(), "ETag"));
    complete(&client, "/bkt/k", &id, &[(1, &whole), (2, &some)])
        .await
        .expect(200);
    assert_eq!(server.store().bytes("bkt", "k").unwrap(), "0123456789234");
}

#[tokio::test]
async fn parts_are_listed_in_pages() {
    let server = server().await;
    let client = Client::new(&server);
    let id = begin(&client, "/bkt/k").await;
    for number in [1, 5, 7] {
        part(&client, "/bkt/k", &id, number, "abc")
            .await
            .expect(200);
    }
    let page = client
        .get(&format!("/bkt/k?uploadId={id}&max-parts=2"))
        .await
        .expect(200);
    assert_eq!(texts(page.text(), "PartNumber"), ["1", "5"]);
    assert_eq!(texts(page.text(), "Size"), ["3", "3"]);
    assert_eq!(text(page.text(), "IsTruncated"), "true");
    assert_eq!(text(page.text(), "NextPartNumberMarker"), "5");
    let page = client
        .get(&format!("/bkt/k?uploadId={id}&part-number-marker=5"))
        .await
        .expect(200);
    assert_eq!(texts(page.text(), "PartNumber"), ["7"]);
    assert_eq!(text(page.text(), "IsTruncated"), "false");
}

#[tokio::test]
async fn uploads_are_listed_in_pages() {
    let server = server().await;
    let client = Client::new(&server);
    let mut ids = Vec::new();
    for path in ["/bkt/a", "/bkt/a", "/bkt/d/1", "/bkt/d/2", "/bkt/e%20"] {
        ids.push(begin(&client, path).await);
    }
    let all = client.get("/bkt?uploads").await.expect(200);
    assert_eq!(texts(all.text(), "UploadId"), ids);

    for (delimiter, expected) in [
        ("", vec!["a", "a", "d/1", "d/2", "e "]),
        ("/", vec!["a", "a", "d/", "e "]),
    ] {
        let mut names = Vec::new();
        let (mut key, mut id) = (String::new(), String::new());
        loop {
            let asked = query(&[
                ("delimiter", delimiter),
                ("max-uploads", "1"),
                ("key-marker", &key),
                ("upload-id-marker", &id),
            ]);
            let page = client
                .get(&format!("/bkt?uploads&{asked}"))
                .await
                .expect(200);
            let (keys, prefixes) = listed(page.text());
            names.extend(keys);
            names.extend(prefixes);
            if text(page.text(), "IsTruncated") == "false" {
                break;
            }
            key = text(page.text(), "NextKeyMarker");
            id = text(page.text(), "NextUploadIdMarker");
        }
        assert_eq!(names, expected, "{delimiter:?}");
    }
    let some = client
        .get("/bkt?uploads&prefix=e&encoding-type=url")
        .await
        .expect(200);
    assert_eq!(listed(some.text()).0, ["e%20"]);
}

#[tokio::test]
async fn counted_etags_and_the_real_minimum() {
    let server = Server::start(Options {
        buckets: vec!["bkt".into()],
        etag: EtagKind::Counter,
        ..Options::default()
    })
    .await
    .unwrap();
    let client = Client::new(&server);
    let first = client.put("/bkt/x", "same").await.expect(200);
    let second = client.put("/bkt/x", "same").await.expect(200);
    assert_ne!(first.header("etag"), second.header("etag"));

    let id = begin(&client, "/bkt/k").await;
    let one = part(&client, "/bkt/k", &id, 1, "less than 5 MiB")
        .await
        .expect(200);
    let two = part(&client, "/bkt/k", &id, 2, "x").await.expect(200);
    let etags = [one.header("etag").unwrap(), two.header("etag").unwrap()];
    let both = [(1, etags[0]), (2, etags[1])];
    complete(&client, "/bkt/k", &id, &both)
        .await
        .expect_error(400, "EntityTooSmall");
    let answer = complete(&client, "/bkt/k", &id, &both[..1])
        .await
        .expect(200);
    assert!(text(answer.text(), "ETag").ends_with("-1\""));
}
