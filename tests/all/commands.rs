//! The namespace from a shell.

use std::{io::Write, process::Stdio};

use orlop_test_s3::{Fault, Matcher};
use tokio::task::spawn_blocking;

use crate::harness::{BUCKET, World, command, noise, run, run_with_input, send, soon};

#[tokio::test]
async fn put_and_get() {
    let world = World::start().await;
    let bytes = noise(20 << 20);
    let local = world.folder.path().join("a b.bin");
    std::fs::write(&local, &bytes).unwrap();
    world
        .run(&["put", "a b.bin", "/files/into/"])
        .await
        .expect(0);
    assert_eq!(
        world.s3.store().bytes(BUCKET, "into/a b.bin").unwrap(),
        bytes
    );
    let ran = world
        .run(&["put", "--json", "a b.bin", "/files/other.bin"])
        .await
        .expect(0);
    assert_eq!(ran.json()["path"], "/files/other.bin");
    assert_eq!(ran.json()["size"], bytes.len());
    assert_eq!(world.s3.store().bytes(BUCKET, "other.bin").unwrap(), bytes);
    world.expect_no_unfinished_uploads();

    // Under its own name, under another, into a folder, to standard output.
    std::fs::create_dir(world.folder.path().join("down")).unwrap();
    world.run(&["get", "/files/other.bin"]).await.expect(0);
    world
        .run(&["get", "/files/other.bin", "copy.bin"])
        .await
        .expect(0);
    world
        .run(&["get", "/files/other.bin", "down"])
        .await
        .expect(0);
    for name in ["other.bin", "copy.bin", "down/other.bin"] {
        assert!(
            std::fs::read(world.folder.path().join(name)).unwrap() == bytes,
            "{name}"
        );
    }
    assert!(
        world
            .run(&["get", "/files/other.bin", "-"])
            .await
            .expect(0)
            .stdout
            == bytes
    );
    assert!(
        world
            .run(&["cat", "/files/other.bin"])
            .await
            .expect(0)
            .stdout
            == bytes
    );
}

#[tokio::test]
async fn put_from_standard_input() {
    let world = World::start().await;
    for (name, bytes) in [
        ("nothing", noise(0)),
        ("little", noise(10)),
        ("much", noise(20 << 20)),
    ] {
        let put = world.command(&["put", "-", &format!("/files/{name}")]);
        run_with_input(put, bytes.to_vec()).await.expect(0);
        assert!(
            world.s3.store().bytes(BUCKET, name).unwrap() == bytes,
            "{name}"
        );
    }
    world.expect_no_unfinished_uploads();
    let into_folder = world.command(&["put", "-", "/files/folder/"]);
    run_with_input(into_folder, b"x".to_vec()).await.expect(2);
}

#[tokio::test]
async fn put_keeps_what_is_there_if_asked_to() {
    let world = World::start().await;
    world.put("f", "old");
    std::fs::write(world.folder.path().join("f"), "new").unwrap();
    world.run(&["put", "-n", "f", "/files/f"]).await.expect(1);
    assert_eq!(world.object("f"), "old");
    world.run(&["put", "f", "/files/f"]).await.expect(0);
    assert_eq!(world.object("f"), "new");
    world.run(&["put", "missing", "/files/f"]).await.expect(1);
    world.run(&["put", ".", "/files/f"]).await.expect(2);
    assert_eq!(world.object("f"), "new");
}

#[tokio::test]
async fn the_files_own_time_is_kept_with_it() {
    let world = World::start().await;
    let local = world.folder.path().join("f");
    std::fs::write(&local, "x").unwrap();
    let then = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let file = std::fs::File::options().write(true).open(&local).unwrap();
    file.set_modified(then).unwrap();
    drop(file);
    world.run(&["put", "f", "/files/f"]).await.expect(0);
    let object = world.s3.store().object(BUCKET, "f").unwrap();
    assert_eq!(object.metadata.user["mtime"], "1000000000");
}

#[tokio::test]
async fn get_leaves_nothing_half_written() {
    let world = World::start().await;
    world.put("f", noise(1 << 20));
    std::fs::write(world.folder.path().join("f"), "old").unwrap();
    let get = || Matcher::any().method(http::Method::GET).path("/files/f");
    world
        .s3
        .faults()
        .inject(get(), Fault::CutBody { after: 1000 });
    world.s3.faults().inject(get().always(), Fault::Reset);
    world.run(&["get", "/files/f"]).await.expect(1);
    assert_eq!(
        std::fs::read(world.folder.path().join("f")).unwrap(),
        b"old"
    );
    let mut left: Vec<_> = std::fs::read_dir(world.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["f", "orlop.toml", "state"]);
}

