//! Who may do what, through every door, and how they show who they are.

use http::Method;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::harness::{
    Answer, Config, Mount, Orlop, World, command, password, run, run_with_input, s3, send,
};

/// How a request shows who sends it.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    Nothing,
    Password(&'static str),
    Cookie(String),
    Token(String),
}

pub(crate) fn with(request: RequestBuilder, proof: &Proof) -> RequestBuilder {
    match proof {
        Proof::Nothing => request,
        Proof::Password(name) => request.basic_auth(name, Some(password(name))),
        Proof::Cookie(cookie) => request.header("cookie", cookie),
        Proof::Token(token) => request.bearer_auth(token),
    }
}

impl World {
    pub(crate) async fn by(&self, proof: &Proof, method: Method, path: &str) -> Answer {
        send(with(self.request(method, path), proof)).await
    }

    pub(crate) async fn post_by(&self, proof: &Proof, name: &str, body: &Value) -> Answer {
        let request = self
            .request(Method::POST, &format!("/api/v1/{name}"))
            .header("content-type", "application/json")
            .body(body.to_string());
        send(with(request, proof)).await
    }

    /// Sends a form, as a browser does.
    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self
            .request(Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html")
            .header("origin", self.orlop.url(""))
            .body(body);
        send(request).await
    }

    /// The cookie of a user who has just logged in.
    pub(crate) async fn log_in(&self, name: &str) -> Proof {
        let fields = [("name", name), ("password", &password(name)), ("next", "/")];
        let answer = self.form("/_orlop/login", &fields).await.expect(303);
        Proof::Cookie(cookie(&answer))
    }

    pub(crate) async fn token(&self, name: &'static str) -> Proof {
        let body = json!({"name": "test", "expires": 3600});
        let answer = self.post_by(&Proof::Password(name), "tokens", &body).await;
        let secret = answer.expect(201).json()["secret"]
            .as_str()
            .unwrap()
            .to_owned();
        Proof::Token(secret)
    }
}

/// The cookie that an answer sets, as it is sent back.
pub(crate) fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie");
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Lax"),
        "{set}"
    );
    set.split(';').next().unwrap().to_owned()
}

const HTML: (&str, &str) = ("accept", "text/html");

fn config(s3: &orlop_test_s3::Server) -> Config {
    Config::of([Mount::s3("/files", s3), Mount::probe("/probe")])
        .user("nobody", &[])
        .user("reader", &[("/files", "read")])
        .user(
            "worker",
            &[("/files/public", "read"), ("/files/work", "write")],
        )
        .user("writer", &[("/", "read"), ("/files", "write")])
}

async fn world() -> World {
    let world = World::of(config).await;
    world.furnish();
    world
}

impl World {
    fn furnish(&self) {
        for key in ["public/a", "private/b", "work/c"] {
            self.put(key, "x");
        }
    }
}

const USERS: [&str; 4] = ["nobody", "reader", "worker", "writer"];

