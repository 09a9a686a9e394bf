//! Names that file servers stumble over. The content of each object is its key, so that reading a path tells
//! which key it stands for.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::json;

use crate::harness::{World, encode, run, send};

const KEYS: [&str; 48] = [
    "odd/a space",
    "odd/two  spaces",
    "odd/ around ",
    "odd/plus+plus",
    "odd/100%",
    "odd/%41",
    "odd/%2F",
    "odd/%zz",
    "odd/hash#tag",
    "odd/what?",
    "odd/a&b=c",
    "odd/'single'",
    "odd/\"double\"",
    "odd/<b>&amp;",
    "odd/semi;colon, comma",
    "odd/colon:",
    "odd/javascript:alert(1)",
    "odd/at@sign",
    "odd/$dollar",
    "odd/[brackets]{braces}",
    "odd/pipe|`tick`^~",
    "odd/back\\slash",
    "odd/*star",
    "odd/ümläut",
    "odd/u\u{308}mlaut in pieces",
    "odd/日本語.txt",
    "odd/中文",
    "odd/🚢⚓",
    "odd/\u{202e}right to left",
    "odd/\u{feff}mark",
    "odd/new\nline",
    "odd/carriage\rreturn",
    "odd/tab\tbell\u{7}",
    "odd/escape\u{1b}[2J",
    "odd/.hidden",
    "odd/...",
    "odd/a//b",
    "odd/a///b",
    "odd//empty",
    "odd/both",
    "odd/both/inside",
    "odd/\u{2205}",
    "odd/\u{2400}",
    "odd/deep ü/+ 日本/%/#.txt",
    "/leading",
    "d/door",
    "api",
    "metrics",
];

async fn world() -> World {
    world_of("generic", "v2").await
}

/// Providers differ in whether listings come percent-encoded.
async fn world_of(provider: &str, version: &str) -> World {
    let world = World::with(|mount| {
        mount
            .config("provider", provider)
            .config("list_object_version", version)
    })
    .await;
    for key in KEYS {
        world.put(key, key);
    }
    world
}

/// The paths of all files below a folder, found by listing alone.
async fn paths(world: &World, folder: &str) -> Vec<String> {
    let mut folders = vec![folder.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in world.list(&folder).await {
            let path = entry["path"].as_str().unwrap().to_owned();
            if entry["kind"] == "directory" {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

fn keys() -> BTreeSet<String> {
    KEYS.iter().map(|key| (*key).to_owned()).collect()
}

#[tokio::test]
async fn every_key_has_one_path_and_every_door_opens_it() {
    for (provider, version) in [
        ("generic", "v1"),
        ("generic", "v2"),
        ("minio", "v1"),
        ("minio", "v2"),
    ] {
        every_door_opens(world_of(provider, version).await).await;
    }
}

async fn every_door_opens(world: World) {
    let mut found = BTreeMap::new();
    for path in paths(&world, "/files").await {
        let proxied = world.get(&format!("/p{}", encode(&path))).await.expect(200);
        let key = proxied.text().to_owned();
        let redirected = world
            .follow(&format!("/d{}", encode(&path)))
            .await
            .expect(200);
        assert_eq!(redirected.text(), key, "by redirect");
        let entry = world
            .call("stat", &[("path", &path)])
            .await
            .expect(200)
            .json();
        assert_eq!(entry["path"], path.as_str());
        assert_eq!(entry["size"], key.len());
        assert_eq!(entry["etag"], proxied.header("etag"));
        let head = world
            .send_with(Method::HEAD, &format!("/d{}", encode(&path)), &[])
            .await
            .expect(200);
        assert_eq!(head.header("content-length"), key.len().to_string());
        world
            .get_with(&encode(&path), &[("accept", "text/html")])
            .await
            .expect(200);
        assert_eq!(found.insert(key, path), None, "two paths stand for one key");
    }
    assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), keys());
    // A name that needs no help keeps its name.
    assert_eq!(found["odd/a space"], "/files/odd/a space");
    assert_eq!(found["odd/back\\slash"], "/files/odd/back\\slash");
    assert_eq!(found["odd/.hidden"], "/files/odd/.hidden");
}

#[tokio::test]
async fn the_pages_lead_to_every_file() {
    let world = world().await;
    let mut folders = vec!["/files/".to_owned()];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        let page = world
            .get_with(&folder, &[("accept", "text/html")])
            .await
            .expect(200);
        for row in page.text().split("<td class=\"name\">").skip(1) {
            let link = row
                .split("href=\"./")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap();
            if let Some(name) = link.strip_suffix('/') {
                folders.push(format!("{folder}{name}/"));
            } else {
                let download = row
                    .split("<td class=\"get\"><a href=\"")
                    .nth(1)
                    .unwrap()
                    .split('"')
                    .next()
                    .unwrap();
                assert_eq!(download, format!("/d{folder}{link}"));
                found.insert(world.follow(download).await.expect(200).text().to_owned());
            }
        }
        for raw in ["<b>", "\u{1b}"] {
            assert!(
                !page.text().contains(raw),
                "{raw:?} stands unescaped in {folder}"
            );
        }
    }
    assert_eq!(found, keys());
}

#[tokio::test]
async fn the_command_line_reads_every_file() {
    let world = world().await;
    let paths = paths(&world, "/files").await;
    let mut arguments = vec!["cat".to_owned()];
    arguments.extend(paths.iter().cloned());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ran = world.run(&arguments).await.expect(0);
    let mut expected = String::new();
    for path in &paths {
        expected.push_str(world.get(&format!("/p{}", encode(path))).await.text());
    }
    assert_eq!(ran.text(), expected);

    // Names cannot command the terminal, and each keeps to its line.
    let ran = world.run(&["ls", "-l", "/files/odd"]).await.expect(0);
    assert!(
        !ran.text().contains(['\u{1b}', '\u{7}', '\r', '\t']),
        "{:?}",
        ran.text()
    );
    assert_eq!(ran.lines().len(), world.list("/files/odd").await.len());
    // Machines get them as they are.
    let ran = world.run(&["ls", "-R", "--json", "/files"]).await.expect(0);
    let entries = ran.json();
    let files = entries
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["kind"] == "file");
    assert_eq!(files.count(), KEYS.len());
}

