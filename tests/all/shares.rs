//! Share links: `/s/{token}/…`.

use http::Method;
use serde_json::{Value, json};

use crate::{
    harness::{Answer, Config, Mount, World, send, soon},
    users::{Proof, cookie},
};

const ANN: Proof = Proof::Password("ann");

fn config(s3: &orlop_test_s3::Server) -> Config {
    Config::of([
        Mount::s3("/files", s3).set("download", "proxy"),
        Mount::s3("/direct", s3),
    ])
    .user("ann", &[("/", "write"), ("/files/album/hidden", "none")])
    .user("bob", &[("/files/other", "read")])
}

async fn world() -> World {
    let world = World::of(config).await;
    for key in [
        "album/one.txt",
        "album/d/two.txt",
        "album/hidden/three.txt",
        "beside.txt",
        "other/x",
        "s/deep",
    ] {
        world.put(key, "0123456789");
    }
    world
}

impl World {
    /// Makes a share, and gives its description with the path of its address.
    async fn share(&self, body: &Value) -> (Value, String) {
        let share = self.post_by(&ANN, "shares", body).await.expect(201).json();
        let url = share["url"].as_str().unwrap();
        let path = url.strip_prefix(&self.orlop.url("")).unwrap().to_owned();
        (share, path)
    }

    async fn read(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.get_with(path, headers).await
    }
}

const JSON: (&str, &str) = ("accept", "application/json");

const HTML: (&str, &str) = ("accept", "text/html");

#[tokio::test]
async fn a_file() {
    let world = world().await;
    let (share, path) = world.share(&json!({"path": "/files/album/one.txt"})).await;
    assert_eq!(share["kind"], "file");
    assert_eq!(share["path"], "/files/album/one.txt");
    assert!(
        path.starts_with("/s/") && path.ends_with("/one.txt"),
        "{path}"
    );
    let answer = world.get(&path).await.expect(200);
    assert_eq!(answer.text(), "0123456789");
    assert!(
        answer
            .header("content-disposition")
            .starts_with("attachment")
    );
    assert_eq!(answer.header("x-robots-tag"), "noindex");
    let top = path.strip_suffix("/one.txt").unwrap();
    for path in [top.to_owned(), format!("{top}/")] {
        assert_eq!(world.get(&path).await.expect(200).text(), "0123456789");
    }
    let entry = world.read(&path, &[JSON]).await.expect(200).json();
    assert_eq!(entry["path"], "/one.txt");
    world.send_with(Method::HEAD, &path, &[]).await.expect(200);
    // Nothing beside it, above it or below it.
    for below in [
        "/d",
        "/two.txt",
        "/d/two.txt",
        "/one.txt/",
        "/one.txt/x",
        "/beside.txt",
    ] {
        world
            .get(&format!("{top}{below}"))
            .await
            .problem(404, "not-found");
    }
    // By the mount's policy.
    let (_, path) = world.share(&json!({"path": "/direct/album/one.txt"})).await;
    assert_eq!(world.follow(&path).await.expect(200).text(), "0123456789");
}

