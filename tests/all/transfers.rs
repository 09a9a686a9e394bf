//! Copying and moving.

use http::{Method, StatusCode};
use orlop_test_s3::{Fault, Matcher, Metadata};
use serde_json::json;

use crate::harness::{BUCKET, Config, Mount, World, noise};

const FILES: usize = 300;

fn keys(folder: &str) -> Vec<String> {
    (0..FILES)
        .map(|number| format!("{folder}/{}/file {number:03}", number % 5))
        .collect()
}

async fn world() -> World {
    let world = World::start().await;
    for key in keys("tree") {
        world.put(&key, key.clone());
    }
    world.put("tree/empty/", "");
    world.put("tree", "the file beside");
    world.put("tree-house/x", "the folder beside");
    world
}

/// Checks that a copy of the tree is there, file by file.
#[track_caller]
fn expect_tree(world: &World, folder: &str) {
    for key in keys("tree") {
        let copy = key.replacen("tree", folder, 1);
        assert_eq!(world.object(&copy), key);
    }
    let store = world.s3.store();
    assert!(
        store.object(BUCKET, &format!("{folder}/empty/")).is_some(),
        "the empty folder is lost"
    );
}

#[track_caller]
fn expect_neighbours(world: &World) {
    assert_eq!(world.object("tree"), "the file beside");
    assert_eq!(world.object("tree-house/x"), "the folder beside");
}

#[tokio::test]
async fn a_tree_is_copied_by_the_api() {
    let world = world().await;
    let before = world.keys().len();
    let answer = world
        .transfer("copy", "/files/tree/", "/files/deep/copy")
        .await
        .expect(200)
        .json();
    assert!(
        answer["items"].as_u64().unwrap() >= FILES as u64,
        "{answer}"
    );
    expect_tree(&world, "tree");
    expect_tree(&world, "deep/copy");
    expect_neighbours(&world);
    assert_eq!(world.keys().len(), before + FILES + 1);
    // The storage copied: no byte passed through here.
    let read = world.s3.requests().count_where(|request| {
        request.method() == Method::GET && request.decoded_path().contains("/file ")
    });
    assert_eq!(read, 0);
}

#[tokio::test]
async fn a_tree_is_moved_by_the_api() {
    let world = world().await;
    let before = world.keys().len();
    world
        .transfer("move", "/files/tree/", "/files/moved")
        .await
        .expect(200);
    expect_tree(&world, "moved");
    expect_neighbours(&world);
    assert_eq!(world.keys().len(), before);
    assert!(!world.keys().iter().any(|key| key.starts_with("tree/")));
}

#[tokio::test]
async fn a_tree_is_copied_and_moved_from_the_shell() {
    let world = world().await;
    world
        .run(&["cp", "/files/tree/", "/files/copy"])
        .await
        .expect(2);
    let ran = world
        .run(&["cp", "-r", "--json", "/files/tree/", "/files/copy"])
        .await
        .expect(0);
    assert!(ran.json()["items"].as_u64().unwrap() >= FILES as u64);
    expect_tree(&world, "copy");
    // Into a folder that is there, it goes under its own name.
    world
        .run(&["mv", "-r", "/files/copy/", "/files/tree-house"])
        .await
        .expect(0);
    expect_tree(&world, "tree-house/copy");
    expect_tree(&world, "tree");
    expect_neighbours(&world);
    assert!(!world.keys().iter().any(|key| key.starts_with("copy/")));
    world
        .run(&["cp", "-r", "/files/tree/", "/files/tree/inside"])
        .await
        .expect(2);
    world
        .run(&["mv", "/files/nothing", "/files/x"])
        .await
        .expect(1);
}

#[tokio::test]
async fn a_file_is_copied_with_all_that_belongs_to_it() {
    let world = World::start().await;
    let metadata = Metadata {
        content_type: Some("image/png".to_owned()),
        cache_control: Some("max-age=60".to_owned()),
        user: [("colour".to_owned(), "blue".to_owned())].into(),
        ..Metadata::default()
    };
    world
        .s3
        .store()
        .put_with(BUCKET, "a.png", "pixels", metadata);
    for (call, from, to) in [
        ("copy", "/files/a.png", "/files/b.png"),
        ("move", "/files/b.png", "/files/c/d.png"),
    ] {
        let answer = world.transfer(call, from, to).await.expect(200).json();
        assert_eq!(answer["bytes"], 6, "{call}");
        let key = to.trim_start_matches("/files/");
        let object = world.s3.store().object(BUCKET, key).unwrap();
        assert_eq!(object.body.to_bytes(), "pixels");
        assert_eq!(object.metadata.content_type.as_deref(), Some("image/png"));
        assert_eq!(object.metadata.cache_control.as_deref(), Some("max-age=60"));
        assert_eq!(object.metadata.user["colour"], "blue");
    }
    assert_eq!(world.keys(), ["a.png", "c/d.png"]);
}

