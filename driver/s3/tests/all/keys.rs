//! Keys that are not clean paths.

use orlop_driver::{
    Audience, Content, Kind, Link, Overwrite, ReadOptions, Removable, Response, Storage, Transfer,
};
use serde_json::json;

use crate::{
    fake::{Fake, answer, object, ok},
    volume::{Volume, path, plan},
};

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

/// A key of bytes that are no UTF-8, as a listing shows it: encoded, or as it is.
fn listing_of_bytes(encoded: bool) -> orlop_driver::Result<Response> {
    let (encoding, key) = match encoded {
        true => ("<EncodingType>url</EncodingType>", &b"f%FCr/%FF"[..]),
        false => ("", &b"f\xfcr/\xff"[..]),
    };
    let start = format!("<ListBucketResult>{encoding}<Contents><Key>");
    let end = "</Key><Size>1</Size><ETag>\"e\"</ETag></Contents></ListBucketResult>";
    Ok(Response {
        status: 200,
        headers: Vec::new(),
        body: [start.as_bytes(), key, end.as_bytes()].concat(),
    })
}

#[tokio::test]
async fn bytes_that_are_no_text_have_names_that_lead_back() {
    for encoded in [true, false] {
        let fake = Fake::new([listing_of_bytes(encoded)]);
        let s3 = fake.open(json!({"list_url_encode": encoded}));
        let page = s3.list(&path("f␀FCr"), None, 10).await.unwrap();
        let names: Vec<_> = page.entries.iter().map(|entry| &entry.name).collect();
        assert_eq!(names, ["␀FF"], "{encoded}");
        assert!(fake.sent()[0].url.contains("prefix=f%FCr%2F"));
    }

    let copied = "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>";
    let fake = Fake::new([
        object(1, "e"),
        ok(copied),
        object(1, "e"),
        answer(204, &[], ""),
        listing_of_bytes(true),
        answer(204, &[], ""),
    ]);
    let s3 = fake.open(json!({}));
    let file = "f␀FCr/␀FF";
    let options = ReadOptions {
        audience: Audience::Client,
        range: None,
        filename: None,
        expires: None,
    };
    let read = s3.read(&path(file), &options).await.unwrap();
    let Content::Link(Link::Shareable(link)) = read else {
        panic!("{read:?}");
    };
    assert!(link.url.contains("/f%FCr/%FF?"), "{}", link.url);
    let copy = plan(file, "x", Kind::File, Overwrite::Replace);
    assert_eq!(s3.copy(&copy, None).await.unwrap().next, None);
    s3.remove(&path(file), Kind::File, None).await.unwrap();
    // No document can name it.
    s3.remove(&path("f␀FCr"), Kind::Directory, None)
        .await
        .unwrap();
    let sent = fake.sent();
    assert_eq!(
        sent[1].header("x-amz-copy-source"),
        Some("photos/f%FCr/%FF")
    );
    for index in [3, 5] {
        assert_eq!(
            sent[index].line(),
            "DELETE https://photos.s3.example.com/f%FCr/%FF"
        );
    }
    assert_eq!(fake.left(), 0);
}
