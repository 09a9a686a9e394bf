//! Each provider's profile against a service with that provider's quirks.

use std::collections::BTreeSet;

use http::Method;
use orlop_test_s3::{EtagKind, Options, Quirks, Server};

use crate::harness::{BUCKET, Config, Mount, World, credentials, encode, noise};

const REGION: &str = "test-1";
const KIB: usize = 1024;
/// More than two pages.
const MANY: usize = 2_300;

/// A row of the matrix.
struct Case {
    provider: &'static str,
    /// The bucket goes into the host by the profile's own choice.
    in_host: bool,
    etag: EtagKind,
}

const fn case(provider: &'static str, in_host: bool, etag: EtagKind) -> Case {
    Case {
        provider,
        in_host,
        etag,
    }
}

const CASES: [Case; 17] = [
    case("aws", true, EtagKind::Md5),
    case("oss", true, EtagKind::Md5),
    case("cos", true, EtagKind::Counter),
    case("obs", true, EtagKind::Md5),
    case("kodo", false, EtagKind::Counter),
    case("bos", true, EtagKind::Counter),
    case("jd", true, EtagKind::Counter),
    case("oos", false, EtagKind::Counter),
    case("eos", false, EtagKind::Md5),
    case("upyun", false, EtagKind::Counter),
    case("doge", true, EtagKind::Counter),
    case("r2", false, EtagKind::Counter),
    case("b2", false, EtagKind::Md5),
    case("scaleway", true, EtagKind::Md5),
    case("gcs", false, EtagKind::Md5),
    case("minio", false, EtagKind::Md5),
    case("generic", false, EtagKind::Counter),
];

impl Case {
    async fn world(&self) -> World {
        let s3 = Server::start(Options {
            credentials: Some(credentials()),
            region: Some(REGION.to_owned()),
            buckets: vec![BUCKET.to_owned()],
            etag: self.etag,
            min_part_size: 64 << 10,
            quirks: Quirks::of(self.provider).unwrap(),
            ..Options::default()
        })
        .await
        .unwrap();
        let mount = self.mount(&s3);
        World::over(s3, Config::of([mount])).await.settled().await
    }

    fn mount(&self, s3: &Server) -> Mount {
        let host = if self.in_host {
            "s3.localhost"
        } else {
            "127.0.0.1"
        };
        let mount = Mount::s3("/files", s3)
            .config("provider", self.provider)
            .config("endpoint", format!("http://{host}:{}", s3.port()))
            .config("region", REGION)
            // Sizes as they are scaled down.
            .config("part_min", "64KiB")
            .config("part_size", "256KiB")
            .config("multipart_threshold", "512KiB")
            .config("copy_part_size", "512KiB");
        match self.provider {
            "gcs" => mount,
            "doge" => mount
                .config("copy_max", "1MiB")
                .config("session_token", "temporary"),
            _ => mount.config("copy_max", "1MiB"),
        }
    }

    /// Folders and files with names that are hard to carry.
    fn odd_keys(&self) -> Vec<String> {
        let names = [
            "a b",
            "a+b",
            "a%20b",
            "100%",
            "#?&=;",
            "'\"<>",
            "ä 日本 🦀",
            "a\\b",
            "~-_.!*()",
        ];
        let mut keys: Vec<String> = names
            .iter()
            .flat_map(|name| [format!("odd/{name}"), format!("odd/in {name}/file")])
            .collect();
        // Where listings are not encoded, XML has no way to show these.
        if matches!(
            self.provider,
            "aws" | "oss" | "r2" | "b2" | "scaleway" | "gcs" | "minio"
        ) {
            keys.extend(["odd/line\nfeed", "odd/return\r", "odd/bell\u{7}"].map(str::to_owned));
        }
        keys
    }
}

#[tokio::test]
async fn long_listings_are_whole_and_each_name_comes_once() {
    for case in &CASES {
        let world = case.world().await;
        let expected: BTreeSet<String> =
            (0..MANY).map(|number| format!("{number:05} +%")).collect();
        for name in &expected {
            world.put(&format!("many/{name}"), "x");
        }
        let names = world.names("/files/many").await;
        assert_eq!(names.len(), MANY, "{}", case.provider);
        let names: BTreeSet<String> = names.into_iter().collect();
        assert_eq!(names, expected, "{}", case.provider);
    }
}

#[tokio::test]
async fn odd_keys_are_listed_read_by_link_and_by_proxy_and_removed() {
    for case in &CASES {
        let world = case.world().await;
        let keys = case.odd_keys();
        for key in &keys {
            world.put(key, key.clone());
        }
        let mut found = 0;
        for entry in world.list("/files/odd").await {
            let path = entry["path"].as_str().unwrap().to_owned();
            let files = match entry["kind"].as_str() {
                Some("directory") => world.list(&path).await,
                _ => vec![entry],
            };
            for file in files {
                found += 1;
                let path = file["path"].as_str().unwrap();
                let what = format!("{} {path}", case.provider);
                let proxied = world.get(&format!("/p{}", encode(path))).await.expect(200);
                assert!(keys.iter().any(|key| key == proxied.text()), "{what}");
                let linked = world
                    .follow(&format!("/d{}", encode(path)))
                    .await
                    .expect(200);
                assert_eq!(linked.text(), proxied.text(), "{what}");
                let stat = world
                    .call("stat", &[("path", path)])
                    .await
                    .expect(200)
                    .json();
                assert_eq!(stat["size"], file["size"], "{what}");
            }
        }
        assert_eq!(found, keys.len(), "{}", case.provider);
        let remove = world.send_with(Method::DELETE, "/d/files/odd/", &[]).await;
        remove.expect(204);
        assert!(
            world.keys().is_empty(),
            "{}: {:?}",
            case.provider,
            world.keys()
        );
    }
}

