//! Storages that refuse, stumble or are not there.

use http::{Method, StatusCode};
use orlop_test_s3::{Credentials, Fault, Matcher, Options, Server};
use serde_json::json;

use crate::harness::{BUCKET, Config, Mount, SECRET, World, closed_port, s3};

/// Asks in every way, and gives the problem documents.
async fn ask_everywhere(world: &World) -> Vec<(String, u16, serde_json::Value)> {
    let mut answers = Vec::new();
    for path in [
        "/d/files/f",
        "/p/files/f",
        "/files/",
        "/files/f",
        "/api/v1/list?path=/files",
        "/api/v1/stat?path=/files/f",
    ] {
        answers.push((path, world.get(path).await));
    }
    answers.push(("PUT", world.upload("/d/files/f", "x").await));
    answers.push((
        "DELETE",
        world.send_with(Method::DELETE, "/d/files/f", &[]).await,
    ));
    answers.push((
        "mkdir",
        world.post("mkdir", &json!({"path": "/files/new"})).await,
    ));
    answers
        .into_iter()
        .map(|(name, answer)| (name.to_owned(), answer.status.as_u16(), answer.json()))
        .collect()
}

/// A world whose mount has the wrong secret.
async fn refused() -> World {
    let s3 = s3().await;
    let mount = Mount::s3("/files", &s3).config("secret_access_key", "not-the-right-MARKER-secret");
    let world = World::over(s3, Config::of([mount])).await;
    world.put("f", "x");
    world
}

