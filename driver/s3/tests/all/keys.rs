//! Keys that are not clean paths.

use orlop_driver::{Audience, Content, Kind, Link, ReadOptions, Storage};
use serde_json::json;

use crate::volume::{Volume, path};

/// Keys with their paths. `.` and `..` are missing: this host's HTTP library would resolve them.
const ODD: [(&str, &str); 17] = [
    ("/leading", "∅/leading"),
    ("a//b", "a/∅/b"),
    ("a///", "a/∅/∅/∅"),
    ("∅", "∅∅"),
    ("␀", "␀␀"),
    (" space ", " space "),
    ("plus+percent%2F%", "plus+percent%2F%"),
    ("what?#&=;:@", "what?#&=;:@"),
    ("back\\slash", "back\\slash"),
    ("quotes'\"<>`", "quotes'\"<>`"),
    ("ümläut 日本語 🦀", "ümläut 日本語 🦀"),
    ("line\r\nfeed\ttab", "line\r\nfeed\ttab"),
    ("control\u{1}\u{1f}", "control\u{1}\u{1f}"),
    ("...", "..."),
    ("dir/..a/.b", "dir/..a/.b"),
    ("!*'()$,", "!*'()$,"),
    ("\u{10ffff}\u{fffd}", "\u{10ffff}\u{fffd}"),
];

#[tokio::test]
async fn each_key_can_be_listed_read_copied_moved_and_removed() {
    // MinIO itself would not take all of them.
    let volume = Volume::with(json!({"provider": "generic", "list_url_encode": true})).await;
    for (key, _) in ODD {
        volume.put(key, "bytes");
    }
    for (key, text) in ODD {
        let parent = path(text).parent().unwrap();
        let name = path(text).name().to_owned();
        let listed = volume.list(parent.as_str(), 1000).await.unwrap();
        assert!(listed.contains(&name), "{key:?} is not in {listed:?}");

        let entry = volume.stat(text, Some(Kind::File)).await.unwrap();
        assert_eq!((entry.name, entry.size), (name, 5));

        for audience in [Audience::Client, Audience::Host] {
            let options = ReadOptions {
                audience,
                range: None,
                filename: Some(key.to_owned()),
                expires: None,
            };
            let Content::Link(link) = volume.s3.read(&path(text), &options).await.unwrap() else {
                panic!("no link");
            };
            assert_eq!(fetch(link).await, "bytes", "{key:?}");
        }

        volume.copy(text, "copy", Kind::File).await.unwrap();
        assert_eq!(volume.text("copy").as_deref(), Some("bytes"), "{key:?}");
        volume.remove("copy", Kind::File).await.unwrap();
        volume.rename(text, "moved", Kind::File).await.unwrap();
        volume.rename("moved", text, Kind::File).await.unwrap();
        assert_eq!(volume.text(key).as_deref(), Some("bytes"), "{key:?}");
        volume.remove(text, Kind::File).await.unwrap();
        assert_eq!(volume.text(key), None, "{key:?}");
    }
    assert!(volume.keys().is_empty());
}

#[tokio::test]
async fn trees_of_odd_keys_move_and_vanish_whole() {
    for provider in ["minio", "generic"] {
        let volume = Volume::with(json!({"provider": provider})).await;
        let keys = || {
            ODD.iter()
                .filter(|(key, _)| provider == "minio" || !key.contains('\r'))
        };
        for (key, _) in keys() {
            volume.put(&format!("from/{key}"), "bytes");
        }
        let count = keys().count() as u64;
        let moved = volume
            .rename("from", "to/here", Kind::Directory)
            .await
            .unwrap();
        assert_eq!((moved.items, moved.bytes), (count, 5 * count));
        let mut expected: Vec<_> = keys().map(|(key, _)| format!("to/here/{key}")).collect();
        expected.sort();
        assert_eq!(volume.keys(), expected);
        let removed = volume.remove("to", Kind::Directory).await.unwrap();
        assert_eq!(removed.items, count);
        assert!(volume.keys().is_empty());
    }
}

async fn fetch(link: Link) -> String {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = match link {
        Link::Shareable(link) => client.get(link.url),
        Link::HostOnly(request) => request
            .headers
            .into_iter()
            .fold(client.get(request.url), |request, (name, value)| {
                request.header(name, value)
            }),
    };
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.text().await.unwrap()
}
