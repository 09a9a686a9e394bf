//! Removing files and trees.

use http::{Method, StatusCode};
use orlop_driver::{Error, Kind, Removable};
use orlop_test_s3::{Fault, Matcher};
use serde_json::json;

use crate::{
    fake::{Fake, answer, listing, ok},
    volume::{BUCKET, Volume, count, path},
};

#[tokio::test]
async fn a_tree_goes_in_pages_and_its_neighbours_stay() {
    let volume = Volume::new().await;
    for number in 0..2500 {
        volume.put(&format!("foo/{number:04}"), "x");
    }
    for key in ["foo/", "foo/sub/deep", "foo/.openlist"] {
        volume.put(key, "");
    }
    for key in ["foo", "foo.txt", "foo0", "fo/o"] {
        volume.put(key, "stays");
    }
    let removed = volume.remove("foo", Kind::Directory).await.unwrap();
    assert_eq!((removed.items, removed.bytes), (2503, 2500));
    assert_eq!(volume.keys(), ["fo/o", "foo", "foo.txt", "foo0"]);
    let requests = volume.requests();
    let lists = requests
        .iter()
        .filter(|line| line.starts_with("GET"))
        .count();
    let deletes = requests
        .iter()
        .filter(|line| line.starts_with("POST ?delete"))
        .count();
    assert_eq!((lists, deletes, requests.len()), (3, 3, 6), "{requests:?}");
}

#[tokio::test]
async fn a_file_goes_and_the_directory_of_its_name_stays() {
    let volume = Volume::new().await;
    volume.put("foo", "file");
    volume.put("foo/inside", "x");
    let removed = volume.remove("foo", Kind::File).await.unwrap();
    assert_eq!((removed.items, removed.bytes), (1, 4));
    assert_eq!(volume.keys(), ["foo/inside"]);
}

#[tokio::test]
async fn nothing_is_not_found_and_the_root_is_safe() {
    let volume = Volume::new().await;
    volume.put("other", "x");
    for kind in [Kind::File, Kind::Directory] {
        assert_eq!(volume.remove("no", kind).await, Err(Error::NotFound));
        assert!(matches!(
            volume.remove("", kind).await,
            Err(Error::InvalidArgument(_))
        ));
    }
    assert_eq!(volume.keys(), ["other"]);
}

#[tokio::test]
async fn a_step_can_be_repeated() {
    let volume = Volume::new().await;
    for number in 0..1500 {
        volume.put(&format!("foo/{number:04}"), "x");
    }
    let dir = path("foo");
    let first = volume.s3.remove(&dir, Kind::Directory, None).await.unwrap();
    let again = volume
        .s3
        .remove(&dir, Kind::Directory, first.next.as_deref())
        .await
        .unwrap();
    assert_eq!((first.items, again.items, again.next), (1000, 500, None));
    let repeated = volume
        .s3
        .remove(&dir, Kind::Directory, first.next.as_deref())
        .await
        .unwrap();
    assert_eq!((repeated.items, repeated.next), (0, None));
}

#[tokio::test]
async fn a_service_without_bulk_deletion_is_asked_once() {
    let volume = Volume::new().await;
    let matcher = Matcher::any().query("delete").always();
    volume.server.faults().inject(
        matcher,
        Fault::error(StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
    );
    for round in 0..2 {
        for number in 0..40 {
            volume.put(&format!("foo/{number}"), "x");
        }
        volume.remove("foo", Kind::Directory).await.unwrap();
        assert!(volume.keys().is_empty());
        let requests = volume.requests();
        let bulk = requests
            .iter()
            .filter(|line| line.starts_with("POST"))
            .count();
        let single = requests
            .iter()
            .filter(|line| line.starts_with("DELETE"))
            .count();
        assert_eq!((bulk, single), (if round == 0 { 1 } else { 0 }, 40));
    }
}

#[tokio::test]
async fn single_deletions_go_side_by_side() {
    let volume = Volume::with(json!({"delete_batch_max": 0})).await;
    for number in 0..100 {
        volume.put(&format!("foo/{number}"), "x");
    }
    let deletions = Matcher::any().method(Method::DELETE).always();
    let gate = volume.server.faults().hold(deletions);
    let watch = async {
        while gate.reached() < 32 {
            tokio::task::yield_now().await;
        }
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.reached(), 32);
        gate.release();
    };
    let (removed, ()) = futures::join!(volume.remove("foo", Kind::Directory), watch);
    assert_eq!(removed.unwrap().items, 100);
}

#[tokio::test]
async fn keys_that_xml_cannot_name_are_deleted_one_by_one() {
    let volume = Volume::new().await;
    for key in ["foo/a", "foo/\u{1}", "foo/b\u{fffe}"] {
        volume.put(key, "x");
    }
    volume.remove("foo", Kind::Directory).await.unwrap();
    assert!(volume.keys().is_empty());
    let requests = volume.requests();
    assert_eq!(
        requests
            .iter()
            .filter(|line| line.starts_with("DELETE"))
            .count(),
        2
    );
    assert_eq!(
        requests
            .iter()
            .filter(|line| line.starts_with("POST"))
            .count(),
        1
    );
}

