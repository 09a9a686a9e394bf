//! Listing and looking.

use std::time::Duration;

use orlop_driver::{Error, Kind, Path, Storage};
use serde_json::json;

use crate::{
    fake::{Fake, answer, error, listing, object, ok},
    volume::{Volume, path},
};

#[tokio::test]
async fn pages_hold_each_entry_once_with_either_call() {
    for version in ["v1", "v2"] {
        for provider in ["minio", "generic"] {
            let volume =
                Volume::with(json!({"provider": provider, "list_object_version": version})).await;
            let mut expected = Vec::new();
            for number in 0..23 {
                volume.put(&format!("dir/file {number:02}+ü.txt"), "x");
                volume.put(&format!("dir/sub{number:02}/x"), "x");
                volume.put(&format!("dir/sub{number:02}/y"), "x");
                expected.push(format!("file {number:02}+ü.txt"));
                expected.push(format!("sub{number:02}/"));
            }
            volume.put("dirt", "x");
            expected.sort();
            for limit in [1, 2, 7, 46, 47, 1000] {
                let mut found = volume.list("dir", limit).await.unwrap();
                found.sort();
                assert_eq!(found, expected, "{version} {provider} {limit}");
            }
            volume.requests();
            volume.list("dir", 1000).await.unwrap();
            assert_eq!(volume.requests().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_file_and_a_directory_may_share_a_name() {
    let volume = Volume::new().await;
    volume.put("a", "file");
    volume.put("a/b", "inside");
    let mut found = volume.list("", 1000).await.unwrap();
    found.sort();
    assert_eq!(found, ["a", "a/"]);
    assert_eq!(volume.stat("a", None).await.unwrap().size, 4);
    assert_eq!(
        volume.stat("a", Some(Kind::File)).await.unwrap().kind,
        Kind::File
    );
    assert_eq!(
        volume.stat("a", Some(Kind::Directory)).await.unwrap().kind,
        Kind::Directory
    );
}

#[tokio::test]
async fn what_keeps_a_folder_is_hidden() {
    let volume = Volume::with(json!({"placeholder": ".keep"})).await;
    for (key, body) in [
        ("marked/", ""),
        ("alist/.alist", ""),
        ("openlist/.openlist", ""),
        ("own/.keep", ""),
        ("full/", "bytes"),
        ("full/.openlist", "bytes"),
        ("full/.keep", "bytes"),
    ] {
        volume.put(key, body);
    }
    for directory in ["marked", "alist", "openlist", "own"] {
        assert!(
            volume.list(directory, 1000).await.unwrap().is_empty(),
            "{directory}"
        );
        let entry = volume.stat(directory, None).await.unwrap();
        assert_eq!((entry.kind, entry.size), (Kind::Directory, 0));
    }
    // Those with bytes in them are files like others.
    assert_eq!(
        volume.list("full", 1000).await.unwrap(),
        ["∅", ".keep", ".openlist"]
    );
    assert_eq!(volume.stat("full/∅", None).await.unwrap().size, 5);
    assert_eq!(volume.stat("marked/∅", None).await, Err(Error::NotFound));
}

#[tokio::test]
async fn only_the_root_is_always_there() {
    let volume = Volume::new().await;
    assert!(volume.list("", 10).await.unwrap().is_empty());
    assert_eq!(volume.stat("", None).await.unwrap().name, "");
    assert_eq!(
        volume.stat("", Some(Kind::File)).await,
        Err(Error::IsADirectory)
    );
    assert_eq!(volume.list("no", 10).await, Err(Error::NotFound));
    for want in [None, Some(Kind::File), Some(Kind::Directory)] {
        assert_eq!(volume.stat("no", want).await, Err(Error::NotFound));
    }
    assert_eq!(volume.list("␀", 10).await, Err(Error::NotFound));
}

#[tokio::test]
async fn listing_and_looking_tell_the_same() {
    let volume = Volume::new().await;
    let written = volume.write("a.txt", "hello").await.unwrap();
    let looked = volume.stat("a.txt", None).await.unwrap();
    let page = volume.s3.list(&Path::ROOT, None, 10).await.unwrap();
    let listed = page.entries.into_iter().next().unwrap();
    assert!(listed.modified.is_some() && listed.etag.is_some());
    assert_eq!(written.etag, looked.etag);
    // The answer to a write has the time at which it was given, which may be the next second.
    let later = written
        .modified
        .unwrap()
        .duration_since(looked.modified.unwrap());
    assert!(later.unwrap() <= Duration::from_secs(1));
    assert_eq!(
        (&listed.modified, &listed.etag),
        (&looked.modified, &looked.etag)
    );
    assert_eq!((written.size, looked.size, listed.size), (5, 5, 5));
    assert_eq!(looked.content_type.as_deref(), Some("text/plain"));
}

#[tokio::test]
async fn without_the_right_to_list_a_missing_key_is_refused_not_missing() {
    let refused = || answer(403, &[], "");
    let fake = Fake::new([refused(), error(403, "AccessDenied")]);
    let failed = fake.open(json!({})).stat(&path("a"), None).await;
    assert!(matches!(failed, Err(Error::PermissionDenied(_))));

    let fake = Fake::new([refused(), listing(&[("a/b", 1)], false, "")]);
    let entry = fake.open(json!({})).stat(&path("a"), None).await.unwrap();
    assert_eq!(entry.kind, Kind::Directory);

    let fake = Fake::new([refused(), listing(&[], false, "")]);
    let failed = fake.open(json!({})).stat(&path("a"), None).await;
    assert!(matches!(failed, Err(Error::PermissionDenied(_))));
}

#[tokio::test]
async fn pages_go_on_without_the_service_saying_where() {
    let fake = Fake::new([
        listing(
            &[("a", 1)],
            true,
            "<CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>",
        ),
        // Begins with what it was to begin behind.
        listing(
            &[("c", 1)],
            false,
            "<CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>",
        ),
    ]);
    let s3 = fake.open(json!({"list_object_version": "v2"}));
    let first = s3.list(&Path::ROOT, None, 2).await.unwrap();
    let second = s3
        .list(&Path::ROOT, first.next.as_deref(), 2)
        .await
        .unwrap();
    assert_eq!(second.next, None);
    let names: Vec<_> = first
        .entries
        .iter()
        .chain(&second.entries)
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(names, ["b", "a", "c"]);
    assert!(fake.sent()[1].url.contains("start-after=b%2F"));
}

#[tokio::test]
async fn a_listing_that_does_not_advance_is_an_error() {
    let stuck = || listing(&[("a", 1)], true, "<NextMarker>a</NextMarker>");
    let fake = Fake::new([stuck(), stuck()]);
    let s3 = fake.open(json!({"list_object_version": "v1"}));
    let page = s3.list(&Path::ROOT, None, 1).await.unwrap();
    let failed = s3.list(&Path::ROOT, page.next.as_deref(), 1).await;
    assert!(matches!(failed, Err(Error::Unavailable(text)) if text.contains("advance")));
}

#[tokio::test]
async fn keys_outside_the_directory_are_not_taken_for_its_own() {
    let fake = Fake::new([listing(&[("other/a", 1)], false, "")]);
    let failed = fake.open(json!({})).list(&path("dir"), None, 10).await;
    assert!(matches!(failed, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn a_listing_asks_for_what_the_profile_allows() {
    for (provider, version, expected) in [
        (
            "aws",
            json!(null),
            "https://photos.s3.example.com/?delimiter=%2F&encoding-type=url&list-type=2&max-keys=10&prefix=a%20b%2F",
        ),
        (
            "minio",
            json!(null),
            "https://s3.example.com/photos?delimiter=%2F&encoding-type=url&list-type=2&max-keys=10&prefix=a%20b%2F",
        ),
        (
            "generic",
            json!(null),
            "https://s3.example.com/photos?delimiter=%2F&max-keys=10&prefix=a%20b%2F",
        ),
        (
            "generic",
            json!("v2"),
            "https://s3.example.com/photos?delimiter=%2F&list-type=2&max-keys=10&prefix=a%20b%2F",
        ),
    ] {
        let fake = Fake::new([listing(&[("a b/x", 1)], false, "")]);
        let s3 = fake.open(json!({"provider": provider, "list_object_version": version}));
        s3.list(&path("a b"), None, 10).await.unwrap();
        assert_eq!(fake.sent()[0].url, expected);
    }
}

#[tokio::test]
async fn a_public_bucket_is_asked_without_a_signature() {
    let fake = Fake::new([listing(&[], false, ""), object(1, "e"), ok("")]);
    let s3 = fake.open(json!({"access_key_id": null, "secret_access_key": null}));
    s3.list(&Path::ROOT, None, 10).await.unwrap();
    s3.stat(&path("a"), None).await.unwrap();
    for sent in fake.sent() {
        assert!(sent.header("authorization").is_none() && sent.header("x-amz-date").is_none());
    }
}

/// A page without anything, though more follows.
fn nothing_yet(token: &str) -> orlop_driver::Result<orlop_driver::Response> {
    let rest = format!("<NextContinuationToken>{token}</NextContinuationToken>");
    listing(&[], true, &rest)
}

#[tokio::test]
async fn an_empty_page_does_not_mean_that_there_is_nothing() {
    let fake = Fake::new([
        answer(404, &[], ""),
        nothing_yet("t1"),
        nothing_yet("t2"),
        listing(&[("a/b", 1)], false, ""),
    ]);
    let s3 = fake.open(json!({}));
    let entry = s3.stat(&path("a"), None).await.unwrap();
    assert_eq!(entry.kind, Kind::Directory);
    assert!(fake.sent()[3].url.contains("continuation-token=t2"));

    // A page of a directory may be empty; the next one is asked for when someone wants it.
    let fake = Fake::new([nothing_yet("t1")]);
    let page = fake.open(json!({})).list(&path("a"), None, 10).await;
    let page = page.unwrap();
    assert!(page.entries.is_empty() && page.next.is_some());

    // But not for ever.
    let fake = Fake::new((0..200).map(|number| nothing_yet(&format!("t{number}"))));
    let failed = fake
        .open(json!({}))
        .stat(&path("a"), Some(Kind::Directory))
        .await;
    assert!(matches!(failed, Err(Error::Unavailable(_))), "{failed:?}");
    assert_eq!(fake.left(), 100);
}

#[tokio::test]
async fn prefixes_are_read_as_the_service_writes_them() {
    let names = async |asked: &str, prefixes: &[&str]| {
        let prefixes: String = prefixes
            .iter()
            .map(|prefix| format!("<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>"))
            .collect();
        let rest = format!("<EncodingType>url</EncodingType>{prefixes}");
        let fake = Fake::new([listing(&[], false, &rest)]);
        let page = fake.open(json!({})).list(&path(asked), None, 10).await?;
        let names = page.entries.into_iter().map(|entry| entry.name);
        Ok::<Vec<_>, Error>(names.collect())
    };
    // As Amazon does.
    let found = names("", &["a%20b/", "c%2Bd/", "e+f/"]).await.unwrap();
    assert_eq!(found, ["a b", "c+d", "e f"]);
    // As Ceph does: a folder of such a name shows it, and so does what was asked for.
    let found = names("", &["a%20b/", "c d/"]).await.unwrap();
    assert_eq!(found, ["a%20b", "c d"]);
    let found = names("a%20b", &["a%20b/c%20d/"]).await.unwrap();
    assert_eq!(found, ["c%20d"]);
    // Neither.
    let failed = names("a", &["b/"]).await;
    assert!(matches!(failed, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn a_token_means_nothing_to_the_first_call() {
    let fake = Fake::new([
        listing(
            &[("a", 1)],
            true,
            "<NextContinuationToken>t</NextContinuationToken>",
        ),
        listing(&[("b", 1)], false, ""),
    ]);
    let s3 = fake.open(json!({"list_object_version": "v1"}));
    let first = s3.list(&Path::ROOT, None, 1).await.unwrap();
    s3.list(&Path::ROOT, first.next.as_deref(), 1)
        .await
        .unwrap();
    assert!(fake.sent()[1].url.contains("marker=a"));
}
