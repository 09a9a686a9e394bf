//! Each quirk shows.

use http::{Method, StatusCode};
use orlop_test_s3::{KeyRule, Options, Quirks, Server};

use crate::client::{Client, query};
use crate::xml::{listed, text, texts};

async fn with(quirks: Quirks) -> (Server, Client) {
    let server = Server::start(Options {
        buckets: vec!["bkt".into()],
        min_part_size: 1,
        quirks,
        ..Options::default()
    })
    .await
    .unwrap();
    let client = Client::new(&server);
    (server, client)
}

fn none() -> Quirks {
    Quirks::default()
}

async fn list(client: &Client, parameters: &[(&str, &str)]) -> String {
    let answer = client.get(&format!("/bkt?{}", query(parameters))).await;
    answer.expect(200).text().to_owned()
}

#[tokio::test]
async fn addresses_are_refused() {
    let mut quirks = none();
    quirks.refuse_path_style = Some("SecondLevelDomainForbidden");
    let (server, client) = with(quirks).await;
    server.store().put("bkt", "k", "x");
    client
        .get("/bkt/k")
        .await
        .expect_error(403, "SecondLevelDomainForbidden");
    let in_host = client.at_host(&format!("bkt.s3.localhost:{}", server.port()));
    assert_eq!(in_host.get("/k").await.expect(200).text(), "x");

    let mut quirks = none();
    quirks.refuse_virtual_host = Some("VirtualHostForbidden");
    let (server, _) = with(quirks).await;
    let in_host = Client::new(&server).at_host(&format!("bkt.s3.localhost:{}", server.port()));
    in_host
        .get("/k")
        .await
        .expect_error(403, "VirtualHostForbidden");
}

#[tokio::test]
async fn listings_differ() {
    let fill = |server: &Server| {
        for key in ["a b/1", "c d/2", "e"] {
            server.store().put("bkt", key, "x");
        }
    };
    let folded = [("delimiter", "/"), ("encoding-type", "url")];

    let mut quirks = none();
    quirks.no_list_v2 = true;
    let (_server, client) = with(quirks).await;
    client
        .get("/bkt?list-type=2")
        .await
        .expect_error(501, "NotImplemented");
    client.get("/bkt").await.expect(200);

    let mut quirks = none();
    quirks.no_url_encoding = true;
    let (server, client) = with(quirks).await;
    fill(&server);
    let xml = list(&client, &folded).await;
    assert!(texts(&xml, "EncodingType").is_empty());
    assert_eq!(listed(&xml).1, ["a b/", "c d/"]);

    let mut quirks = none();
    quirks.prefixes_unencoded = true;
    let (server, client) = with(quirks).await;
    fill(&server);
    let xml = list(&client, &folded).await;
    assert_eq!(text(&xml, "EncodingType"), "url");
    assert_eq!(listed(&xml).1, ["a b/", "c d/"]);
    let page = [("max-keys", "1"), folded[0], folded[1]];
    assert_eq!(text(&list(&client, &page).await, "NextMarker"), "a b/");

    let mut quirks = none();
    quirks.url_encoding_sticks = true;
    let (server, client) = with(quirks).await;
    fill(&server);
    let page = [("max-keys", "1"), ("marker", "a b/"), folded[0], folded[1]];
    assert_eq!(text(&list(&client, &page).await, "NextMarker"), "a%20b/");
    assert_eq!(text(&list(&client, &page[..3]).await, "NextMarker"), "c d/");

    let mut quirks = none();
    quirks.no_next_marker = true;
    let (server, client) = with(quirks).await;
    fill(&server);
    let xml = list(&client, &[("max-keys", "1"), folded[0]]).await;
    assert_eq!(text(&xml, "IsTruncated"), "true");
    assert!(texts(&xml, "NextMarker").is_empty());

    let mut quirks = none();
    quirks.inclusive_start = true;
    quirks.default_page = 2;
    let (server, client) = with(quirks).await;
    fill(&server);
    assert_eq!(
        listed(&list(&client, &[("marker", "c d/2")]).await).0,
        ["c d/2", "e"]
    );
    let behind = [("list-type", "2"), ("start-after", "c d/2")];
    assert_eq!(listed(&list(&client, &behind).await).0, ["c d/2", "e"]);
    assert_eq!(listed(&list(&client, &[]).await).0.len(), 2);
    assert_eq!(
        listed(&list(&client, &[("max-keys", "3")]).await).0.len(),
        3
    );
}