#[tokio::test]
async fn keys_that_the_service_keeps_are_told_or_tried_again() {
    let kept = |code| {
        ok(&format!(
            "<DeleteResult><Error><Key>foo/b</Key><Code>{code}</Code><Message>m</Message></Error></DeleteResult>"
        ))
    };
    let page = || listing(&[("foo/a", 1), ("foo/b", 1)], false, "");

    let fake = Fake::new([page(), kept("AccessDenied")]);
    let failed = fake
        .open(json!({}))
        .remove(&path("foo"), Kind::Directory, None)
        .await;
    assert!(matches!(failed, Err(Error::PermissionDenied(text)) if text.contains("`b`")));

    let fake = Fake::new([page(), kept("SlowDown"), answer(204, &[], "")]);
    fake.open(json!({}))
        .remove(&path("foo"), Kind::Directory, None)
        .await
        .unwrap();
    assert_eq!(
        fake.sent()[2].line(),
        "DELETE https://photos.s3.example.com/foo/b"
    );

    let fake = Fake::new([page(), kept("NoSuchKey")]);
    let step = fake
        .open(json!({}))
        .remove(&path("foo"), Kind::Directory, None)
        .await
        .unwrap();
    assert_eq!(step.items, 2);
    let sent = &fake.sent()[1];
    assert!(sent.body.contains("<Quiet>true</Quiet>") && sent.header("content-md5").is_some());
}

#[tokio::test]
async fn a_service_that_only_says_so_does_not_keep_it_going_for_ever() {
    let page = || {
        listing(
            &[("foo/a", 1)],
            true,
            "<NextContinuationToken>t</NextContinuationToken>",
        )
    };
    let fake = Fake::new((0..20).map(|index| if index % 2 == 0 { page() } else { ok("") }));
    let s3 = fake.open(json!({}));
    let mut cursor = None;
    let failed = loop {
        match s3
            .remove(&path("foo"), Kind::Directory, cursor.as_deref())
            .await
        {
            Ok(step) => cursor = Some(step.next.unwrap()),
            Err(error) => break error,
        }
    };
    assert!(matches!(failed, Error::Unavailable(text) if text.contains("deleted")));
    assert!(fake.left() > 0);
}

#[tokio::test]
async fn half_a_removal_is_finished_by_beginning_again() {
    let volume = Volume::new().await;
    for number in 0..10 {
        volume.put(&format!("foo/{number}"), "x");
    }
    let matcher = Matcher::any().query("delete").times(6);
    volume
        .server
        .faults()
        .inject(matcher, Fault::error(StatusCode::BAD_GATEWAY, ""));
    assert!(volume.remove("foo", Kind::Directory).await.is_err());
    volume.server.store().remove(BUCKET, "foo/3");
    volume.remove("foo", Kind::Directory).await.unwrap();
    assert!(volume.keys().is_empty());
}

#[tokio::test]
async fn batches_are_as_large_as_the_service_takes_and_full() {
    for (batch, keys, expected) in [
        (700, 2500, (3, 4)),
        (1000, 2500, (3, 3)),
        (500, 1500, (2, 3)),
    ] {
        let volume = Volume::with(json!({"delete_batch_max": batch})).await;
        for number in 0..keys {
            volume.put(&format!("foo/{number:04}"), "x");
        }
        let removed = volume.remove("foo", Kind::Directory).await.unwrap();
        assert_eq!(removed.items, keys);
        assert!(volume.keys().is_empty());
        let requests = volume.requests();
        let count = |start| count(&requests, start);
        let found = (count("GET"), count("POST ?delete"));
        assert_eq!(
            (found, requests.len()),
            (expected, found.0 + found.1),
            "{batch}"
        );
    }
}

#[tokio::test]
async fn an_empty_page_does_not_end_it() {
    let nothing_yet = || {
        listing(
            &[],
            true,
            "<NextContinuationToken>t</NextContinuationToken>",
        )
    };
    let fake = Fake::new([
        nothing_yet(),
        listing(&[("foo/a", 1)], false, ""),
        ok("<DeleteResult/>"),
    ]);
    let s3 = fake.open(json!({}));
    let removed = s3
        .remove(&path("foo"), Kind::Directory, None)
        .await
        .unwrap();
    assert_eq!((removed.items, removed.next), (1, None));
    let fake = Fake::new([nothing_yet(), listing(&[], false, "")]);
    let failed = fake
        .open(json!({}))
        .remove(&path("foo"), Kind::Directory, None)
        .await;
    assert_eq!(failed, Err(Error::NotFound));
}