/// What is asked, and the statuses for an anonymous caller and for each user.
const MATRIX: &[(&str, &str, &str, [u16; 5])] = &[
    ("GET", "/", "", [401, 403, 200, 200, 200]),
    ("GET", "/files/", "", [401, 403, 200, 200, 200]),
    ("GET", "/files/public/a", "", [401, 403, 200, 200, 200]),
    ("GET", "/files/private/", "", [401, 403, 200, 403, 200]),
    ("GET", "/files/private/b", "", [401, 403, 200, 403, 200]),
    ("GET", "/probe/", "", [401, 403, 403, 403, 200]),
    ("GET", "/d/files/public/a", "", [401, 403, 302, 302, 302]),
    ("GET", "/d/files/private/b", "", [401, 403, 302, 403, 302]),
    ("GET", "/p/files/public/a", "", [401, 403, 200, 200, 200]),
    ("GET", "/p/files/private/b", "", [401, 403, 200, 403, 200]),
    (
        "GET",
        "/p/files/private/missing",
        "",
        [401, 403, 404, 403, 404],
    ),
    ("HEAD", "/d/files/private/b", "", [401, 403, 200, 403, 200]),
    ("HEAD", "/p/files/private/b", "", [401, 403, 200, 403, 200]),
    (
        "GET",
        "/api/v1/list?path=/files",
        "",
        [401, 403, 200, 200, 200],
    ),
    (
        "GET",
        "/api/v1/list?path=/files/private",
        "",
        [401, 403, 200, 403, 200],
    ),
    (
        "GET",
        "/api/v1/stat?path=/files/work/c",
        "",
        [401, 403, 200, 200, 200],
    ),
    (
        "GET",
        "/api/v1/stat?path=/files/private/b",
        "",
        [401, 403, 200, 403, 200],
    ),
    (
        "GET",
        "/api/v1/link?path=/files/private/b",
        "",
        [401, 403, 200, 403, 200],
    ),
    ("GET", "/api/v1/mounts", "", [401, 200, 200, 200, 200]),
    ("GET", "/api/v1/drivers", "", [401, 200, 200, 200, 200]),
    ("GET", "/metrics", "", [401, 200, 200, 200, 200]),
    ("GET", "/readyz", "", [200, 200, 200, 200, 200]),
    ("GET", "/healthz", "", [200, 200, 200, 200, 200]),
    ("GET", "/_orlop/page.css", "", [200, 200, 200, 200, 200]),
    ("PUT", "/d/files/work/new", "x", [401, 403, 403, 201, 201]),
    ("PUT", "/d/files/public/new", "x", [401, 403, 403, 403, 201]),
    ("PUT", "/d/files/private/b", "x", [401, 403, 403, 403, 201]),
    ("DELETE", "/d/files/work/c", "", [401, 403, 403, 204, 204]),
    ("DELETE", "/d/files/public/a", "", [401, 403, 403, 403, 204]),
    ("DELETE", "/d/files/private/", "", [401, 403, 403, 403, 204]),
    (
        "POST",
        "/api/v1/mkdir",
        r#"{"path": "/files/work/WHO"}"#,
        [401, 403, 403, 201, 201],
    ),
    (
        "POST",
        "/api/v1/mkdir",
        r#"{"path": "/files/public/WHO"}"#,
        [401, 403, 403, 403, 201],
    ),
    (
        "POST",
        "/api/v1/remove?wait=true",
        r#"{"path": "/files/work/"}"#,
        [401, 403, 403, 200, 200],
    ),
    (
        "POST",
        "/api/v1/remove?wait=true",
        r#"{"path": "/files/private/b"}"#,
        [401, 403, 403, 403, 200],
    ),
    (
        "POST",
        "/api/v1/remove?wait=true",
        r#"{"path": "/files/"}"#,
        [401, 403, 403, 403, 403],
    ),
    // A copy reads one end and writes the other; a move writes both.
    (
        "POST",
        "/api/v1/copy?wait=true",
        r#"{"from": "/files/public/a", "to": "/files/work/WHO-a"}"#,
        [401, 403, 403, 200, 200],
    ),
    (
        "POST",
        "/api/v1/copy?wait=true",
        r#"{"from": "/files/private/b", "to": "/files/work/WHO-b"}"#,
        [401, 403, 403, 403, 200],
    ),
    (
        "POST",
        "/api/v1/copy?wait=true",
        r#"{"from": "/files/work/c", "to": "/files/public/WHO-c"}"#,
        [401, 403, 403, 403, 200],
    ),
    (
        "POST",
        "/api/v1/move?wait=true",
        r#"{"from": "/files/work/c", "to": "/files/work/WHO-d"}"#,
        [401, 403, 403, 200, 200],
    ),
    (
        "POST",
        "/api/v1/move?wait=true",
        r#"{"from": "/files/public/a", "to": "/files/work/WHO-e"}"#,
        [401, 403, 403, 403, 200],
    ),
    (
        "POST",
        "/api/v1/move?wait=true",
        r#"{"from": "/files/work/c", "to": "/files/public/WHO-f"}"#,
        [401, 403, 403, 403, 200],
    ),
];

async fn ask(world: &World, proof: &Proof, who: &str, row: (&str, &str, &str)) -> u16 {
    let (method, path, body) = row;
    world.furnish();
    let method: Method = method.parse().unwrap();
    let mut request = world
        .request(method, path)
        .header("accept", "application/json");
    if path.starts_with("/api/") && !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    request = request.body(body.replace("WHO", who));
    let answer = send(with(request, proof)).await;
    let status = answer.status.as_u16();
    if status == 401 {
        let challenge = answer.header("www-authenticate");
        assert_eq!(
            challenge, "Basic realm=\"Orlop\", charset=\"UTF-8\"",
            "{row:?}"
        );
    }
    status
}

