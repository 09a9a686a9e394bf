//! `Range` and `If-Range` (RFC 9110 §14), through the host and at the storage.

use http::Method;

use crate::harness::{World, noise, send};

const SIZE: usize = 1000;

/// What is asked, what comes back: the status, the first byte and the one behind the last.
const CASES: [(&str, u16, usize, usize); 22] = [
    ("bytes=0-0", 206, 0, 1),
    ("bytes=0-499", 206, 0, 500),
    ("bytes=500-999", 206, 500, 1000),
    ("bytes=500-", 206, 500, 1000),
    ("bytes=0-", 206, 0, 1000),
    ("bytes=999-", 206, 999, 1000),
    ("bytes=999-5000", 206, 999, 1000),
    ("bytes=-1", 206, 999, 1000),
    ("bytes=-500", 206, 500, 1000),
    ("bytes=-1000", 206, 0, 1000),
    ("bytes=-5000", 206, 0, 1000),
    ("bytes=0-99999999999999999999999999", 206, 0, 1000),
    ("bytes=1000-", 416, 0, 0),
    ("bytes=1000-1001", 416, 0, 0),
    ("bytes=99999999999999999999999999-", 416, 0, 0),
    ("bytes=-0", 416, 0, 0),
    // What makes no sense, and other units, count as no range at all.
    ("bytes=5-3", 200, 0, 1000),
    ("bytes=a-b", 200, 0, 1000),
    ("bytes=", 200, 0, 1000),
    ("lines=0-1", 200, 0, 1000),
    ("0-1", 200, 0, 1000),
    // Several that nearly touch are one.
    ("bytes=0-1,5-6", 206, 0, 7),
];

#[tokio::test]
async fn one_range_at_a_time() {
    let world = World::start().await;
    let bytes = noise(SIZE);
    world.put("f.bin", bytes.clone());
    for (range, status, start, end) in CASES {
        let answer = world
            .get_with("/p/files/f.bin", &[("range", range)])
            .await
            .expect(status);
        match status {
            416 => {
                assert_eq!(
                    answer.header("content-range"),
                    format!("bytes */{SIZE}"),
                    "{range}"
                );
                answer.problem(416, "invalid-argument");
                continue;
            }
            206 => {
                let expected = format!("bytes {start}-{}/{SIZE}", end - 1);
                assert_eq!(answer.header("content-range"), expected, "{range}");
            }
            _ => assert_eq!(answer.header("content-range"), "", "{range}"),
        }
        assert_eq!(
            answer.header("content-length"),
            (end - start).to_string(),
            "{range}"
        );
        assert_eq!(answer.header("accept-ranges"), "bytes");
        assert_eq!(answer.body, bytes.slice(start..end), "{range}");
    }
}

#[tokio::test]
async fn only_the_bytes_asked_for_are_fetched() {
    let world = World::start().await;
    world.put("f.bin", noise(SIZE));
    world.s3.requests().reset();
    world
        .get_with("/p/files/f.bin", &[("range", "bytes=10-19")])
        .await
        .expect(206);
    let fetches: Vec<_> = world
        .s3
        .requests()
        .list()
        .into_iter()
        .filter(|request| request.method() == Method::GET && request.path() == "/files/f.bin")
        .collect();
    assert_eq!(fetches.len(), 1);
    assert_eq!(fetches[0].header("range"), Some("bytes=10-19"));
}

#[tokio::test]
async fn an_empty_file_has_no_ranges() {
    let world = World::start().await;
    world.put("empty", "");
    for (range, status) in [("bytes=0-", 416), ("bytes=0-0", 416), ("bytes=-1", 200)] {
        let answer = world
            .get_with("/p/files/empty", &[("range", range)])
            .await
            .expect(status);
        if status == 416 {
            assert_eq!(answer.header("content-range"), "bytes */0", "{range}");
        } else {
            assert!(answer.body.is_empty());
        }
    }
}

#[tokio::test]
async fn head_ignores_ranges() {
    let world = World::start().await;
    world.put("f.bin", noise(SIZE));
    for path in ["/p/files/f.bin", "/d/files/f.bin"] {
        let answer = world
            .send_with(Method::HEAD, path, &[("range", "bytes=0-9")])
            .await
            .expect(200);
        assert_eq!(answer.header("content-length"), SIZE.to_string());
        assert_eq!(answer.header("accept-ranges"), "bytes");
    }
}