#[tokio::test]
async fn a_folder_and_nothing_above_it() {
    let world = world().await;
    let (share, path) = world.share(&json!({"path": "/files/album/"})).await;
    assert_eq!(share["kind"], "directory");
    let top = path.strip_suffix('/').unwrap();
    let page = world.read(&path, &[JSON]).await.expect(200).json();
    let mut paths: Vec<&str> = page["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["path"].as_str().unwrap())
        .collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        ["/d/", "/one.txt"],
        "what its owner may not read does not show"
    );
    let page = world.read(&path, &[HTML]).await.expect(200);
    let text = page.text();
    assert!(text.contains("one.txt") && text.contains("./d/"), "{text}");
    assert!(text.contains(&format!("{top}/one.txt")), "{text}");
    for outer in ["/files", "Upload", "Log in", "three", "href=\"/\""] {
        assert!(!text.contains(outer), "{outer}: {text}");
    }
    let inner = world.read(&format!("{top}/d/"), &[HTML]).await.expect(200);
    assert!(
        inner.text().contains(&format!("href=\"{path}\"")),
        "{}",
        inner.text()
    );
    let see = world.get(&format!("{top}/d")).await.expect(303);
    assert_eq!(see.header("location"), format!("{top}/d/"));
    let answer = world.get(&format!("{top}/d/two.txt")).await.expect(200);
    assert_eq!(answer.text(), "0123456789");
    for below in ["/hidden/", "/hidden/three.txt", "/missing", "/beside.txt"] {
        let answer = world.get(&format!("{top}{below}")).await;
        let detail = answer.problem(404, "not-found");
        assert!(!detail.contains("files"), "{detail}");
    }
    for below in [
        "/..",
        "/../beside.txt",
        "/%2e%2e/beside.txt",
        "//",
        "/d/..%2f..",
        "/d%00",
    ] {
        let status = world.raw_status("GET", &format!("{top}{below}")).await;
        assert!(matches!(status, 400 | 404), "{below}: {status}");
    }
    // It can only be read.
    for method in ["PUT", "DELETE", "POST", "PATCH", "MKCOL"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        for proof in [&Proof::Nothing, &ANN] {
            let path = format!("{top}/one.txt");
            world.by(proof, method.clone(), &path).await.expect(405);
        }
    }
    assert_eq!(world.keys().len(), 6);
}

#[tokio::test]
async fn a_top_folder_called_like_the_door_stays_reachable() {
    let world = World::of(|s3| Config::of([Mount::s3("/s", s3)])).await;
    world.put("deep", "x");
    let page = world.read("/", &[HTML]).await.expect(200);
    assert!(page.text().contains("./%73/"), "{}", page.text());
    world.get("/%73/").await.expect(200);
    assert_eq!(world.get("/p/s/deep").await.expect(200).text(), "x");
}

#[tokio::test]
async fn addresses_tampered_with() {
    let world = world().await;
    let (_, path) = world.share(&json!({"path": "/files/album/"})).await;
    let token = path.trim_start_matches("/s/").trim_end_matches('/');
    let (id, signature) = token.split_at(16);
    for tampered in [
        String::new(),
        "x".to_owned(),
        id.to_owned(),
        format!("{id}{}", "A".repeat(signature.len())),
        format!("{}{signature}", "A".repeat(16)),
        format!("{token}A"),
        token[..token.len() - 1].to_owned(),
        token.to_lowercase() + "x",
        "x".repeat(4000),
    ] {
        for end in ["", "/", "/one.txt"] {
            let status = world
                .get(&format!("/s/{tampered}{end}"))
                .await
                .status
                .as_u16();
            assert_eq!(status, 404, "{tampered}{end}");
        }
    }
}

#[tokio::test]
async fn shares_end() {
    let world = world().await;
    let (share, path) = world.share(&json!({"path": "/files/album/one.txt"})).await;
    let (_, lasting) = world
        .share(&json!({"path": "/files/album/one.txt", "expires": 3600}))
        .await;
    let list = world
        .by(&ANN, Method::GET, "/api/v1/shares")
        .await
        .expect(200)
        .json();
    assert_eq!(list["shares"].as_array().unwrap().len(), 2);
    assert!(list["shares"].as_array().unwrap().contains(&share));
    let bob = Proof::Password("bob");
    let bobs = world
        .by(&bob, Method::GET, "/api/v1/shares")
        .await
        .expect(200)
        .json();
    assert_eq!(bobs, json!({"shares": []}));
    let id = format!("/api/v1/shares/{}", share["id"].as_str().unwrap());
    world
        .by(&bob, Method::DELETE, &id)
        .await
        .problem(404, "not-found");
    world.get(&path).await.expect(200);
    world.by(&ANN, Method::DELETE, &id).await.expect(204);
    world.get(&path).await.problem(410, "not-found");
    world.get(&lasting).await.expect(200);
    let (_, short) = world
        .share(&json!({"path": "/files/album/one.txt", "expires": 1}))
        .await;
    let ended = async { while world.get(&short).await.status.as_u16() != 410 {} };
    soon("the share's end", ended).await;
    let page = world.read(&short, &[HTML]).await.expect(410);
    assert!(page.header("content-type").starts_with("text/html"));
}

