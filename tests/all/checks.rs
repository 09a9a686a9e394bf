//! `orlop check` where all is well.

use crate::harness::{Config, Mount, World, closed_port};

#[tokio::test]
async fn a_mount_that_works() {
    let world = World::start().await;
    let ran = world.run(&["check"]).await.expect(0);
    assert!(ran.text().starts_with("/files: works"), "{}", ran.text());
    let report = world.run(&["check", "--json"]).await.expect(0).json();
    assert_eq!(report[0]["ok"], true);
    assert_eq!(report[0]["mount"], "/files");
    assert_eq!(report.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn each_mount_is_tried_whatever_became_of_the_others() {
    let world = World::of(|s3| {
        let down = Mount::s3("/down", s3)
            .config("endpoint", format!("http://127.0.0.1:{}", closed_port()));
        Config::of([down, Mount::s3("/up", s3), Mount::probe("/probe")])
    })
    .await;
    let report = world.run(&["check", "--json"]).await.expect(1).json();
    let ok: Vec<(&str, bool)> = report
        .as_array()
        .unwrap()
        .iter()
        .map(|mount| {
            (
                mount["mount"].as_str().unwrap(),
                mount["ok"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(ok, [("/down", false), ("/up", true), ("/probe", true)]);
}

#[tokio::test]
async fn a_region_that_the_bucket_is_not_in_is_put_right_and_told() {
    let s3 = orlop_test_s3::Server::start(orlop_test_s3::Options {
        credentials: Some(crate::harness::credentials()),
        buckets: vec![crate::harness::BUCKET.to_owned()],
        region: Some("eu-central-1".to_owned()),
        ..orlop_test_s3::Options::default()
    })
    .await
    .unwrap();
    let mount = Mount::s3("/files", &s3).config("region", "us-west-2");
    let world = World::over(s3, Config::of([mount])).await;
    world.put("f", "x");
    assert_eq!(world.names("/files").await, ["f"]);
    let report = world.run(&["check", "--json"]).await.expect(0).json();
    let finding = &report[0]["findings"][0];
    assert_eq!(finding["field"], "region");
    assert_eq!(finding["severity"], "warning");
    assert_eq!(finding["remedy"], "region = \"eu-central-1\"");
}

#[tokio::test]
async fn writing_is_tried_only_on_demand_and_leaves_nothing() {
    let world = World::with(|mount| mount.set("root", "inside")).await;
    world.put("inside/f", "x");
    world.s3.requests().reset();
    world.run(&["check"]).await.expect(0);
    let writes = |request: &orlop_test_s3::Request| request.method() == http::Method::PUT;
    assert_eq!(world.s3.requests().count_where(writes), 0);

    let report = world
        .run(&["check", "--write", "--json"])
        .await
        .expect(0)
        .json();
    assert_eq!(report[0]["ok"], true, "{report}");
    let requests = world.s3.requests().list();
    let written = requests.iter().find(|request| writes(request)).unwrap();
    assert!(
        written.path().starts_with("/files/inside/.orlop-check-"),
        "{}",
        written.path()
    );
    assert_eq!(world.keys(), ["inside/f"]);
}

#[tokio::test]
async fn a_key_that_may_not_write_is_told_by_what_it_lacks() {
    let world = World::start().await;
    world.put("f", "x");
    for (method, words) in [
        (http::Method::PUT, "s3:PutObject"),
        (http::Method::DELETE, "s3:DeleteObject"),
    ] {
        let matcher = orlop_test_s3::Matcher::any()
            .method(method)
            .path(".orlop-check");
        let denied = orlop_test_s3::Fault::error(http::StatusCode::FORBIDDEN, "AccessDenied");
        world.s3.faults().inject(matcher.always(), denied);
        let ran = world.run(&["check", "--write"]).await.expect(1);
        assert!(ran.text().contains(words), "{}", ran.text());
        world.s3.faults().clear();
    }
}

#[tokio::test]
async fn a_mount_that_nobody_writes_to_is_not_tried() {
    let world = World::with(|mount| mount.set("read_only", true)).await;
    world.run(&["check", "--write"]).await.expect(0);
    let writes = |request: &orlop_test_s3::Request| request.method() == http::Method::PUT;
    assert_eq!(world.s3.requests().count_where(writes), 0);
}