#[tokio::test]
async fn what_is_there_is_replaced_only_on_demand() {
    let world = World::start().await;
    for key in ["from", "to", "folder/x", "other/x", "other/y"] {
        world.put(key, key);
    }
    for call in ["copy", "move"] {
        world
            .transfer(call, "/files/from", "/files/to")
            .await
            .problem(409, "already-exists");
        world
            .transfer(call, "/files/folder/", "/files/other")
            .await
            .problem(409, "already-exists");
    }
    assert_eq!(world.object("to"), "to");
    assert_eq!(world.object("other/x"), "other/x");
    let body = json!({"from": "/files/from", "to": "/files/to", "overwrite": true});
    world.post("copy?wait=true", &body).await.expect(200);
    assert_eq!(world.object("to"), "from");
    let body = json!({"from": "/files/folder/", "to": "/files/other", "overwrite": true});
    world.post("move?wait=true", &body).await.expect(200);
    assert_eq!(world.object("other/x"), "folder/x");
    assert_eq!(world.object("other/y"), "other/y");
    assert_eq!(world.keys(), ["from", "other/x", "other/y", "to"]);

    world
        .run(&["cp", "-n", "/files/from", "/files/to"])
        .await
        .expect(1);
    world
        .run(&["cp", "/files/other/y", "/files/to"])
        .await
        .expect(0);
    assert_eq!(world.object("to"), "other/y");
}

#[tokio::test]
async fn a_folder_goes_neither_into_itself_nor_onto_itself() {
    let world = World::start().await;
    world.put("a/b", "x");
    for call in ["copy", "move"] {
        for to in ["/files/a", "/files/a/", "/files/a/c", "/files/a/b/c"] {
            let status = world.transfer(call, "/files/a/", to).await.status.as_u16();
            assert!((400..500).contains(&status), "{call} to {to}: {status}");
            assert_eq!(world.keys(), ["a/b"]);
        }
        let status = world
            .transfer(call, "/files/a/b", "/files/a/b")
            .await
            .status
            .as_u16();
        assert!((400..500).contains(&status), "{call}: {status}");
        assert_eq!(world.keys(), ["a/b"]);
        world
            .transfer(call, "/files/nothing", "/files/x")
            .await
            .problem(404, "not-found");
    }
}

#[tokio::test]
async fn a_source_is_removed_only_when_its_copy_is_there() {
    let world = world().await;
    let refusal = Fault::error(StatusCode::FORBIDDEN, "AccessDenied");
    let copies = Matcher::when(|request| request.header("x-amz-copy-source").is_some())
        .skip(150)
        .always();
    world.s3.faults().inject(copies, refusal);
    world
        .transfer("move", "/files/tree/", "/files/moved")
        .await
        .problem(403, "permission-denied");
    for key in keys("tree") {
        let store = world.s3.store();
        let copy = key.replacen("tree", "moved", 1);
        let bytes = store
            .bytes(BUCKET, &copy)
            .or_else(|| store.bytes(BUCKET, &key));
        assert_eq!(
            bytes.unwrap_or_else(|| panic!("{key} is lost")),
            key.as_bytes()
        );
    }
    // Doing it again finishes it.
    world.s3.faults().clear();
    let body = json!({"from": "/files/tree/", "to": "/files/moved", "overwrite": true});
    world.post("move?wait=true", &body).await.expect(200);
    expect_tree(&world, "moved");
    assert!(!world.keys().iter().any(|key| key.starts_with("tree/")));
}

#[tokio::test]
async fn an_error_in_an_answer_of_200_is_an_error() {
    let world = World::start().await;
    world.put("a", "x");
    let copies = Matcher::when(|request| request.header("x-amz-copy-source").is_some()).always();
    world
        .s3
        .faults()
        .inject(copies, Fault::error_in_ok("AccessDenied"));
    world
        .transfer("move", "/files/a", "/files/b")
        .await
        .problem(403, "permission-denied");
    assert_eq!(world.keys(), ["a"]);
}

