//! Who may do what, through every door, and how they show who they are.

mod guessing;
mod matrix;
mod sessions;

use http::Method;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use self::guessing::guess;
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