#[tokio::test]
async fn ls_and_stat() {
    let world = World::start().await;
    world.put("f/a.txt", "12345");
    world.put("f/b/c", "x");
    assert_eq!(
        world.run(&["ls", "/files/f"]).await.expect(0).sorted(),
        ["a.txt", "b/"]
    );
    assert_eq!(
        world.run(&["ls", "files/f/a.txt"]).await.expect(0).lines(),
        ["a.txt"]
    );
    let long = world.run(&["ls", "-l", "/files/f"]).await.expect(0);
    let line = |end: &str| {
        long.lines()
            .into_iter()
            .find(|line| line.ends_with(end))
            .unwrap_or_else(|| panic!("{long:?}"))
    };
    assert!(line("Z  a.txt").contains(" 5 "), "{long:?}");
    line(" b/");
    let json = world
        .run(&["ls", "--json", "/files/f"])
        .await
        .expect(0)
        .json();
    let file = json
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["kind"] == "file")
        .unwrap();
    assert_eq!(file["name"], "a.txt");
    assert_eq!(file["size"], 5);
    assert_eq!(json.as_array().unwrap().len(), 2);
    let empty = world
        .run(&["ls", "--json", "/files/f/b/c"])
        .await
        .expect(0)
        .json();
    assert_eq!(empty.as_array().unwrap().len(), 1);

    let stat = world.run(&["stat", "/files/f/a.txt"]).await.expect(0);
    assert!(stat.text().contains("kind") && stat.text().contains("file"));
    assert_eq!(
        world
            .run(&["stat", "--json", "/files/f"])
            .await
            .expect(0)
            .json()["kind"],
        "directory"
    );
    for arguments in [
        ["ls", "/files/none"],
        ["stat", "/files/none"],
        ["cat", "/files/none"],
        ["get", "/files/none"],
        ["ls", "/none"],
    ] {
        let ran = world.run(&arguments).await.expect(1);
        assert!(
            ran.stderr.contains("not found"),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert!(ran.stdout.is_empty());
    }
    world.run(&["stat", "/files/f/a.txt/"]).await.expect(1);
    world.run(&["cat", "/files/f"]).await.expect(2);
    world.run(&["cat", "/files/f/"]).await.expect(2);
    world.run(&["get", "/files/f/"]).await.expect(2);
}

#[tokio::test]
async fn link() {
    let world = World::start().await;
    world.put("a b", "linked");
    let ran = world.run(&["link", "/files/a b"]).await.expect(0);
    assert_eq!(
        send(world.http.get(ran.text().trim()))
            .await
            .expect(200)
            .text(),
        "linked"
    );
    let ran = world
        .run(&[
            "link",
            "--expires",
            "15m",
            "--filename",
            "ü.txt",
            "--json",
            "/files/a b",
        ])
        .await
        .expect(0);
    let url = ran.json()["url"].as_str().unwrap().to_owned();
    assert!(url.contains("X-Amz-Expires=900"), "{url}");
    assert!(ran.json()["expires"].as_str().unwrap().ends_with('Z'));
    let answer = send(world.http.get(url)).await.expect(200);
    assert!(
        answer.header("content-disposition").contains("%C3%BC.txt"),
        "{answer:?}"
    );
    world.run(&["link", "/files/none"]).await.expect(1);
    world.run(&["link", "/files/"]).await.expect(2);
    world
        .run(&["link", "--expires", "soon", "/files/a b"])
        .await
        .expect(2);
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_failure() {
    let world = World::start().await;
    for number in 0..1000 {
        world.put(&format!("f/{number}"), "x");
    }
    let mut shell = std::process::Command::new("sh");
    let line = format!(
        "{} ls -R /files | head -1; true",
        env!("CARGO_BIN_EXE_orlop")
    );
    shell.args(["-c", &line]).current_dir(world.folder.path());
    shell.env(
        "ORLOP_CACHE_DIR",
        concat!(env!("CARGO_TARGET_TMPDIR"), "/orlop-cache"),
    );
    let ran = run(shell).await.expect(0);
    assert_eq!(ran.lines(), ["f/"]);
    assert_eq!(ran.stderr, "");
}

#[tokio::test]
async fn an_interrupted_put_leaves_nothing() {
    let world = World::with(|mount| {
        mount
            .config("part_size", "5MiB")
            .config("multipart_threshold", "5MiB")
    })
    .await;
    let gate = world.s3.faults().hold(Matcher::any().query("partNumber=1"));
    let mut put = world.command(&["put", "-", "/files/f"]);
    put.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = put.spawn().unwrap();
    let id = child.id();
    let mut stdin = child.stdin.take().unwrap();
    // The pipe stays open: without the signal, the upload would never end.
    let writing = spawn_blocking(move || {
        stdin.write_all(&noise(12 << 20)).unwrap();
        stdin
    });
    soon("the first part", gate.wait_until_reached()).await;
    let pipe = soon("the pipe to be read", writing).await.unwrap();
    let mut kill = std::process::Command::new("sh");
    kill.args(["-c", &format!("kill -INT {id}")]);
    run(kill).await.expect(0);
    gate.release();
    let ending = spawn_blocking(move || child.wait_with_output().unwrap());
    let output = soon("the end", ending).await.unwrap();
    drop(pipe);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert_eq!(stderr, "orlop: interrupted\n");
    assert_eq!(world.keys().len(), 0);
    world.expect_no_unfinished_uploads();
}

#[tokio::test]
async fn without_a_configuration_there_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut ls = command(["ls"]);
    ls.current_dir(folder.path());
    let ran = run(ls).await.expect(2);
    assert!(
        ran.stderr.contains("orlop.toml") && ran.stderr.contains("--config"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.stderr.lines().count(), 1);
}
