//! A folder as one download.

use std::{collections::BTreeMap, io::Write as _, process::Command};

use bytes::Bytes;
use http::{Method, StatusCode};
use orlop_test_s3::{Fault, Matcher, Request, Rope};
use tempfile::NamedTempFile;

use crate::harness::{Config, Mount, World, noise, password, send, soon};

/// Has Info-ZIP and Python read an archive, and gives its names with their sizes and checksums as Python sees them.
fn read(archive: &NamedTempFile) -> BTreeMap<String, (u64, u32)> {
    let tested = Command::new("unzip")
        .arg("-tqq")
        .arg(archive.path())
        .output();
    let tested = tested.unwrap_or_else(|error| panic!("this test needs `unzip`: {error}"));
    assert!(tested.status.success(), "unzip: {tested:?}");
    let script = "import sys, zipfile\n\
        archive = zipfile.ZipFile(sys.argv[1])\n\
        assert archive.testzip() is None\n\
        for member in archive.infolist(): print(member.file_size, member.CRC, member.filename)";
    let listed = Command::new("python3")
        .args(["-c", script])
        .arg(archive.path())
        .output();
    let listed = listed.unwrap_or_else(|error| panic!("this test needs `python3`: {error}"));
    assert!(
        listed.status.success(),
        "python3: {}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let text = String::from_utf8(listed.stdout).unwrap();
    let mut members = BTreeMap::new();
    for line in text.lines() {
        let [size, crc, name] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let old = members.insert(
            name.to_owned(),
            (size.parse().unwrap(), crc.parse().unwrap()),
        );
        assert_eq!(old, None, "{name} is there twice");
    }
    members
}

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file.flush().unwrap();
    file
}

async fn archive(world: &World, path: &str) -> BTreeMap<String, (u64, u32)> {
    let answer = world.get(path).await.expect(200);
    assert_eq!(answer.header("content-type"), "application/zip");
    read(&file(&answer.body))
}

fn member(bytes: &[u8]) -> (u64, u32) {
    (bytes.len() as u64, crc32fast::hash(bytes))
}

#[tokio::test]
async fn all_that_is_in_a_folder_at_any_depth() {
    let world = World::start().await;
    let files = [
        ("a.txt", Bytes::from("text")),
        ("empty", Bytes::new()),
        ("large.bin", noise(3_000_000)),
        ("deep/er/still/f.bin", noise(300_000)),
        ("deep/ü 日本.txt", Bytes::from("x")),
        ("back\\slash", Bytes::from("y")),
        ("..\\..\\evil", Bytes::from("z")),
    ];
    for (name, bytes) in &files {
        world.put(&format!("folder/{name}"), bytes.clone());
    }
    world.put("folder/hollow/", "");
    world.put("other", "not in it");
    let mut expected: BTreeMap<String, (u64, u32)> = files
        .iter()
        .map(|(name, bytes)| (name.replace('\\', "\u{ff3c}"), member(bytes)))
        .collect();
    for folder in ["deep/", "deep/er/", "deep/er/still/", "hollow/"] {
        expected.insert(folder.to_owned(), (0, 0));
    }
    for path in [
        "/d/files/folder/?zip",
        "/p/files/folder/?zip",
        "/p/files/folder?zip=1",
    ] {
        assert_eq!(archive(&world, path).await, expected, "{path}");
    }
    let head = world
        .send_with(Method::HEAD, "/d/files/folder/?zip", &[])
        .await
        .expect(200);
    assert_eq!(
        head.header("content-disposition"),
        "attachment; filename=\"folder.zip\""
    );
    // The top of all mounts.
    let top = archive(&world, "/d/?zip").await;
    assert!(top.contains_key("files/other") && top.contains_key("files/folder/a.txt"));
    world
        .get("/d/files/no/?zip")
        .await
        .problem(404, "not-found");
    let page = world
        .get_with("/files/folder/", &[("accept", "text/html")])
        .await
        .expect(200);
    assert!(page.text().contains("href=\"/d/files/folder/?zip\""));
}

