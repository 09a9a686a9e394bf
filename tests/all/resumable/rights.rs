//! Who may begin, go on with, and see an upload.

use http::Method;
use serde_json::json;

use super::{PART, metadata, mount};
use crate::{
    harness::{Config, World, noise, send},
    users::{Proof, with},
};

const ANN: Proof = Proof::Password("ann");
const BOB: Proof = Proof::Password("bob");
const EVE: Proof = Proof::Password("eve");

async fn world() -> World {
    World::of(|s3| {
        Config::of([mount(s3)])
            .user("ann", &[("/files", "write"), ("/files/secret", "none")])
            .user("bob", &[("/files", "write")])
            .user("eve", &[("/files", "read")])
    })
    .await
}

impl World {
    async fn begin_by(&self, proof: &Proof, path: &str, size: usize) -> crate::harness::Answer {
        send(with(self.creation(size, &[("path", path)]), proof)).await
    }
}

#[tokio::test]
async fn rights_to_write_are_needed_and_uploads_are_their_owners_own() {
    let world = world().await;
    for size in [9, PART + 9] {
        let bytes = noise(size);
        world
            .begin_by(&EVE, "/files/f", size)
            .await
            .problem(403, "permission-denied");
        world
            .begin_by(&ANN, "/files/secret/f", size)
            .await
            .problem(403, "permission-denied");
        world
            .begin_by(&Proof::Nothing, "/files/f", size)
            .await
            .problem(401, "unauthenticated");
        world.expect_no_unfinished_uploads();

        let begun = world
            .begin_by(&ANN, &format!("/files/{size}"), size)
            .await
            .expect(201);
        let upload = begun.header("location");
        for other in [&BOB, &EVE, &Proof::Nothing] {
            for request in [
                world.tus(Method::HEAD, upload),
                world.tus(Method::DELETE, upload),
                world.chunk(upload, 0, bytes.slice(..5)),
            ] {
                send(with(request, other)).await.expect(404);
            }
        }
        // A token that may only read goes on with nothing; one that may write does.
        let token = async |rights: &str| {
            let allow = json!([{"path": "/files", "rights": rights}]);
            let body = json!({"name": rights, "expires": 60, "allow": allow});
            let token = world
                .post_by(&ANN, "tokens", &body)
                .await
                .expect(201)
                .json();
            Proof::Token(token["secret"].as_str().unwrap().to_owned())
        };
        let (reads, writes) = (token("read").await, token("write").await);
        let refused = send(with(world.chunk(upload, 0, bytes.slice(..5)), &reads)).await;
        refused.problem(403, "permission-denied");
        send(with(world.chunk(upload, 0, bytes.slice(..5)), &writes))
            .await
            .expect(204);
        send(with(world.chunk(upload, 5, bytes.slice(5..)), &ANN))
            .await
            .expect(204);
        world.expect_whole(&size.to_string(), &bytes);
    }
}

#[tokio::test]
async fn another_site_changes_nothing() {
    let world = super::world().await;
    let upload = world.begin_upload("/files/f", 9).await;
    for request in [
        world.creation(9, &[("path", "/files/g")]),
        world.chunk(&upload, 0, noise(9)),
        world.tus(Method::DELETE, &upload),
    ] {
        let answer = send(request.header("origin", "https://evil.example")).await;
        answer.problem(403, "permission-denied");
    }
    assert_eq!(world.offset(&upload).await, 0);
}

#[tokio::test]
async fn the_page_of_a_listed_origin_reads_where_it_goes_on() {
    let origin = "https://app.example";
    let world = World::of(|s3| {
        let origins = toml::Value::from(vec![origin]);
        Config::of([mount(s3)]).set("cors_origins", origins)
    })
    .await;
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "PATCH"),
    ];
    let preflight = world
        .send_with(Method::OPTIONS, "/api/v1/uploads", &headers)
        .await;
    assert!(
        preflight
            .expect(204)
            .header("access-control-allow-methods")
            .contains("PATCH")
    );
    let request = world
        .tus(Method::POST, "/api/v1/uploads")
        .header("origin", origin)
        .header("upload-length", 9)
        .header("upload-metadata", metadata(&[("path", "/files/f")]));
    let begun = send(request).await.expect(201);
    assert_eq!(begun.header("access-control-allow-origin"), origin);
    let exposed = begun.header("access-control-expose-headers");
    for name in [
        "Location",
        "Upload-Offset",
        "Upload-Length",
        "Tus-Resumable",
        "Upload-Expires",
    ] {
        assert!(exposed.contains(name), "{name}");
    }
}