#[tokio::test]
async fn writing_a_path_makes_the_key_that_it_stands_for() {
    let world = world().await;
    for path in paths(&world, "/files").await {
        let key = world
            .get(&format!("/p{}", encode(&path)))
            .await
            .expect(200)
            .text()
            .to_owned();
        let target = format!("/d{}", encode(&path));
        send(
            world
                .request(Method::PUT, &target)
                .body(format!("new {key}")),
        )
        .await
        .expect(201);
        assert_eq!(world.object(&key), format!("new {key}"));
    }
    assert_eq!(world.keys().len(), KEYS.len(), "{:?}", world.keys());
}

#[tokio::test]
async fn a_tree_of_odd_names_is_copied_moved_and_removed() {
    let world = world().await;
    let moved = |to: &str| -> BTreeSet<String> {
        let inside = KEYS.iter().filter_map(|key| key.strip_prefix("odd/"));
        inside.map(|rest| format!("{to}/{rest}")).collect()
    };
    world
        .transfer("copy", "/files/odd/", "/files/copy of +%")
        .await
        .expect(200);
    let mut expected = keys();
    expected.extend(moved("copy of +%"));
    assert_eq!(world.keys().into_iter().collect::<BTreeSet<_>>(), expected);
    for key in KEYS.iter().filter(|key| key.starts_with("odd/")) {
        assert_eq!(world.object(&key.replacen("odd/", "copy of +%/", 1)), *key);
    }

    world
        .transfer("move", "/files/copy of +%/", "/files/moved & more")
        .await
        .expect(200);
    let mut expected = keys();
    expected.extend(moved("moved & more"));
    assert_eq!(world.keys().into_iter().collect::<BTreeSet<_>>(), expected);

    world
        .post("remove?wait=true", &json!({"path": "/files/moved & more/"}))
        .await
        .expect(200);
    assert_eq!(world.keys().into_iter().collect::<BTreeSet<_>>(), keys());
}

#[tokio::test]
async fn each_file_is_copied_and_removed_by_itself() {
    let world = world().await;
    let files = paths(&world, "/files").await;
    for path in &files {
        let key = world
            .get(&format!("/p{}", encode(path)))
            .await
            .expect(200)
            .text()
            .to_owned();
        world
            .transfer("copy", path, "/files/target")
            .await
            .expect(200);
        assert_eq!(world.object("target"), key);
        assert!(world.s3.store().remove("files", "target"));
    }
    let mut left = keys();
    for path in &files {
        let key = world
            .get(&format!("/p{}", encode(path)))
            .await
            .expect(200)
            .text()
            .to_owned();
        world
            .send_with(Method::DELETE, &format!("/d{}", encode(path)), &[])
            .await
            .expect(204);
        left.remove(&key);
        assert_eq!(
            world.keys().into_iter().collect::<BTreeSet<_>>(),
            left,
            "after {key:?}"
        );
    }
    assert!(left.is_empty());
}

