//! `/d/` and `/p/`: the same bytes, by redirect or through the host.

use http::Method;
use orlop_test_s3::Metadata;

use crate::harness::{BUCKET, World, noise, send};

#[tokio::test]
async fn a_redirect_works_with_any_client() {
    let world = World::start().await;
    world.put("folder/f.bin", noise(100_000));
    let redirect = world.get("/d/files/folder/f.bin").await.expect(302);
    assert_eq!(redirect.header("cache-control"), "no-store");
    assert!(redirect.body.is_empty());
    let location = redirect.header("location");
    assert!(location.starts_with(&world.s3.endpoint()), "{location}");
    assert!(location.contains("X-Amz-Signature="));
    let answer = send(world.http.get(location)).await.expect(200);
    assert_eq!(answer.body, noise(100_000));
    // The signature is good for this one file.
    let other = location.replacen("f.bin", "g.bin", 1);
    world.put("folder/g.bin", "other");
    send(world.http.get(other)).await.expect(403);
}

#[tokio::test]
async fn the_proxy_gives_the_same_bytes_without_a_redirect() {
    let world = World::of(|s3| {
        use crate::harness::{Config, Mount};
        Config::of([
            Mount::s3("/files", s3),
            Mount::s3("/proxied", s3).set("download", "proxy"),
        ])
    })
    .await;
    let bytes = noise(3_000_000);
    world.put("f.bin", bytes.clone());
    for path in ["/p/files/f.bin", "/p/proxied/f.bin", "/d/proxied/f.bin"] {
        let answer = world.get(path).await.expect(200);
        assert_eq!(
            answer.header("content-length"),
            bytes.len().to_string(),
            "{path}"
        );
        assert_eq!(answer.body, bytes, "{path}");
    }
    assert_eq!(world.follow("/d/files/f.bin").await.expect(200).body, bytes);
}

#[tokio::test]
async fn head_is_never_redirected() {
    let world = World::start().await;
    let metadata = Metadata {
        content_type: Some("image/png".to_owned()),
        ..Metadata::default()
    };
    world
        .s3
        .store()
        .put_with(BUCKET, "a.png", noise(77), metadata);
    world.s3.requests().reset();
    for path in ["/d/files/a.png", "/p/files/a.png"] {
        let answer = world.send_with(Method::HEAD, path, &[]).await.expect(200);
        assert_eq!(answer.header("location"), "");
        assert_eq!(answer.header("content-length"), "77");
        assert_eq!(answer.header("content-type"), "image/png");
        assert!(answer.header("etag").starts_with('"'));
    }
    let fetched = world
        .s3
        .requests()
        .count_where(|request| request.method() == Method::GET && request.path() == "/files/a.png");
    assert_eq!(fetched, 0, "the bytes were fetched for nothing");
}

#[tokio::test]
async fn what_is_known_of_a_file_is_the_same_at_every_door() {
    let world = World::start().await;
    let metadata = Metadata {
        content_type: Some("text/markdown".to_owned()),
        ..Metadata::default()
    };
    world.s3.store().put_with(BUCKET, "a.md", "# A\n", metadata);
    let stat = world
        .call("stat", &[("path", "/files/a.md")])
        .await
        .expect(200)
        .json();
    let listed = world.list("/files").await;
    assert_eq!(listed[0]["etag"], stat["etag"]);
    assert_eq!(listed[0]["modified"], stat["modified"]);
    let storage = world.follow("/d/files/a.md").await.expect(200);
    for path in ["/p/files/a.md", "/d/files/a.md"] {
        let answer = world.send_with(Method::HEAD, path, &[]).await.expect(200);
        assert_eq!(answer.header("etag"), stat["etag"]);
        assert_eq!(answer.header("etag"), storage.header("etag"));
        assert_eq!(
            answer.header("last-modified"),
            storage.header("last-modified")
        );
        assert!(answer.header("content-type").starts_with("text/markdown"));
    }
    let ran = world
        .run(&["stat", "--json", "/files/a.md"])
        .await
        .expect(0)
        .json();
    assert_eq!(ran["etag"], stat["etag"]);
    assert_eq!(ran["modified"], stat["modified"]);
}

#[tokio::test]
async fn downloads_carry_the_files_name() {
    let world = World::start().await;
    world.put("ümläut 1.txt", "x");
    let path = "files/%C3%BCml%C3%A4ut%201.txt";
    let exact = "filename*=UTF-8''%C3%BCml%C3%A4ut%201.txt";
    let head = world
        .send_with(Method::HEAD, &format!("/d/{path}"), &[])
        .await
        .expect(200);
    assert!(
        head.header("content-disposition").starts_with("attachment"),
        "{head:?}"
    );
    for answer in [
        head,
        world.get(&format!("/p/{path}")).await,
        world.follow(&format!("/d/{path}")).await,
    ] {
        let answer = answer.expect(200);
        let disposition = answer.header("content-disposition");
        assert!(
            disposition.to_lowercase().contains(&exact.to_lowercase()),
            "{disposition}"
        );
    }
}

#[tokio::test]
async fn what_a_browser_would_run_is_kept_in_a_sandbox() {
    let world = World::start().await;
    for (name, content_type) in [
        ("a.html", "text/html"),
        ("a.svg", "image/svg+xml"),
        ("a.bin", "application/xhtml+xml"),
    ] {
        let metadata = Metadata {
            content_type: Some(content_type.to_owned()),
            ..Metadata::default()
        };
        world
            .s3
            .store()
            .put_with(BUCKET, name, "<script>alert(1)</script>", metadata);
        let answer = world.get(&format!("/p/files/{name}")).await.expect(200);
        assert!(
            answer.header("content-security-policy").contains("sandbox"),
            "{name}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{name}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let world = World::start().await;
    world.put("folder/x", "x");
    for path in [
        "/d/files/no",
        "/p/files/no",
        "/d/files/folder/no/x",
        "/p/nowhere",
        "/files/no",
        "/d/files/no/",
    ] {
        world.get(path).await.problem(404, "not-found");
        world.send_with(Method::HEAD, path, &[]).await.expect(404);
    }
    let page = world
        .get_with("/files/no", &[("accept", "text/html")])
        .await
        .expect(404);
    assert!(page.header("content-type").starts_with("text/html"));
    world
        .send_with(Method::DELETE, "/d/files/no", &[])
        .await
        .problem(404, "not-found");
    world
        .get("/d/files/folder")
        .await
        .problem(409, "is-a-directory");
    world
        .get("/p/files/folder/")
        .await
        .problem(409, "is-a-directory");
}

#[tokio::test]
async fn a_broken_connection_is_taken_up_where_it_broke() {
    use orlop_test_s3::{Fault, Matcher};
    let world = World::start().await;
    let bytes = noise(2_000_000);
    world.put("f.bin", bytes.clone());
    let cut = Matcher::any().method(Method::GET).path("/f.bin");
    world
        .s3
        .faults()
        .inject(cut, Fault::CutBody { after: 700_000 });
    assert_eq!(world.get("/p/files/f.bin").await.expect(200).body, bytes);
    assert_eq!(world.s3.faults().waiting(), 0, "nothing was cut");
}
