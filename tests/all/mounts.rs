//! What a mount shows and allows, and several of them.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Config, Mount, World};

#[tokio::test]
async fn a_read_only_mount_refuses_every_change() {
    let world = World::with(|mount| mount.set("read_only", true)).await;
    world.put("f/x", "x");
    world
        .upload("/d/files/f/new", "y")
        .await
        .problem(403, "permission-denied");
    world
        .upload("/d/files/f/x", "y")
        .await
        .problem(403, "permission-denied");
    world
        .send_with(Method::PUT, "/d/files/new/", &[])
        .await
        .problem(403, "permission-denied");
    for path in ["/d/files/f/x", "/d/files/f/"] {
        world
            .send_with(Method::DELETE, path, &[])
            .await
            .problem(403, "permission-denied");
    }
    for (call, body) in [
        ("mkdir", json!({"path": "/files/new"})),
        ("remove", json!({"path": "/files/f/x"})),
        ("copy", json!({"from": "/files/f/x", "to": "/files/y"})),
        ("move", json!({"from": "/files/f/x", "to": "/files/y"})),
    ] {
        world
            .post(call, &body)
            .await
            .problem(403, "permission-denied");
    }
    for arguments in [
        ["rm", "/files/f/x", ""],
        ["mkdir", "/files/new", ""],
        ["cp", "/files/f/x", "/files/y"],
        ["mv", "/files/f/x", "/files/y"],
        ["put", "orlop.toml", "/files/y"],
    ] {
        let arguments: Vec<&str> = arguments
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect();
        world.run(&arguments).await.expect(1);
    }
    assert_eq!(world.keys(), ["f/x"]);
    let writes = world
        .s3
        .requests()
        .count_where(|request| !matches!(*request.method(), Method::GET | Method::HEAD));
    assert_eq!(writes, 0, "the storage was asked");
    assert_eq!(world.get("/p/files/f/x").await.expect(200).text(), "x");
    let mounts = world.get("/api/v1/mounts").await.expect(200).json();
    assert_eq!(mounts["mounts"][0]["read_only"], true);
}

#[tokio::test]
async fn nothing_outside_a_root_is_visible() {
    let world = World::with(|mount| mount.set("root", "albums/2026")).await;
    for key in [
        "albums/2026/in",
        "albums/2026/f/in",
        "albums/out",
        "albums/2026-07/out",
        "albums/20",
        "albums/2026",
        "out",
    ] {
        world.put(key, key);
    }
    assert_eq!(world.names("/files").await, ["f/", "in"]);
    assert_eq!(
        world.get("/p/files/in").await.expect(200).text(),
        "albums/2026/in"
    );
    assert_eq!(
        world.follow("/d/files/f/in").await.expect(200).text(),
        "albums/2026/f/in"
    );
    for path in ["/p/files/albums", "/p/files/out", "/p/files/albums/2026/in"] {
        world.get(path).await.problem(404, "not-found");
    }
    for path in [
        "/p/files/../out",
        "/p/files/%2e%2e/out",
        "/p/files/f/../../out",
    ] {
        assert_eq!(world.raw_status("GET", path).await, 400, "{path}");
    }

    world.upload("/d/files/new/x", "x").await.expect(201);
    assert_eq!(world.object("albums/2026/new/x"), "x");
    world
        .transfer("copy", "/files/f/", "/files/g")
        .await
        .expect(200);
    assert_eq!(world.object("albums/2026/g/in"), "albums/2026/f/in");
    world
        .send_with(Method::DELETE, "/d/files/new/", &[])
        .await
        .expect(204);
    let outside: Vec<String> = world
        .keys()
        .into_iter()
        .filter(|key| !key.starts_with("albums/2026/"))
        .collect();
    assert_eq!(
        outside,
        [
            "albums/20",
            "albums/2026",
            "albums/2026-07/out",
            "albums/out",
            "out"
        ]
    );
}

#[tokio::test]
async fn a_root_that_is_not_there_yet_is_empty() {
    let world = World::with(|mount| mount.set("root", "to/be")).await;
    assert_eq!(world.names("/files").await.len(), 0);
    world.upload("/d/files/x", "x").await.expect(201);
    assert_eq!(world.keys(), ["to/be/x"]);
}