#[tokio::test]
async fn who_may_do_what() {
    let world = world().await;
    let mut proofs = vec![("anonymous".to_owned(), 0, Proof::Nothing)];
    for (index, name) in USERS.into_iter().enumerate() {
        let mut add = |how: &str, proof| proofs.push((format!("{name}-{how}"), index + 1, proof));
        add("password", Proof::Password(name));
        add("cookie", world.log_in(name).await);
        add("token", world.token(name).await);
    }
    let mut wrong = Vec::new();
    for &(method, path, body, expected) in MATRIX {
        for (who, column, proof) in &proofs {
            let status = ask(&world, proof, who, (method, path, body)).await;
            if status != expected[*column] {
                wrong.push(format!(
                    "{who}: {method} {path} {body}: {status}, not {}",
                    expected[*column]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn listings_hide_what_may_not_be_read() {
    let world = world().await;
    let names = async |name: &'static str, path: &str| {
        let path = format!("/api/v1/list?path={path}");
        let answer = world.by(&Proof::Password(name), Method::GET, &path).await;
        let entries = answer.expect(200).json()["entries"].clone();
        let entries = entries.as_array().unwrap().clone();
        let names = entries.iter().map(|entry| entry["name"].as_str().unwrap());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(names("reader", "/").await, "files");
    assert_eq!(names("writer", "/").await, "files probe");
    assert_eq!(names("worker", "/").await, "files");
    assert_eq!(names("worker", "/files").await, "public work");
    assert_eq!(names("reader", "/files").await, "private public work");
    let mounts = async |name, call: &str, list: &str| {
        let path = format!("/api/v1/{call}");
        let answer = world.by(&Proof::Password(name), Method::GET, &path).await;
        answer.expect(200).json()[list].as_array().unwrap().len()
    };
    for (name, count) in [("nobody", 0), ("reader", 1), ("worker", 1), ("writer", 2)] {
        assert_eq!(mounts(name, "mounts", "mounts").await, count, "{name}");
        assert_eq!(mounts(name, "drivers", "drivers").await, count, "{name}");
    }
    let ready = world.get("/readyz").await.expect(200).json();
    assert_eq!(ready, json!({"ready": true, "mounts": []}));
    // What may not be read does not show by its status either.
    for path in [
        "/p/files/private/b",
        "/p/files/private/missing",
        "/p/nowhere",
    ] {
        let answer = world
            .by(&Proof::Password("worker"), Method::GET, path)
            .await;
        answer.problem(403, "permission-denied");
    }
    let page = world
        .request(Method::GET, "/files/public/")
        .header(HTML.0, HTML.1);
    let page = send(with(page, &Proof::Password("worker")))
        .await
        .expect(200);
    assert!(
        !page.text().contains("Upload"),
        "no forms where nothing can be written"
    );
}

#[tokio::test]
async fn the_wrong_is_refused_at_every_door() {
    // Also where nobody has to say who it is.
    for anonymous in [None, Some("write")] {
        let world = World::of(|s3| match anonymous {
            None => config(s3),
            Some(rights) => config(s3).set("anonymous", rights),
        })
        .await;
        world.furnish();
        let basic = |name: &str, password: &str| {
            use base64::Engine as _;
            let text = format!("{name}:{password}");
            format!(
                "Basic {}",
                base64::engine::general_purpose::STANDARD.encode(text)
            )
        };
        let good = basic("writer", &password("writer"));
        world
            .get_with("/p/files/public/a", &[("authorization", &good)])
            .await
            .expect(200);
        for value in [
            "Basic",
            "Basic !",
            "Basic d3JpdGVy",
            "Bearer x",
            "Bearer orlop_",
            "Bearer orlop_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "Digest username=\"writer\"",
            &basic("", ""),
        ] {
            for (method, path) in [
                (Method::GET, "/"),
                (Method::GET, "/d/files/public/a"),
                (Method::GET, "/p/files/public/a"),
                (Method::HEAD, "/p/files/public/a"),
                (Method::PUT, "/d/files/new"),
                (Method::GET, "/api/v1/list?path=/"),
                (Method::GET, "/metrics"),
                (Method::GET, "/readyz"),
                (Method::GET, "/dav/files/"),
                (Method::from_bytes(b"PROPFIND").unwrap(), "/dav/files/"),
            ] {
                let answer = world
                    .send_with(method.clone(), path, &[("authorization", value)])
                    .await;
                let status = answer.status.as_u16();
                // An empty name and password is tried until the address has to wait.
                assert!(
                    matches!(status, 401 | 429),
                    "{method} {path} {value}: {status}"
                );
            }
        }
        assert_eq!(world.keys().len(), 3);
    }
}

#[tokio::test]
async fn without_users_nobody_has_to_say_who_it_is() {
    let world = World::start().await;
    world.put("f", "x");
    let request = world
        .request(Method::GET, "/p/files/f")
        .basic_auth("x", Some("y"));
    send(request).await.expect(200);
    world.get("/_orlop/login").await.expect(404);
    world
        .post("tokens", &json!({"name": "a", "expires": 1}))
        .await
        .problem(403, "permission-denied");
    world
        .post("shares", &json!({"path": "/files/f"}))
        .await
        .problem(403, "permission-denied");
}

#[tokio::test]
async fn logging_in_and_out() {
    let world = world().await;
    // A browser is sent to the form, and back to where it wanted to go.
    let answer = world
        .get_with("/files/work/?sort=size", &[HTML])
        .await
        .expect(303);
    let login = answer.header("location").to_owned();
    assert_eq!(login, "/_orlop/login?next=%2Ffiles%2Fwork%2F%3Fsort%3Dsize");
    let form = world.get_with(&login, &[HTML]).await.expect(200);
    assert!(
        form.text().contains("value=\"/files/work/?sort=size\""),
        "{}",
        form.text()
    );
    assert!(!form.text().contains("<script"));
    // What is wrong is said, without the window of the browser's own.
    for (name, secret) in [
        ("worker", "wrong"),
        ("nobody-of-that-name", "wrong"),
        ("", ""),
    ] {
        let fields = [("name", name), ("password", secret), ("next", "/")];
        let answer = world.form("/_orlop/login", &fields).await.expect(401);
        assert!(answer.text().contains("The name or the password is wrong."));
        assert!(answer.header("www-authenticate").starts_with("Form"));
        assert_eq!(answer.header("set-cookie"), "");
    }
    let secret = password("worker");
    let fields = [
        ("name", "worker"),
        ("password", secret.as_str()),
        ("next", "/files/work/"),
    ];
    let answer = world.form("/_orlop/login", &fields).await.expect(303);
    assert_eq!(answer.header("location"), "/files/work/");
    let session = Proof::Cookie(cookie(&answer));
    let page = world
        .request(Method::GET, "/files/work/")
        .header(HTML.0, HTML.1);
    let page = send(with(page, &session)).await.expect(200);
    assert!(page.text().contains("worker") && page.text().contains("Log out"));
    assert!(page.header("cache-control").contains("private"));
    // After the way out, the cookie is worth nothing, also a copy of it.
    let out = world
        .by(&session, Method::POST, "/_orlop/logout")
        .await
        .expect(303);
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{out:?}");
    world
        .by(&session, Method::GET, "/api/v1/list?path=/files")
        .await
        .problem(401, "unauthenticated");
    let page = world.request(Method::GET, "/files/").header(HTML.0, HTML.1);
    let page = send(with(page, &session)).await.expect(303);
    assert!(page.header("location").starts_with("/_orlop/login"));
    assert!(page.header("set-cookie").contains("Max-Age=0"));
    // Nobody is sent elsewhere.
    for next in [
        "//evil.example/",
        "https://evil.example/",
        "/\\evil.example",
    ] {
        let secret = password("worker");
        let fields = [
            ("name", "worker"),
            ("password", secret.as_str()),
            ("next", next),
        ];
        let answer = world.form("/_orlop/login", &fields).await.expect(303);
        assert_eq!(answer.header("location"), "/");
    }
}

#[tokio::test]
async fn cookies_tampered_with() {
    let world = world().await;
    let Proof::Cookie(good) = world.log_in("writer").await else {
        panic!("a cookie")
    };
    world
        .get_with("/api/v1/list?path=/", &[("cookie", &good)])
        .await
        .expect(200);
    let (name, value) = good.split_once('=').unwrap();
    let (payload, signature) = value.split_once('.').unwrap();
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
    let other = String::from_utf8(BASE64.decode(payload).unwrap()).unwrap();
    let other = BASE64.encode(other.replace("writer", "reader"));
    for value in [
        format!("{other}.{signature}"),
        format!("{payload}.{}", "A".repeat(signature.len())),
        format!("{payload}."),
        payload.to_owned(),
        format!(".{signature}"),
        String::new(),
        "x".repeat(8000),
    ] {
        let cookie = format!("{name}={value}");
        for path in ["/api/v1/list?path=/", "/p/files/public/a", "/", "/metrics"] {
            world
                .get_with(path, &[("cookie", &cookie)])
                .await
                .problem(401, "unauthenticated");
        }
        // Who comes to log in is not sent away.
        world
            .get_with("/_orlop/login", &[("cookie", &cookie), HTML])
            .await
            .expect(200);
    }
    // Another password, and the session is over.
    let world = world
        .restarted(|s3| {
            Config::of([Mount::s3("/files", s3)])
                .user("reader", &[("/files", "read")])
                .user_with("writer", "another one", &[("/files", "write")])
        })
        .await;
    world
        .get_with("/api/v1/list?path=/", &[("cookie", &good)])
        .await
        .expect(401);
}

#[tokio::test]
async fn sessions_outlive_the_process() {
    let world = world().await;
    let session = world.log_in("reader").await;
    let ended = world.log_in("reader").await;
    world
        .by(&ended, Method::POST, "/_orlop/logout")
        .await
        .expect(303);
    let hash_stays = std::fs::read_to_string(world.folder.path().join("orlop.toml")).unwrap();
    let World {
        s3, orlop, folder, ..
    } = world;
    drop(orlop);
    assert!(hash_stays.contains("argon2id"));
    let mut serve = command(["serve", "--config", "orlop.toml", "--listen", "127.0.0.1:0"]);
    serve.current_dir(folder.path());
    let orlop = Orlop::start(serve).await;
    let world = World {
        s3,
        orlop,
        folder,
        http: crate::harness::client(),
    };
    world
        .by(&session, Method::GET, "/api/v1/list?path=/files")
        .await
        .expect(200);
    world
        .by(&ended, Method::GET, "/api/v1/list?path=/files")
        .await
        .expect(401);
}

#[tokio::test]
async fn no_other_site_makes_a_browser_change_anything() {
    let world = world().await;
    let session = world.log_in("writer").await;
    let token = world.token("writer").await;
    for (method, path) in [
        (Method::PUT, "/d/files/new"),
        (Method::DELETE, "/d/files/public/a"),
        (Method::POST, "/files/"),
        (Method::POST, "/api/v1/remove"),
        (Method::POST, "/api/v1/tokens"),
        (Method::DELETE, "/api/v1/tokens/x"),
        (Method::POST, "/_orlop/login"),
        (Method::POST, "/_orlop/logout"),
        (Method::PUT, "/dav/files/new"),
        (Method::from_bytes(b"MKCOL").unwrap(), "/dav/files/new"),
    ] {
        for proof in [&session, &Proof::Password("writer"), &Proof::Nothing] {
            for (name, value) in [
                ("origin", "https://evil.example"),
                ("origin", "null"),
                ("sec-fetch-site", "cross-site"),
            ] {
                let request = world
                    .request(method.clone(), path)
                    .header(name, value)
                    .body("{}");
                let status = send(with(request, proof)).await.status.as_u16();
                assert_eq!(status, 403, "{method} {path} {proof:?} {name}");
            }
        }
    }
    world
        .by(&session, Method::GET, "/api/v1/list?path=/")
        .await
        .expect(200);
    assert_eq!(world.keys().len(), 3);
    // No browser sends a token by itself.
    let request = world
        .request(Method::GET, "/p/files/public/a")
        .header("origin", "https://other.example");
    send(with(request, &token)).await.expect(200);
}

#[tokio::test]
async fn anonymous_readers_are_offered_to_log_in() {
    let world = World::of(|s3| config(s3).set("anonymous", "read")).await;
    world.furnish();
    let page = world.get_with("/files/", &[HTML]).await.expect(200);
    assert!(
        page.text().contains("/_orlop/login?next=%2Ffiles%2F"),
        "{}",
        page.text()
    );
    world.get("/p/files/private/b").await.expect(200);
    let refused = world.upload("/d/files/new", "x").await.expect(401);
    assert!(refused.header("www-authenticate").starts_with("Basic"));
    // A user is not more than what is written, also where others need no name.
    world
        .by(
            &Proof::Password("worker"),
            Method::GET,
            "/p/files/private/b",
        )
        .await
        .expect(403);
    world.get("/metrics").await.expect(401);
}

#[tokio::test]
async fn what_the_storage_refuses_stays_the_storages_refusal() {
    let world = World::of(|s3| {
        Config::of([Mount::s3("/files", s3).set("read_only", true)])
            .user("writer", &[("/", "write")])
            .set("anonymous", "write")
    })
    .await;
    // Logging in would not help: the mount takes nothing from anyone.
    world
        .upload("/d/files/new", "x")
        .await
        .problem(403, "permission-denied");
}

/// Tries a wrong password.
async fn guess(world: &World, name: &str, headers: &[(&str, &str)]) -> Answer {
    let request = world.request(Method::GET, "/p/files/public/a");
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    send(request.basic_auth(name, Some("a wrong one"))).await
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let world =
        World::of(|s3| config(s3).set("trusted_proxies", vec!["127.0.0.1".to_owned()])).await;
    world.furnish();
    let from = |address: &'static str| [("x-forwarded-for", address)];
    let good = async |name: &'static str, address: &'static str| {
        let request = world
            .request(Method::GET, "/p/files/public/a")
            .header("x-forwarded-for", address);
        send(with(request, &Proof::Password(name))).await
    };
    // It has logged in before, so it is not locked out with its neighbour.
    good("writer", "192.0.2.1").await.expect(200);
    for number in 0..5 {
        let name = if number % 2 == 0 {
            "reader"
        } else {
            "nobody-of-that-name"
        };
        guess(&world, name, &from("192.0.2.1")).await.expect(401);
    }
    let refused = guess(&world, "reader", &from("192.0.2.1")).await;
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=8).contains(&wait), "{wait}");
    refused.problem(429, "rate-limited");
    good("writer", "192.0.2.1").await.expect(200);
    // The right password too has to wait here, but nowhere else.
    guess(&world, "reader", &from("192.0.2.1")).await;
    good("reader", "192.0.2.1").await.expect(429);
    good("reader", "192.0.2.2").await.expect(200);
    // The form is the same door.
    let body = "name=reader&password=x&next=/";
    let form = world
        .request(Method::POST, "/_orlop/login")
        .header("x-forwarded-for", "192.0.2.1")
        .header("accept", "text/html")
        .body(body);
    send(form).await.expect(429);
}

#[tokio::test]
async fn nobody_is_believed_who_is_not_trusted() {
    let world = world().await;
    for number in 0..5 {
        let address = format!("192.0.2.{number}");
        guess(&world, "reader", &[("x-forwarded-for", &address)])
            .await
            .expect(401);
    }
    guess(&world, "reader", &[("x-forwarded-for", "192.0.2.99")])
        .await
        .expect(429);
}

#[tokio::test]
async fn the_cookie_is_for_tls_where_there_is_tls() {
    let world =
        World::of(|s3| config(s3).set("trusted_proxies", vec!["127.0.0.0/8".to_owned()])).await;
    for (scheme, secure) in [("https", true), ("http", false)] {
        let body = format!("name=reader&password={}&next=/", password("reader"));
        let request = world
            .request(Method::POST, "/_orlop/login")
            .header("x-forwarded-proto", scheme)
            .body(body);
        let answer = send(request).await.expect(303);
        assert_eq!(
            answer.header("set-cookie").contains("Secure"),
            secure,
            "{scheme}"
        );
    }
}

#[tokio::test]
async fn secrets_stay_out_of_the_log() {
    let s3 = s3().await;
    let folder = tempfile::tempdir().unwrap();
    let text = config(&s3).text();
    std::fs::write(folder.path().join("orlop.toml"), text).unwrap();
    let mut serve = command(["serve", "--listen", "127.0.0.1:0", "--log", "trace"]);
    serve.current_dir(folder.path());
    let orlop = Orlop::start(serve).await;
    let world = World {
        s3,
        orlop,
        folder,
        http: crate::harness::client(),
    };
    world.furnish();
    let session = world.log_in("writer").await;
    let token = world.token("writer").await;
    let writer = Proof::Password("writer");
    let share = json!({"path": "/files/public/", "password": "hush-hush-share"});
    let share = world
        .post_by(&writer, "shares", &share)
        .await
        .expect(201)
        .json();
    let url = share["url"].as_str().unwrap().to_owned();
    let share = url
        .split("/s/")
        .nth(1)
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    for proof in [&session, &token, &writer] {
        for path in ["/p/files/public/a", "/files/", "/p/files/missing"] {
            world.by(proof, Method::GET, path).await;
        }
    }
    for path in ["", "/", "/a", "/missing"] {
        let path = format!("/s/{share}{path}");
        world.get(&path).await;
        world
            .get_with(&path, &[("x-share-password", "hush-hush-share")])
            .await;
    }
    guess(&world, "writer", &[]).await.expect(401);
    guess(&world, "a secret in the wrong field", &[])
        .await
        .expect(401);
    let log = world.orlop.wait_for_log("nobody from 127.0.0.1").await;
    assert!(log.contains("TRACE") || log.contains("DEBUG"));
    let (Proof::Cookie(session), Proof::Token(token)) = (session, token) else {
        panic!("a cookie and a token")
    };
    let session = session.split_once('=').unwrap().1;
    for secret in [
        session,
        &token,
        &share,
        "hush-hush",
        "a wrong one",
        "in the wrong field",
        "argon2id",
    ] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[tokio::test]
async fn a_password_becomes_a_hash() {
    for input in ["pass word\n", "pass word\r\n", "pass word"] {
        let ran = run_with_input(command(["hash-password"]), input.into())
            .await
            .expect(0);
        let hash = ran.text().trim_end();
        assert!(hash.starts_with("$argon2id$v=19$"), "{hash}");
        assert_eq!(ran.lines().len(), 1);
        let text = format!(
            "[[user]]\nname = 'ann'\npassword = '{hash}'\nallow = [{{ path = '/', rights = 'read' }}]\n"
        );
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("orlop.toml"), text).unwrap();
        let mut serve = command(["serve", "--listen", "127.0.0.1:0"]);
        serve.current_dir(folder.path());
        let orlop = Orlop::start(serve).await;
        let request = crate::harness::client().get(orlop.url("/api/v1/list?path=/"));
        send(request.basic_auth("ann", Some("pass word")))
            .await
            .expect(200);
    }
    run_with_input(command(["hash-password"]), Vec::new())
        .await
        .expect(2);
    let long = vec![b'x'; 2000];
    run_with_input(command(["hash-password"]), long)
        .await
        .expect(2);
}

#[tokio::test]
async fn beyond_loopback_only_with_users() {
    let folder = tempfile::tempdir().unwrap();
    let serve = |text: &str| {
        std::fs::write(folder.path().join("orlop.toml"), text).unwrap();
        let mut serve = command(["serve", "--listen", "0.0.0.0:0"]);
        serve.current_dir(folder.path());
        serve
    };
    let ran = run(serve("")).await.expect(2);
    assert!(
        ran.stderr.contains("[[user]]") && ran.stderr.contains("anonymous"),
        "{}",
        ran.stderr
    );
    let text = Config::of([]).user("ann", &[("/", "read")]).text();
    let orlop = Orlop::start(serve(&text)).await;
    let url = format!(
        "http://127.0.0.1:{}/api/v1/list?path=/",
        orlop.address().port()
    );
    let http = crate::harness::client();
    send(http.get(&url)).await.expect(401);
    send(http.get(&url).basic_auth("ann", Some(password("ann"))))
        .await
        .expect(200);
}

#[tokio::test]
async fn the_shell_is_the_operators() {
    let world = world().await;
    let ran = world.run(&["ls", "/files"]).await.expect(0);
    assert_eq!(ran.sorted(), ["private/", "public/", "work/"]);
}
