//! Moving files and trees.

use http::{Method, StatusCode};
use orlop_driver::{Error, Kind, Overwrite, Transfer};
use orlop_test_s3::{Fault, Matcher};
use serde_json::json;

use crate::{
    fake::{Fake, answer, listing, object, ok},
    volume::{BUCKET, Volume, count, plan, run},
};

fn copied(etag: &str) -> orlop_driver::Result<orlop_driver::Response> {
    ok(&format!(
        "<CopyObjectResult><ETag>\"{etag}\"</ETag></CopyObjectResult>"
    ))
}

#[tokio::test]
async fn a_tree_moves_whole_and_leaves_nothing() {
    let volume = Volume::new().await;
    for number in 0..1205 {
        volume.put(&format!("src/{number:04}"), "x");
    }
    for key in ["src/", "src/empty/", "src/sub/.openlist"] {
        volume.put(key, "");
    }
    volume.put("src", "file");
    let moved = volume.rename("src", "dst", Kind::Directory).await.unwrap();
    assert_eq!((moved.items, moved.bytes), (1208, 1205));
    let keys = volume.keys();
    assert_eq!(keys.len(), 1209);
    assert!(
        keys.iter()
            .all(|key| key == "src" || key.starts_with("dst/"))
    );
    let requests = volume.requests();
    let count = |start| count(&requests, start);
    // Two of the listings only look whether something is there.
    assert_eq!(
        (
            count("GET"),
            count("PUT"),
            count("POST ?delete"),
            count("HEAD")
        ),
        (4, 1208, 2, 0)
    );
}

#[tokio::test]
async fn batches_of_deletions_are_full() {
    for (batch, keys, expected) in [
        (700, 2500, (3, 4)),
        (1000, 2500, (3, 3)),
        (500, 1500, (2, 3)),
    ] {
        let volume = Volume::with(json!({"delete_batch_max": batch})).await;
        for number in 0..keys {
            volume.put(&format!("src/{number:04}"), "x");
        }
        let plan = plan("src", "dst", Kind::Directory, Overwrite::Replace);
        let moved = run(async |cursor| volume.s3.rename(&plan, cursor).await)
            .await
            .unwrap();
        assert_eq!(moved.items, keys);
        assert!(volume.keys().iter().all(|key| key.starts_with("dst/")));
        let requests = volume.requests();
        let count = |start| count(&requests, start);
        assert_eq!(
            (count("GET"), count("POST ?delete")),
            expected,
            "{batch}: {}",
            requests.len()
        );
    }
}

#[tokio::test]
async fn an_empty_folder_moves() {
    let volume = Volume::new().await;
    volume.put("src/", "");
    volume.rename("src", "dst", Kind::Directory).await.unwrap();
    assert_eq!(volume.keys(), ["dst/"]);
}

#[tokio::test]
async fn a_file_moves_and_the_folder_of_its_name_stays() {
    let volume = Volume::new().await;
    volume.put("a", "file");
    volume.put("a/b", "x");
    let moved = volume.rename("a", "c", Kind::File).await.unwrap();
    assert_eq!((moved.items, moved.bytes), (1, 4));
    assert_eq!(volume.keys(), ["a/b", "c"]);
    volume.put("d", "other");
    assert_eq!(
        volume.rename("c", "d", Kind::File).await,
        Err(Error::AlreadyExists)
    );
    assert_eq!(
        volume.rename("no", "e", Kind::File).await,
        Err(Error::NotFound)
    );
}

#[tokio::test]
async fn a_source_is_deleted_only_after_its_copy_is_there() {
    // Another tag, and a size that is not the source's: the source stays.
    let fake = Fake::new([
        listing(&[("src/a", 3)], false, ""),
        copied("other"),
        object(2, "other"),
    ]);
    let tree = plan("src", "dst", Kind::Directory, Overwrite::Replace);
    let failed = fake.open(json!({})).rename(&tree, None).await;
    assert!(matches!(failed, Err(Error::Unavailable(_))));

    // Another tag, but the right size.
    let fake = Fake::new([
        listing(&[("src/a", 3)], false, ""),
        copied("other"),
        object(3, "other"),
        ok("<DeleteResult/>"),
    ]);
    fake.open(json!({})).rename(&tree, None).await.unwrap();

    // No tag at all.
    let fake = Fake::new([
        listing(&[("src/a", 3)], false, ""),
        ok("<CopyObjectResult></CopyObjectResult>"),
    ]);
    assert!(fake.open(json!({})).rename(&tree, None).await.is_err());

    // The same for a file.
    let file = plan("a", "b", Kind::File, Overwrite::Replace);
    let fake = Fake::new([object(3, "e"), copied("other"), answer(404, &[], "")]);
    assert!(fake.open(json!({})).rename(&file, None).await.is_err());
}

