//! Tasks of several servers over one PostgreSQL database.

use http::Method;
use orlop_test_s3::{Matcher, Server};
use serde_json::json;

use super::copies;
use crate::harness::{BUCKET, Config, Mount, World, noise, s3, soon};

/// A server on the database that `ORLOP_TEST_POSTGRES` names, and a second one beside it.
async fn two_servers() -> (World, World) {
    let url = std::env::var("ORLOP_TEST_POSTGRES").unwrap();
    let s3 = s3().await;
    let config = |s3: &Server| {
        let root = |path, root| Mount::s3(path, s3).set("root", root);
        Config::of([root("/one", "1"), root("/two", "2")]).set("state", url.as_str())
    };
    let (first, second) = (config(&s3), config(&s3));
    let one = World::over(s3, first).await;
    // Its own storage is never spoken to: the configuration names the first one's.
    let two = World::over(crate::harness::s3().await, second).await;
    (one, two)
}

#[tokio::test]
#[ignore = "needs a PostgreSQL database, named by ORLOP_TEST_POSTGRES"]
async fn a_server_takes_over_what_another_left_when_it_was_killed() {
    let (mut one, two) = two_servers().await;
    one.put_files("1/tree", 1500);
    let gate = one.s3.faults().hold(copies().skip(1200));
    let plan = json!({"from": "/one/tree/", "to": "/one/there"});
    let id = one.begin("move", &plan).await;
    soon("the second page", gate.wait_until_reached()).await;
    assert_eq!(two.task(&id).await["state"], "running");
    one.orlop.kill().await;
    one.s3.faults().clear();
    // When its lease has run out.
    let task = two.ended(&id).await;
    assert_eq!(task["state"], "done", "{task}");
    assert_eq!(task["items"], 1500);
    let keys = one.keys();
    assert_eq!(keys.len(), 1500);
    assert!(keys.iter().all(|key| key.starts_with("1/there/")));
}

#[tokio::test]
#[ignore = "needs a PostgreSQL database, named by ORLOP_TEST_POSTGRES"]
async fn a_task_is_ended_by_any_server() {
    let (one, two) = two_servers().await;
    let bytes = noise(3 << 20);
    one.put("1/large", bytes.clone());
    let reads = Matcher::any().method(Method::GET).path("/1/large");
    let gate = one.s3.faults().hold_body(reads, 1 << 20);
    let plan = json!({"from": "/one/large", "to": "/two/large"});
    let id = one.begin("move", &plan).await;
    soon("the middle", gate.wait_until_reached()).await;
    let path = format!("/api/v1/tasks/{id}");
    let answer = two.send_with(Method::DELETE, &path, &[]).await;
    assert_eq!(answer.expect(202).json()["state"], "running");
    // The server that works on it hears of that with its next sign of life.
    let task = two.ended(&id).await;
    assert_eq!(task["state"], "cancelled", "{task}");
    assert_eq!(one.keys(), ["1/large"]);
    gate.release();
    two.retry(&id).await.expect(202);
    assert_eq!(one.ended(&id).await["state"], "done");
    assert_eq!(one.keys(), ["2/large"]);
    assert_eq!(one.s3.store().bytes(BUCKET, "2/large").unwrap(), bytes);
}
