//! The log-in form, and the cookie that it gives.

use http::Method;

use super::{HTML, Proof, config, cookie, with, world};
use crate::harness::{Config, Mount, Orlop, World, command, password, send};

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