#[tokio::test]
async fn one_copy_that_fails_keeps_all_sources_of_its_page() {
    let volume = Volume::new().await;
    for number in 0..20 {
        volume.put(&format!("src/{number:02}"), "x");
    }
    let matcher = Matcher::any().method(Method::PUT).path("dst/13").always();
    volume
        .server
        .faults()
        .inject(matcher, Fault::error(StatusCode::FORBIDDEN, "AccessDenied"));
    let failed = volume.rename("src", "dst", Kind::Directory).await;
    assert!(matches!(failed, Err(Error::PermissionDenied(_))));
    let sources = volume
        .keys()
        .iter()
        .filter(|key| key.starts_with("src/"))
        .count();
    assert_eq!(sources, 20);

    // Going on finishes it.
    volume.server.faults().clear();
    let tree = plan("src", "dst", Kind::Directory, Overwrite::Replace);
    run(async |cursor| volume.s3.rename(&tree, cursor).await)
        .await
        .unwrap();
    assert_eq!(volume.keys().len(), 20);
    assert!(volume.keys().iter().all(|key| key.starts_with("dst/")));
}

#[tokio::test]
async fn every_step_can_be_repeated() {
    let volume = Volume::new().await;
    for number in 0..1500 {
        volume.put(&format!("src/{number:04}"), "x");
    }
    volume.put("one", "file");
    for (from, to, kind) in [("src", "dst", Kind::Directory), ("one", "two", Kind::File)] {
        let plan = plan(from, to, kind, Overwrite::Refuse);
        let mut cursor: Option<String> = None;
        loop {
            let step = volume.s3.rename(&plan, cursor.as_deref()).await.unwrap();
            // As if its answer had been lost, and the host asked once more.
            let again = volume.s3.rename(&plan, cursor.as_deref()).await.unwrap();
            cursor = step.next.and(again.next);
            if cursor.is_none() {
                break;
            }
        }
    }
    assert_eq!(volume.keys().len(), 1501);
    assert!(
        volume
            .keys()
            .iter()
            .all(|key| key.starts_with("dst/") || key == "two")
    );
}

#[tokio::test]
async fn a_file_that_changed_while_it_moved_is_kept() {
    let volume = Volume::new().await;
    volume.put("a", "old");
    let file = plan("a", "b", Kind::File, Overwrite::Replace);
    let step = volume.s3.rename(&file, None).await.unwrap();
    volume.put("a", "new");
    let failed = volume.s3.rename(&file, step.next.as_deref()).await;
    assert!(matches!(failed, Err(Error::Unavailable(_))));
    assert_eq!(volume.text("a").as_deref(), Some("new"));
    // It is already gone: that is what was wanted.
    volume.server.store().remove(BUCKET, "a");
    assert_eq!(
        volume
            .s3
            .rename(&file, step.next.as_deref())
            .await
            .unwrap()
            .next,
        None
    );
}

#[tokio::test]
async fn cursors_of_other_work_are_refused() {
    let volume = Volume::new().await;
    volume.put("a", "x");
    volume.put("src/a", "x");
    let file = plan("a", "b", Kind::File, Overwrite::Refuse);
    let tree = plan("src", "dst", Kind::Directory, Overwrite::Refuse);
    let of_file = volume.s3.rename(&file, None).await.unwrap().next;
    let of_tree = volume.s3.rename(&tree, None).await.unwrap().next;
    for (plan, cursor) in [
        (&tree, of_file.as_deref()),
        (&file, of_tree.as_deref()),
        (&file, Some("x")),
    ] {
        let failed = volume.s3.rename(plan, cursor).await;
        assert!(matches!(failed, Err(Error::InvalidArgument(_))));
    }
}
