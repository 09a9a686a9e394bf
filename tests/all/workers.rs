//! Downloads by way of the reference worker in `docs/worker`, which runs under Node.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;

use crate::{
    harness::{Config, Mount, World, noise, send},
    sandbox::{open_server, order_path},
};

const KEY: &str = "Kq1Q9Yt3Vn0m8e2b5c7d1f4g6h8j0k2l4n6p8r0t2uM=";
const OTHER_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The worker, while it runs.
struct Worker {
    child: Child,
    url: String,
}

impl Worker {
    fn start(key: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/worker/serve.mjs");
        let child = Command::new("node")
            .arg(script)
            .env("WORKER_KEY", key)
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.unwrap_or_else(|error| {
            panic!("this test needs `node`, version 20 or later, to run the worker: {error}")
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let (_, url) = line.trim().split_once("listens on ").unwrap();
        Self {
            url: url.to_owned(),
            child,
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn world(worker: &Worker) -> World {
    World::with(|mount| {
        mount
            .set("download", worker.url.as_str())
            .set("worker_key", KEY)
    })
    .await
}

/// Where Orlop sends a client.
async fn location(world: &World, path: &str) -> String {
    let answer = world.get(path).await.expect(302);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    answer.header("location").to_owned()
}

#[tokio::test]
async fn the_worker_gives_the_same_bytes() {
    let worker = Worker::start(KEY);
    let world = world(&worker).await;
    let bytes = noise(300_000);
    world.put("a b/ü's.bin", bytes.clone());
    let url = location(&world, "/d/files/a%20b/%C3%BC%27s.bin").await;
    assert!(
        url.starts_with(&format!("{}files/a%20b/", worker.url)),
        "{url}"
    );
    assert!(!url.contains("X-Amz"), "the link shows: {url}");
    let get = |headers: &[(&str, &str)]| {
        let request = headers
            .iter()
            .fold(world.http.get(&url), |request, (name, value)| {
                request.header(*name, *value)
            });
        send(request)
    };
    let whole = get(&[("cookie", "a=b"), ("x-own", "1")]).await.expect(200);
    assert!(whole.body == bytes);
    let stat = world
        .send_with(Method::HEAD, "/d/files/a%20b/%C3%BC%27s.bin", &[])
        .await;
    assert_eq!(whole.header("etag"), stat.header("etag"));
    assert_eq!(whole.header("content-type"), "application/octet-stream");
    assert_eq!(
        whole.header("content-disposition"),
        "attachment; filename*=UTF-8''%C3%BC%27s.bin"
    );
    for name in ["x-amz-request-id", "server"] {
        assert_eq!(whole.header(name), "", "{name} of the storage shows");
    }
    let part = get(&[("range", "bytes=10-19"), ("if-range", whole.header("etag"))])
        .await
        .expect(206);
    assert_eq!(part.header("content-range"), "bytes 10-19/300000");
    assert_eq!(part.body, bytes[10..20]);
    let other = get(&[("range", "bytes=10-19"), ("if-range", "\"other\"")])
        .await
        .expect(200);
    assert!(other.body == bytes);
    get(&[("if-none-match", whole.header("etag"))])
        .await
        .expect(304);
    get(&[("range", "bytes=300000-")]).await.expect(416);
    let head = send(world.http.head(&url)).await.expect(200);
    assert_eq!(head.header("content-length"), "300000");
    let asked = world.s3.requests().list();
    let fetched = asked
        .iter()
        .find(|request| request.method() == Method::GET && request.query().contains("X-Amz"));
    let fetched = fetched.unwrap();
    assert_eq!(
        (fetched.header("cookie"), fetched.header("x-own")),
        (None, None)
    );
}

#[tokio::test]
async fn a_descriptor_that_is_not_right_is_refused() {
    let worker = Worker::start(KEY);
    let stranger = Worker::start(OTHER_KEY);
    let world = world(&worker).await;
    world.put("f.bin", "secret");
    let url = location(&world, "/d/files/f.bin").await;
    let (place, token) = url.split_once("?descriptor=").unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 5);
    let mut text = URL_SAFE_NO_PAD.decode(parts[3]).unwrap();
    text[20] ^= 1;
    let tampered = [
        parts[0],
        "",
        parts[2],
        &URL_SAFE_NO_PAD.encode(text),
        parts[4],
    ]
    .join(".");
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#) + &token[parts[0].len()..];
    send(world.http.get(&url)).await.expect(200);
    for (what, url) in [
        ("nothing", place.to_owned()),
        ("tampered with", format!("{place}?descriptor={tampered}")),
        (
            "another algorithm",
            format!("{place}?descriptor={unsigned}"),
        ),
        (
            "cut",
            format!("{place}?descriptor={}", &token[..token.len() - 4]),
        ),
        ("another file's name", url.replacen("f.bin", "g.bin", 1)),
        (
            "another worker",
            url.replacen(&worker.url, &stranger.url, 1),
        ),
    ] {
        let answer = send(world.http.get(url)).await;
        assert_eq!(answer.status, 403, "{what}");
        assert!(!answer.text().contains("secret"), "{what}");
    }
    let expired = expired(place);
    let answer = send(world.http.get(expired)).await.expect(403);
    assert!(answer.text().contains("expired"), "{}", answer.text());
    send(world.http.post(&url)).await.expect(405);
}

/// A descriptor as Orlop would have made it an hour ago, made by a JOSE program of our own.
fn expired(place: &str) -> String {
    let script = r#"
        const { webcrypto: { subtle, getRandomValues } } = require("node:crypto");
        const base64 = (bytes) => Buffer.from(bytes).toString("base64url");
        (async () => {
            const key = await subtle.importKey("raw", Buffer.from(process.env.KEY, "base64"), "AES-GCM", false, ["encrypt"]);
            const head = base64('{"alg":"dir","enc":"A256GCM"}');
            const iv = Buffer.alloc(12, 7);
            const file = { method: "GET", url: "http://127.0.0.1:9/", headers: [], path: "/files/f.bin", name: "f.bin",
                type: "text/plain", size: 1, etag: null, exp: Math.floor(Date.now() / 1000) - 3600 };
            const sealed = Buffer.from(await subtle.encrypt(
                { name: "AES-GCM", iv, additionalData: Buffer.from(head), tagLength: 128 }, key, Buffer.from(JSON.stringify(file))));
            console.log([head, "", base64(iv), base64(sealed.subarray(0, -16)), base64(sealed.subarray(-16))].join("."));
        })();
    "#;
    let made = Command::new("node")
        .args(["-e", script])
        .env("KEY", KEY)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    format!(
        "{place}?descriptor={}",
        String::from_utf8(made.stdout).unwrap().trim()
    )
}

#[tokio::test]
async fn head_and_the_other_doors_do_without_the_worker() {
    let world = World::of(|s3| {
        let worker = |mount: Mount| {
            mount
                .set("download", "https://worker.example/base/")
                .set("worker_key", OTHER_KEY)
        };
        Config::of([
            worker(Mount::s3("/files", s3)),
            // It reads files itself, so there is no link to give away.
            worker(Mount::probe("/probe")),
        ])
    })
    .await;
    world.put("f.txt", "x");
    world
        .send_with(Method::HEAD, "/d/files/f.txt", &[])
        .await
        .expect(200);
    assert_eq!(world.get("/p/files/f.txt").await.expect(200).text(), "x");
    let url = location(&world, "/d/files/f.txt").await;
    assert!(
        url.starts_with("https://worker.example/base/files/f.txt?descriptor=eyJ"),
        "{url}"
    );
    world.get("/d/files/no").await.problem(404, "not-found");
    let mounts = world.call("mounts", &[]).await.expect(200);
    assert!(mounts.text().contains("https://worker.example/base"));
    assert!(!mounts.text().contains(OTHER_KEY));
}

/// What the probe signs with, as its own `SIGNATURE`.
const SIGNATURE: &str = "MARKER-of-a-signature";

#[tokio::test]
async fn a_link_that_needs_headers_is_seen_by_no_client() {
    let open = open_server("granted".into()).await;
    let worker = Worker::start(KEY);
    let path = order_path("signed", &format!("{}/open/f", open.endpoint()));
    let probe = || Mount::probe("/probe").config("endpoint", open.endpoint());
    // What cannot be given to a client comes through the host, with the header that it needs.
    let redirecting = World::of(|_| Config::of([probe()])).await;
    let answer = redirecting.get(&format!("/d{path}")).await.expect(200);
    assert_eq!(answer.text(), "granted");
    let is_signed =
        |request: &orlop_test_s3::Request| request.header("x-probe-signature") == Some(SIGNATURE);
    let signed = open.requests().count_where(is_signed);
    assert_eq!(signed, 1);
    let decoded = percent_encoding::percent_decode_str(&path)
        .decode_utf8()
        .unwrap();
    redirecting
        .call("link", &[("path", &decoded)])
        .await
        .problem(501, "unsupported");
    // A worker gets it sealed, and the client carries what it cannot read.
    let working = World::of(|_| {
        Config::of([probe()
            .set("download", worker.url.as_str())
            .set("worker_key", KEY)])
    })
    .await;
    let url = location(&working, &format!("/d{path}")).await;
    assert!(!url.contains(SIGNATURE), "{url}");
    let token = url.split_once("?descriptor=").unwrap().1;
    for part in token.split('.') {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !text.contains("MARKER") && !text.contains("127.0.0.1"),
            "{text}"
        );
    }
    let fetched = send(working.http.get(&url)).await.expect(200);
    assert_eq!(fetched.text(), "granted");
    assert!(!format!("{fetched:?}").contains(SIGNATURE));
    assert_eq!(open.requests().count_where(is_signed), 2);
}
