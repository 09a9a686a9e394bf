//! `orlop demo`: everything, with no account.

use http::Method;

use crate::harness::{Orlop, client, command, send};

#[tokio::test]
async fn a_whole_system_in_one_command() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = command(["demo", "--port", "0"]);
    demo.current_dir(folder.path()).env("TMPDIR", folder.path());
    let mut orlop = Orlop::start(demo).await;
    assert!(orlop.address().ip().is_loopback());
    assert_ne!(orlop.address().port(), 5244);
    let http = client();
    let get = |path: &str| send(http.get(orlop.url(path)));

    let page = get("/demo/").await.expect(200);
    assert!(page.text().contains("hello.txt"));
    assert!(get("/").await.expect(200).text().contains("demo"));
    get("/readyz").await.expect(200);

    let mut folders = vec!["/demo".to_owned()];
    let mut files = Vec::new();
    let mut empty = 0;
    while let Some(folder) = folders.pop() {
        let url = format!("/api/v1/list?path={}", crate::harness::encode(&folder));
        let page = get(&url).await.expect(200).json();
        let entries = page["entries"].as_array().unwrap().clone();
        empty += usize::from(entries.is_empty());
        for entry in entries {
            let path = entry["path"].as_str().unwrap().to_owned();
            match entry["kind"].as_str().unwrap() {
                "directory" => folders.push(path),
                _ => files.push((path, entry["size"].as_u64().unwrap())),
            }
        }
    }
    assert!(files.len() >= 24, "a few dozen files: {files:?}");
    assert!(empty >= 1, "an empty folder");
    assert!(files.iter().any(|(_, size)| *size > 50_000_000));
    assert!(files.iter().any(|(path, _)| path.ends_with(".png")));
    assert!(files.iter().any(|(path, _)| path.ends_with(".md")));
    assert!(
        files
            .iter()
            .any(|(path, _)| path.contains('ü') && path.contains('+'))
    );

    for (path, size) in &files {
        let path = crate::harness::encode(path);
        let redirect = get(&format!("/d{path}")).await.expect(302);
        let head = send(http.head(orlop.url(&format!("/p{path}"))))
            .await
            .expect(200);
        assert_eq!(head.header("content-length"), size.to_string(), "{path}");
        if *size < 1_000_000 {
            let direct = send(http.get(redirect.header("location")))
                .await
                .expect(200);
            let proxied = get(&format!("/p{path}")).await.expect(200);
            assert_eq!(direct.body, proxied.body, "{path}");
            assert_eq!(direct.body.len() as u64, *size, "{path}");
        }
    }
    let answer = send(
        http.get(orlop.url("/p/demo/zeros-52MiB.bin"))
            .header("range", "bytes=-10"),
    )
    .await
    .expect(206);
    assert_eq!(answer.body.len(), 10);

    // The keys are random, and the storage checks them.
    let redirect = get("/d/demo/hello.txt").await.expect(302);
    let unsigned = redirect.header("location").split('?').next().unwrap();
    send(http.get(unsigned)).await.expect(403);

    let upload = http
        .put(orlop.url("/d/demo/new/upload.txt"))
        .body("uploaded");
    send(upload).await.expect(201);
    assert_eq!(
        get("/p/demo/new/upload.txt").await.expect(200).text(),
        "uploaded"
    );
    send(http.request(Method::DELETE, orlop.url("/d/demo/new/")))
        .await
        .expect(204);
    get("/p/demo/new/upload.txt").await.expect(404);

    // What it suggests to try stands on the screen.
    assert!(
        orlop
            .stdout()
            .contains(&format!("curl -L {}", orlop.url("/d/demo/hello.txt"))),
        "{}",
        orlop.stdout()
    );

    orlop.signal("INT");
    assert_eq!(orlop.ended().await, Some(0));
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(left.is_empty(), "the sample files stay: {left:?}");
}

#[tokio::test]
async fn the_demo_keeps_to_this_machine() {
    let mut demo = command(["demo", "--listen", "0.0.0.0:0"]);
    let folder = tempfile::tempdir().unwrap();
    demo.current_dir(folder.path()).env("TMPDIR", folder.path());
    let ran = crate::harness::run(demo).await.expect(2);
    assert!(ran.stderr.contains("anonymous"), "{}", ran.stderr);
}
