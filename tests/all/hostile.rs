//! Requests that no honest client sends: refused with the right status, in bounded memory and time, and the server
//! goes on answering.

use http::Method;
use serde_json::json;

use crate::harness::{Raw, World, noise, send};

/// The status of an answer; 0 if the connection was closed without one.
fn status(answer: &str) -> u16 {
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|text| text.get(..3)?.parse().ok());
    status.unwrap_or_default()
}

/// How many answers came on a connection.
fn answers(text: &str) -> usize {
    text.matches("HTTP/1.1 ").count()
}

async fn is_well(world: &World) {
    assert_eq!(world.get("/p/files/f").await.expect(200).text(), "content");
}

/// A world with a file.
async fn world() -> World {
    let world = World::start().await;
    world.put("f", "content");
    world
}

#[tokio::test]
async fn heads_that_mean_two_things() {
    let world = world().await;
    let put = "PUT /d/files/smuggled HTTP/1.1\r\nhost: x\r\n";
    let get = "GET /healthz HTTP/1.1\r\n";
    for (name, request, expected) in [
        (
            "two lengths",
            format!("{put}content-length: 1\r\ncontent-length: 2\r\n\r\nab"),
            400,
        ),
        (
            "a list of lengths",
            format!("{put}content-length: 1, 2\r\n\r\nab"),
            400,
        ),
        (
            "a negative length",
            format!("{put}content-length: -1\r\n\r\n"),
            400,
        ),
        (
            "a signed length",
            format!("{put}content-length: +1\r\n\r\na"),
            400,
        ),
        (
            "a length in hexadecimal",
            format!("{put}content-length: 0x1\r\n\r\na"),
            400,
        ),
        (
            "an endless length",
            format!("{put}content-length: 99999999999999999999\r\n\r\na"),
            400,
        ),
        (
            "an unknown coding",
            format!("{put}transfer-encoding: gzip\r\n\r\n"),
            400,
        ),
        (
            "chunks that are not last",
            format!("{put}transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
            400,
        ),
        (
            "a coding with a tab",
            format!("{put}transfer-encoding:\x0bchunked\r\n\r\n0\r\n\r\n"),
            400,
        ),
        (
            "chunks in HTTP/1.0",
            "PUT /d/files/smuggled HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
                .to_owned(),
            400,
        ),
        (
            "a space before the colon",
            format!("{put}content-length : 1\r\n\r\na"),
            400,
        ),
        (
            "a folded header",
            format!("{get}host: x\r\nx-a: b\r\n c\r\n\r\n"),
            400,
        ),
        (
            "a header that begins with a space",
            format!("{get} host: x\r\n\r\n"),
            400,
        ),
        (
            "a NUL in a header",
            format!("{get}host: x\r\nx-a: b\0c\r\n\r\n"),
            400,
        ),
        (
            "a bare CR in a header",
            format!("{get}host: x\r\nx-a: b\rc\r\n\r\n"),
            400,
        ),
        (
            "a name that is none",
            format!("{get}host: x\r\nx(a): b\r\n\r\n"),
            400,
        ),
        (
            "a header without a colon",
            format!("{get}host: x\r\nxa\r\n\r\n"),
            400,
        ),
        ("no host", format!("{get}\r\n"), 400),
        ("two hosts", format!("{get}host: x\r\nhost: y\r\n\r\n"), 400),
        (
            "the same host twice",
            format!("{get}host: x\r\nhost: x\r\n\r\n"),
            400,
        ),
        (
            "a host that is none",
            format!("{get}host: a b\r\n\r\n"),
            400,
        ),
        ("a host with a user", format!("{get}host: a@b\r\n\r\n"), 400),
        (
            "a URL of another host",
            "GET http://y/healthz HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
            400,
        ),
        (
            "a URL of this host",
            "GET http://x/healthz HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
            200,
        ),
        (
            "a tunnel",
            "CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n".to_owned(),
            405,
        ),
        (
            "an upgrade",
            format!("{get}host: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"),
            200,
        ),
        (
            "an unknown version",
            "GET /healthz HTTP/9.9\r\nhost: x\r\n\r\n".to_owned(),
            400,
        ),
        ("no version", "GET /healthz\r\n\r\n".to_owned(), 400),
        (
            "a space in the path",
            "GET /health z HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
            400,
        ),
        (
            "a control character in the path",
            "GET /a\x01b HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
            400,
        ),
        (
            "no method",
            " /healthz HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
            400,
        ),
        (
            "TLS",
            "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03\r\n\r\n".to_owned(),
            400,
        ),
        ("SSH", "SSH-2.0-OpenSSH_9.9\r\n\r\n".to_owned(), 400),
    ] {
        let request = match expected {
            400 => request,
            // What is in order would be kept open.
            _ => request.replacen("\r\n", "\r\nconnection: close\r\n", 1),
        };
        let before = world.orlop.stderr().lines().count();
        let answer = Raw::exchange(world.orlop.address(), &request).await;
        assert_eq!(status(&answer), expected, "{name}: {answer}");
        assert_eq!(answers(&answer), 1, "{name}: {answer}");
        assert!(world.orlop.stderr().lines().count() <= before + 1, "{name}");
        is_well(&world).await;
    }
    assert_eq!(world.keys(), ["f"]);
}

/// RFC 9112 §6.3: the chunks decide, and what comes behind them is not believed.
#[tokio::test]
async fn chunks_go_before_a_length() {
    let world = world().await;
    for headers in [
        "content-length: 4\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 4",
        "Content-Length: 4\r\nTransfer-Encoding: CHUNKED",
    ] {
        let request = format!(
            "PUT /d/files/new HTTP/1.1\r\nhost: x\r\n{headers}\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
             DELETE /d/files/f HTTP/1.1\r\nhost: x\r\n\r\n"
        );
        let answer = Raw::exchange(world.orlop.address(), request).await;
        assert_eq!(answers(&answer), 1, "{headers}: {answer}");
        assert_eq!(world.object("new"), "abc", "{headers}");
    }
    is_well(&world).await;
}

#[tokio::test]
async fn bodies_that_are_broken() {
    let world = world().await;
    for body in [
        "zz\r\nabc\r\n0\r\n\r\n",
        "-1\r\nabc\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nabc",
        "3\r\nabcdef\r\n0\r\n\r\n",
        "3;\n\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "\r\n\r\n",
    ] {
        for (method, path) in [("PUT", "/d/files/broken"), ("POST", "/api/v1/mkdir")] {
            let request = format!(
                "{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                 transfer-encoding: chunked\r\n\r\n{body}"
            );
            let answer = Raw::exchange(world.orlop.address(), request).await;
            assert_eq!(status(&answer), 400, "{method} {body:?}: {answer}");
            assert_eq!(answers(&answer), 1, "{method} {body:?}: {answer}");
        }
    }
    assert_eq!(world.keys(), ["f"]);
    world.expect_no_unfinished_uploads();
    is_well(&world).await;
    // The storage has nothing to do with it.
    world.get("/readyz").await.expect(200);
}

#[tokio::test]
async fn heads_that_are_too_large() {
    let world = world().await;
    let get =
        |path: &str, headers: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
    let many = |count: usize| -> String { (0..count).map(|n| format!("x-{n}: y\r\n")).collect() };
    let long = |length: usize| "a".repeat(length);
    for (name, request, expected) in [
        (
            "a long header",
            get("/healthz", &format!("x-a: {}\r\n", long(100_000))),
            431,
        ),
        (
            "a header without end",
            get("/healthz", &long(1_000_000)),
            431,
        ),
        ("many headers", get("/healthz", &many(200)), 431),
        ("a great many headers", get("/healthz", &many(100_000)), 431),
        (
            "a long cookie",
            get("/healthz", &format!("cookie: {}\r\n", long(100_000))),
            431,
        ),
        ("a long path", get(&format!("/{}", long(20_000)), ""), 414),
        (
            "a long query",
            get(&format!("/healthz?{}", long(20_000)), ""),
            414,
        ),
        (
            "a line without end",
            format!("GET /{}", long(1_000_000)),
            431,
        ),
        ("a method without end", long(1_000_000), 431),
    ] {
        let answer = Raw::exchange(world.orlop.address(), request).await;
        // What is cut off in the middle may not hear why.
        assert!([expected, 0].contains(&status(&answer)), "{name}: {answer}");
        is_well(&world).await;
    }
}

#[tokio::test]
async fn bodies_without_end() {
    let world = world().await;
    let before = world.orlop.resident_bytes();
    let chunk = format!("100000\r\n{}\r\n", "a".repeat(1 << 20));
    let endless = chunk.repeat(200);
    for (head, expected) in [
        ("POST /healthz", 405),
        ("GET /p/files/f", 200),
        ("DELETE /d/files/none", 404),
        ("PUT /d/files/folder/", 400),
        ("PUT /p/files/f", 405),
        ("PUT /d/files/../x", 400),
        ("POST /api/v1/mkdir", 413),
        ("POST /api/v1/nothing", 404),
    ] {
        let request = format!(
            "{head} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             transfer-encoding: chunked\r\n\r\n{endless}"
        );
        let answer = Raw::exchange(world.orlop.address(), request).await;
        assert!([expected, 0].contains(&status(&answer)), "{head}: {answer}");
        is_well(&world).await;
    }
    let grown = world.orlop.resident_bytes().saturating_sub(before);
    assert!(grown < 100 << 20, "{grown} bytes more");
    assert_eq!(world.keys(), ["f"]);
}

#[tokio::test]
async fn ranges_by_the_thousand() {
    let world = World::start().await;
    let bytes = noise(100_000);
    world.put("f", bytes.clone());
    let joined = |ranges: Vec<String>| format!("bytes={}", ranges.join(","));
    for ranges in [
        joined((0..2_000).map(|n| format!("{n}-{}", n + 1)).collect()),
        joined((0..2_000).map(|_| "0-".to_owned()).collect()),
        joined((0..2_000).map(|n| format!("-{n}")).collect()),
        joined(vec!["0-99999999999999999999999".to_owned()]),
        "bytes=0-,".repeat(1_000),
        "bytes=".to_owned(),
        "bytes=-".to_owned(),
        "bytes=5-1".to_owned(),
        "bytes=a-b".to_owned(),
        "x".repeat(10_000),
    ] {
        for path in ["/p/files/f", "/files/f"] {
            let answer = world.get_with(path, &[("range", &ranges)]).await;
            let status = answer.status.as_u16();
            assert!([200, 206, 400, 416].contains(&status), "{status}");
            assert!(
                answer.body.len() <= bytes.len() + 1_000_000,
                "{}",
                answer.body.len()
            );
        }
    }
    let whole = world.get("/p/files/f").await.expect(200);
    assert!(whole.body == bytes);
}

#[tokio::test]
async fn credentials_of_nonsense() {
    let world = world().await;
    let long = format!("Bearer {}", "a".repeat(50_000));
    let cookies: String = (0..5_000).map(|n| format!("c{n}=v; ")).collect();
    for (name, value) in [
        ("authorization", "Basic"),
        ("authorization", "Basic !!!!"),
        ("authorization", "Basic bm9jb2xvbg=="),
        ("authorization", "Basic Og=="),
        ("authorization", "Basic AAAAAAAA"),
        ("authorization", "Bearer"),
        ("authorization", "Bearer a.b.c"),
        ("authorization", &long),
        ("authorization", "Digest username=\"x\""),
        ("authorization", "\u{fc}\u{fc}"),
        ("cookie", "orlop"),
        ("cookie", "orlop="),
        ("cookie", "orlop=AAAA.BBBB"),
        ("cookie", "=;=;=;;;,"),
        ("cookie", "\u{fc}=\u{fc}"),
        ("cookie", &cookies),
    ] {
        for path in [
            "/files/",
            "/p/files/f",
            "/api/v1/list?path=/files",
            "/dav/files/",
        ] {
            let status = world.get_with(path, &[(name, value)]).await.status.as_u16();
            assert!(
                status < 500,
                "{path} with {name}: {}: {status}",
                &value[..value.len().min(60)]
            );
        }
    }
    is_well(&world).await;
}

#[tokio::test]
async fn json_that_makes_no_sense() {
    let world = world().await;
    let deep = |count: usize| format!("{{\"path\": {}{}}}", "[".repeat(count), "]".repeat(count));
    for (body, expected) in [
        (String::new(), 400),
        ("{".to_owned(), 400),
        ("null".to_owned(), 400),
        ("[]".to_owned(), 400),
        ("\"/files/x\"".to_owned(), 400),
        ("{\"path\": 1}".to_owned(), 400),
        ("{\"path\": \"\\ud800\"}".to_owned(), 400),
        ("{\"path\": \"/files/x\"} trailing".to_owned(), 400),
        (
            "{\"path\": \"/files/x\", \"path\": \"/files/y\"}".to_owned(),
            400,
        ),
        ("{\"from\": \"/files/f\"}".to_owned(), 400),
        (deep(10_000), 400),
        ("[".repeat(50_000), 400),
    ] {
        for call in ["mkdir", "remove", "copy", "move"] {
            let request = world
                .request(Method::POST, &format!("/api/v1/{call}"))
                .header("content-type", "application/json")
                .body(body.clone());
            let answer = send(request).await;
            let shown = &body[..body.len().min(60)];
            assert_eq!(answer.status.as_u16(), expected, "{call}: {shown}");
        }
    }
    let request = world
        .request(Method::POST, "/api/v1/mkdir")
        .header("content-type", "application/json")
        .body(b"{\"path\": \"/files/\xff\"}".to_vec());
    send(request).await.problem(400, "invalid-argument");
    assert_eq!(world.keys(), ["f"]);
    let made = world.post("mkdir", &json!({"path": "/files/made"})).await;
    made.expect(201);
}

#[tokio::test]
async fn a_thousand_clients_that_say_nothing() {
    let world = world().await;
    let mut silent = Vec::new();
    for number in 0..1_000 {
        let mut raw = Raw::connect(world.orlop.address()).await;
        if number % 2 == 0 {
            raw.write("GET /p/files/f HTTP/1.1\r\nhost: x\r\nx-slow: ")
                .await;
        }
        silent.push(raw);
    }
    is_well(&world).await;
}

/// A frame of HTTP/2 (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

#[tokio::test]
async fn floods_of_http2() {
    const DATA: u8 = 0;
    const HEADERS: u8 = 1;
    const RESET: u8 = 3;
    const SETTINGS: u8 = 4;
    const PING: u8 = 6;
    const CONTINUATION: u8 = 9;
    const END_OF_HEADERS: u8 = 4;
    let world = world().await;
    // `:method: GET`, `:scheme: http`, `:path: /`, `:authority: x`, by their numbers in the static table.
    let get = b"\x82\x86\x84\x41\x01x";
    let begin = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(SETTINGS, 0, 0, b""),
    ]
    .concat();
    let resets = (0..5_000).flat_map(|number| {
        let stream = 2 * number + 1;
        let mut frames = frame(HEADERS, END_OF_HEADERS, stream, get);
        frames.extend(frame(RESET, 0, stream, &8_u32.to_be_bytes()));
        frames
    });
    let headers =
        (0..2_000).flat_map(|_| frame(CONTINUATION, 0, 1, &[0x40, 1, b'a', 1, b'b'].repeat(3_000)));
    for (name, flood) in [
        ("resets", resets.collect::<Vec<u8>>()),
        (
            "headers",
            [frame(HEADERS, 0, 1, get), headers.collect()].concat(),
        ),
        (
            "a frame that is too large",
            frame(DATA, 0, 1, &[0; 100_000]),
        ),
        ("data of no stream", frame(DATA, 0, 1, b"x")),
        ("an even stream", frame(HEADERS, END_OF_HEADERS, 2, get)),
        (
            "headers that cannot be",
            frame(HEADERS, END_OF_HEADERS, 1, &[0xff; 100]),
        ),
        ("a short ping", frame(PING, 0, 0, b"x")),
    ] {
        let bytes = [begin.clone(), flood].concat();
        let answer = Raw::exchange(world.orlop.address(), bytes).await;
        assert!(!answer.is_empty(), "{name}");
        is_well(&world).await;
    }
}