#[tokio::test]
async fn a_share_is_no_more_than_who_made_it() {
    let world = world().await;
    let (_, album) = world.share(&json!({"path": "/files/album/"})).await;
    let (_, other) = world.share(&json!({"path": "/files/other/"})).await;
    let world = world
        .restarted(|s3| {
            Config::of([Mount::s3("/files", s3)]).user(
                "ann",
                &[("/files/album", "read"), ("/files/album/d", "none")],
            )
        })
        .await;
    world.get(&album).await.expect(200);
    world.get(&format!("{album}d/two.txt")).await.expect(404);
    world.get(&other).await.expect(410);
    let world = world
        .restarted(|s3| Config::of([Mount::s3("/files", s3)]).user("bob", &[("/", "write")]))
        .await;
    world.get(&album).await.expect(410);
}

#[tokio::test]
async fn only_what_may_be_read_can_be_shared() {
    let world = world().await;
    let bob = Proof::Password("bob");
    for (proof, body, status) in [
        (&bob, json!({"path": "/files/other/"}), 201),
        (&bob, json!({"path": "/files/other/missing"}), 404),
        (&bob, json!({"path": "/files/album/one.txt"}), 403),
        (&bob, json!({"path": "/files/"}), 403),
        (&bob, json!({"path": "/"}), 403),
        (&ANN, json!({"path": "/files/album/hidden/"}), 403),
        (&ANN, json!({"path": "/files/../x"}), 400),
        (&ANN, json!({"path": "/files/album/", "expires": 0}), 400),
        (&ANN, json!({"path": "/files/album/", "downloads": 0}), 400),
        (&ANN, json!({"path": "/files/album/", "password": ""}), 400),
        (&ANN, json!({"path": "/files/album/", "pasword": "x"}), 400),
        (&Proof::Nothing, json!({"path": "/files/album/"}), 401),
    ] {
        let answer = world.post_by(proof, "shares", &body).await;
        assert_eq!(answer.status.as_u16(), status, "{body}");
    }
    // What its owner may write, its guests may read alone.
    let (_, path) = world.share(&json!({"path": "/"})).await;
    let page = world.read(&path, &[HTML]).await.expect(200);
    assert!(page.text().contains("./files/"), "{}", page.text());
    assert!(!page.text().contains("Upload"));
    world
        .get(&format!("{path}files/album/d/two.txt"))
        .await
        .expect(200);
}

#[tokio::test]
async fn downloads_are_counted() {
    let world = world().await;
    let (share, path) = world
        .share(&json!({"path": "/files/album/one.txt", "downloads": 2}))
        .await;
    assert_eq!(share["download_limit"], 2);
    let count = async || {
        let list = world.by(&ANN, Method::GET, "/api/v1/shares").await.json();
        list["shares"][0]["downloads"].as_i64().unwrap()
    };
    world.send_with(Method::HEAD, &path, &[]).await.expect(200);
    world.read(&path, &[JSON]).await.expect(200);
    assert_eq!(count().await, 0);
    // A range that goes on with nothing is a beginning.
    world
        .read(&path, &[("range", "bytes=5-")])
        .await
        .expect(206);
    assert_eq!(count().await, 1);
    // Now it goes on with something.
    world
        .read(&path, &[("range", "bytes=6-")])
        .await
        .expect(206);
    assert_eq!(count().await, 1);
    // What was not given is not counted.
    let etag = world
        .send_with(Method::HEAD, &path, &[])
        .await
        .header("etag")
        .to_owned();
    world
        .read(&path, &[("if-none-match", &etag)])
        .await
        .expect(304);
    world
        .read(&path, &[("range", "bytes=100-")])
        .await
        .expect(416);
    assert_eq!(count().await, 1);
    world.get(&path).await.expect(200);
    assert_eq!(count().await, 2);
    for range in [
        None,
        Some("bytes=0-"),
        Some("bytes=-5"),
        Some("bytes=1-2,0-9"),
    ] {
        let headers: Vec<_> = range.iter().map(|range| ("range", *range)).collect();
        world.read(&path, &headers).await.problem(410, "not-found");
    }
    world.send_with(Method::HEAD, &path, &[]).await.expect(410);
    // The last one may be gone on with, but not by a trick that gives all of it.
    world
        .read(&path, &[("range", "bytes=5-")])
        .await
        .expect(206);
    world
        .read(&path, &[("range", "bytes=5-"), ("if-range", "\"other\"")])
        .await
        .problem(410, "not-found");
    assert_eq!(count().await, 2);
}

