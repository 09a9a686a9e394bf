//! Pages of other origins (Fetch §3.2), and `OPTIONS` without them.

use http::Method;

use crate::harness::{Answer, Config, Mount, World};

const APP: &str = "https://app.example";

async fn world() -> World {
    World::of(|s3| {
        let origins = toml::Value::from(vec![APP, "http://localhost:3000"]);
        Config::of([Mount::s3("/files", s3)]).set("cors_origins", origins)
    })
    .await
}

fn allowed(answer: &Answer) -> (&str, &str) {
    (
        answer.header("access-control-allow-origin"),
        answer.header("access-control-allow-credentials"),
    )
}

#[tokio::test]
async fn listed_origins_are_let_in_and_others_are_not() {
    let world = world().await;
    for path in ["/d/files/new", "/p/files/new", "/api/v1/mkdir"] {
        let preflight = async |origin| {
            let headers = [
                ("origin", origin),
                ("access-control-request-method", "PUT"),
                ("access-control-request-headers", "content-type, x-own"),
            ];
            world
                .send_with(Method::OPTIONS, path, &headers)
                .await
                .expect(204)
        };
        let answer = preflight(APP).await;
        assert_eq!(allowed(&answer), (APP, "true"), "{path}");
        assert!(
            answer
                .header("access-control-allow-methods")
                .contains("PUT")
        );
        assert_eq!(
            answer.header("access-control-allow-headers"),
            "content-type, x-own"
        );
        for other in ["https://evil.example", "https://app.example.evil", "null"] {
            let answer = preflight(other).await;
            assert_eq!(allowed(&answer), ("", ""), "{path} {other}");
            assert_eq!(answer.header("access-control-allow-methods"), "");
        }
    }
}

#[tokio::test]
async fn answers_can_be_read_by_scripts_of_listed_origins() {
    let world = world().await;
    world.put("f.txt", "text");
    let answer = world
        .get_with("/p/files/f.txt", &[("origin", APP)])
        .await
        .expect(200);
    assert_eq!(allowed(&answer), (APP, "true"));
    assert_eq!(answer.header("vary"), "Origin");
    let exposed = answer.header("access-control-expose-headers");
    for name in [
        "ETag",
        "Content-Range",
        "Content-Disposition",
        "Location",
        "Upload-Offset",
        "Tus-Resumable",
    ] {
        assert!(exposed.contains(name), "{name}");
    }
    // Failures too.
    let answer = world
        .get_with("/p/files/no", &[("origin", APP)])
        .await
        .expect(404);
    assert_eq!(allowed(&answer), (APP, "true"));
    let evil = [("origin", "https://evil.example")];
    let answer = world.get_with("/p/files/f.txt", &evil).await.expect(200);
    assert_eq!(allowed(&answer), ("", ""));
    assert_eq!(answer.header("vary"), "Origin");
    // The page is not for scripts.
    let answer = world
        .get_with("/files/", &[("origin", APP)])
        .await
        .expect(200);
    assert_eq!(allowed(&answer), ("", ""));
}

#[tokio::test]
async fn listed_origins_may_change_things() {
    let world = world().await;
    for (origin, site, status) in [
        (APP, "cross-site", 201),
        ("https://evil.example", "cross-site", 403),
        ("null", "cross-site", 403),
    ] {
        let headers = [("origin", origin), ("sec-fetch-site", site)];
        world
            .send_with(Method::PUT, "/d/files/new", &headers)
            .await
            .expect(status);
    }
}

#[tokio::test]
async fn without_a_list_nobody_is_let_in() {
    let world = World::start().await;
    world.put("f.txt", "text");
    let answer = world
        .get_with("/p/files/f.txt", &[("origin", APP)])
        .await
        .expect(200);
    assert_eq!(allowed(&answer), ("", ""));
    for (path, expected) in [
        ("/d/files/f.txt", &["GET", "HEAD", "PUT", "DELETE"][..]),
        ("/p/files/f.txt", &["GET", "HEAD"]),
        ("/api/v1/list", &["GET", "HEAD"]),
        ("/api/v1/mkdir", &["POST"]),
        ("/files/", &["GET", "HEAD", "POST"]),
    ] {
        let answer = world
            .send_with(Method::OPTIONS, path, &[])
            .await
            .expect(204);
        let allow = answer.header("allow");
        for method in expected {
            assert!(allow.contains(method), "{path}: {allow}");
        }
    }
}
