//! WebDAV: reading, writing, trees, and failures that are never an empty folder.

use http::StatusCode;
use orlop_test_s3::{Fault, Matcher};

use crate::harness::{Answer, Config, Mount, Raw, Told, World, encode, send, soon};

fn hrefs(told: &[Told]) -> Vec<&str> {
    let mut hrefs: Vec<&str> = told.iter().map(|told| told.href.as_str()).collect();
    hrefs.sort_unstable();
    hrefs
}

/// COPY or MOVE.
async fn transfer(
    world: &World,
    method: &str,
    from: &str,
    to: &str,
    more: &[(&str, &str)],
) -> Answer {
    let to = world.orlop.url(to);
    let mut headers = vec![("destination", to.as_str())];
    headers.extend_from_slice(more);
    world.dav(method, from, &headers, "").await
}

#[tokio::test]
async fn a_client_finds_out_what_the_server_can_do() {
    let world = World::start().await;
    for path in ["/dav", "/dav/", "/dav/files/", "/dav/files/nothing"] {
        let answer = world.dav("OPTIONS", path, &[], "").await.expect(200);
        assert_eq!(answer.header("dav"), "1, 2");
        assert_eq!(answer.header("ms-author-via"), "DAV");
        assert!(answer.header("allow").contains("PROPFIND"));
    }
    let answer = world.dav("POST", "/dav/files/", &[], "").await.expect(405);
    assert!(answer.header("allow").contains("LOCK"));
}

#[tokio::test]
async fn a_folder_is_told_with_its_members() {
    let world = World::start().await;
    world.put("f/a b.txt", "hello");
    world.put("f/sub/x", "x");
    world.put("f/", "");
    for path in ["/dav/files/f/", "/dav/files/f"] {
        let told = world.propfind(path, "1").await;
        assert_eq!(
            hrefs(&told),
            [
                "/dav/files/f/",
                "/dav/files/f/a%20b.txt",
                "/dav/files/f/sub/"
            ]
        );
        assert_eq!(told[0].href, "/dav/files/f/", "the folder comes first");
    }
    let told = world.propfind("/dav/files/f/", "1").await;
    let file = told.iter().find(|told| told.href.ends_with("txt")).unwrap();
    let head = world
        .send_with(http::Method::HEAD, "/d/files/f/a%20b.txt", &[])
        .await;
    assert_eq!(file.property("getetag"), head.header("etag"));
    assert_eq!(
        file.property("getlastmodified"),
        head.header("last-modified")
    );
    assert_eq!(file.property("getcontentlength"), "5");
    assert_eq!(file.property("getcontenttype"), "text/plain; charset=utf-8");
    assert_eq!(file.property("resourcetype"), "");
    assert_eq!(file.property("lockdiscovery"), "");
    assert_eq!(told[0].property("resourcetype"), "<collection>");
    assert!(!told[0].properties.contains_key("getcontentlength"));

    let told = world.propfind("/dav/files/f/", "0").await;
    assert_eq!(hrefs(&told), ["/dav/files/f/"]);
    assert_eq!(
        hrefs(&world.propfind("/dav", "1").await),
        ["/dav/", "/dav/files/"]
    );
    // What lies below is asked for folder by folder.
    for headers in [&[("depth", "infinity")][..], &[]] {
        let answer = world
            .dav("PROPFIND", "/dav/files/f/", headers, "")
            .await
            .expect(403);
        assert!(answer.text().contains("<D:propfind-finite-depth>"));
    }
    let file = world.dav("PROPFIND", "/dav/files/f/sub/x", &[], "").await;
    assert_eq!(file.expect(207).multistatus().len(), 1);
    for path in ["/dav/files/nothing", "/dav/files/nothing/", "/dav/other/"] {
        world
            .dav("PROPFIND", path, &[("depth", "1")], "")
            .await
            .problem(404, "not-found");
    }
    world
        .dav("PROPFIND", "/dav/files/", &[("depth", "2")], "")
        .await
        .expect(400);
}

