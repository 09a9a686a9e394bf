//! Where secrets come from, and that they go nowhere. The harness looks for the secret in every answer, every
//! output and every log of every test.

use http::Method;
use toml::{Table, Value};

use crate::harness::{Config, Mount, SECRET, World, client, command, encode, run, s3, send};

fn table(key: &str, value: &str) -> Value {
    Value::Table(Table::from_iter([(key.to_owned(), Value::from(value))]))
}

#[tokio::test]
async fn a_secret_in_a_file() {
    let s3 = s3().await;
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("plain", SECRET.to_owned()),
        ("line", format!("{SECRET}\n")),
        ("dos", format!("{SECRET}\r\n")),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
        let mount = Mount::s3("/files", &s3).config("secret_access_key", table("file", name));
        std::fs::write(folder.path().join("orlop.toml"), Config::of([mount]).text()).unwrap();
        let config = folder.path().join("orlop.toml");
        // Relative to the configuration's folder, not to this one.
        run(command([
            "ls",
            "/files",
            "--config",
            config.to_str().unwrap(),
        ]))
        .await
        .expect(0);
    }
}

#[tokio::test]
async fn a_secret_in_the_environment() {
    let s3 = s3().await;
    let folder = tempfile::tempdir().unwrap();
    let mount = Mount::s3("/files", &s3).config("secret_access_key", table("env", "THE_SECRET"));
    std::fs::write(folder.path().join("orlop.toml"), Config::of([mount]).text()).unwrap();
    let mut with = command(["ls", "/files"]);
    with.current_dir(folder.path()).env("THE_SECRET", SECRET);
    run(with).await.expect(0);
    let mut without = command(["ls", "/files"]);
    without.current_dir(folder.path());
    let ran = run(without).await.expect(2);
    for text in [
        "orlop.toml:",
        "mount.config.secret_access_key",
        "THE_SECRET",
        "not set",
    ] {
        assert!(ran.stderr.contains(text), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn a_secret_file_that_is_not_there() {
    let s3 = s3().await;
    let folder = tempfile::tempdir().unwrap();
    let mount = Mount::s3("/files", &s3).config("secret_access_key", table("file", "gone"));
    std::fs::write(folder.path().join("orlop.toml"), Config::of([mount]).text()).unwrap();
    let mut ls = command(["ls", "/files"]);
    ls.current_dir(folder.path());
    let ran = run(ls).await.expect(2);
    for text in ["mount.config.secret_access_key", "gone"] {
        assert!(ran.stderr.contains(text), "{}", ran.stderr);
    }
}

/// With the log turned all the way up, the harness finds no secret; here, neither signatures nor signed URLs.
#[tokio::test]
async fn the_most_talkative_log_holds_no_secret_and_no_signature() {
    let s3 = s3().await;
    let folder = tempfile::tempdir().unwrap();
    let config = Config::of([
        Mount::s3("/files", &s3),
        Mount::probe("/probe").config("token", SECRET),
    ]);
    std::fs::write(folder.path().join("orlop.toml"), config.text()).unwrap();
    let mut serve = command(["serve", "--listen", "127.0.0.1:0", "--log", "trace"]);
    serve.current_dir(folder.path());
    let orlop = crate::harness::Orlop::start(serve).await;
    s3.store().put("files", "f", "x");
    let http = client();
    for (method, path) in [
        (Method::GET, "/d/files/f"),
        (Method::GET, "/p/files/f"),
        (Method::GET, "/files/"),
        (Method::PUT, "/d/files/new"),
        (Method::DELETE, "/d/files/new"),
        (Method::GET, "/api/v1/link?path=/files/f"),
        (Method::GET, "/api/v1/mounts"),
        (Method::GET, "/api/v1/drivers"),
        (Method::GET, "/metrics"),
        (Method::GET, "/readyz"),
        (Method::GET, "/p/probe/token"),
        (Method::GET, "/p/files/missing"),
    ] {
        send(http.request(method, orlop.url(path)).body("")).await;
    }
    let log = orlop.stderr();
    assert!(
        log.contains("TRACE") || log.contains("DEBUG"),
        "the log is not turned up"
    );
    assert!(!log.contains("X-Amz-Signature"), "{log}");
    assert!(!log.contains("Signature="), "{log}");
}

#[tokio::test]
async fn what_a_driver_prints_is_logged_without_control_characters() {
    let world = World::of(|_| Config::of([Mount::probe("/probe")])).await;
    let text = "line of the probe";
    world
        .get(&format!("/p/probe/print/{}", encode(text)))
        .await
        .expect(200);
    let log = world.orlop.wait_for_log(&format!("err: {text}")).await;
    assert!(log.contains(&format!("out: {text}")), "{log}");
    assert!(log.contains("/probe"), "{log}");
    assert!(!log.contains('\u{1b}'), "{log:?}");
    assert!(!world.orlop.stdout().contains(text));
}

#[tokio::test]
async fn a_driver_that_prints_without_end_is_cut_off() {
    let world = World::of(|_| {
        Config::of([Mount::probe("/probe")
            .limit("log_bytes", 1000)
            .limit("instances", 1)])
    })
    .await;
    for _ in 0..20 {
        world
            .get(&format!("/p/probe/print/{}", "x".repeat(200)))
            .await
            .expect(200);
    }
    world.orlop.wait_for_log("printed too much").await;
    let logged = world.orlop.stderr().matches(&"x".repeat(200)).count();
    assert!(logged <= 10, "{logged}");
}
