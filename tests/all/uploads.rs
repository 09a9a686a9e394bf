//! PUT: whole or not at all.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use futures::stream;
use http::Method;
use orlop_test_s3::{Fault, Matcher};

use crate::harness::{BUCKET, Config, Mount, Raw, World, noise, send, soon};

const MIB: usize = 1 << 20;

/// A body in pieces, whose length nobody knows before its end.
fn unsized_body(bytes: &Bytes) -> reqwest::Body {
    let pieces: Vec<_> = (0..bytes.len())
        .step_by(100_000)
        .map(|start| Ok::<_, std::io::Error>(bytes.slice(start..bytes.len().min(start + 100_000))))
        .collect();
    reqwest::Body::wrap_stream(stream::iter(pieces))
}

async fn round_trip(size: usize, in_parts: bool) {
    let world = World::start().await;
    let bytes = noise(size);
    for (name, body) in [
        ("sized", reqwest::Body::from(bytes.clone())),
        ("unsized", unsized_body(&bytes)),
    ] {
        world.s3.requests().reset();
        let answer = world
            .upload(&format!("/d/files/up/{name}"), body)
            .await
            .expect(201);
        assert_eq!(answer.header("location"), format!("/d/files/up/{name}"));
        let key = format!("up/{name}");
        assert_eq!(
            world.s3.store().bytes(BUCKET, &key).unwrap(),
            bytes,
            "{name}"
        );
        let parts = world
            .s3
            .requests()
            .count_where(|request| request.query().contains("partNumber="));
        assert_eq!(parts > 1, in_parts, "{name} of {size} bytes: {parts} parts");
        world.expect_no_unfinished_uploads();

        let read = world.get(&format!("/p/files/up/{name}")).await.expect(200);
        assert!(read.body == bytes, "{name}");
        assert_eq!(read.header("etag"), answer.header("etag"), "{name}");
        let listed = world
            .call("stat", &[("path", &format!("/files/up/{name}"))])
            .await
            .expect(200)
            .json();
        assert_eq!(listed["size"], size);
    }
}

#[tokio::test]
async fn nothing() {
    round_trip(0, false).await;
}

#[tokio::test]
async fn one_byte() {
    round_trip(1, false).await;
}

