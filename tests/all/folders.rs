//! Folders are prefixes; markers keep empty ones and are never seen.

use http::Method;
use serde_json::json;

use crate::harness::{World, run};

#[tokio::test]
async fn markers_are_hidden() {
    let world = World::start().await;
    for key in [
        "f/",
        "f/a.txt",
        "f/empty/",
        "f/alist/.alist",
        "f/openlist/.openlist",
        "f/alist/x",
    ] {
        world.put(
            key,
            if key.ends_with("txt") || key.ends_with('x') {
                "x"
            } else {
                ""
            },
        );
    }
    assert_eq!(world.names("/files").await, ["f/"]);
    assert_eq!(
        world.names("/files/f").await,
        ["a.txt", "alist/", "empty/", "openlist/"]
    );
    assert_eq!(world.names("/files/f/empty").await.len(), 0);
    assert_eq!(world.names("/files/f/alist").await, ["x"]);
    assert_eq!(world.names("/files/f/openlist").await.len(), 0);
    let stat = world
        .call("stat", &[("path", "/files/f/empty")])
        .await
        .expect(200)
        .json();
    assert_eq!(stat["kind"], "directory");
    assert_eq!(stat["size"], 0);
}

#[tokio::test]
async fn an_empty_folder_is_made_and_stays() {
    for (placeholder, key) in [("", "new folder/"), (".keep", "new folder/.keep")] {
        let world = World::with(|mount| mount.config("placeholder", placeholder)).await;
        let entry = world
            .post("mkdir", &json!({"path": "/files/new folder"}))
            .await
            .expect(201)
            .json();
        assert_eq!(entry["kind"], "directory");
        assert_eq!(entry["path"], "/files/new folder/");
        assert_eq!(world.keys(), [key]);
        assert_eq!(world.names("/files").await, ["new folder/"]);
        assert_eq!(world.names("/files/new folder").await.len(), 0);
        world
            .post("mkdir", &json!({"path": "/files/new folder"}))
            .await
            .problem(409, "already-exists");

        // What was put into it and taken out again leaves it there.
        world
            .upload("/d/files/new%20folder/x", "x")
            .await
            .expect(201);
        world
            .send_with(Method::DELETE, "/d/files/new%20folder/x", &[])
            .await
            .expect(204);
        assert_eq!(world.names("/files").await, ["new folder/"]);
        world
            .send_with(Method::DELETE, "/d/files/new%20folder/", &[])
            .await
            .expect(204);
        assert_eq!(world.keys().len(), 0, "{placeholder}");
    }
}

#[tokio::test]
async fn a_folder_is_made_by_http_and_from_the_shell() {
    let world = World::start().await;
    world
        .send_with(Method::PUT, "/d/files/by%20http/", &[])
        .await
        .expect(201);
    world
        .send_with(Method::PUT, "/d/files/by%20http/", &[])
        .await
        .expect(204);
    world.run(&["mkdir", "/files/by shell"]).await.expect(0);
    assert_eq!(world.keys(), ["by http/", "by shell/"]);
    world.run(&["mkdir", "/files/by shell"]).await.expect(1);
    world
        .run(&["mkdir", "/files/no/such/parent"])
        .await
        .expect(1);
    assert_eq!(world.keys().len(), 2);
    world.run(&["mkdir", "-p", "/files/a/b/c"]).await.expect(0);
    world.run(&["mkdir", "-p", "/files/a/b/c"]).await.expect(0);
    assert_eq!(world.names("/files/a/b").await, ["c/"]);
    run(world.command(&["mkdir", "/"])).await.expect(2);
}

#[tokio::test]
async fn a_folder_has_a_page_with_a_slash() {
    let world = World::start().await;
    world.put("f/x", "x");
    let answer = world.get("/files/f?sort=size").await.expect(308);
    assert_eq!(answer.header("location"), "/files/f/?sort=size");
    world.get("/files/f/").await.expect(200);
    world.get("/files/f/x").await.expect(200);
    world.get("/").await.expect(200);
}