#[tokio::test]
async fn of_many_at_once_only_as_many_get_it() {
    let world = world().await;
    let (_, path) = world
        .share(&json!({"path": "/files/album/", "downloads": 3}))
        .await;
    let path = format!("{path}one.txt");
    let many = (0..12).map(|_| world.get(&path));
    let answers = futures::future::join_all(many).await;
    let count = |status| {
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    };
    assert_eq!((count(200), count(410)), (3, 9));
}

#[tokio::test]
async fn a_password() {
    let world = world().await;
    let (share, path) = world
        .share(&json!({"path": "/files/album/", "password": "open sesame"}))
        .await;
    assert_eq!(share["password"], true);
    let top = path.trim_end_matches('/').to_owned();
    let file = format!("{top}/one.txt");
    // Programs are asked by a challenge, people by a form.
    let asked = world.get(&file).await;
    assert!(asked.header("www-authenticate").starts_with("Basic"));
    asked.problem(401, "unauthenticated");
    let form = world.read(&path, &[HTML]).await.expect(401);
    assert!(form.text().contains("type=\"password\""));
    assert!(form.header("www-authenticate").starts_with("Form"));
    assert!(!form.text().contains("one.txt"));
    // Its owner is asked like everybody else.
    world.by(&ANN, Method::GET, &file).await.expect(401);
    let request = || world.request(Method::GET, &file);
    send(request().basic_auth("", Some("open sesame")))
        .await
        .expect(200);
    world
        .read(&file, &[("x-share-password", "open sesame")])
        .await
        .expect(200);
    world
        .read(&file, &[("x-share-password", "wrong")])
        .await
        .expect(401);
    let wrong = world
        .form(&path, &[("password", "wrong")])
        .await
        .expect(401);
    assert!(wrong.text().contains("The password is wrong."));
    let right = world
        .form(&path, &[("password", "open sesame")])
        .await
        .expect(303);
    assert_eq!(right.header("location"), path);
    assert!(
        right.header("set-cookie").contains(&format!("Path={top};")),
        "{right:?}"
    );
    let pass = cookie(&right);
    world
        .read(&path, &[HTML, ("cookie", &pass)])
        .await
        .expect(200);
    world.read(&file, &[("cookie", &pass)]).await.expect(200);
    // It opens this share alone, and only as it is.
    let body = json!({"path": "/files/album/", "password": "open sesame"});
    let (_, other) = world.share(&body).await;
    world.read(&other, &[("cookie", &pass)]).await.expect(401);
    for tampered in [
        format!("{pass}A"),
        pass[..pass.len() - 1].to_owned(),
        "orlop_share=x.y".to_owned(),
    ] {
        world
            .read(&file, &[("cookie", &tampered)])
            .await
            .expect(401);
    }
    world.by(&ANN, Method::GET, "/files/").await.expect(200);
    let session = world.log_in("ann").await;
    world.by(&session, Method::GET, &file).await.expect(401);
}

#[tokio::test]
async fn guessing_a_shares_password_is_slowed_down() {
    let world = world().await;
    let body = json!({"path": "/files/album/", "password": "open sesame"});
    let (_, path) = world.share(&body).await;
    for number in 0..5 {
        let guess = format!("guess {number}");
        world
            .read(&path, &[("x-share-password", &guess)])
            .await
            .expect(401);
    }
    let refused = world
        .read(&path, &[("x-share-password", "open sesame")])
        .await;
    assert!(!refused.header("retry-after").is_empty());
    refused.problem(429, "rate-limited");
    world
        .form(&path, &[("password", "open sesame")])
        .await
        .expect(429);
}