#[tokio::test]
async fn five_mebibytes() {
    round_trip(5 * MIB, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_mebibytes() {
    round_trip(100 * MIB, true).await;
}

#[tokio::test]
async fn sizes_around_the_size_of_a_part() {
    let world = World::with(|mount| {
        mount
            .config("part_size", "5MiB")
            .config("multipart_threshold", "5MiB")
    })
    .await;
    for (size, parts) in [
        (5 * MIB - 1, 0),
        (5 * MIB, 1),
        (5 * MIB + 1, 2),
        (10 * MIB, 2),
        (10 * MIB + 1, 3),
    ] {
        world.s3.requests().reset();
        let bytes = noise(size);
        world.upload("/d/files/f", bytes.clone()).await;
        assert_eq!(
            world.s3.store().bytes(BUCKET, "f").unwrap(),
            bytes,
            "{size}"
        );
        let sent = world
            .s3
            .requests()
            .count_where(|request| request.query().contains("partNumber="));
        assert_eq!(sent, parts, "{size}");
        world.expect_no_unfinished_uploads();
    }
}

#[tokio::test]
async fn a_body_without_end_is_cut_off_where_the_storage_ends() {
    let world = World::with(|mount| {
        mount
            .config("part_size", "5MiB")
            .config("multipart_threshold", "5MiB")
            .config("parts_max", 4)
            .config("equal_parts", true)
    })
    .await;
    world.put("f", "old");
    let taken = Arc::new(AtomicUsize::new(0));
    let piece = noise(100_000);
    let counter = Arc::clone(&taken);
    let endless = stream::repeat_with(move || {
        counter.fetch_add(piece.len(), Ordering::Relaxed);
        Ok::<_, std::io::Error>(piece.clone())
    });
    let body = reqwest::Body::wrap_stream(endless);
    world
        .upload("/d/files/f", body)
        .await
        .problem(413, "too-large");
    // Four parts and a byte, and what is on its way in buffers.
    let taken = taken.load(Ordering::Relaxed);
    assert!((20 * MIB..40 * MIB).contains(&taken), "{taken}");
    assert_eq!(world.object("f"), "old");
    world.expect_no_unfinished_uploads();
    // One that ends in time is taken.
    let bytes = noise(20 * MIB);
    world
        .upload("/d/files/f", unsized_body(&bytes))
        .await
        .expect(201);
    assert_eq!(world.s3.store().bytes(BUCKET, "f").unwrap(), bytes);
}

#[tokio::test]
async fn a_new_file_replaces_the_old_one() {
    let world = World::start().await;
    world.upload("/d/files/f.txt", "first").await.expect(201);
    let first = world.get("/p/files/f.txt").await;
    world
        .upload("/d/files/f.txt", "second, and longer")
        .await
        .expect(201);
    let second = world.get("/p/files/f.txt").await;
    assert_eq!(second.text(), "second, and longer");
    assert_ne!(first.header("etag"), second.header("etag"));
    assert_eq!(world.list("/files").await.len(), 1);
}

#[tokio::test]
async fn our_own_writes_are_seen_at_once_in_spite_of_the_cache() {
    let world = World::with(|mount| mount.set("cache_seconds", 3600)).await;
    world.upload("/d/files/a/one", "1").await.expect(201);
    assert_eq!(world.names("/files/a").await, ["one"]);
    world.upload("/d/files/a/two", "2").await.expect(201);
    assert_eq!(world.names("/files/a").await, ["one", "two"]);
    world.upload("/d/files/a/one", "another").await.expect(204);
    assert_eq!(
        world.get("/p/files/a/one").await.expect(200).text(),
        "another"
    );
    world
        .send_with(Method::DELETE, "/d/files/a/one", &[])
        .await
        .expect(204);
    assert_eq!(world.names("/files/a").await, ["two"]);
    world.get("/p/files/a/one").await.expect(404);
    // What others did is seen later.
    world.put("a/three", "3");
    assert_eq!(world.names("/files/a").await, ["two"]);
}

#[tokio::test]
async fn the_media_type_is_kept() {
    let world = World::start().await;
    let request = world
        .request(Method::PUT, "/d/files/f")
        .header("content-type", "application/x-odd");
    send(request.body("x")).await.expect(201);
    let object = world.s3.store().object(BUCKET, "f").unwrap();
    assert_eq!(
        object.metadata.content_type.as_deref(),
        Some("application/x-odd")
    );
    // One that the client did not give follows from the name.
    world.upload("/d/files/f.png", "x").await.expect(201);
    let object = world.s3.store().object(BUCKET, "f.png").unwrap();
    assert_eq!(object.metadata.content_type.as_deref(), Some("image/png"));
}

#[tokio::test]
async fn parts_that_fail_are_sent_again() {
    let world = World::with(|mount| {
        mount
            .config("part_size", "5MiB")
            .config("multipart_threshold", "5MiB")
    })
    .await;
    let faults = world.s3.faults();
    faults.inject(Matcher::any().query("partNumber=1&"), Fault::slow_down());
    faults.inject(Matcher::any().query("partNumber=2&"), Fault::Reset);
    faults.inject(Matcher::any().query("partNumber=3&"), Fault::LoseAnswer);
    faults.inject(
        Matcher::any().method(Method::POST).query("uploadId="),
        Fault::error_in_ok("InternalError"),
    );
    let bytes = noise(16 * MIB);
    world.upload("/d/files/f", bytes.clone()).await.expect(201);
    assert_eq!(faults.waiting(), 0, "not all faults were met");
    assert_eq!(world.s3.store().bytes(BUCKET, "f").unwrap(), bytes);
    world.expect_no_unfinished_uploads();
}

#[tokio::test]
async fn an_upload_that_the_storage_refuses_leaves_nothing() {
    let world = World::with(|mount| {
        mount
            .config("part_size", "5MiB")
            .config("multipart_threshold", "5MiB")
    })
    .await;
    world.put("f", "old");
    let refusal = Fault::error(http::StatusCode::FORBIDDEN, "AccessDenied");
    world
        .s3
        .faults()
        .inject(Matcher::any().query("partNumber=2").always(), refusal);
    world
        .upload("/d/files/f", noise(16 * MIB))
        .await
        .problem(403, "permission-denied");
    assert_eq!(world.object("f"), "old");
    world.expect_no_unfinished_uploads();
}

/// Sends a part of what was promised.
async fn begin_upload(world: &World, head: &str, body: &[u8]) -> Raw {
    let mut raw = Raw::connect(world.orlop.address()).await;
    raw.write(format!(
        "PUT /d/files/broken HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n"
    ))
    .await;
    raw.write(body).await;
    raw
}

#[tokio::test]
async fn a_client_that_goes_away_half_way_leaves_nothing() {
    let world = World::with(|mount| {
        mount
            .config("part_size", "5MiB")
            .config("multipart_threshold", "5MiB")
    })
    .await;
    world.put("broken", "old");
    let chunk = [b"600000\r\n".as_slice(), &noise(6 * MIB)].concat();
    for (head, body) in [
        (
            format!("content-length: {}", 20 * MIB),
            noise(12 * MIB).to_vec(),
        ),
        ("transfer-encoding: chunked".to_owned(), chunk),
    ] {
        let gate = world.s3.faults().hold(Matcher::any().query("partNumber=1"));
        let abort = world
            .s3
            .faults()
            .hold(Matcher::any().method(Method::DELETE).query("uploadId="));
        let begun = begin_upload(&world, &head, &body);
        let (raw, ()) = tokio::join!(begun, soon("the first part", gate.wait_until_reached()));
        drop(raw);
        gate.release();
        soon("the end of the upload", abort.wait_until_reached()).await;
        assert_eq!(world.object("broken"), "old", "{head}");
        abort.release();
        soon("the abort to take effect", async {
            while world.s3.store().unfinished_uploads(BUCKET) > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(world.object("broken"), "old", "{head}");
        world.get("/healthz").await.expect(200);
    }
}

#[tokio::test]
async fn a_small_upload_that_breaks_off_never_reaches_the_storage() {
    let world = World::of(|s3| {
        Config::of([Mount::s3("/files", s3)]).set("log", "info,orlop::access=debug")
    })
    .await;
    drop(begin_upload(&world, "content-length: 1000", b"only a little").await);
    // Once the log tells of it, it is over.
    world.orlop.wait_for_log("broken").await;
    assert_eq!(world.keys().len(), 0);
    let writes = world
        .s3
        .requests()
        .count_where(|request| request.method() == Method::PUT);
    assert_eq!(writes, 0);
}

#[tokio::test]
async fn a_file_that_is_not_what_its_digest_tells_is_not_written() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use sha2::Digest;

    let world = World::with(|mount| {
        mount
            .config("part_size", "5MiB")
            .config("multipart_threshold", "5MiB")
    })
    .await;
    for size in [1000, 12 * MIB] {
        let bytes = noise(size);
        let mut wrong = bytes.to_vec();
        wrong[size - 1] ^= 1;
        let wrong = Bytes::from(wrong);
        let md5 = STANDARD.encode(md5::Md5::digest(&bytes));
        let sha256 = STANDARD.encode(sha2::Sha256::digest(&bytes));
        for (header, value) in [
            ("content-md5", md5),
            ("content-digest", format!("sha-256=:{sha256}:")),
        ] {
            let put = |body: reqwest::Body| {
                let request = world
                    .request(Method::PUT, "/d/files/f")
                    .header(header, value.as_str());
                send(request.body(body))
            };
            for sized in [true, false] {
                let body = |bytes: &Bytes| match sized {
                    true => reqwest::Body::from(bytes.clone()),
                    false => unsized_body(bytes),
                };
                let detail = put(body(&wrong)).await.problem(400, "invalid-argument");
                assert!(detail.contains(header), "{detail}");
                assert_eq!(world.keys().len(), 0, "{header}, {size} bytes");
                world.expect_no_unfinished_uploads();
                put(body(&bytes)).await.expect(201);
                assert!(world.s3.store().bytes(BUCKET, "f").unwrap() == bytes);
                world
                    .send_with(Method::DELETE, "/d/files/f", &[])
                    .await
                    .expect(204);
            }
        }
    }
    world
        .send_with(Method::PUT, "/d/files/f", &[("content-md5", "none")])
        .await
        .problem(400, "invalid-argument");
}

#[tokio::test]
async fn who_waits_for_leave_is_told_before_the_body_is_sent() {
    let world = World::start().await;
    world.put("f", "old");
    let begin = |path: &str, head: &str| {
        let request =
            format!("PUT {path} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n{head}\r\n\r\n");
        let address = world.orlop.address();
        async move {
            let mut raw = Raw::connect(address).await;
            raw.write(request).await;
            let line = raw.read_until("\r\n").await;
            (raw, line)
        }
    };
    for (path, head, status) in [
        (
            "/d/files/f",
            "content-length: 9\r\nif-none-match: *",
            " 412 ",
        ),
        (
            "/d/files/f",
            "content-length: 9\r\nif-match: \"x\"",
            " 412 ",
        ),
        ("/d/files/g", "content-length: 9\r\nif-match: *", " 412 "),
        ("/d/files/g", "content-length: 9\r\norigin: null", " 403 "),
        ("/d/files/g", "content-length: 9\r\ncontent-md5: x", " 400 "),
        // More than ten thousand parts of 5 GiB.
        ("/d/files/g", "content-length: 65970697666560", " 413 "),
    ] {
        let (_raw, line) = begin(path, head).await;
        assert!(line.contains(status), "{path} {head}: {line}");
    }
    assert_eq!(world.keys(), ["f"]);
    for head in ["", "if-match: *\r\n"] {
        let (mut raw, line) = begin("/d/files/f", &format!("{head}content-length: 3")).await;
        assert!(line.contains(" 100 "), "{line}");
        raw.write("new").await;
        let answer = raw.read_until("\r\n\r\n").await;
        assert!(answer.contains("HTTP/1.1 20"), "{answer}");
        assert_eq!(world.object("f"), "new");
    }
}

#[tokio::test]
async fn what_cannot_be_written_is_refused() {
    let world = World::start().await;
    world.put("f", "old");
    let partial = world
        .request(Method::PUT, "/d/files/f")
        .header("content-range", "bytes 0-1/3");
    send(partial.body("xy"))
        .await
        .problem(400, "invalid-argument");
    assert_eq!(world.object("f"), "old");
    for path in ["/d/files/f", "/dav/files/f"] {
        let coded = world
            .request(Method::PUT, path)
            .header("content-encoding", "gzip");
        let answer = send(coded.body("xy")).await;
        assert_eq!(answer.header("accept-encoding"), "identity");
        answer.problem(415, "unsupported");
    }
    assert_eq!(world.object("f"), "old");
    for path in ["/d/", "/d/files"] {
        let status = world.upload(path, "x").await.status.as_u16();
        assert!((400..500).contains(&status), "{path}: {status}");
    }
    world
        .upload("/d/elsewhere/f", "x")
        .await
        .problem(404, "not-found");
    world
        .upload("/d/files/folder/", "x")
        .await
        .problem(400, "invalid-argument");
    world.upload("/p/files/f", "x").await.expect(405);
    world.upload("/files/f", "x").await.expect(405);
    assert_eq!(world.keys(), ["f"]);
}

#[tokio::test]
async fn other_sites_cannot_write() {
    let world = World::start().await;
    for (header, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let request = world
            .request(Method::PUT, "/d/files/f")
            .header(header, value);
        send(request.body("x"))
            .await
            .problem(403, "permission-denied");
        let request = world
            .request(Method::DELETE, "/d/files/f")
            .header(header, value);
        send(request).await.problem(403, "permission-denied");
    }
    let here = format!("http://{}", world.orlop.address());
    let request = world
        .request(Method::PUT, "/d/files/f")
        .header("origin", here);
    send(request.body("x")).await.expect(201);
}

#[tokio::test]
async fn the_form_of_a_page_uploads() {
    let world = World::start().await;
    let body = "--line\r\ncontent-disposition: form-data; name=\"file\"; filename=\"from a form.txt\"\r\n\
                content-type: text/plain\r\n\r\nby form\r\n--line--\r\n";
    let request = world
        .request(Method::POST, "/files/folder/")
        .header("content-type", "multipart/form-data; boundary=line");
    let answer = send(request.body(body)).await;
    assert!(
        answer.status.is_redirection() || answer.status.is_success(),
        "{answer:?}"
    );
    assert_eq!(world.object("folder/from a form.txt"), "by form");
}
