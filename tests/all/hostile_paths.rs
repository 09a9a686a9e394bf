//! Paths that try to lead elsewhere, at every door and by every method.

use serde_json::json;

use crate::harness::{Config, Mount, Raw, World, s3};

/// Paths below a mount that no door takes.
const REFUSED: &[&str] = &[
    "..",
    "../outside",
    "./inside",
    "x/../../outside",
    "x/./y",
    "x//y",
    "//outside",
    "%2e%2e/outside",
    "%2E%2E/outside",
    ".%2e/outside",
    "%2e./outside",
    "..%2foutside",
    "..%2Foutside",
    "%2e%2e%2foutside",
    "x%2f..%2f..%2foutside",
    "%2foutside",
    // Overlong UTF-8 for `.` and `/`, and bytes that are no UTF-8 at all.
    "%c0%ae%c0%ae/outside",
    "%e0%80%ae%e0%80%ae/outside",
    "..%c0%afoutside",
    "..%e0%80%afoutside",
    "%ff",
    "%ed%a0%80",
    "%",
    "%2",
    "%zz",
    "%u002e%u002e/outside",
];

/// Paths that look like tricks and are names: nothing has them, and they lead nowhere else.
const NAMES: &[&str] = &[
    "..%5coutside",
    "..\\outside",
    "%5c..%5coutside",
    // Decoded once, and only once.
    "%252e%252e/outside",
    "%252e%252e%252foutside",
    "%25252e",
    "outside%00",
    "outside%00.txt",
    "..%00/outside",
    "...",
    ".../outside",
    "..;/outside",
    "%EF%BC%8E%EF%BC%8E/outside",
    "%E2%80%AE",
    "~",
    "$%7BHOME%7D",
    "%0d%0aset-cookie:%20a=b",
];

const DOORS: &[&str] = &["", "/d", "/p", "/dav"];

const METHODS: &[&str] = &[
    "GET", "HEAD", "PUT", "DELETE", "POST", "OPTIONS", "PATCH", "PROPFIND", "MKCOL", "LOCK",
];

/// A bucket of which a folder is shown, and a file beside the folder.
async fn world() -> World {
    let s3 = s3().await;
    let config = Config::of([Mount::s3("/files", &s3).set("root", "shown")]);
    let world = World::over(s3, config).await;
    world.put("outside", "OUTSIDE");
    world.put("shown/inside", "inside");
    world
}

/// The status and all of an answer.
async fn ask(world: &World, method: &str, target: &str, more: &str) -> (u16, String) {
    let address = world.orlop.address();
    let request =
        format!("{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{more}\r\n");
    let answer = Raw::exchange(address, request).await;
    let status = answer.split(' ').nth(1).and_then(|text| text.parse().ok());
    (status.unwrap_or_default(), answer)
}

#[tokio::test]
async fn no_path_leads_out_of_a_mount() {
    let world = world().await;
    for door in DOORS {
        for method in METHODS {
            for (paths, are_refused) in [(REFUSED, true), (NAMES, false)] {
                for path in paths {
                    // What a name is would be written, and rightly so.
                    if !are_refused && !matches!(*method, "GET" | "HEAD" | "OPTIONS" | "PROPFIND") {
                        continue;
                    }
                    let target = format!("{door}/files/{path}");
                    let (status, answer) = ask(&world, method, &target, "").await;
                    let what = format!("{method} {target}: {answer}");
                    assert!((200..500).contains(&status) || status == 501, "{what}");
                    assert!(!answer.contains("OUTSIDE"), "{what}");
                    assert!(!answer.contains("\r\nset-cookie"), "{what}");
                    if are_refused && *method == "GET" {
                        assert_eq!(status, 400, "{what}");
                    }
                }
            }
        }
    }
    assert_eq!(world.object("outside"), "OUTSIDE");
    assert_eq!(world.keys(), ["outside", "shown/inside"]);
    world.get("/p/files/inside").await.expect(200);
    let log = world.orlop.stderr();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn nor_does_one_in_a_call_of_the_api() {
    let world = world().await;
    for path in [
        "..",
        "/..",
        "/files/..",
        "/files/../outside",
        "/files/./inside",
        "/files//outside",
        "//files",
        "outside",
        "",
    ] {
        for call in ["list", "stat", "link"] {
            let answer = world.call(call, &[("path", path)]).await;
            let status = answer.status.as_u16();
            // A path may go without its slash, and then there is nothing of that name.
            assert!(
                [400, 404].contains(&status) || path.is_empty(),
                "{call} {path:?}: {status}"
            );
            assert!(!answer.text().contains("OUTSIDE"));
        }
        for (call, body) in [
            ("mkdir", json!({"path": path})),
            ("remove", json!({"path": path})),
            ("copy", json!({"from": path, "to": "/files/copy"})),
            ("copy", json!({"from": "/files/inside", "to": path})),
            ("move", json!({"from": path, "to": "/files/copy"})),
            ("move", json!({"from": "/files/inside", "to": path})),
        ] {
            let status = world.post(call, &body).await.status.as_u16();
            assert!((400..500).contains(&status), "{call} {body}: {status}");
        }
    }
    assert_eq!(world.object("outside"), "OUTSIDE");
    assert_eq!(world.keys(), ["outside", "shown/inside"]);
}