#[tokio::test]
async fn mounts_join_into_one_tree() {
    let world = World::of(|s3| {
        let root = |path, root| Mount::s3(path, s3).set("root", root);
        Config::of([
            root("/b/two", "2"),
            root("/a", "1"),
            root("/b/one", "3"),
            root("/a/inner", "4"),
        ])
    })
    .await;
    world.put("1/x", "one");
    world.put("2/x", "two");
    world.put("3/x", "three");
    world.put("4/x", "four");
    world.put("1/inner/hidden", "hidden");
    assert_eq!(world.names("/").await, ["a/", "b/"]);
    assert_eq!(world.names("/b").await, ["one/", "two/"]);
    assert_eq!(world.names("/a").await, ["inner/", "x"]);
    assert_eq!(world.names("/a/inner").await, ["x"]);
    for (path, text) in [
        ("/a/x", "one"),
        ("/b/two/x", "two"),
        ("/b/one/x", "three"),
        ("/a/inner/x", "four"),
    ] {
        assert_eq!(
            world.get(&format!("/p{path}")).await.expect(200).text(),
            text
        );
    }
    for folder in ["/", "/b/"] {
        let stat = world
            .call("stat", &[("path", folder)])
            .await
            .expect(200)
            .json();
        assert_eq!(stat["kind"], "directory");
        world
            .get_with(folder, &[("accept", "text/html")])
            .await
            .expect(200);
        world
            .upload(&format!("/d{folder}new"), "x")
            .await
            .problem(404, "not-found");
    }
    let ran = world.run(&["ls"]).await.expect(0);
    assert_eq!(ran.lines(), ["a/", "b/"]);
    let mounts = world.get("/api/v1/mounts").await.expect(200).json();
    let paths: Vec<&Value> = mounts["mounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mount| &mount["path"])
        .collect();
    assert_eq!(paths, ["/a", "/a/inner", "/b/one", "/b/two"]);
}

#[tokio::test]
async fn one_mount_may_be_the_root() {
    let world = World::of(|s3| Config::of([Mount::s3("/", s3)])).await;
    for key in ["x", "f/y", "d/door", "api/v1/list", "healthz"] {
        world.put(key, key);
    }
    assert_eq!(world.names("/").await, ["api/", "d/", "f/", "healthz", "x"]);
    assert_eq!(world.get("/p/f/y").await.expect(200).text(), "f/y");
    // Names that are spelt like doors stay reachable.
    assert_eq!(world.get("/p/healthz").await.expect(200).text(), "healthz");
    assert_eq!(world.get("/p/d/door").await.expect(200).text(), "d/door");
    assert_eq!(world.get("/healthz").await.expect(200).text(), "ok\n");
    let page = world.get("/").await.expect(200);
    assert!(
        page.text().contains("./%64/"),
        "the page must not lead to the door"
    );
    world.get("/%64/").await.expect(200);
}

#[tokio::test]
async fn a_public_bucket_needs_no_keys() {
    let s3 = orlop_test_s3::Server::start(orlop_test_s3::Options {
        buckets: vec![crate::harness::BUCKET.to_owned()],
        ..orlop_test_s3::Options::default()
    })
    .await
    .unwrap();
    let mount = Mount::s3("/files", &s3)
        .without_config("access_key_id")
        .without_config("secret_access_key");
    let world = World::over(s3, Config::of([mount])).await;
    world.put("f/x y", "public");
    assert_eq!(world.names("/files/f").await, ["x y"]);
    assert_eq!(
        world.get("/p/files/f/x%20y").await.expect(200).text(),
        "public"
    );
    let redirect = world.get("/d/files/f/x%20y").await.expect(302);
    assert!(!redirect.header("location").contains("Signature"));
    assert_eq!(
        world.follow("/d/files/f/x%20y").await.expect(200).text(),
        "public"
    );
    let signed = world
        .s3
        .requests()
        .count_where(|request| request.header("authorization").is_some());
    assert_eq!(signed, 0);
    world.run(&["check"]).await.expect(0);
}
