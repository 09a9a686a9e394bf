//! What known clients send, in their order and with their oddities, written down from what is known of them.

use crate::harness::{Raw, World, encode};

/// A request and the status that the client goes on with.
struct Step<'a> {
    method: &'a str,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a str,
    status: u16,
}

/// Plays the steps one after the other. `TOKEN` in a header stands for the token of the last lock, `HOST` for the server.
async fn play(world: &World, agent: &str, steps: &[Step<'_>]) {
    let mut token = String::new();
    for Step {
        method,
        path,
        headers,
        body,
        status,
    } in steps
    {
        let host = world.orlop.url("");
        let headers: Vec<(&str, String)> = headers
            .iter()
            .map(|(name, value)| (*name, value.replace("TOKEN", &token).replace("HOST", &host)))
            .chain([("user-agent", agent.to_owned())])
            .collect();
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let answer = world.dav(method, path, &headers, body).await;
        assert_eq!(
            answer.status.as_u16(),
            *status,
            "{agent}: {method} {path}: {answer:?}"
        );
        if answer.status == 207 {
            answer.multistatus();
        }
        if !answer.header("lock-token").is_empty() {
            token = answer
                .header("lock-token")
                .trim_matches(['<', '>'])
                .to_owned();
        }
    }
}

const LOCK: &str = "<?xml version=\"1.0\" encoding=\"utf-8\" ?><D:lockinfo xmlns:D=\"DAV:\"><D:lockscope><D:exclusive/>\
    </D:lockscope><D:locktype><D:write/></D:locktype><D:owner><D:href>DESKTOP\\user</D:href></D:owner></D:lockinfo>";

const WIN32: &str = "<?xml version=\"1.0\" encoding=\"utf-8\" ?><D:propertyupdate xmlns:D=\"DAV:\" \
    xmlns:Z=\"urn:schemas-microsoft-com:\"><D:set><D:prop>\
    <Z:Win32CreationTime>Sat, 28 Nov 2026 04:00:00 GMT</Z:Win32CreationTime>\
    <Z:Win32LastAccessTime>Sat, 28 Nov 2026 04:00:00 GMT</Z:Win32LastAccessTime>\
    <Z:Win32LastModifiedTime>Sat, 28 Nov 2026 04:00:00 GMT</Z:Win32LastModifiedTime>\
    <Z:Win32FileAttributes>00000020</Z:Win32FileAttributes></D:prop></D:set></D:propertyupdate>";

#[tokio::test]
async fn windows() {
    let world = World::start().await;
    world.put("old.txt", "old");
    let zero = [("depth", "0"), ("translate", "f"), ("content-length", "0")];
    let one = [("depth", "1"), ("translate", "f"), ("content-length", "0")];
    let held = [("if", "(<TOKEN>)"), ("translate", "f")];
    play(
        &world,
        "Microsoft-WebDAV-MiniRedir/10.0.19045",
        &[
            // It looks at the top before it looks where it was sent.
            Step {
                method: "OPTIONS",
                path: "/",
                headers: &[("translate", "f")],
                body: "",
                status: 200,
            },
            Step {
                method: "OPTIONS",
                path: "/dav/files/",
                headers: &[("translate", "f")],
                body: "",
                status: 200,
            },
            Step {
                method: "PROPFIND",
                path: "/dav",
                headers: &zero,
                body: "",
                status: 207,
            },
            Step {
                method: "PROPFIND",
                path: "/dav/files",
                headers: &zero,
                body: "",
                status: 207,
            },
            Step {
                method: "PROPFIND",
                path: "/dav/files",
                headers: &one,
                body: "",
                status: 207,
            },
            // Explorer's probing for how to draw a folder.
            Step {
                method: "PROPFIND",
                path: "/dav/files/desktop.ini",
                headers: &zero,
                body: "",
                status: 404,
            },
            Step {
                method: "PROPFIND",
                path: "/dav/files/folder.jpg",
                headers: &zero,
                body: "",
                status: 404,
            },
            // A new file: made empty, locked, described, filled, described again, unlocked.
            Step {
                method: "PROPFIND",
                path: "/dav/files/New%20File.txt",
                headers: &zero,
                body: "",
                status: 404,
            },
            Step {
                method: "PUT",
                path: "/dav/files/New%20File.txt",
                headers: &[("content-length", "0"), ("translate", "f")],
                body: "",
                status: 201,
            },
            Step {
                method: "LOCK",
                path: "/dav/files/New%20File.txt",
                headers: &[
                    ("timeout", "Second-3600"),
                    ("content-type", "text/xml; charset=\"utf-8\""),
                ],
                body: LOCK,
                status: 200,
            },
            Step {
                method: "PROPPATCH",
                path: "/dav/files/New%20File.txt",
                headers: &held,
                body: WIN32,
                status: 207,
            },
            Step {
                method: "HEAD",
                path: "/dav/files/New%20File.txt",
                headers: &[("translate", "f")],
                body: "",
                status: 200,
            },
            Step {
                method: "PUT",
                path: "/dav/files/New%20File.txt",
                headers: &held,
                body: "content",
                status: 204,
            },
            Step {
                method: "PROPPATCH",
                path: "/dav/files/New%20File.txt",
                headers: &held,
                body: WIN32,
                status: 207,
            },
            Step {
                method: "LOCK",
                path: "/dav/files/New%20File.txt",
                headers: &[("timeout", "Second-3600"), ("if", "(<TOKEN>)")],
                body: "",
                status: 200,
            },
            Step {
                method: "UNLOCK",
                path: "/dav/files/New%20File.txt",
                headers: &[("lock-token", "<TOKEN>")],
                body: "",
                status: 204,
            },
            // A new folder, renamed as it is named.
            Step {
                method: "MKCOL",
                path: "/dav/files/New%20folder",
                headers: &[("translate", "f")],
                body: "",
                status: 201,
            },
            Step {
                method: "PROPPATCH",
                path: "/dav/files/New%20folder",
                headers: &[],
                body: WIN32,
                status: 207,
            },
            Step {
                method: "MOVE",
                path: "/dav/files/New%20folder",
                headers: &[
                    ("destination", "HOST/dav/files/Pictures"),
                    ("overwrite", "F"),
                ],
                body: "",
                status: 201,
            },
            Step {
                method: "MOVE",
                path: "/dav/files/old.txt",
                headers: &[
                    ("destination", "HOST/dav/files/Pictures/old.txt"),
                    ("overwrite", "F"),
                ],
                body: "",
                status: 201,
            },
            Step {
                method: "GET",
                path: "/dav/files/New%20File.txt",
                headers: &[("translate", "f")],
                body: "",
                status: 200,
            },
            Step {
                method: "DELETE",
                path: "/dav/files/Pictures",
                headers: &[("translate", "f")],
                body: "",
                status: 204,
            },
        ],
    )
    .await;
    assert_eq!(world.keys(), ["New File.txt"]);
    assert_eq!(world.object("New File.txt"), "content");
    let told = world.propfind("/dav/files/New%20File.txt", "0").await;
    assert_eq!(
        told[0].property("{urn:schemas-microsoft-com:}Win32FileAttributes"),
        "00000020"
    );
}

#[tokio::test]
async fn macos() {
    let world = World::start().await;
    let quota = "<?xml version=\"1.0\" encoding=\"utf-8\"?><D:propfind xmlns:D=\"DAV:\"><D:prop>\
        <D:quota-available-bytes/><D:quota-used-bytes/><D:quota/><D:quotaused/></D:prop></D:propfind>";
    let stat = "<?xml version=\"1.0\" encoding=\"utf-8\"?><D:propfind xmlns:D=\"DAV:\"><D:prop>\
        <D:getlastmodified/><D:getcontentlength/><D:creationdate/><D:resourcetype/></D:prop></D:propfind>";
    let lock = "<?xml version=\"1.0\" encoding=\"utf-8\"?><D:lockinfo xmlns:D=\"DAV:\"><D:lockscope><D:exclusive/></D:lockscope>\
        <D:locktype><D:write/></D:locktype><D:owner><D:href>http://www.apple.com/webdav_fs/</D:href></D:owner></D:lockinfo>";
    let zero = [("depth", "0"), ("content-type", "text/xml")];
    let locking = [
        ("depth", "0"),
        ("timeout", "Second-600"),
        ("content-type", "text/xml; charset=\"utf-8\""),
    ];
    let held = [("if", "(<TOKEN>)")];
    play(
        &world,
        "WebDAVFS/3.0.0 (03008000) Darwin/23.0.0 (arm64)",
        &[
            Step {
                method: "OPTIONS",
                path: "/dav/files/",
                headers: &[],
                body: "",
                status: 200,
            },
            Step {
                method: "PROPFIND",
                path: "/dav/files/",
                headers: &zero,
                body: stat,
                status: 207,
            },
            Step {
                method: "PROPFIND",
                path: "/dav/files/",
                headers: &zero,
                body: quota,
                status: 207,
            },
            Step {
                method: "PROPFIND",
                path: "/dav/files/.DS_Store",
                headers: &zero,
                body: stat,
                status: 404,
            },
            Step {
                method: "PROPFIND",
                path: "/dav/files/._report.pdf",
                headers: &zero,
                body: stat,
                status: 404,
            },
            // A file and the file of its resource fork: made, locked, filled.
            Step {
                method: "PUT",
                path: "/dav/files/report.pdf",
                headers: &[],
                body: "",
                status: 201,
            },
            Step {
                method: "LOCK",
                path: "/dav/files/report.pdf",
                headers: &locking,
                body: lock,
                status: 200,
            },
            Step {
                method: "PUT",
                path: "/dav/files/report.pdf",
                headers: &held,
                body: "%PDF",
                status: 204,
            },
            Step {
                method: "PROPFIND",
                path: "/dav/files/report.pdf",
                headers: &zero,
                body: stat,
                status: 207,
            },
            Step {
                method: "LOCK",
                path: "/dav/files/report.pdf",
                headers: &[("timeout", "Second-600"), ("if", "(<TOKEN>)")],
                body: "",
                status: 200,
            },
            Step {
                method: "UNLOCK",
                path: "/dav/files/report.pdf",
                headers: &[("lock-token", "<TOKEN>")],
                body: "",
                status: 204,
            },
            Step {
                method: "LOCK",
                path: "/dav/files/._report.pdf",
                headers: &locking,
                body: lock,
                status: 201,
            },
            Step {
                method: "PUT",
                path: "/dav/files/._report.pdf",
                headers: &held,
                body: "fork",
                status: 204,
            },
            Step {
                method: "UNLOCK",
                path: "/dav/files/._report.pdf",
                headers: &[("lock-token", "<TOKEN>")],
                body: "",
                status: 204,
            },
            Step {
                method: "MKCOL",
                path: "/dav/files/untitled%20folder/",
                headers: &[],
                body: "",
                status: 201,
            },
            // It puts a slash behind a folder's name, and none behind the name that it is to have.
            Step {
                method: "MOVE",
                path: "/dav/files/untitled%20folder/",
                headers: &[("destination", "HOST/dav/files/Docs"), ("overwrite", "T")],
                body: "",
                status: 201,
            },
            Step {
                method: "MOVE",
                path: "/dav/files/report.pdf",
                headers: &[("destination", "HOST/dav/files/Docs/report.pdf")],
                body: "",
                status: 201,
            },
            Step {
                method: "DELETE",
                path: "/dav/files/._report.pdf",
                headers: &[],
                body: "",
                status: 204,
            },
        ],
    )
    .await;
    assert_eq!(world.keys(), ["Docs/", "Docs/report.pdf"]);

    // Finder sends chunks, and says beside them how much will come.
    let mut raw = Raw::connect(world.orlop.address()).await;
    raw.write(format!(
        "PUT /dav/files/{} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: Chunked\r\nx-expected-entity-length: 10\r\n\r\n\
         5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n",
        encode("Mövie.mov")
    ))
    .await;
    let head = raw.read_until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 201"), "{head}");
    assert_eq!(world.object("Mövie.mov"), "0123456789");
}

#[tokio::test]
async fn office_and_davfs2() {
    let world = World::start().await;
    world.put("a.odt", "a");
    let held = [("if", "<HOST/dav/files/a.odt> (<TOKEN>)")];
    play(
        &world,
        "davfs2/1.6.1 neon/0.32.2",
        &[
            Step {
                method: "OPTIONS",
                path: "/dav/files/",
                headers: &[],
                body: "",
                status: 200,
            },
            Step {
                method: "HEAD",
                path: "/dav/files/a.odt",
                headers: &[],
                body: "",
                status: 200,
            },
            Step {
                method: "LOCK",
                path: "/dav/files/a.odt",
                headers: &[("depth", "0"), ("timeout", "Infinite")],
                body: LOCK,
                status: 200,
            },
            Step {
                method: "GET",
                path: "/dav/files/a.odt",
                headers: &[],
                body: "",
                status: 200,
            },
            Step {
                method: "PUT",
                path: "/dav/files/a.odt",
                headers: &held,
                body: "b",
                status: 204,
            },
            Step {
                method: "HEAD",
                path: "/dav/files/a.odt",
                headers: &[],
                body: "",
                status: 200,
            },
            Step {
                method: "UNLOCK",
                path: "/dav/files/a.odt",
                headers: &[("lock-token", "<TOKEN>")],
                body: "",
                status: 204,
            },
        ],
    )
    .await;
    assert_eq!(world.object("a.odt"), "b");
}