#[tokio::test]
async fn between_mounts_the_bytes_pass_through() {
    let world = World::of(|s3| {
        let root = |path, root| Mount::s3(path, s3).set("root", root);
        Config::of([root("/one", "1"), root("/two", "2")])
    })
    .await;
    for key in ["1/tree/a", "1/tree/b/c", "1/file"] {
        world.put(key, key);
    }
    world
        .transfer("copy", "/one/tree/", "/two/tree")
        .await
        .expect(200);
    world
        .transfer("move", "/one/file", "/two/file")
        .await
        .expect(200);
    assert_eq!(
        world.keys(),
        ["1/tree/a", "1/tree/b/c", "2/file", "2/tree/a", "2/tree/b/c"]
    );
    assert_eq!(world.object("2/tree/b/c"), "1/tree/b/c");
    world
        .run(&["mv", "-r", "/one/tree", "/two/moved"])
        .await
        .expect(0);
    assert_eq!(
        world.keys(),
        [
            "2/file",
            "2/moved/a",
            "2/moved/b/c",
            "2/tree/a",
            "2/tree/b/c"
        ]
    );
}

#[tokio::test]
async fn what_passes_through_keeps_all_that_belongs_to_it() {
    let world = World::of(|s3| {
        let root = |path, root| Mount::s3(path, s3).set("root", root);
        Config::of([root("/one", "1"), root("/two", "2")])
    })
    .await;
    let user = [("colour", "blue"), ("mtime", "784111777.5")];
    let metadata = Metadata {
        content_type: Some("image/png".to_owned()),
        cache_control: Some("max-age=60".to_owned()),
        content_language: Some("de".to_owned()),
        user: user
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..Metadata::default()
    };
    let store = world.s3.store();
    store.put_with(BUCKET, "1/tree/a.png", "pixels", metadata.clone());
    // What a listing told must not be taken for all that there is to tell.
    assert_eq!(world.names("/one/tree").await, ["a.png"]);
    for (call, from, to, key) in [
        ("copy", "/one/tree/a.png", "/two/b.png", "2/b.png"),
        ("copy", "/one/tree/", "/two/tree", "2/tree/a.png"),
        ("move", "/two/b.png", "/one/c.png", "1/c.png"),
    ] {
        world.transfer(call, from, to).await.expect(200);
        let copy = store.object(BUCKET, key).unwrap();
        assert_eq!(copy.body.to_bytes(), "pixels");
        assert_eq!(copy.metadata, metadata, "{call} {from}");
    }
}

/// A service that copies small objects alone.
async fn small_copies() -> World {
    let world = World::with(|mount| {
        mount
            .config("upload_part_copy", false)
            .config("copy_max", "1MiB")
    })
    .await;
    world.put("tree/1 small", "small");
    world.put("tree/2 large", noise(2 << 20));
    world.put("tree/3 small", "small too");
    world.put("tree/empty/", "");
    world
}

#[tokio::test]
async fn what_the_service_cannot_copy_passes_through_the_host() {
    let world = small_copies().await;
    let large = world.s3.store().bytes(BUCKET, "tree/2 large").unwrap();
    world
        .transfer("copy", "/files/tree/2 large", "/files/copy")
        .await
        .expect(200);
    assert_eq!(world.s3.store().bytes(BUCKET, "copy").unwrap(), large);

    let refused = world
        .transfer("copy", "/files/tree/2 large", "/files/copy")
        .await;
    refused.problem(409, "already-exists");

    world
        .transfer("copy", "/files/tree/", "/files/twin")
        .await
        .expect(200);
    assert_eq!(world.object("twin/1 small"), "small");
    assert_eq!(world.object("twin/3 small"), "small too");
    assert_eq!(
        world.s3.store().bytes(BUCKET, "twin/2 large").unwrap(),
        large
    );
    assert_eq!(world.names("/files/twin/empty").await, [] as [&str; 0]);
    world.expect_no_unfinished_uploads();
}

#[tokio::test]
async fn a_move_through_the_host_takes_the_sources_away_once_they_are_copied() {
    let world = small_copies().await;
    let large = world.s3.store().bytes(BUCKET, "tree/2 large").unwrap();
    world
        .transfer("move", "/files/tree/", "/files/moved")
        .await
        .expect(200);
    let keys = world.keys();
    assert!(keys.iter().all(|key| key.starts_with("moved/")), "{keys:?}");
    assert_eq!(keys.len(), 4);
    assert_eq!(
        world.s3.store().bytes(BUCKET, "moved/2 large").unwrap(),
        large
    );
    world.expect_no_unfinished_uploads();
}
