use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use md5::{Digest as _, Md5};
use orlop_test_s3::{Credentials, Options, Server};

use crate::client::{Client, path, query};
use crate::xml::{listed, text, texts};

const ODD_KEYS: [&str; 31] = [
    "a",
    "a/",
    "a/b",
    "a//b",
    "/lead",
    "//",
    "dir/./x",
    "dir/../x",
    "..",
    ".",
    " space ",
    "a+b",
    "100%",
    "%41",
    "q?x=1&y=2#f",
    "quote\"'<>&;]]>",
    "Ümläut",
    "U\u{308}mla\u{308}ut",
    "日本語/キー",
    "🦀/🏴‍☠️",
    "tab\there",
    "line\nfeed",
    "carriage\rreturn\r\n",
    "\u{1}control\u{1f}",
    "nul\0",
    "del\u{7f}",
    "back\\slash",
    "~.-_*",
    "a=b:c@d,$!()[]{}|^`",
    "\u{fffd}\u{10ffff}",
    "?versionId=x",
];

async fn signed() -> (Server, Client) {
    let credentials = Credentials::new("key-id", "secret");
    let server = Server::start(Options {
        credentials: Some(credentials.clone()),
        buckets: vec!["bkt".into()],
        ..Options::default()
    })
    .await
    .unwrap();
    let client = Client::signing(&server, credentials, "us-east-1");
    (server, client)
}

#[tokio::test]
async fn odd_keys_stay_as_they_are() {
    let (server, client) = signed().await;
    let long = "ä".repeat(512);
    let keys: Vec<&str> = ODD_KEYS.into_iter().chain([long.as_str()]).collect();
    for key in &keys {
        client
            .put(&path(key), key.as_bytes().to_vec())
            .await
            .expect(200);
    }
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    assert_eq!(server.store().keys("bkt"), sorted);

    for key in &keys {
        let answer = client.get(&path(key)).await.expect(200);
        assert_eq!(answer.text(), *key);
        let head = client
            .send(Method::HEAD, &path(key), &[], "")
            .await
            .expect(200);
        assert_eq!(
            head.header("content-length"),
            Some(key.len().to_string().as_str())
        );

        let only = client
            .get(&format!(
                "/bkt?{}",
                query(&[("prefix", key), ("max-keys", "1")])
            ))
            .await;
        let only = only.expect(200);
        assert_eq!(listed(only.text()).0, [*key]);
    }

    let listing = client.get("/bkt?list-type=2").await.expect(200);
    assert_eq!(listed(listing.text()).0, sorted);
    let encoded = client
        .get("/bkt?list-type=2&encoding-type=url")
        .await
        .expect(200);
    let encoded = listed(encoded.text()).0;
    let expected: Vec<_> = sorted
        .iter()
        .map(|key| path(key).split_off("/bkt/".len()))
        .collect();
    assert_eq!(encoded, expected);
}

#[tokio::test]
async fn odd_keys_can_be_copied_and_deleted() {
    let (server, client) = signed().await;
    for key in ODD_KEYS {
        server.store().put("bkt", key, key.as_bytes().to_vec());
        let source = [("x-amz-copy-source", path(key))];
        let source = source
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let copy = client
            .send(Method::PUT, "/bkt/copy", &source, "")
            .await
            .expect(200);
        assert!(!text(copy.text(), "ETag").is_empty());
        assert_eq!(
            server.store().bytes("bkt", "copy").unwrap(),
            key.as_bytes(),
            "{key:?}"
        );
        server.store().remove("bkt", "copy");
    }

    // Half of them in one request, the rest one by one.
    let (many, single) = ODD_KEYS.split_at(ODD_KEYS.len() / 2);
    let objects: String = many
        .iter()
        .chain(&["carriage\rreturn\r\n", "line\nfeed"])
        .map(|key| format!("<Object><Key>{}</Key></Object>", escape(key)))
        .collect();
    let xml = format!("<Delete>{objects}</Delete>");
    let md5 = STANDARD.encode(Md5::digest(&xml));
    let answer = client
        .send(Method::POST, "/bkt?delete", &[("content-md5", &md5)], xml)
        .await
        .expect(200);
    assert_eq!(texts(answer.text(), "Key").len(), many.len() + 2);
    assert_eq!(server.store().keys("bkt").len(), single.len() - 2);
    for key in single {
        client
            .send(Method::DELETE, &path(key), &[], "")
            .await
            .expect(204);
    }
    assert!(server.store().keys("bkt").is_empty());
}

#[tokio::test]
async fn keys_have_a_limit() {
    let (_server, client) = signed().await;
    client.put(&path(&"k".repeat(1024)), "").await.expect(200);
    client
        .put(&path(&"k".repeat(1025)), "")
        .await
        .expect_error(400, "KeyTooLongError");
}

/// Escapes all that XML could swallow.
fn escape(key: &str) -> String {
    key.chars()
        .map(|c| match c {
            '&' | '<' | '>' | '\0'..' ' => format!("&#{};", u32::from(c)),
            c => c.to_string(),
        })
        .collect()
}
