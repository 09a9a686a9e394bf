//! What the protocol says of requests that make no sense, and of its extensions.

use bytes::Bytes;
use http::Method;

use super::{MIB, PART, world};
use crate::harness::{noise, send};

#[tokio::test]
async fn who_speaks_another_version_is_told_this_one() {
    let world = world().await;
    let upload = world.begin_upload("/files/f", 9).await;
    for (method, path) in [
        (Method::POST, "/api/v1/uploads"),
        (Method::HEAD, upload.as_str()),
        (Method::PATCH, upload.as_str()),
        (Method::DELETE, upload.as_str()),
    ] {
        for version in [None, Some("0.2.2")] {
            let mut request = world.request(method.clone(), path);
            if let Some(version) = version {
                request = request.header("tus-resumable", version);
            }
            let answer = send(request).await.expect(412);
            assert_eq!(answer.header("tus-version"), "1.0.0", "{method}");
        }
    }
    assert_eq!(world.offset(&upload).await, 0);
    for path in ["/api/v1/uploads", upload.as_str()] {
        let answer = world
            .send_with(Method::OPTIONS, path, &[])
            .await
            .expect(204);
        assert_eq!(answer.header("tus-version"), "1.0.0");
        assert_eq!(
            answer.header("tus-extension"),
            "creation,creation-defer-length,creation-with-upload,expiration,termination,checksum"
        );
        assert_eq!(answer.header("tus-checksum-algorithm"), "sha1,sha256,md5");
        assert_eq!(answer.header("tus-max-size"), "9007199254740991");
    }
}

#[tokio::test]
async fn beginnings_that_make_no_sense() {
    let world = world().await;
    let path = "path L2ZpbGVzL2Y=";
    for (headers, status) in [
        (&[("upload-metadata", path)][..], 400),
        (&[("upload-length", "9")], 400),
        (&[("upload-length", "-1"), ("upload-metadata", path)], 400),
        (&[("upload-length", "x"), ("upload-metadata", path)], 400),
        (
            &[
                ("upload-length", "9"),
                ("upload-defer-length", "1"),
                ("upload-metadata", path),
            ],
            400,
        ),
        (
            &[("upload-defer-length", "2"), ("upload-metadata", path)],
            400,
        ),
        (
            &[("upload-length", "9"), ("upload-metadata", "path *")],
            400,
        ),
        // `/files/`, `/`, `/nowhere`
        (
            &[
                ("upload-length", "9"),
                ("upload-metadata", "path L2ZpbGVzLw=="),
            ],
            400,
        ),
        (
            &[("upload-length", "9"), ("upload-metadata", "path L2ZpbGVz")],
            409,
        ),
        (
            &[
                ("upload-length", "9"),
                ("upload-metadata", "path L25vd2hlcmU="),
            ],
            404,
        ),
        (
            &[
                ("upload-length", "9007199254740992"),
                ("upload-metadata", path),
            ],
            413,
        ),
        // More than the storage's parts can hold.
        (
            &[
                ("upload-length", "9007199254740991"),
                ("upload-metadata", path),
            ],
            413,
        ),
    ] {
        let request = world.tus(Method::POST, "/api/v1/uploads");
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let answer = send(request).await.expect(status);
        assert_eq!(answer.header("tus-resumable"), "1.0.0");
    }
    let typeless = world.creation(9, &[("path", "/files/f")]).body("123");
    send(typeless).await.problem(415, "invalid-argument");
    world.expect_no_unfinished_uploads();
}

/// The rest of a file from byte 50, and one byte more, of a length that nobody is told.
fn too_many(bytes: &Bytes) -> reqwest::Body {
    let frames = [bytes.slice(50..), Bytes::from_static(b"x")];
    let frames = frames.map(Ok::<_, std::io::Error>);
    reqwest::Body::wrap_stream(futures::stream::iter(frames))
}