#[tokio::test]
async fn what_was_asked_for_is_told() {
    let world = World::start().await;
    world.put("a", "abc");
    let ask = async |body: &str| {
        let headers = [("depth", "0")];
        world.dav("PROPFIND", "/dav/files/a", &headers, body).await
    };
    let body = "<D:propfind xmlns:D='DAV:'><D:prop><D:getcontentlength/><D:quota-used-bytes/>\
                <x xmlns='urn:x'/><y xmlns=''/></D:prop></D:propfind>";
    let told = ask(body).await.expect(207).multistatus();
    let properties: Vec<_> = told[0]
        .properties
        .iter()
        .map(|(name, (status, content))| (name.as_str(), *status, content.as_str()))
        .collect();
    assert_eq!(
        properties,
        [
            ("getcontentlength", 200, "3"),
            ("quota-used-bytes", 404, ""),
            ("{urn:x}x", 404, ""),
            ("{}y", 404, ""),
        ]
    );
    let told = ask("<propfind xmlns='DAV:'><propname/></propfind>")
        .await
        .multistatus();
    assert_eq!(told[0].property("getetag"), "");
    assert!(told[0].properties.contains_key("lockdiscovery"));
    let told = ask("<propfind xmlns='DAV:'><prop/></propfind>")
        .await
        .multistatus();
    assert_eq!(told[0].properties.len(), 0);
    for body in [
        "<propfind/>",
        "<propfind xmlns='DAV:'/>",
        "<a xmlns='DAV:'/>",
        "nonsense",
    ] {
        ask(body).await.problem(400, "invalid-argument");
    }
}

/// Names that XML and URLs stumble over come back as links that lead to them.
#[tokio::test]
async fn odd_names() {
    let world = World::start().await;
    let names = [
        "a space",
        "plus+plus",
        "100%",
        "%41",
        "hash#tag",
        "what?",
        "<b>&amp;",
        "\"quote'",
        "ümläut",
        "日本語",
        "🚢",
        "new\nline",
        "bell\u{7}",
        "\u{feff}mark",
        "back\\slash",
        "semi;colon",
        "...",
        "]]>",
    ];
    for name in names {
        world.put(&format!("odd/{name}"), name);
    }
    let told = world.propfind("/dav/files/odd/", "1").await;
    assert_eq!(told.len(), names.len() + 1);
    for told in &told[1..] {
        let name = percent_encoding::percent_decode_str(told.href.rsplit('/').next().unwrap())
            .decode_utf8()
            .unwrap()
            .into_owned();
        assert_eq!(world.get(&told.href).await.expect(200).text(), name);
        assert_eq!(told.href, format!("/dav/files/odd/{}", encode(&name)));
        world.set_property(&told.href, "p", "v").await;
        let target = format!("/dav/files/{}", encode(&name));
        transfer(&world, "MOVE", &told.href, &target, &[])
            .await
            .expect(201);
        assert_eq!(world.object(&name), name);
        let told = world.propfind(&target, "0").await;
        assert_eq!(told[0].property("{urn:x}p"), "v");
    }
}