#[tokio::test]
async fn headers_are_refused_changed_and_overlooked() {
    let mut quirks = none();
    quirks.refuse_unsigned_payload = true;
    quirks.refuse_checksum_headers = true;
    quirks.refuse_session_token = true;
    let (_server, client) = with(quirks).await;
    for (name, value, code) in [
        (
            "x-amz-content-sha256",
            "UNSIGNED-PAYLOAD",
            "XAmzContentSHA256Mismatch",
        ),
        ("x-amz-checksum-crc32", "AAAAAA==", "InvalidArgument"),
        ("x-amz-sdk-checksum-algorithm", "CRC32", "InvalidArgument"),
        ("x-amz-security-token", "t", "InvalidToken"),
    ] {
        let answer = client
            .send(Method::PUT, "/bkt/k", &[(name, value)], "x")
            .await;
        answer.expect_error(400, code);
    }
    client.put("/bkt/k", "x").await.expect(200);

    let mut quirks = none();
    quirks.ignores_conditions = true;
    let (_server, client) = with(quirks).await;
    for body in ["1", "2"] {
        let headers = [("if-none-match", "*")];
        client
            .send(Method::PUT, "/bkt/k", &headers, body)
            .await
            .expect(200);
    }

    let credentials = orlop_test_s3::Credentials::new("id", "secret");
    for changed in [false, true] {
        let mut quirks = none();
        quirks.rewrites_accept_encoding = changed;
        let server = Server::start(Options {
            credentials: Some(credentials.clone()),
            buckets: vec!["bkt".into()],
            quirks,
            ..Options::default()
        })
        .await
        .unwrap();
        let client = Client::signing(&server, credentials.clone(), "us-east-1");
        // It is signed, and so the signature no longer fits.
        let answer = client
            .get_with("/bkt", &[("accept-encoding", "identity")])
            .await;
        assert_eq!(answer.status, if changed { 403 } else { 200 });
        client.get("/bkt").await.expect(200);
    }
}