#[tokio::test]
async fn a_range_counts_only_for_the_version_it_is_of() {
    let world = World::start().await;
    world.put("f.bin", noise(SIZE));
    let whole = world.get("/p/files/f.bin").await.expect(200);
    let etag = whole.header("etag").to_owned();
    let weak = format!("W/{etag}");
    for (condition, status) in [
        (etag.as_str(), 206),
        ("\"another\"", 200),
        (weak.as_str(), 200),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
        ("nonsense", 200),
    ] {
        let headers = [("range", "bytes=10-19"), ("if-range", condition)];
        let answer = world
            .get_with("/p/files/f.bin", &headers)
            .await
            .expect(status);
        let expected = if status == 206 {
            whole.body.slice(10..20)
        } else {
            whole.body.clone()
        };
        assert_eq!(answer.body, expected, "{condition}");
    }
}

#[tokio::test]
async fn the_storage_takes_ranges_at_the_redirect() {
    let world = World::start().await;
    let bytes = noise(SIZE);
    world.put("f.bin", bytes.clone());
    let redirect = world
        .get_with("/d/files/f.bin", &[("range", "bytes=10-19")])
        .await
        .expect(302);
    let request = world
        .http
        .get(redirect.header("location"))
        .header("range", "bytes=10-19");
    assert_eq!(send(request).await.expect(206).body, bytes.slice(10..20));
}

/// The parts of a `multipart/byteranges`: what each says it is, and its bytes.
fn parts(answer: &crate::harness::Answer) -> Vec<(String, Vec<u8>)> {
    let (_, boundary) = answer
        .header("content-type")
        .split_once("boundary=")
        .unwrap();
    let find = |text: &[u8], wanted: &[u8]| {
        text.windows(wanted.len())
            .position(|window| window == wanted)
    };
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    let mut rest = &answer.body[find(&answer.body, &delimiter).unwrap() + delimiter.len()..];
    let mut parts = Vec::new();
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let head = find(part, b"\r\n\r\n").unwrap();
        let end = find(part, &delimiter).unwrap();
        let text = std::str::from_utf8(&part[..head]).unwrap();
        let range = text
            .lines()
            .find_map(|line| line.strip_prefix("Content-Range: "));
        assert!(
            text.contains("Content-Type: application/octet-stream"),
            "{text}"
        );
        parts.push((range.unwrap().to_owned(), part[head + 4..end].to_vec()));
        rest = &part[end + delimiter.len()..];
    }
    assert_eq!(rest, b"--\r\n");
    parts
}

#[tokio::test]
async fn several_ranges_come_in_one_answer() {
    let world = World::start().await;
    let bytes = noise(SIZE);
    world.put("f.bin", bytes.clone());
    for (ranges, expected) in [
        ("bytes=0-9,500-509", &[0..10, 500..510][..]),
        ("bytes=900-, 0-0", &[900..1000, 0..1]),
        ("bytes=-5,100-109,5000-", &[995..1000, 100..110]),
        ("bytes=0-9,300-309,5-19", &[0..20, 300..310]),
    ] {
        world.s3.requests().reset();
        let answer = world
            .get_with("/p/files/f.bin", &[("range", ranges)])
            .await
            .expect(206);
        assert_eq!(
            answer.header("content-length"),
            answer.body.len().to_string()
        );
        assert_eq!(answer.header("content-range"), "");
        let found = parts(&answer);
        assert_eq!(found.len(), expected.len(), "{ranges}");
        for ((said, part), range) in found.iter().zip(expected) {
            assert_eq!(
                *said,
                format!("bytes {}-{}/{SIZE}", range.start, range.end - 1)
            );
            assert_eq!(*part, bytes[range.clone()], "{ranges}");
        }
        let fetched = world.s3.requests().count_where(|request| {
            request.method() == Method::GET && request.header("range").is_some()
        });
        assert_eq!(fetched, expected.len(), "{ranges}");
    }
}

#[tokio::test]
async fn too_many_ranges_get_the_whole_file() {
    let world = World::start().await;
    world.put("f.bin", noise(100_000));
    let many = |count: usize| {
        let specs: Vec<String> = (0..count).map(|n| format!("{0}-{0}", n * 300)).collect();
        format!("bytes={}", specs.join(","))
    };
    let all = "bytes=0-,0-,0-";
    for (range, status) in [
        (many(32).as_str(), 206),
        (&many(33), 200),
        (&many(2000), 200),
        (all, 200),
    ] {
        let answer = world.get_with("/p/files/f.bin", &[("range", range)]).await;
        let answer = answer.expect(status);
        if status == 200 {
            assert_eq!(answer.body, noise(100_000));
        }
    }
    // Another version than the client has.
    let headers = [("range", "bytes=0-0,500-500"), ("if-range", "\"other\"")];
    world.get_with("/p/files/f.bin", &headers).await.expect(200);
}