#[tokio::test]
async fn what_may_not_be_read_is_not_in_it() {
    let world = World::of(|s3| {
        Config::of([Mount::s3("/files", s3)])
            .user(
                "ann",
                &[
                    ("/files", "read"),
                    ("/files/folder/secret", "none"),
                    ("/files/folder/secret/shown", "read"),
                    ("/files/folder/also.txt", "none"),
                ],
            )
            .user("bob", &[("/files/folder/secret", "read")])
    })
    .await;
    for name in [
        "a.txt",
        "also.txt",
        "deep/b.txt",
        "secret/c.txt",
        "secret/deep/d.txt",
        "secret/shown/e.txt",
    ] {
        world.put(&format!("folder/{name}"), "x");
    }
    let fetch = async |name: &str, path: &str| {
        let request = world.request(Method::GET, path);
        send(request.basic_auth(name, Some(password(name)))).await
    };
    for path in ["/d/files/folder/?zip", "/p/files/folder/?zip", "/d/?zip"] {
        let of = async |name| {
            let answer = fetch(name, path).await.expect(200);
            read(&file(&answer.body)).into_keys().collect::<Vec<_>>()
        };
        let above = if path == "/d/?zip" {
            "files/folder/"
        } else {
            ""
        };
        let hers = of("ann").await;
        for name in ["a.txt", "deep/b.txt", "secret/shown/e.txt"] {
            assert!(hers.contains(&format!("{above}{name}")), "{path}: {hers:?}");
        }
        for name in [
            "also.txt",
            "secret/c.txt",
            "secret/deep/",
            "secret/deep/d.txt",
        ] {
            assert!(
                !hers.contains(&format!("{above}{name}")),
                "{path}: {hers:?}"
            );
        }
        let his = of("bob").await;
        let below = format!("{above}secret/");
        let is_on_the_way =
            |name: &String| name.starts_with(&below) || below.starts_with(name.as_str());
        assert!(his.iter().all(is_on_the_way), "{path}: {his:?}");
        assert!(
            his.contains(&format!("{below}deep/d.txt")),
            "{path}: {his:?}"
        );
    }
    fetch("ann", "/d/files/folder/secret/deep/?zip")
        .await
        .problem(403, "permission-denied");
}

#[tokio::test]
async fn an_empty_folder_is_an_empty_archive() {
    let world = World::start().await;
    world.put("hollow/", "");
    let answer = world.get("/d/files/hollow/?zip").await.expect(200);
    assert_eq!(answer.body.len(), 22);
    assert!(answer.body.starts_with(b"PK\x05\x06"));
}

#[tokio::test]
async fn a_moment_of_failure_is_waited_out() {
    let world = World::start().await.settled().await;
    for number in 0..2500 {
        world.put(&format!("folder/{number:04}"), "x");
    }
    // Not `list-type`: the first version of listings has none.
    let after_the_first = Matcher::any().query("prefix=").skip(1).times(2);
    let down = Fault::error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
    world.s3.faults().inject(after_the_first, down.clone());
    let is_file = |request: &Request| request.path().ends_with("/0042");
    world
        .s3
        .faults()
        .inject(Matcher::when(is_file).times(2), down);
    let members = archive(&world, "/d/files/folder/?zip").await;
    assert_eq!(members.len(), 2500);
    assert_eq!(world.s3.faults().waiting(), 0, "not all failed");
}

#[tokio::test]
async fn an_archive_that_cannot_be_finished_breaks_off() {
    let world = World::start().await;
    for number in 0..20 {
        world.put(&format!("folder/{number:02}"), noise(400_000));
    }
    let is_file = |request: &Request| request.path().ends_with("/15");
    let refused = Fault::error(StatusCode::FORBIDDEN, "AccessDenied");
    world
        .s3
        .faults()
        .inject(Matcher::when(is_file).always(), refused);
    let response = world
        .request(Method::GET, "/d/files/folder/?zip")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let bytes = soon("the end", response.bytes()).await;
    assert!(bytes.is_err(), "the archive seems whole");
    world.orlop.wait_for_log("an archive broke off").await;
}

/// Takes minutes and gigabytes of disk: `cargo test -- --ignored zip`.
#[tokio::test]
#[ignore = "takes minutes and gigabytes of disk"]
async fn more_and_larger_files_than_the_old_format_has_numbers_for() {
    let world = World::start().await;
    for number in 0..70_000 {
        world.put(&format!("folder/many/{number:05}"), "x");
    }
    let chunk = noise(1 << 20);
    let large: Rope = std::iter::repeat_n(chunk, 4200).collect();
    let size = large.len();
    world.put("folder/large.bin", large);
    world.put("folder/zz", "behind four gigabytes");
    let mut response = world
        .request(Method::GET, "/d/files/folder/?zip")
        .send()
        .await
        .unwrap();
    let mut file = NamedTempFile::new().unwrap();
    while let Some(piece) = response.chunk().await.unwrap() {
        file.write_all(&piece).unwrap();
    }
    file.flush().unwrap();
    let members = read(&file);
    assert_eq!(members.len(), 70_003);
    assert_eq!(members["large.bin"].0, size);
    assert_eq!(members["zz"], member(b"behind four gigabytes"));
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", world.orlop.process())).unwrap();
    let peak = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    println!("{peak}");
}