#[tokio::test]
async fn files_are_written_whole_and_in_parts() {
    for case in &CASES {
        let world = case.world().await;
        for size in [0, 1, 300 * KIB, 512 * KIB, 1_300 * KIB] {
            let bytes = noise(size);
            let path = format!("/d/files/new/{size}");
            world.upload(&path, bytes.clone()).await.expect(201);
            let key = format!("new/{size}");
            let what = format!("{} {size}", case.provider);
            assert_eq!(
                world.s3.store().bytes(BUCKET, &key).unwrap(),
                bytes,
                "{what}"
            );
        }
        // Nobody says how much is to come.
        let pieces = noise(1_300 * KIB)
            .chunks(100_000)
            .map(|piece| Ok::<_, std::io::Error>(bytes::Bytes::copy_from_slice(piece)))
            .collect::<Vec<_>>();
        let body = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
        world
            .upload("/d/files/new/streamed", body)
            .await
            .expect(201);
        let written = world.s3.store().bytes(BUCKET, "new/streamed").unwrap();
        assert_eq!(written, noise(1_300 * KIB), "{}", case.provider);
        world.expect_no_unfinished_uploads();
        // Whoever wants no file replaced is heard, by the service or by a look before.
        let refused = world
            .send_with(Method::PUT, "/d/files/new/1", &[("if-none-match", "*")])
            .await;
        refused.problem(412, "precondition-failed");
        assert_eq!(world.s3.store().bytes(BUCKET, "new/1").unwrap(), noise(1));
    }
}

#[tokio::test]
async fn trees_are_copied_beyond_the_largest_copy_and_moved_and_removed() {
    for case in &CASES {
        let world = case.world().await;
        let large = noise(2_500 * KIB);
        world.put("tree/large", large.clone());
        for number in 0..1_200 {
            world.put(&format!("tree/{}/{number}", number % 3), number.to_string());
        }
        world.put("tree", "the file beside");
        let count = world.keys().len();
        world
            .transfer("copy", "/files/tree/", "/files/copy")
            .await
            .expect(200);
        assert_eq!(world.keys().len(), 2 * count - 1, "{}", case.provider);
        assert_eq!(world.s3.store().bytes(BUCKET, "copy/large").unwrap(), large);

        world
            .transfer("move", "/files/copy/", "/files/moved +")
            .await
            .expect(200);
        let moved = world
            .keys()
            .iter()
            .filter(|key| key.starts_with("moved +/"))
            .count();
        assert_eq!(moved, count - 1, "{}", case.provider);
        assert_eq!(world.keys().len(), 2 * count - 1, "{}", case.provider);
        assert_eq!(
            world.s3.store().bytes(BUCKET, "moved +/large").unwrap(),
            large
        );

        for folder in ["tree/", "moved%20%2B/"] {
            let path = format!("/d/files/{folder}");
            world
                .send_with(Method::DELETE, &path, &[])
                .await
                .expect(204);
        }
        assert_eq!(world.keys(), ["tree"], "{}", case.provider);
        world.expect_no_unfinished_uploads();
    }
}

#[tokio::test]
async fn a_listing_that_does_not_get_on_is_an_error_and_no_loop() {
    let case = CASES.iter().find(|case| case.provider == "obs").unwrap();
    let world = case.world().await;
    for number in 0..MANY {
        world.put(&format!("many/{number}/file"), "x");
    }
    // What the profile knows better than to ask for.
    let mount = case.mount(&world.s3).config("list_url_encode", true);
    std::fs::write(
        world.folder.path().join("orlop.toml"),
        Config::of([mount]).text(),
    )
    .unwrap();
    let ran = world.run(&["ls", "/files/many"]).await.expect(1);
    assert!(ran.stderr.contains("does not advance"), "{}", ran.stderr);
    assert!(world.s3.requests().count() < 5);
}

#[tokio::test]
async fn a_refused_style_of_address_names_the_option() {
    for case in CASES.iter().filter(|case| {
        Quirks::of(case.provider)
            .unwrap()
            .refuse_path_style
            .is_some()
    }) {
        let world = case.world().await;
        let mount = case
            .mount(&world.s3)
            .config("endpoint", world.s3.endpoint())
            .config("addressing", "path");
        std::fs::write(
            world.folder.path().join("orlop.toml"),
            Config::of([mount]).text(),
        )
        .unwrap();
        let report = world.run(&["check", "--json"]).await.expect(1).json();
        let finding = &report[0]["findings"][0];
        assert_eq!(
            finding["field"], "addressing",
            "{}: {finding}",
            case.provider
        );
        assert_eq!(finding["remedy"], "addressing = \"virtual-host\"");
    }
}
