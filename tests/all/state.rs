//! What outlives the process, and what several servers share.

use http::Method;
use orlop_test_s3::Matcher;
use serde_json::json;

use crate::harness::{Config, Mount, Orlop, World, postgres, send, soon};

#[tokio::test]
#[ignore = "needs PostgreSQL: `make test-postgres`"]
async fn servers_on_one_postgres_share_tasks() {
    let url = postgres().await;
    let world = World::of(|s3| Config::of([Mount::s3("/files", s3)]).set("state", url)).await;
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let other = Orlop::start(world.command(&serve)).await;
    world.put("f", "text");
    let copy = world.s3.faults().hold(Matcher::any().method(Method::PUT));
    let begun = world
        .post("copy", &json!({"from": "/files/f", "to": "/files/g"}))
        .await
        .expect(202);
    soon("the copy", copy.wait_until_reached()).await;
    let at_other = || {
        let task = other.url(begun.header("location"));
        send(world.http.get(task))
    };
    assert_eq!(at_other().await.expect(200).json()["state"], "running");
    copy.release();
    let done = async {
        while at_other().await.expect(200).json()["state"] == "running" {
            tokio::task::yield_now().await;
        }
    };
    soon("the end of the task", done).await;
    assert_eq!(at_other().await.json()["state"], "done");
    assert_eq!(world.object("g"), "text");
    for server in [&world.orlop, &other] {
        let log = server.stderr() + &server.stdout();
        assert!(!log.contains("orlop-postgres-password"), "{log}");
    }
}