/// URLs lose `.` and `..` on their way, so such keys take another. A link to one would lead clients astray, so all
/// bytes pass through the host.
#[tokio::test]
async fn keys_with_dot_segments() {
    let world = World::start().await;
    let dotted = [
        "dots/.",
        "dots/..",
        "dots/./x",
        "dots/../x",
        "dots/a/../../x",
    ];
    let others = ["dots/x", "x", "dots"];
    for key in dotted.into_iter().chain(others) {
        world.put(key, key);
    }
    let files = paths(&world, "/files/dots/").await;
    assert_eq!(files.len(), dotted.len() + 1, "{files:?}");
    let mut seen = BTreeSet::new();
    for path in files.iter().filter(|path| path.contains('\u{2205}')) {
        let address = format!("/d{}", encode(path));
        let read = world.get(&address).await.expect(200);
        let key = read.text().to_owned();
        assert!(dotted.contains(&key.as_str()), "{path} is {key}");
        let part = world.get_with(&address, &[("range", "bytes=1-2")]).await;
        assert_eq!(part.expect(206).text(), &key[1..3]);
        world
            .call("link", &[("path", path)])
            .await
            .problem(501, "unsupported");

        world
            .upload(&address, format!("new {key}"))
            .await
            .expect(201);
        assert_eq!(world.object(&key), format!("new {key}"));
        let to = format!("/files/copy of/{}", seen.len());
        world.transfer("copy", path, &to).await.expect(200);
        assert_eq!(
            world.get(&format!("/p{}", encode(&to))).await.text(),
            format!("new {key}")
        );
        world
            .transfer("move", path, &to)
            .await
            .problem(409, "already-exists");
        world
            .send_with(Method::DELETE, &address, &[])
            .await
            .expect(204);
        assert!(!world.keys().contains(&key), "{key} is still there");
        world.transfer("move", &to, path).await.expect(200);
        assert_eq!(world.object(&key), format!("new {key}"));
        seen.insert(key);
    }
    assert_eq!(seen.len(), dotted.len());
    for key in others {
        assert_eq!(world.object(key), key);
    }
    world
        .post("remove?wait=true", &json!({"path": "/files/dots/"}))
        .await
        .expect(200);
    assert_eq!(world.keys(), ["dots", "x"]);
}

#[tokio::test]
async fn a_file_and_a_folder_of_one_name_live_side_by_side() {
    let world = World::start().await;
    world.put("x/a", "file");
    world.put("x/a/inside", "inside");
    assert_eq!(world.names("/files/x").await, ["a", "a/"]);
    let kind = async |path| {
        world
            .call("stat", &[("path", path)])
            .await
            .expect(200)
            .json()["kind"]
            .clone()
    };
    assert_eq!(kind("/files/x/a").await, "file");
    assert_eq!(kind("/files/x/a/").await, "directory");
    assert_eq!(world.get("/p/files/x/a").await.expect(200).text(), "file");
    assert_eq!(world.names("/files/x/a/").await, ["inside"]);

    world
        .send_with(Method::DELETE, "/d/files/x/a", &[])
        .await
        .expect(204);
    assert_eq!(world.keys(), ["x/a/inside"]);
    world.put("x/a", "file");
    world
        .send_with(Method::DELETE, "/d/files/x/a/", &[])
        .await
        .expect(204);
    assert_eq!(world.keys(), ["x/a"]);
}

#[tokio::test]
async fn addresses_that_are_no_paths_are_refused() {
    let world = World::start().await;
    world.put("secret/x", "x");
    for path in [
        "/d/files/../files/secret/x",
        "/d/files/%2e%2e/files/secret/x",
        "/p/files//secret/x",
        "/p/files/./secret/x",
        "/p/files/secret%2Fx",
        "/p/files/secret%00",
        "/p/files/%ff",
        "/p/files/%",
        "/files/..",
        "//files/",
    ] {
        for method in ["GET", "HEAD"] {
            assert_eq!(world.raw_status(method, path).await, 400, "{method} {path}");
        }
    }
    for path in ["/d/files/../x", "/d/files//x", "/d/files/%2e"] {
        for method in ["PUT", "DELETE"] {
            assert_eq!(world.raw_status(method, path).await, 400, "{method} {path}");
        }
    }
    for path in ["/files/../x", "files//x", "/files/./x", "/files/\0"] {
        world
            .call("stat", &[("path", path)])
            .await
            .problem(400, "invalid-argument");
    }
    let mut command = world.command(&["ls", "/files/../files"]);
    command.env_remove("TERM");
    run(command).await.expect(2);
    assert_eq!(world.keys(), ["secret/x"]);
}
