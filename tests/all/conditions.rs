//! Conditional requests (RFC 9110 §13).

use std::time::{Duration, UNIX_EPOCH};

use http::Method;
use orlop_test_s3::Object;

use crate::harness::{BUCKET, World, send};

const BEFORE: &str = "Thu, 01 Jan 2026 00:00:00 GMT";
const CHANGED: &str = "Fri, 02 Jan 2026 00:00:00 GMT";
const AFTER: &str = "Sat, 03 Jan 2026 00:00:00 GMT";

type Headers<'a> = &'a [(&'a str, &'a str)];

/// A world with the file `f`, of entity tag `"tag"`, changed on 2 January 2026.
async fn world() -> World {
    let world = World::start().await;
    let object = Object {
        body: "content".into(),
        etag: "tag".to_owned(),
        modified: UNIX_EPOCH + Duration::from_secs(1_767_312_000),
        metadata: orlop_test_s3::Metadata::default(),
    };
    world.s3.store().insert(BUCKET, "f", object);
    world
}

#[tokio::test]
async fn reads() {
    let world = world().await;
    let cases: &[(Headers<'_>, u16)] = &[
        (&[], 200),
        (&[("if-match", "\"tag\"")], 200),
        (&[("if-match", "*")], 200),
        (&[("if-match", "\"other\", \"tag\"")], 200),
        (&[("if-match", "\"other\"")], 412),
        (&[("if-match", "W/\"tag\"")], 412),
        (
            &[("if-match", "\"tag\""), ("if-unmodified-since", BEFORE)],
            200,
        ),
        (
            &[("if-match", "\"other\""), ("if-none-match", "\"tag\"")],
            412,
        ),
        (&[("if-unmodified-since", BEFORE)], 412),
        (&[("if-unmodified-since", CHANGED)], 200),
        (&[("if-unmodified-since", "yesterday")], 200),
        (&[("if-none-match", "\"tag\"")], 304),
        (&[("if-none-match", "W/\"tag\"")], 304),
        (&[("if-none-match", "\"other\", \"tag\"")], 304),
        (&[("if-none-match", "*")], 304),
        (&[("if-none-match", "\"other\"")], 200),
        (
            &[("if-none-match", "\"other\""), ("if-modified-since", AFTER)],
            200,
        ),
        (
            &[("if-none-match", "\"tag\""), ("if-modified-since", BEFORE)],
            304,
        ),
        (&[("if-modified-since", BEFORE)], 200),
        (&[("if-modified-since", CHANGED)], 304),
        (&[("if-modified-since", AFTER)], 304),
        (&[("if-modified-since", "nonsense")], 200),
        (&[("if-match", "\"tag\""), ("range", "bytes=0-2")], 206),
        (&[("if-match", "\"other\""), ("range", "bytes=0-2")], 412),
        (&[("if-none-match", "\"tag\""), ("range", "bytes=0-2")], 304),
    ];
    for (headers, status) in cases {
        for (method, path) in [
            (Method::GET, "/p/files/f"),
            (Method::HEAD, "/p/files/f"),
            (Method::HEAD, "/d/files/f"),
        ] {
            let answer = world.send_with(method.clone(), path, headers).await;
            // HEAD knows no ranges.
            let expected = if *status == 206 && method == Method::HEAD {
                200
            } else {
                *status
            };
            assert_eq!(answer.status, expected, "{method} {path} {headers:?}");
            if expected != 412 {
                assert_eq!(answer.header("etag"), "\"tag\"", "{headers:?}");
                assert_eq!(answer.header("last-modified"), CHANGED, "{headers:?}");
            }
            if expected == 304 {
                assert!(answer.body.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn writes() {
    let world = world().await;
    // With the file there: `f`; without: `new`.
    let cases: &[(&str, Headers<'_>, u16)] = &[
        ("f", &[("if-none-match", "*")], 412),
        ("f", &[("if-none-match", "\"tag\"")], 412),
        ("f", &[("if-match", "\"other\"")], 412),
        ("f", &[("if-unmodified-since", BEFORE)], 412),
        ("new", &[("if-match", "*")], 412),
        ("new", &[("if-match", "\"tag\"")], 412),
    ];
    for (name, headers, status) in cases {
        let path = format!("/d/files/{name}");
        let request = headers.iter().fold(
            world.request(Method::PUT, &path),
            |request, (name, value)| request.header(*name, *value),
        );
        send(request.body("changed"))
            .await
            .problem(*status, "precondition-failed");
        assert_eq!(world.object("f"), "content", "{name} {headers:?}");
        assert_eq!(world.keys(), ["f"], "{name} {headers:?}");
    }
    for (name, header, value, status) in [
        ("new", "if-none-match", "*", 201),
        ("f", "if-match", "\"tag\"", 204),
        ("f", "if-match", "*", 204),
        ("f", "if-none-match", "\"other\"", 204),
    ] {
        let request = world
            .request(Method::PUT, &format!("/d/files/{name}"))
            .header(header, value);
        let text = format!("{name} {value}");
        send(request.body(text.clone())).await.expect(status);
        assert_eq!(world.object(name), text);
    }
}

#[tokio::test]
async fn one_of_two_writers_wins() {
    // A service of which it is known that it checks conditions itself.
    let world = World::with(|mount| mount.config("provider", "minio")).await;
    let write = |text: &'static str| {
        let request = world
            .request(Method::PUT, "/d/files/new")
            .header("if-none-match", "*");
        send(request.body(text))
    };
    let (one, two) = tokio::join!(write("one"), write("two"));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 412]);
    let winner = if one.status == 201 { "one" } else { "two" };
    assert_eq!(world.object("new"), winner);
}

#[tokio::test]
async fn removals() {
    let world = world().await;
    for (header, value) in [
        ("if-match", "\"other\""),
        ("if-none-match", "\"tag\""),
        ("if-unmodified-since", BEFORE),
    ] {
        world
            .send_with(Method::DELETE, "/d/files/f", &[(header, value)])
            .await
            .problem(412, "precondition-failed");
    }
    assert_eq!(world.keys(), ["f"]);
    world
        .send_with(Method::DELETE, "/d/files/f", &[("if-match", "\"tag\"")])
        .await
        .expect(204);
    assert_eq!(world.keys().len(), 0);
}
