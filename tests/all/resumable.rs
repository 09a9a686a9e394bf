//! Resumable uploads, as a client of tus 1.0.0 makes them.

mod crash;
mod faults;
mod protocol;
mod rights;
mod shared;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::Method;
use orlop_test_s3::{Matcher, Server};
use reqwest::RequestBuilder;

use crate::harness::{Answer, BUCKET, Config, Mount, Raw, World, noise, send, soon};

const MIB: usize = 1 << 20;

/// The size of a part in these tests.
const PART: usize = 5 * MIB;

/// A mount that takes files in parts from [`PART`] bytes on.
fn mount(s3: &Server) -> Mount {
    Mount::s3("/files", s3)
        .config("part_size", "5MiB")
        .config("multipart_threshold", "5MiB")
}

async fn world() -> World {
    World::of(|s3| Config::of([mount(s3)])).await
}

/// `Upload-Metadata` of these pairs.
fn metadata(pairs: &[(&str, &str)]) -> String {
    let pair = |(key, value): &(&str, &str)| format!("{key} {}", STANDARD.encode(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join(",")
}

/// Requests that bring a part.
fn parts() -> Matcher {
    Matcher::any().method(Method::PUT).query("partNumber=")
}

/// Requests that put parts together.
fn completions() -> Matcher {
    Matcher::when(|request| {
        request.method() == Method::POST && request.query().starts_with("uploadId=")
    })
}

impl World {
    fn tus(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).header("tus-resumable", "1.0.0")
    }

    fn creation(&self, length: usize, pairs: &[(&str, &str)]) -> RequestBuilder {
        self.tus(Method::POST, "/api/v1/uploads")
            .header("upload-length", length)
            .header("upload-metadata", metadata(pairs))
    }

    /// Begins an upload to a path, and gives its address.
    async fn begin_upload(&self, path: &str, length: usize) -> String {
        let answer = send(self.creation(length, &[("path", path)])).await;
        answer.expect(201).header("location").to_owned()
    }

    fn chunk(&self, upload: &str, offset: usize, bytes: Bytes) -> RequestBuilder {
        self.tus(Method::PATCH, upload)
            .header("content-type", "application/offset+octet-stream")
            .header("upload-offset", offset)
            .body(bytes)
    }

    async fn patch(&self, upload: &str, offset: usize, bytes: Bytes) -> Answer {
        send(self.chunk(upload, offset, bytes)).await
    }

    async fn head(&self, upload: &str) -> Answer {
        send(self.tus(Method::HEAD, upload)).await
    }

    async fn offset(&self, upload: &str) -> usize {
        let answer = self.head(upload).await.expect(200);
        answer.header("upload-offset").parse().unwrap()
    }

    /// Waits until an upload has come so far, and no request works on it.
    async fn rests(&self, upload: &str, offset: usize) {
        let rested = async {
            while self.patch(upload, offset, Bytes::new()).await.status != 204 {
                tokio::task::yield_now().await;
            }
        };
        soon("the offset", rested).await;
    }

    /// Waits until an upload has come further than that.
    async fn reaches_beyond(&self, upload: &str, offset: usize) {
        let reached = async {
            while self.offset(upload).await <= offset {
                tokio::task::yield_now().await;
            }
        };
        soon("more bytes", reached).await;
    }

    /// Sends the rest of a file, as soon as no other request works on the upload.
    async fn resume(&self, upload: &str, bytes: &Bytes) -> Answer {
        let resumed = async {
            loop {
                let offset = self.offset(upload).await;
                let answer = self.patch(upload, offset, bytes.slice(offset..)).await;
                let is_too_early = answer.status == 423
                    || (answer.status == 409 && !answer.header("upload-offset").is_empty());
                if !is_too_early {
                    return answer;
                }
            }
        };
        soon("the upload to be free", resumed).await
    }

    /// Asks for leave to send so many bytes.
    async fn ask_to_patch(&self, upload: &str, offset: usize, length: usize) -> Raw {
        let address = self.orlop.address();
        let mut raw = Raw::connect(address).await;
        raw.write(format!(
            "PATCH {upload} HTTP/1.1\r\nhost: {address}\r\ntus-resumable: 1.0.0\r\n\
             content-type: application/offset+octet-stream\r\nupload-offset: {offset}\r\n\
             content-length: {length}\r\nexpect: 100-continue\r\n\r\n"
        ))
        .await;
        raw
    }

    /// Sends so many bytes of the rest of a file, and keeps the connection. The request has the upload for its own.
    async fn patch_part_of(&self, upload: &str, offset: usize, bytes: &Bytes, sent: usize) -> Raw {
        let mut raw = self
            .ask_to_patch(upload, offset, bytes.len() - offset)
            .await;
        raw.read_until("HTTP/1.1 100 ").await;
        raw.write(&bytes[offset..offset + sent]).await;
        raw
    }

    /// The files in the spool.
    fn spool(&self) -> usize {
        let folder = self.folder.path().join("state/spool");
        std::fs::read_dir(folder).map_or(0, |files| files.count())
    }

    /// Checks that a file is there, and that nothing else is left of its upload.
    #[track_caller]
    fn expect_whole(&self, key: &str, bytes: &Bytes) {
        let found = self.s3.store().bytes(BUCKET, key);
        assert!(found.as_ref() == Some(bytes), "{key} has other bytes");
        self.expect_no_unfinished_uploads();
        assert_eq!(self.spool(), 0);
    }
}

#[tokio::test]
async fn files_of_all_sizes_arrive_in_pieces_of_all_sizes() {
    let world = world().await;
    for (size, piece, in_parts) in [
        (0, 1, 0),
        (1, 1, 0),
        (100_000, 33_333, 0),
        (PART - 1, MIB, 0),
        (PART, PART, 1),
        (PART + 1, 2 * MIB, 2),
        (2 * PART, 3 * MIB, 2),
        (2 * PART + 77, 2 * PART + 77, 3),
    ] {
        world.s3.requests().reset();
        let bytes = noise(size);
        let key = format!("up/{size} ü");
        let path = format!("/files/{key}");
        let begun = send(world.creation(size, &[("path", &path)]))
            .await
            .expect(201);
        assert_eq!(begun.header("tus-resumable"), "1.0.0");
        let upload = begun.header("location").to_owned();
        let mut offset = 0;
        while offset < size {
            let end = size.min(offset + piece);
            let answer = world.patch(&upload, offset, bytes.slice(offset..end)).await;
            let answer = answer.expect(204);
            assert_eq!(answer.header("upload-offset"), end.to_string());
            assert_eq!(answer.header("etag").is_empty(), end < size);
            assert!(answer.header("upload-expires").ends_with("GMT"));
            offset = end;
        }
        world.expect_whole(&key, &bytes);
        let sent = |request: &orlop_test_s3::Request| request.query().contains("partNumber=");
        assert_eq!(world.s3.requests().count_where(sent), in_parts, "{size}");
        // A client whose last answer was lost asks, and learns that it is done.
        let head = world.head(&upload).await.expect(200);
        assert_eq!(head.header("upload-offset"), size.to_string());
        assert_eq!(head.header("upload-length"), size.to_string());
        world.patch(&upload, size, Bytes::new()).await.expect(204);
        let stat = world.call("stat", &[("path", &path)]).await.expect(200);
        assert_eq!(stat.json()["size"], size);
    }
}

#[tokio::test]
async fn the_first_bytes_may_come_with_the_creation() {
    let world = world().await;
    for (size, first) in [(9, 9), (9, 4), (PART + 9, PART + 9), (PART + 9, PART)] {
        let bytes = noise(size);
        let pairs = [("path", "/files/f"), ("overwrite", "true")];
        let request = world
            .creation(size, &pairs)
            .header("content-type", "application/offset+octet-stream")
            .body(bytes.slice(..first));
        let begun = send(request).await.expect(201);
        assert_eq!(begun.header("upload-offset"), first.to_string());
        let upload = begun.header("location");
        if first < size {
            world
                .patch(upload, first, bytes.slice(first..))
                .await
                .expect(204);
        }
        world.expect_whole("f", &bytes);
    }
}

#[tokio::test]
async fn a_file_is_kept_with_what_the_client_says_of_it() {
    let world = world().await;
    for size in [9, PART + 9] {
        let pairs = [
            ("path", "/files/in/"),
            ("filename", "a.bin"),
            ("filetype", "text/x-own"),
            ("modified", "2026-11-28T04:10:31.5Z"),
        ];
        let bytes = noise(size);
        let begun = send(world.creation(size, &pairs)).await.expect(201);
        let upload = begun.header("location");
        let head = world.head(upload).await.expect(200);
        assert_eq!(head.header("upload-metadata"), metadata(&pairs));
        assert_eq!(head.header("cache-control"), "no-store");
        world.patch(upload, 0, bytes.clone()).await.expect(204);
        world.expect_whole("in/a.bin", &bytes);
        let read = world.get("/p/files/in/a.bin").await.expect(200);
        assert_eq!(read.header("content-type"), "text/x-own; charset=utf-8");
        let seen = world.s3.requests().list();
        let kept = seen
            .iter()
            .filter(|request| request.header("x-amz-meta-mtime") == Some("1795839031.5"));
        assert_eq!(kept.count(), 1, "{size}");
        world.s3.store().clear();
        world.s3.requests().reset();
    }
}

#[tokio::test]
async fn nothing_is_replaced_unless_the_client_says_so() {
    for size in [9, PART + 9] {
        let world = world().await;
        let bytes = noise(size);
        world.put("f", "old");
        let refused = send(world.creation(size, &[("path", "/files/f")])).await;
        refused.problem(409, "already-exists");
        world.expect_no_unfinished_uploads();
        let replaces = [("path", "/files/f"), ("overwrite", "true")];
        let begun = send(world.creation(size, &replaces)).await.expect(201);
        world
            .patch(begun.header("location"), 0, bytes.clone())
            .await
            .expect(204);
        world.expect_whole("f", &bytes);

        // A file that somebody else wrote in the meantime stays.
        let upload = world.begin_upload("/files/g", size).await;
        world.patch(&upload, 0, bytes.slice(..4)).await.expect(204);
        world.put("g", "theirs");
        let last = world.patch(&upload, 4, bytes.slice(4..)).await;
        last.problem(409, "already-exists");
        assert_eq!(world.object("g"), "theirs");
        // Once it is out of the way, the last byte is enough.
        world.s3.store().remove(BUCKET, "g");
        assert_eq!(world.offset(&upload).await, size - 1);
        world.resume(&upload, &bytes).await.expect(204);
        world.expect_whole("g", &bytes);
    }
}

#[tokio::test]
async fn an_upload_that_was_thrown_away_leaves_nothing() {
    for size in [PART - 9, 3 * PART] {
        let world = world().await;
        let bytes = noise(size);
        let upload = world.begin_upload("/files/f", size).await;
        let first = size * 2 / 3 - 5;
        world
            .patch(&upload, 0, bytes.slice(..first))
            .await
            .expect(204);
        assert_eq!(world.spool(), 1);
        send(world.tus(Method::DELETE, &upload)).await.expect(204);
        world.expect_no_unfinished_uploads();
        assert_eq!((world.spool(), world.keys().len()), (0, 0));
        world.head(&upload).await.expect(404);
        world
            .patch(&upload, first, bytes.slice(first..first + 1))
            .await
            .problem(404, "not-found");
        send(world.tus(Method::DELETE, &upload))
            .await
            .problem(404, "not-found");

        // Also while its bytes are coming, and of one that is done the file stays.
        let upload = world.begin_upload("/files/f", size).await;
        let mut raw = world.patch_part_of(&upload, 0, &bytes, first).await;
        send(world.tus(Method::DELETE, &upload)).await.expect(204);
        raw.read_until("HTTP/1.1 503 ").await;
        world.expect_no_unfinished_uploads();
        assert_eq!(world.spool(), 0);
        let upload = world.begin_upload("/files/f", size).await;
        world.patch(&upload, 0, bytes.clone()).await.expect(204);
        send(world.tus(Method::DELETE, &upload)).await.expect(204);
        world.head(&upload).await.expect(404);
        world.expect_whole("f", &bytes);
    }
}

#[tokio::test]
async fn a_listing_shows_the_file_at_once() {
    let world = World::of(|s3| Config::of([mount(s3).set("cache_seconds", 600)])).await;
    assert!(world.names("/files").await.is_empty());
    for (name, size) in [("large", PART), ("small", 3)] {
        let upload = world.begin_upload(&format!("/files/{name}"), size).await;
        world.patch(&upload, 0, noise(size)).await.expect(204);
        assert!(world.names("/files").await.contains(&name.to_owned()));
    }
}

#[tokio::test]
async fn a_driver_that_takes_no_parts_takes_what_can_be_gathered_here() {
    let options = orlop_test_s3::Options {
        buckets: vec![BUCKET.to_owned()],
        ..orlop_test_s3::Options::default()
    };
    let s3 = Server::start(options).await.unwrap();
    // Nobody can sign links without a key.
    let mount = Mount::s3("/files", &s3)
        .without_config("access_key_id")
        .without_config("secret_access_key");
    let probe = Mount::probe("/probe");
    let world = World::over(s3, Config::of([mount, probe])).await;
    let bytes = noise(20 * MIB);
    let upload = world.begin_upload("/files/f", bytes.len()).await;
    world
        .patch(&upload, 0, bytes.slice(..MIB))
        .await
        .expect(204);
    world
        .patch(&upload, MIB, bytes.slice(MIB..))
        .await
        .expect(204);
    world.expect_whole("f", &bytes);
    let detail = send(world.creation(65 * MIB, &[("path", "/files/g")]))
        .await
        .problem(501, "unsupported");
    assert!(detail.contains("67108864 bytes"), "{detail}");
    // One that cannot write at all.
    send(world.creation(9, &[("path", "/probe/f")]))
        .await
        .problem(403, "permission-denied");
}