#[tokio::test]
async fn calls_are_unknown_or_limited() {
    let list = |keys: &[&str]| {
        let keys: String = keys
            .iter()
            .map(|key| format!("<Object><Key>{key}</Key></Object>"))
            .collect();
        format!("<Delete>{keys}</Delete>")
    };
    let delete = async |client: &Client, keys: &[&str]| {
        let list = list(keys);
        let md5 = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            <md5::Md5 as md5::Digest>::digest(&list),
        );
        client
            .send(Method::POST, "/bkt?delete", &[("content-md5", &md5)], list)
            .await
    };
    let mut quirks = none();
    quirks.no_delete_objects = Some((StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"));
    let (_server, client) = with(quirks).await;
    delete(&client, &["a"])
        .await
        .expect_error(405, "MethodNotAllowed");

    let mut quirks = none();
    quirks.delete_max = 2;
    quirks.copy_max = 3;
    quirks.no_upload_part_copy = true;
    quirks.empty_messages = true;
    quirks.refused_keys = &[
        KeyRule::LeadingSlash,
        KeyRule::DoubleSlash,
        KeyRule::LeadingBackslash,
        KeyRule::DotSegments,
        KeyRule::Control,
    ];
    let (server, client) = with(quirks).await;
    delete(&client, &["a", "b"]).await.expect(200);
    let refused = delete(&client, &["a", "b", "c"]).await;
    assert_eq!(text(refused.text(), "Message"), "");
    refused.expect_error(500, "InternalError");

    server.store().put("bkt", "small", "123");
    server.store().put("bkt", "large", "1234");
    for (source, status) in [("/bkt/small", 200), ("/bkt/large", 400)] {
        let headers = [("x-amz-copy-source", source)];
        client
            .send(Method::PUT, "/bkt/copy", &headers, "")
            .await
            .expect(status);
    }
    let headers = [("x-amz-copy-source", "/bkt/small")];
    client
        .send(
            Method::PUT,
            "/bkt/copy?partNumber=1&uploadId=x",
            &headers,
            "",
        )
        .await
        .expect_error(501, "NotImplemented");
    for path in [
        "/bkt//a",
        "/bkt/a//b",
        "/bkt/%5Ca",
        "/bkt/%2E%2E/a",
        "/bkt/%01",
    ] {
        client
            .put(path, "x")
            .await
            .expect_error(400, "InvalidObjectName");
    }
}

#[tokio::test]
async fn uploads_in_parts_are_limited() {
    let mut quirks = none();
    quirks.equal_parts = true;
    quirks.parts_max = 3;
    quirks.empty_complete_etag = true;
    let (server, client) = with(quirks).await;
    for (bodies, whole) in [
        (&["abc", "def", "g"][..], true),
        (&["abc", "de", "fgh"], false),
        (&["abc", "defg"], false),
        (&["a"], true),
    ] {
        let begun = client
            .send(Method::POST, "/bkt/k?uploads", &[], "")
            .await
            .expect(200);
        let id = text(begun.text(), "UploadId");
        let mut parts = String::new();
        for (number, body) in (1..).zip(bodies) {
            let target = format!("/bkt/k?partNumber={number}&uploadId={id}");
            let answer = client.put(&target, *body).await.expect(200);
            let etag = answer.header("etag").unwrap().replace('"', "&quot;");
            parts += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
        }
        let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let target = format!("/bkt/k?uploadId={id}");
        let answer = client.send(Method::POST, &target, &[], document).await;
        if whole {
            assert_eq!(
                text(answer.expect(200).text(), "ETag").trim_matches('"'),
                ""
            );
            assert_eq!(server.store().bytes("bkt", "k").unwrap(), bodies.concat());
        } else {
            answer.expect_error(400, "InvalidPart");
        }
    }
    let target = "/bkt/k?partNumber=4&uploadId=x";
    client
        .put(target, "x")
        .await
        .expect_error(400, "InvalidArgument");
}

#[tokio::test]
async fn a_file_and_a_folder_clash() {
    let mut quirks = none();
    quirks.file_folder_clash = true;
    let (server, client) = with(quirks).await;
    client.put("/bkt/a/b", "x").await.expect(200);
    client.put("/bkt/a/c", "x").await.expect(200);
    client.put("/bkt/a-", "x").await.expect(200);
    client
        .put("/bkt/a", "x")
        .await
        .expect_error(409, "XMinioObjectExistsAsDirectory");
    client
        .put("/bkt/a/b/c/d", "x")
        .await
        .expect_error(400, "XMinioParentIsObject");
    server.store().remove("bkt", "a/b");
    client.put("/bkt/a/b/c/d", "x").await.expect(200);
}

#[tokio::test]
async fn http_is_refused() {
    let mut quirks = none();
    quirks.https_only = true;
    let (_server, client) = with(quirks).await;
    client.get("/bkt").await.expect_error(403, "AccessDenied");
}

#[tokio::test]
async fn signed_links_are_refused_elsewhere() {
    let mut quirks = none();
    quirks.no_presign_on_custom_domain = true;
    let (server, client) = with(quirks).await;
    server.store().put("bkt", "k", "x");
    let elsewhere = client.at_host("files.example.com");
    elsewhere.get("/bkt/k").await.expect(200);
    let signed = "/bkt/k?X-Amz-Signature=0";
    elsewhere
        .get(signed)
        .await
        .expect_error(403, "AccessDenied");
}

#[tokio::test]
async fn what_is_read_is_for_saving() {
    let mut quirks = none();
    quirks.forced_download = true;
    let (server, client) = with(quirks).await;
    server.store().put("bkt", "k.html", "x");
    let target = "/bkt/k.html?response-content-disposition=inline";
    let answer = client.get(target).await.expect(200);
    assert_eq!(answer.header("content-disposition"), Some("attachment"));
    let elsewhere = client.at_host("files.example.com").get(target).await;
    assert_eq!(
        elsewhere.expect(200).header("content-disposition"),
        Some("inline")
    );
}

#[tokio::test]
async fn digests_are_refused() {
    let mut quirks = none();
    quirks.refuse_content_md5 = true;
    let (_server, client) = with(quirks).await;
    let md5 = [("content-md5", "nU6Cwsg7oeJ4RDLX3l/bBg==")];
    client
        .send(Method::PUT, "/bkt/k", &md5, "x")
        .await
        .expect_error(400, "InvalidArgument");
    client.put("/bkt/k", "x").await.expect(200);
}