#[tokio::test]
async fn addresses_that_are_no_paths_are_refused() {
    let world = World::start().await;
    for path in [
        "/dav/..",
        "/dav/%2e%2e/x",
        "/dav//files",
        "/dav/files%2Fx",
        "/dav/%ff",
        "/dav/files/a%00",
    ] {
        for method in ["PROPFIND", "GET", "PUT", "DELETE", "MKCOL", "LOCK", "MOVE"] {
            let status = Raw::status(world.orlop.address(), method, path).await;
            assert_eq!(status, 400, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn files_are_read_by_the_rules_of_http() {
    let world = World::with(|mount| mount.set("download", "redirect")).await;
    world.put("a.txt", "0123456789");
    let whole = world.get("/dav/files/a.txt").await.expect(200);
    assert_eq!(whole.text(), "0123456789");
    let etag = whole.header("etag").to_owned();
    let part = world
        .get_with("/dav/files/a.txt", &[("range", "bytes=2-4")])
        .await;
    assert_eq!(part.expect(206).text(), "234");
    world
        .get_with("/dav/files/a.txt", &[("if-none-match", &etag)])
        .await
        .expect(304);
    world
        .get_with("/dav/files/a.txt", &[("if-match", "\"x\"")])
        .await
        .expect(412);
    world
        .get("/dav/files/nothing")
        .await
        .problem(404, "not-found");
    world.get("/dav/files/").await.expect(405);
    let page = world
        .get_with("/dav/files/", &[("accept", "text/html")])
        .await
        .expect(302);
    assert_eq!(page.header("location"), "/files/");

    let world = World::with(|mount| mount.set("dav_redirect", true)).await;
    world.put("a.txt", "0123456789");
    assert_eq!(
        world.follow("/dav/files/a.txt").await.expect(200).text(),
        "0123456789"
    );
    let head = world
        .send_with(http::Method::HEAD, "/dav/files/a.txt", &[])
        .await;
    assert_eq!(head.expect(200).header("content-length"), "10");
}

#[tokio::test]
async fn files_are_written() {
    let world = World::start().await;
    let put = async |path: &str, headers: &[(&str, &str)], body: &str| {
        world.dav("PUT", path, headers, body).await
    };
    put("/dav/files/a", &[], "one").await.expect(201);
    let answer = put("/dav/files/a", &[], "two").await.expect(204);
    assert_eq!(world.object("a"), "two");
    let etag = answer.header("etag").to_owned();
    assert_eq!(world.get("/dav/files/a").await.header("etag"), etag);
    put("/dav/files/a", &[("if-none-match", "*")], "x")
        .await
        .expect(412);
    put("/dav/files/a", &[("if-match", "\"x\"")], "x")
        .await
        .expect(412);
    put("/dav/files/a", &[("if", "([\"x\"])")], "x")
        .await
        .expect(412);
    put("/dav/files/a", &[("if", &format!("([{etag}])"))], "three")
        .await
        .expect(204);
    assert_eq!(world.object("a"), "three");
    // The parent must be there, a folder is not written, nor a part of a file.
    put("/dav/files/no/such/x", &[], "x")
        .await
        .problem(409, "not-found");
    put("/dav/files/new/", &[], "x").await.expect(405);
    world.put("folder/x", "x");
    put("/dav/files/folder", &[], "x").await.expect(405);
    put("/dav/files/a", &[("content-range", "bytes 0-0/5")], "x")
        .await
        .expect(400);
    assert_eq!(world.keys(), ["a", "folder/x"]);

    let answer = put("/dav/files/old", &[("x-oc-mtime", "1000000000")], "x")
        .await
        .expect(201);
    assert_eq!(answer.header("x-oc-mtime"), "accepted");
    let object = world.s3.store().object("files", "old").unwrap();
    assert_eq!(object.metadata.user["mtime"], "1000000000");
}

#[tokio::test]
async fn folders_are_made() {
    let world = World::start().await;
    let make = async |path: &str, body: &str| world.dav("MKCOL", path, &[], body).await;
    make("/dav/files/new", "").await.expect(201);
    assert_eq!(world.keys(), ["new/"]);
    for path in ["/dav/files/new", "/dav/files/new/", "/dav/files/", "/dav/"] {
        make(path, "").await.expect(405);
    }
    world.put("file", "x");
    make("/dav/files/file/", "").await.expect(405);
    make("/dav/files/no/such", "").await.expect(409);
    make("/dav/files/other", "<x/>")
        .await
        .problem(415, "unsupported");
    assert_eq!(world.keys(), ["file", "new/"]);
}

#[tokio::test]
async fn copies_and_moves_replace_only_if_they_may() {
    let world = World::start().await;
    for method in ["COPY", "MOVE"] {
        for (from, to, overwrite, status, keys) in [
            ("a", "/dav/files/b", "T", 201, ["b"].as_slice()),
            ("a", "/dav/files/c", "F", 412, &["a", "c"]),
            ("a", "/dav/files/c", "T", 204, &["c"]),
            ("a", "/dav/files/c", "maybe", 400, &["a", "c"]),
            ("a", "/dav/files/a", "T", 403, &["a"]),
            ("a", "/dav/files/no/b", "T", 409, &["a"]),
            (
                "a",
                "http://elsewhere.example/dav/files/b",
                "T",
                502,
                &["a"],
            ),
            ("a", "/files/b", "T", 502, &["a"]),
            ("a", "/dav/files/..", "T", 400, &["a"]),
            ("nothing", "/dav/files/b", "T", 404, &[]),
            // A folder in the way goes as a whole, and a file for a folder.
            ("a", "/dav/files/d/", "T", 204, &["d"]),
            ("a", "/dav/files/d", "F", 412, &["a", "d/old"]),
            ("f/", "/dav/files/d/", "T", 204, &["d/1", "d/s/2"]),
            ("f/", "/dav/files/c", "T", 204, &["c/1", "c/s/2"]),
            ("f/", "/dav/files/f/s/t/", "T", 403, &["f/1", "f/s/2"]),
            ("f/s/", "/dav/files/f/", "T", 403, &["f/1", "f/s/2"]),
        ] {
            for key in world.keys() {
                world.s3.store().remove("files", &key);
            }
            let is_source =
                |key: &&str| *key == from || (from.ends_with('/') && key.starts_with("f/"));
            let sources: Vec<&'static str> = ["a", "f/1", "f/s/2"]
                .into_iter()
                .filter(is_source)
                .collect();
            for key in &sources {
                world.put(key, *key);
            }
            for key in ["c", "d/old"] {
                if to.contains(&format!("/files/{}", &key[..1])) {
                    world.put(key, "old");
                }
            }
            let target = if to.starts_with('/') {
                world.orlop.url(to)
            } else {
                to.to_owned()
            };
            let headers = [("destination", target.as_str()), ("overwrite", overwrite)];
            let answer = world
                .dav(method, &format!("/dav/files/{from}"), &headers, "")
                .await;
            assert_eq!(
                answer.status.as_u16(),
                status,
                "{method} {from} {to} {overwrite}: {answer:?}"
            );
            let mut expected: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            if method == "COPY" && (200..300).contains(&status) {
                expected.extend(sources.iter().map(|key| (*key).to_owned()));
                expected.sort();
            }
            assert_eq!(world.keys(), expected, "{method} {from} {to} {overwrite}");
        }
    }
}

#[tokio::test]
async fn a_folder_is_copied_alone() {
    let world = World::start().await;
    world.put("f/a", "a");
    transfer(
        &world,
        "COPY",
        "/dav/files/f/",
        "/dav/files/g/",
        &[("depth", "0")],
    )
    .await
    .expect(201);
    assert_eq!(world.keys(), ["f/a", "g/"]);
    transfer(
        &world,
        "MOVE",
        "/dav/files/f/",
        "/dav/files/h/",
        &[("depth", "0")],
    )
    .await
    .expect(400);
    world
        .dav("COPY", "/dav/files/f/", &[], "")
        .await
        .expect(400);
}

#[tokio::test]
async fn a_file_and_a_folder_of_one_name_do_not_mix() {
    let world = World::start().await;
    world.put("a", "file");
    world.put("a/inside", "inside");
    world.set_property("/dav/files/a", "p", "of the file").await;
    world
        .set_property("/dav/files/a/", "p", "of the folder")
        .await;
    let told = world.propfind("/dav/files/", "1").await;
    assert_eq!(
        hrefs(&told),
        ["/dav/files/", "/dav/files/a", "/dav/files/a/"]
    );
    for told in &told[1..] {
        let expected = if told.href.ends_with('/') {
            "of the folder"
        } else {
            "of the file"
        };
        assert_eq!(told.property("{urn:x}p"), expected);
    }
    world
        .dav("DELETE", "/dav/files/a", &[], "")
        .await
        .expect(204);
    assert_eq!(world.keys(), ["a/inside"]);
    let told = world.propfind("/dav/files/a", "0").await;
    assert_eq!(told[0].property("{urn:x}p"), "of the folder");
    world
        .dav("DELETE", "/dav/files/a", &[], "")
        .await
        .expect(204);
    assert_eq!(world.keys().len(), 0);
    world
        .dav("DELETE", "/dav/files/a", &[], "")
        .await
        .problem(404, "not-found");
    world
        .dav("DELETE", "/dav/files/a/", &[], "")
        .await
        .problem(404, "not-found");
    for path in ["/dav/", "/dav/files/"] {
        world
            .dav("DELETE", path, &[], "")
            .await
            .problem(403, "permission-denied");
    }
}

#[tokio::test]
async fn a_tree_is_removed_by_the_thousand() {
    let world = World::start().await.settled().await;
    for number in 0..2_500 {
        world.put(&format!("t/{}/{number}", number % 3), "x");
    }
    world
        .dav("DELETE", "/dav/files/t/", &[], "")
        .await
        .expect(204);
    assert_eq!(world.keys().len(), 0);
    let log = world.s3.requests().list();
    let lists = log
        .iter()
        .filter(|request| request.method() == "GET")
        .count();
    let deletes = log
        .iter()
        .filter(|request| request.method() == "POST")
        .count();
    assert_eq!((lists, deletes, log.len()), (3, 3, 6), "{log:?}");
}

#[tokio::test]
async fn a_long_folder_is_listed_once() {
    let world = World::start().await.settled().await;
    for number in 0..2_500 {
        world.put(&format!("t/{number:04}"), "x");
    }
    let told = world.propfind("/dav/files/t/", "1").await;
    assert_eq!(told.len(), 2_501);
    assert_eq!(
        world.s3.requests().count(),
        3,
        "{:?}",
        world.s3.requests().list()
    );
}

/// A client that takes a failure for an empty folder loses data.
#[tokio::test]
async fn a_failure_of_the_service_is_its_status() {
    for (fault, status) in [
        (Fault::error(StatusCode::FORBIDDEN, "AccessDenied"), 403),
        (
            Fault::error(StatusCode::FORBIDDEN, "InvalidAccessKeyId"),
            502,
        ),
        (Fault::error(StatusCode::NOT_FOUND, "NoSuchBucket"), 502),
        (
            Fault::error(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
            503,
        ),
        (
            Fault::error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
            502,
        ),
    ] {
        let world = World::start().await;
        world.put("f/a", "a");
        world
            .s3
            .faults()
            .inject(Matcher::any().always(), fault.clone());
        // What may pass by itself is tried again, which takes its time.
        let tried = if status == 403 { 6 } else { 2 };
        for (method, path) in [
            ("PROPFIND", "/dav/files/f/"),
            ("PUT", "/dav/files/f/b"),
            ("PROPFIND", "/dav/files/f"),
            ("GET", "/dav/files/f/a"),
            ("MKCOL", "/dav/files/f/c"),
            ("DELETE", "/dav/files/f/"),
        ]
        .into_iter()
        .take(tried)
        {
            let answer = world.dav(method, path, &[("depth", "1")], "").await;
            let found = answer.status.as_u16();
            // The answer to a HEAD has no body to say that it is for the moment only.
            let expected = if status == 503 {
                vec![502, 503]
            } else {
                vec![status]
            };
            assert!(
                expected.contains(&found),
                "{method} {path} {fault:?}: {answer:?}"
            );
            assert!(status != 503 || !answer.header("retry-after").is_empty());
        }
        assert_eq!(world.keys(), ["f/a"]);
    }
}

#[tokio::test]
async fn a_listing_that_fails_half_way_breaks_off() {
    let world = World::start().await;
    for number in 0..1_500 {
        world.put(&format!("t/{number:04}"), "x");
    }
    let later = Matcher::when(|request| {
        let query = request.query();
        query.contains("start-after")
            || query.contains("continuation-token")
            || query.contains("marker")
    });
    let refusal = Fault::error(StatusCode::FORBIDDEN, "AccessDenied");
    world.s3.faults().inject(later.always(), refusal);
    let method = http::Method::from_bytes(b"PROPFIND").unwrap();
    let request = world.request(method, "/dav/files/t/").header("depth", "1");
    let response = soon("the head", request.send()).await.unwrap();
    assert_eq!(response.status(), 207);
    let body = soon("the body", response.bytes()).await;
    assert!(body.is_err(), "an answer that is not whole looks whole");
}

#[tokio::test]
async fn rights_hold_here_too() {
    let world =
        World::of(|s3| Config::of([Mount::s3("/files", s3)]).set("anonymous", "read")).await;
    world.put("a", "a");
    world.get("/dav/files/a").await.expect(200);
    let lock = "<lockinfo xmlns='DAV:'><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>";
    let patch = "<propertyupdate xmlns='DAV:'><set><prop><a/></prop></set></propertyupdate>";
    let target = world.orlop.url("/dav/files/b");
    for (method, path, body) in [
        ("PUT", "/dav/files/a", "x"),
        ("PUT", "/dav/files/b", "x"),
        ("MKCOL", "/dav/files/c", ""),
        ("DELETE", "/dav/files/a", ""),
        ("MOVE", "/dav/files/a", ""),
        ("COPY", "/dav/files/a", ""),
        ("LOCK", "/dav/files/a", lock),
        ("LOCK", "/dav/files/b", lock),
        ("PROPPATCH", "/dav/files/a", patch),
    ] {
        let status = world
            .dav(method, path, &[("destination", &target)], body)
            .await
            .status
            .as_u16();
        // Who did not say who it is may be asked to.
        assert!(matches!(status, 401 | 403), "{method} {path}: {status}");
    }
    assert_eq!(world.keys(), ["a"]);

    let world = World::with(|mount| mount.set("read_only", true)).await;
    world.put("a", "a");
    for (method, path, body) in [
        ("PUT", "/dav/files/b", "x"),
        ("LOCK", "/dav/files/a", lock),
        ("PROPPATCH", "/dav/files/a", patch),
        ("DELETE", "/dav/files/a", ""),
    ] {
        world
            .dav(method, path, &[], body)
            .await
            .problem(403, "permission-denied");
    }
}

#[tokio::test]
async fn another_site_changes_nothing() {
    let world = World::start().await;
    world.put("a", "a");
    let headers = [
        ("origin", "http://evil.example"),
        ("destination", "/dav/files/b"),
    ];
    for method in [
        "PUT",
        "DELETE",
        "MKCOL",
        "MOVE",
        "COPY",
        "LOCK",
        "UNLOCK",
        "PROPPATCH",
    ] {
        world
            .dav(method, "/dav/files/a", &headers, "")
            .await
            .problem(403, "permission-denied");
    }
    assert_eq!(world.keys(), ["a"]);
}

#[tokio::test]
async fn bodies_are_bounded() {
    let world = World::start().await;
    world.put("a", "a");
    let bomb = "<!DOCTYPE a [<!ENTITY b 'bbbbbbbb'><!ENTITY c '&b;&b;&b;&b;'>]>\
                <propfind xmlns='DAV:'><prop><x>&c;</x></prop></propfind>";
    let outside =
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><propfind xmlns='DAV:'><allprop/></propfind>";
    let deep = format!("<propfind xmlns='DAV:'>{}", "<a>".repeat(10_000));
    let many: String = (0..1_000).map(|number| format!("<a{number}/>")).collect();
    let many = format!("<propfind xmlns='DAV:'><prop>{many}</prop></propfind>");
    let big = format!(
        "<propfind xmlns='DAV:'><prop><!--{}--></prop></propfind>",
        "x".repeat(400_000)
    );
    for (body, status) in [
        (bomb, 400),
        (outside, 400),
        (&deep, 400),
        (&many, 400),
        (&big, 413),
    ] {
        for method in ["PROPFIND", "PROPPATCH", "LOCK"] {
            let answer = world
                .dav(method, "/dav/files/a", &[("depth", "0")], body)
                .await;
            let found = answer.status.as_u16();
            assert_eq!(found, status, "{method} {}", &body[..40]);
        }
    }
    let many = "(<urn:a>)".repeat(100);
    world
        .dav("PUT", "/dav/files/a", &[("if", &many)], "x")
        .await
        .expect(400);
    assert_eq!(world.object("a"), "a");
}

#[tokio::test]
async fn the_door_is_counted() {
    let world = World::start().await;
    world.propfind("/dav/files/", "1").await;
    send(world.request(http::Method::PUT, "/dav/files/a").body("abc"))
        .await
        .expect(201);
    let metrics = world.get("/metrics").await.expect(200).text().to_owned();
    for line in [
        "orlop_requests_total{door=\"dav\",mount=\"/files\",method=\"PROPFIND\",status=\"207\"} 1",
        "orlop_bytes_total{door=\"dav\",mount=\"/files\",direction=\"in\"} 3",
    ] {
        assert!(metrics.contains(line), "no {line} in {metrics}");
    }
}
