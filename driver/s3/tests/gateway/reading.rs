//! Listings, descriptions and links.

use orlop_driver::{Audience, Content, Kind, Link, ReadOptions, Storage};
use serde_json::json;

use crate::gateway::Gateway;

/// Names that are hard to carry; `∅` and `␀` are the driver's own escapes.
const ODD: [&str; 14] = [
    "a b",
    "a+b",
    "a%20b",
    "100%",
    "#?&=;",
    "'\"<>",
    "ä 日本 🦀",
    "a\\b",
    "~-_.!*()",
    "tab\there",
    "line\nfeed",
    "return\r",
    "bell\u{7}",
    "∅",
];

pub(crate) async fn link(gateway: &Gateway, path: &str) -> String {
    let options = ReadOptions {
        audience: Audience::Client,
        range: None,
        filename: Some("naïve \"name\".txt".to_owned()),
        expires: None,
    };
    match gateway
        .s3
        .read(&gateway.path(path), &options)
        .await
        .unwrap()
    {
        Content::Link(Link::Shareable(link)) => link.url,
        _ => panic!("the driver gave no link for a client"),
    }
}

#[tokio::test]
#[ignore = "needs a gateway: make test-ceph"]
async fn long_listings_are_whole_in_either_version() {
    let gateway = Gateway::new("long");
    gateway
        .fill((0..1100).map(|number| format!("{number:04} +")))
        .await;
    for version in ["v1", "v2"] {
        for encoded in [false, true] {
            let options = json!({"list_object_version": version, "list_url_encode": encoded});
            let names = Gateway::with("long", options).list("").await.unwrap();
            let expected: Vec<String> = (0..1100).map(|number| format!("{number:04} +")).collect();
            assert_eq!(names.len(), expected.len(), "{version} {encoded}");
            assert!(names == expected, "{version} {encoded}");
        }
    }
}

#[tokio::test]
#[ignore = "needs a gateway: make test-ceph"]
async fn odd_names_are_listed_described_and_read() {
    for encoded in [false, true] {
        let folder = if encoded { "odd-encoded" } else { "odd" };
        let gateway = Gateway::with(folder, json!({"list_url_encode": encoded}));
        // A carriage return does not survive a listing that is not encoded, nor do most control characters.
        let names: Vec<&str> = ODD
            .into_iter()
            .filter(|name| encoded || !name.contains(['\r', '\u{7}']))
            .collect();
        for name in &names {
            gateway.write(name, name.to_string()).await.unwrap();
            gateway
                .write(&format!("in {name}/file"), "x")
                .await
                .unwrap();
        }
        let mut expected: Vec<String> = names
            .iter()
            .flat_map(|name| [name.to_string(), format!("in {name}/")])
            .collect();
        expected.sort();
        assert_eq!(gateway.list("").await.unwrap(), expected);
        for name in names {
            assert_eq!(gateway.read(name).await, name.as_bytes(), "{name:?}");
            assert_eq!(gateway.stat(name).await.unwrap().size, name.len() as u64);
            let inside = gateway.list(&format!("in {name}")).await.unwrap();
            assert_eq!(inside, ["file"], "{name:?}");
        }
    }
}

#[tokio::test]
#[ignore = "needs a gateway: make test-ceph"]
async fn a_listing_and_a_description_agree() {
    let gateway = Gateway::new("agree");
    let written = gateway.write("f", "hello").await.unwrap();
    let stat = gateway.stat("f").await.unwrap();
    let page = gateway.s3.list(&gateway.path(""), None, 10).await.unwrap();
    let listed = page.entries.first().unwrap();
    assert_eq!(written.etag, stat.etag);
    assert_eq!((&listed.etag, listed.modified), (&stat.etag, stat.modified));
    assert_eq!((listed.size, stat.size), (5, 5));
    assert_eq!(stat.content_type.as_deref(), Some("text/x-test"));
    assert_eq!(gateway.stat("").await.unwrap().kind, Kind::Directory);
}

#[tokio::test]
#[ignore = "needs a gateway: make test-ceph"]
async fn links_work_with_ranges_and_a_name() {
    let gateway = Gateway::new("links");
    gateway.write("f +%", "0123456789").await.unwrap();
    let url = link(&gateway, "f +%").await;
    let client = reqwest::Client::new();
    let answer = client
        .get(&url)
        .header("range", "bytes=2-4")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 206);
    let disposition = answer.headers()["content-disposition"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(disposition.contains("na%C3%AFve"), "{disposition}");
    assert_eq!(answer.text().await.unwrap(), "234");
    let forged = client
        .get(url.replace("f%20", "g%20"))
        .send()
        .await
        .unwrap();
    assert_eq!(forged.status(), 403);

    let options = ReadOptions {
        audience: Audience::Host,
        range: None,
        filename: None,
        expires: None,
    };
    let content = gateway
        .s3
        .read(&gateway.path("f +%"), &options)
        .await
        .unwrap();
    let Content::Link(Link::HostOnly(request)) = content else {
        panic!("the host got a link for clients");
    };
    let sent = request
        .headers
        .into_iter()
        .fold(client.get(request.url), |sent, (name, value)| {
            sent.header(name, value)
        });
    assert_eq!(
        sent.send().await.unwrap().text().await.unwrap(),
        "0123456789"
    );
}