#[tokio::test]
async fn a_wrong_secret_is_the_operators_business() {
    let world = refused().await;
    let answers = ask_everywhere(&world).await;
    let wrong: Vec<_> = answers
        .iter()
        .filter(|(_, status, problem)| {
            (*status, &problem["code"]) != (502, &json!("unauthenticated"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (name, _, problem) in &answers {
        let text = problem.to_string();
        for hidden in ["MARKER", "ORLOPTESTKEYID", "Signature", "127.0.0.1"] {
            assert!(!text.contains(hidden), "{name}: {text}");
        }
    }
    let page = world
        .get_with("/files/", &[("accept", "text/html")])
        .await
        .expect(502);
    assert!(!page.text().contains("ORLOPTESTKEYID"));
}

#[tokio::test]
async fn the_operator_learns_that_the_secret_is_wrong() {
    let world = refused().await;
    let ran = world.run(&["check"]).await.expect(1);
    for text in ["/files", "secret_access_key", "remedy", "secret again"] {
        assert!(ran.text().contains(text), "{text}: {}", ran.text());
    }
    assert!(!ran.text().contains("not-the-right"));
    let report = world.run(&["check", "--json"]).await.expect(1).json();
    assert_eq!(report[0]["ok"], false);
    assert_eq!(report[0]["mount"], "/files");
    assert_eq!(report[0]["findings"][0]["field"], "secret_access_key");
    assert_eq!(report[0]["findings"][0]["severity"], "failure");

    let ran = world.run(&["ls", "/files"]).await.expect(1);
    assert!(ran.stderr.starts_with("orlop: "), "{}", ran.stderr);
    assert!(
        !ran.stderr.contains("not-the-right") && !world.orlop.stderr().contains("not-the-right")
    );
}

#[tokio::test]
async fn an_unknown_key_is_told_apart_from_a_wrong_secret() {
    let options = Options {
        credentials: Some(Credentials::new("ANOTHERKEYID", SECRET)),
        buckets: vec![BUCKET.to_owned()],
        ..Options::default()
    };
    let s3 = Server::start(options).await.unwrap();
    let config = Config::of([Mount::s3("/files", &s3)]);
    let world = World::over(s3, config).await;
    world
        .get("/api/v1/list?path=/files")
        .await
        .problem(502, "unauthenticated");
    let report = world.run(&["check", "--json"]).await.expect(1).json();
    assert_eq!(report[0]["findings"][0]["field"], "access_key_id");
}

#[tokio::test]
async fn a_bucket_that_does_not_exist() {
    let s3 = s3().await;
    let mount = Mount::s3("/files", &s3).config("bucket", "no-such-bucket");
    let world = World::over(s3, Config::of([mount])).await;
    for path in ["/api/v1/list?path=/files", "/files/"] {
        let answer = world.get(path).await;
        assert_eq!(
            answer.status,
            502,
            "{path}: never an empty folder, never 404: {}",
            answer.text()
        );
    }
    world.upload("/d/files/f", "x").await.expect(502);
    let report = world.run(&["check", "--json"]).await.expect(1).json();
    assert_eq!(report[0]["findings"][0]["field"], "bucket");
    let message = report[0]["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("no-such-bucket"), "{message}");
    assert!(report[0]["findings"][0]["remedy"].is_string());
    world.run(&["ls", "/files"]).await.expect(1);
}

#[tokio::test]
async fn a_service_that_is_down_is_never_an_empty_folder() {
    let s3 = s3().await;
    let config =
        |mount: Mount| mount.config("endpoint", format!("http://127.0.0.1:{}", closed_port()));
    let mounts = [Mount::s3("/good", &s3), config(Mount::s3("/files", &s3))];
    let world = World::over(s3, Config::of(mounts)).await;
    world.put("x", "x");
    world.get("/healthz").await.expect(200);
    let answer = world.get("/api/v1/list?path=/files").await;
    assert!([502, 503].contains(&answer.status.as_u16()), "{answer:?}");
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(answer.json()["code"], "unavailable");
    // The neighbour works, and the top shows both.
    assert_eq!(world.names("/good").await, ["x"]);
    assert_eq!(world.names("/").await, ["files/", "good/"]);
}

#[tokio::test]
async fn a_service_that_comes_up_later_works_then() {
    let port = closed_port();
    let s3 = s3().await;
    let mount = Mount::s3("/files", &s3).config("endpoint", format!("http://127.0.0.1:{port}"));
    let world = World::over(s3, Config::of([mount])).await;
    let status = world
        .get("/api/v1/stat?path=/files/x")
        .await
        .status
        .as_u16();
    assert!([502, 503].contains(&status), "{status}");
    let options = Options {
        credentials: Some(crate::harness::credentials()),
        port,
        ..Options::default()
    };
    world.put("x", "back");
    let _second = Server::start_over(world.s3.store(), options).await.unwrap();
    assert_eq!(world.get("/p/files/x").await.expect(200).text(), "back");
}

#[tokio::test]
async fn a_check_names_the_address_that_does_not_answer() {
    let s3 = s3().await;
    let mount =
        Mount::s3("/files", &s3).config("endpoint", format!("http://127.0.0.1:{}", closed_port()));
    let world = World::over(s3, Config::of([mount])).await;
    let report = world.run(&["check", "--json"]).await.expect(1).json();
    assert_eq!(report[0]["findings"][0]["field"], "endpoint");
    assert!(report[0]["findings"][0]["remedy"].is_string());
}

#[tokio::test]
async fn a_service_that_asks_to_slow_down_is_asked_again() {
    let world = World::start().await.settled().await;
    world.put("f", "x");
    for (matcher, path) in [
        (
            Matcher::any().query("delimiter"),
            "/api/v1/list?path=/files",
        ),
        (
            Matcher::any().method(Method::HEAD),
            "/api/v1/stat?path=/files/f",
        ),
    ] {
        world
            .s3
            .faults()
            .inject(matcher.times(2), Fault::slow_down());
        world.s3.requests().reset();
        world.get(path).await.expect(200);
        assert_eq!(world.s3.faults().waiting(), 0, "{path}");
        assert!(world.s3.requests().count() >= 3, "{path}");
    }
    world.s3.faults().inject(
        Matcher::any().method(Method::PUT).times(2),
        Fault::slow_down(),
    );
    world.upload("/d/files/new", "content").await.expect(201);
    assert_eq!(world.object("new"), "content");
}

#[tokio::test]
async fn a_service_that_never_recovers_is_given_up() {
    let world = World::start().await;
    world.put("f", "x");
    world
        .s3
        .faults()
        .inject(Matcher::any().always(), Fault::slow_down());
    let answer = world.get("/api/v1/list?path=/files").await.expect(503);
    assert_eq!(answer.json()["code"], "rate-limited");
    assert!(!answer.header("retry-after").is_empty());
}

#[tokio::test]
async fn keys_that_may_not_do_it() {
    let world = World::start().await;
    world.put("f", "x");
    let refusal = Fault::error(StatusCode::FORBIDDEN, "AccessDenied");
    world.s3.faults().inject(Matcher::any().always(), refusal);
    world
        .get("/api/v1/list?path=/files")
        .await
        .problem(403, "permission-denied");
    world
        .upload("/d/files/f", "y")
        .await
        .problem(403, "permission-denied");
    let report = world.run(&["check", "--json"]).await.expect(1).json();
    let remedy = report[0]["findings"][0]["remedy"].as_str().unwrap();
    assert!(remedy.contains("s3:ListBucket"), "{remedy}");
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_no_empty_folder() {
    let world = World::start().await;
    world.put("f", "x");
    world.s3.faults().inject(
        Matcher::any().query("delimiter").always(),
        Fault::error_in_ok("InternalError"),
    );
    let answer = world.get("/api/v1/list?path=/files").await;
    assert!([502, 503].contains(&answer.status.as_u16()), "{answer:?}");
}
