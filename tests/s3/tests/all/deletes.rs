use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use md5::{Digest as _, Md5};

use crate::client::{Client, Response, server};
use crate::xml::texts;

async fn delete(client: &Client, xml: &str) -> Response {
    let md5 = STANDARD.encode(Md5::digest(xml));
    let headers = [
        ("content-md5", md5.as_str()),
        ("content-type", "application/xml"),
    ];
    client
        .send(Method::POST, "/bkt?delete", &headers, xml.to_owned())
        .await
}

fn list(keys: usize, quiet: bool) -> String {
    let objects: String = (0..keys)
        .map(|n| format!("<Object><Key>k{n}</Key></Object>"))
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{objects}<Quiet>{quiet}</Quiet></Delete>"
    )
}

#[tokio::test]
async fn deletes_many() {
    let server = server().await;
    let client = Client::new(&server);
    for n in 0..1000 {
        server.store().put("bkt", &format!("k{n}"), "");
    }
    server.store().put("bkt", "other", "");
    let answer = delete(&client, &list(3, false)).await.expect(200);
    assert_eq!(texts(answer.text(), "Key"), ["k0", "k1", "k2"]);
    // Those that are gone already count as deleted.
    let answer = delete(&client, &list(1000, true)).await.expect(200);
    assert!(texts(answer.text(), "Key").is_empty());
    assert_eq!(server.store().keys("bkt"), ["other"]);
}

#[tokio::test]
async fn refuses_bad_lists() {
    let server = server().await;
    let client = Client::new(&server);
    server.store().put("bkt", "k0", "");
    delete(&client, &list(1001, true))
        .await
        .expect_error(400, "MalformedXML");
    delete(&client, &list(0, true))
        .await
        .expect_error(400, "MalformedXML");
    let malformed = ["<Delete", "\u{1}", "k\r", "&#1;"].map(|key| list(1, true).replace("k0", key));
    for xml in ["<Delete".to_owned()].iter().chain(&malformed) {
        delete(&client, xml).await.expect_error(400, "MalformedXML");
    }

    let xml = list(1, true);
    let without = client
        .send(Method::POST, "/bkt?delete", &[], xml.clone())
        .await;
    without.expect_error(400, "InvalidRequest");
    let wrong = [("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")];
    let wrong = client.send(Method::POST, "/bkt?delete", &wrong, xml).await;
    wrong.expect_error(400, "BadDigest");
    assert_eq!(server.store().keys("bkt"), ["k0"]);
}
