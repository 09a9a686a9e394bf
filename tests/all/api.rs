//! The bodies of `/api/v1/` (design.md §5).

use std::collections::BTreeSet;

use http::Method;
use orlop_test_s3::Metadata;
use serde_json::{Value, json};

use crate::harness::{BUCKET, Config, Mount, World, send};

/// The names of an object's fields.
#[track_caller]
fn fields(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .unwrap_or_else(|| panic!("{value}"))
        .keys()
        .map(String::as_str)
        .collect()
}

async fn world() -> World {
    let world = World::start().await;
    let metadata = Metadata {
        content_type: Some("text/plain".to_owned()),
        ..Metadata::default()
    };
    world
        .s3
        .store()
        .put_with(BUCKET, "f/a b.txt", "hello", metadata);
    world.put("f/sub/x", "x");
    world
}

const ENTRY: [&str; 7] = [
    "content_type",
    "etag",
    "kind",
    "modified",
    "name",
    "path",
    "size",
];

#[tokio::test]
async fn list_and_stat() {
    let world = world().await;
    let page = world
        .call("list", &[("path", "/files/f")])
        .await
        .expect(200);
    assert_eq!(page.header("content-type"), "application/json");
    assert_eq!(page.header("cache-control"), "no-store");
    let page = page.json();
    assert_eq!(fields(&page), BTreeSet::from(["entries", "next"]));
    assert_eq!(page["next"], Value::Null);
    let entries = page["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    let of_kind = |kind: &str| entries.iter().find(|entry| entry["kind"] == kind).unwrap();
    let (file, folder) = (of_kind("file"), of_kind("directory"));
    for entry in [file, folder] {
        assert_eq!(fields(entry), BTreeSet::from(ENTRY));
    }
    assert_eq!(file["name"], "a b.txt");
    assert_eq!(file["path"], "/files/f/a b.txt");
    assert_eq!(file["size"], 5);
    let modified = file["modified"].as_str().unwrap();
    assert!(
        modified.len() == 20 && modified.ends_with('Z') && modified.as_bytes()[10] == b'T',
        "{modified}"
    );
    assert_eq!(file["etag"], "\"5d41402abc4b2a76b9719d911017c592\"");
    assert_eq!(folder["name"], "sub");
    assert_eq!(folder["path"], "/files/f/sub/");
    assert_eq!(folder["size"], 0);

    let stat = world
        .call("stat", &[("path", "/files/f/a b.txt")])
        .await
        .expect(200)
        .json();
    assert_eq!(fields(&stat), BTreeSet::from(ENTRY));
    assert_eq!(stat["content_type"], "text/plain");
    for field in ["name", "path", "kind", "size", "modified", "etag"] {
        assert_eq!(stat[field], file[field], "{field}");
    }
    let stat = world
        .call("stat", &[("path", "/files/f/sub/")])
        .await
        .expect(200)
        .json();
    assert_eq!(stat["path"], "/files/f/sub/");
}

#[tokio::test]
async fn link() {
    let world = world().await;
    let answer = world
        .call("link", &[("path", "/files/f/a b.txt"), ("expires", "60")])
        .await
        .expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let link = answer.json();
    assert_eq!(fields(&link), BTreeSet::from(["expires", "url"]));
    let url = link["url"].as_str().unwrap();
    assert!(url.contains("X-Amz-Expires=60"), "{url}");
    assert!(link["expires"].as_str().unwrap().ends_with('Z'));
    assert_eq!(send(world.http.get(url)).await.expect(200).text(), "hello");
    // The host asks for what the mount says if the client asks for nothing.
    let link = world
        .call("link", &[("path", "/files/f/a b.txt")])
        .await
        .expect(200)
        .json();
    assert!(
        link["url"]
            .as_str()
            .unwrap()
            .contains("X-Amz-Expires=14400"),
        "{link}"
    );

    world
        .call("link", &[("path", "/files/f/")])
        .await
        .problem(409, "is-a-directory");
    world
        .call("link", &[("path", "/files/none")])
        .await
        .problem(404, "not-found");
    world
        .call("link", &[("path", "/files/f/a b.txt"), ("expires", "0")])
        .await
        .problem(400, "invalid-argument");
}

#[tokio::test]
async fn mounts_and_drivers() {
    let world = World::of(|s3| {
        Config::of([
            Mount::s3("/files", s3),
            Mount::probe("/probe").set("download", "proxy"),
        ])
    })
    .await;
    let answer = world.get("/api/v1/mounts").await.expect(200).json();
    let mounts = answer["mounts"].as_array().unwrap();
    assert_eq!(mounts.len(), 2);
    assert_eq!(mounts[0]["path"], "/files");
    assert_eq!(mounts[0]["driver"], "s3");
    assert_eq!(mounts[0]["read_only"], false);
    assert_eq!(mounts[0]["download"], "redirect");
    assert_eq!(mounts[0]["ready"], true);
    assert_eq!(mounts[0]["last_error"], Value::Null);
    assert_eq!(mounts[1]["download"], "proxy");
    // It cannot write.
    assert_eq!(mounts[1]["read_only"], true);
    for mount in mounts {
        assert_eq!(mount["digest"].as_str().unwrap().len(), 64);
        assert!(
            mount["interfaces"]
                .as_array()
                .unwrap()
                .iter()
                .any(|name| name == "orlop:driver/storage@0.1.0")
        );
        assert!(!mount.to_string().contains("ORLOPTESTKEYID"));
    }

    let answer = world.get("/api/v1/drivers").await.expect(200).json();
    let drivers = answer["drivers"].as_array().unwrap();
    let names: Vec<&Value> = drivers.iter().map(|driver| &driver["name"]).collect();
    assert_eq!(names, ["s3", "probe"]);
    for driver in drivers {
        assert_eq!(driver["digest"].as_str().unwrap().len(), 64);
        assert!(driver["schema"]["properties"].is_object());
    }
    assert_eq!(
        drivers[0]["schema"]["properties"]["secret_access_key"]["writeOnly"],
        true
    );
}

#[tokio::test]
async fn calls_that_change_something_answer_with_what_was_done() {
    let world = world().await;
    for (call, body) in [
        (
            "copy",
            json!({"from": "/files/f/a b.txt", "to": "/files/copy"}),
        ),
        ("move", json!({"from": "/files/copy", "to": "/files/moved"})),
        ("remove", json!({"path": "/files/moved"})),
    ] {
        let answer = world
            .post(&format!("{call}?wait=true"), &body)
            .await
            .expect(200)
            .json();
        assert_eq!(
            fields(&answer),
            BTreeSet::from(["bytes", "items"]),
            "{call}"
        );
        assert_eq!(answer["items"], 1, "{call}: {answer}");
    }
    let made = world
        .post("mkdir", &json!({"path": "/files/new"}))
        .await
        .expect(201)
        .json();
    assert_eq!(fields(&made), BTreeSet::from(ENTRY));
}

#[tokio::test]
async fn calls_that_make_no_sense() {
    let world = world().await;
    for path in [
        "/api/v1/list?path=%2Ffiles%2F..%2Fx",
        "/api/v1/stat?path=/files//x",
    ] {
        world.get(path).await.problem(400, "invalid-argument");
    }
    world
        .get("/api/v1/list")
        .await
        .problem(400, "invalid-argument");
    for path in ["/api/", "/api/v1/", "/api/v2/list", "/api/v1/nothing"] {
        world.get(path).await.problem(404, "not-found");
    }
    for (call, body) in [
        ("mkdir", json!({})),
        ("mkdir", json!({"path": 1})),
        ("mkdir", json!({"path": "/files/x", "more": 1})),
        ("mkdir", json!({"path": "/files/../x"})),
        ("copy", json!({"from": "/files/f/a b.txt"})),
        (
            "copy",
            json!({"from": "/files/f/a b.txt", "to": "/files/x/"}),
        ),
        ("remove", json!([])),
    ] {
        world
            .post(call, &body)
            .await
            .problem(400, "invalid-argument");
    }
    // A form of another site can send text, but not JSON.
    let request = world
        .request(Method::POST, "/api/v1/remove")
        .header("content-type", "text/plain");
    send(request.body(r#"{"path":"/files/f/"}"#))
        .await
        .problem(415, "invalid-argument");
    let request = world
        .request(Method::POST, "/api/v1/remove")
        .header("content-type", "application/json")
        .header("origin", "https://evil.example");
    send(request.body(r#"{"path":"/files/f/"}"#))
        .await
        .problem(403, "permission-denied");
    let request = world
        .request(Method::POST, "/api/v1/mkdir")
        .header("content-type", "application/json");
    send(request.body("{".repeat(200_000)))
        .await
        .problem(413, "too-large");
    world.get("/api/v1/remove").await.expect(405);
    assert_eq!(world.keys(), ["f/a b.txt", "f/sub/x"]);
}
