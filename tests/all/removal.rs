//! Removing files and trees, and nothing else.

use http::Method;
use orlop_test_s3::{Fault, Matcher};
use serde_json::json;

use crate::harness::World;

#[tokio::test]
async fn a_file() {
    let world = World::start().await;
    for key in ["a", "ab", "a/b"] {
        world.put(key, key);
    }
    world
        .send_with(Method::DELETE, "/d/files/a", &[])
        .await
        .expect(204);
    assert_eq!(world.keys(), ["a/b", "ab"]);
    // A folder is not removed as a file.
    world
        .send_with(Method::DELETE, "/d/files/a", &[])
        .await
        .problem(404, "not-found");
    assert_eq!(world.keys(), ["a/b", "ab"]);
}

#[tokio::test]
async fn a_tree_and_no_neighbour() {
    let world = World::start().await;
    let neighbours = ["foo", "foo-bar/x", "foo.txt", "foo0", "fo/o", "x/foo/y"];
    for key in neighbours {
        world.put(key, key);
    }
    for number in 0..2_100 {
        world.put(&format!("foo/{}/{number:04}", number % 7), "x");
    }
    world.put("foo/", "");
    world.put("foo/empty/", "");
    let answer = world
        .post("remove?wait=true", &json!({"path": "/files/foo/"}))
        .await
        .expect(200)
        .json();
    assert!(answer["items"].as_u64().unwrap() >= 2_100, "{answer}");
    let mut left = neighbours.map(str::to_owned).to_vec();
    left.sort();
    assert_eq!(world.keys(), left);
    world
        .post("remove", &json!({"path": "/files/foo/"}))
        .await
        .problem(404, "not-found");
    assert_eq!(world.keys(), left);
}

#[tokio::test]
async fn from_the_shell() {
    let world = World::start().await;
    for key in ["t/a", "t/b/c", "t2", "t3"] {
        world.put(key, key);
    }
    // A folder needs a word more, and one wrong path stops all.
    let ran = world.run(&["rm", "/files/t2", "/files/t"]).await.expect(2);
    assert!(ran.stderr.contains("-r"), "{}", ran.stderr);
    assert_eq!(world.keys().len(), 4);
    world
        .run(&["rm", "/files/t2", "/files/nothing"])
        .await
        .expect(1);
    assert_eq!(world.keys().len(), 4);
    world.run(&["rm", "/files/t2"]).await.expect(0);
    let ran = world
        .run(&["rm", "-r", "--json", "/files/t"])
        .await
        .expect(0);
    assert!(ran.json()["items"].as_u64().unwrap() >= 2);
    assert_eq!(world.keys(), ["t3"]);
}

#[tokio::test]
async fn what_the_storage_keeps_is_told() {
    let world = World::start().await;
    for key in ["t/a", "t/b"] {
        world.put(key, key);
    }
    let refusal = Fault::error(http::StatusCode::FORBIDDEN, "AccessDenied");
    let deletes = Matcher::when(|request| {
        request.method() == Method::DELETE || request.query().contains("delete")
    });
    world.s3.faults().inject(deletes.always(), refusal);
    world
        .post("remove?wait=true", &json!({"path": "/files/t/"}))
        .await
        .problem(403, "permission-denied");
    assert_eq!(world.keys().len(), 2);
}

#[tokio::test]
async fn mounts_and_the_root_stay() {
    let world = World::start().await;
    world.put("a", "a");
    for path in ["/d/", "/d/files/"] {
        let status = world
            .send_with(Method::DELETE, path, &[])
            .await
            .status
            .as_u16();
        assert!((400..500).contains(&status), "{path}: {status}");
    }
    for path in ["/", "/files/"] {
        let status = world
            .post("remove", &json!({"path": path}))
            .await
            .status
            .as_u16();
        assert!((400..500).contains(&status), "{path}: {status}");
    }
    world.run(&["rm", "-r", "/files"]).await.expect(1);
    assert_eq!(world.keys(), ["a"]);
}
