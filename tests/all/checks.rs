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