#[tokio::test]
async fn chunks_that_make_no_sense() {
    for size in [100, PART + 100] {
        let world = world().await;
        let bytes = noise(size);
        let upload = world.begin_upload("/files/f", size).await;
        world.patch(&upload, 0, bytes.slice(..50)).await.expect(204);
        let chunk = |offset| world.chunk(&upload, offset, bytes.slice(50..60));
        for (request, status) in [
            (chunk(49), 409),
            (chunk(51), 409),
            (chunk(0), 409),
            (
                world
                    .tus(Method::PATCH, &upload)
                    .header("content-type", "application/offset+octet-stream")
                    .body("x"),
                400,
            ),
            (
                world
                    .tus(Method::PATCH, &upload)
                    .header("upload-offset", 50)
                    .body("x"),
                415,
            ),
            (chunk(50).header("upload-length", size + 1), 400),
            // Too many bytes, which nobody says before.
            (
                world
                    .chunk(&upload, 50, Bytes::new())
                    .body(too_many(&bytes)),
                413,
            ),
        ] {
            let answer = send(request).await.expect(status);
            if status == 409 {
                assert_eq!(answer.header("upload-offset"), "50");
            }
        }
        // And if it is said, none of them is asked for.
        let mut said = world.ask_to_patch(&upload, size - 1, 2).await;
        said.read_until("HTTP/1.1 413 ").await;
        let unknown = world.patch("/api/v1/uploads/4Qmdj0zJr3iYb0y2mV1y5w", 0, Bytes::new());
        unknown.await.problem(404, "not-found");
        world
            .head("/api/v1/uploads/..%2F..%2Fetc")
            .await
            .expect(404);
        send(world.tus(Method::GET, &upload)).await.expect(405);
        // None of it did any harm.
        assert!(world.keys().is_empty());
        world.resume(&upload, &bytes).await.expect(204);
        world.expect_whole("f", &bytes);
    }
}

#[tokio::test]
async fn the_length_may_be_said_later() {
    let world = world().await;
    for (size, key) in [(0, "empty"), (9, "small"), (PART + 9, "large")] {
        let bytes = noise(size);
        let request = world
            .tus(Method::POST, "/api/v1/uploads")
            .header("upload-defer-length", "1")
            .header(
                "upload-metadata",
                super::metadata(&[("path", &format!("/files/{key}"))]),
            );
        let begun = send(request).await.expect(201);
        let upload = begun.header("location");
        let first = size / 2;
        world
            .patch(upload, 0, bytes.slice(..first))
            .await
            .expect(204);
        let head = world.head(upload).await.expect(200);
        assert_eq!(head.header("upload-offset"), first.to_string());
        assert_eq!(
            (
                head.header("upload-defer-length"),
                head.header("upload-length")
            ),
            ("1", "")
        );
        let shorter = world.chunk(upload, first, Bytes::new());
        if first > 0 {
            send(shorter.header("upload-length", first - 1))
                .await
                .expect(400);
        }
        let rest = world.chunk(upload, first, bytes.slice(first..));
        let done = send(rest.header("upload-length", size)).await.expect(204);
        assert_eq!(done.header("upload-offset"), size.to_string());
        world.expect_whole(key, &bytes);
    }
}

#[tokio::test]
async fn bytes_of_another_digest_do_not_count() {
    let world = world().await;
    let bytes = noise(2 * PART);
    let upload = world.begin_upload("/files/f", bytes.len()).await;
    let wrong = "sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=";
    let chunk = world.chunk(&upload, 0, bytes.slice(..PART + 9));
    let answer = send(chunk.header("upload-checksum", wrong)).await;
    answer.problem(460, "invalid-argument");
    assert_eq!((world.offset(&upload).await, world.spool()), (0, 0));
    let chunk = world.chunk(&upload, 0, bytes.slice(..9));
    let answer = send(chunk.header("upload-checksum", "crc32 AAAA")).await;
    answer.problem(400, "invalid-argument");
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use sha2::Digest as _;
    for end in [PART + 9, 2 * PART] {
        let offset = world.offset(&upload).await;
        let piece = bytes.slice(offset..end);
        let right = format!("sha256 {}", STANDARD.encode(sha2::Sha256::digest(&piece)));
        let chunk = world.chunk(&upload, offset, piece);
        send(chunk.header("upload-checksum", right))
            .await
            .expect(204);
    }
    world.expect_whole("f", &bytes);
}

#[tokio::test]
async fn a_method_may_be_named_in_a_header() {
    let world = world().await;
    let bytes = noise(MIB);
    let upload = world.begin_upload("/files/f", bytes.len()).await;
    let named = |method: &str| {
        world
            .tus(Method::POST, &upload)
            .header("x-http-method-override", method)
    };
    let chunk = named("PATCH")
        .header("content-type", "application/offset+octet-stream")
        .header("upload-offset", 0)
        .body(bytes.slice(..9));
    send(chunk).await.expect(204);
    assert_eq!(
        send(named("HEAD"))
            .await
            .expect(200)
            .header("upload-offset"),
        "9"
    );
    send(named("PUT")).await.problem(405, "unsupported");
    send(named("DELETE")).await.expect(204);
    world.head(&upload).await.expect(404);
}
