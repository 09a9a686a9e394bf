//! SIGTERM and SIGINT: what is under way is finished, and then it ends.

use http::Method;
use orlop_test_s3::Matcher;
use tokio::net::TcpStream;

use crate::harness::{Config, Mount, World, noise, send, soon};

#[tokio::test]
async fn a_download_under_way_is_finished() {
    for signal in ["TERM", "INT"] {
        let mut world = World::start().await;
        let bytes = noise(3_000_000);
        world.put("f", bytes.clone());
        let gate = world.s3.faults().hold_body(
            Matcher::any().method(Method::GET).path("/files/f"),
            1_000_000,
        );
        let download = tokio::spawn(send(world.request(Method::GET, "/p/files/f")));
        soon("the storage to send", gate.wait_until_reached()).await;
        world.orlop.signal(signal);
        world.orlop.wait_for_log("ending").await;
        soon("the port to close", async {
            while TcpStream::connect(world.orlop.address()).await.is_ok() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        gate.release();
        let answer = download.await.unwrap().expect(200);
        assert!(answer.body == bytes, "{signal}");
        assert_eq!(world.orlop.ended().await, Some(0), "{signal}");
    }
}

#[tokio::test]
async fn an_upload_under_way_is_finished() {
    let mut world = World::start().await;
    let gate = world.s3.faults().hold(Matcher::any().method(Method::PUT));
    let upload = tokio::spawn(send(
        world.request(Method::PUT, "/d/files/f").body("content"),
    ));
    soon("the storage to receive", gate.wait_until_reached()).await;
    world.orlop.signal("TERM");
    world.orlop.wait_for_log("ending").await;
    gate.release();
    upload.await.unwrap().expect(201);
    assert_eq!(world.object("f"), "content");
    assert_eq!(world.orlop.ended().await, Some(0));
}

#[tokio::test]
async fn an_idle_server_ends_at_once_whoever_is_connected() {
    let mut world = World::start().await;
    let _idle = TcpStream::connect(world.orlop.address()).await.unwrap();
    world.get("/healthz").await.expect(200);
    world.orlop.signal("TERM");
    assert_eq!(world.orlop.ended().await, Some(0));
}

#[tokio::test]
async fn a_download_that_takes_longer_than_the_deadline_is_cut() {
    let mut world =
        World::of(|s3| Config::of([Mount::s3("/files", s3)]).set("drain_seconds", 1)).await;
    world.put("f", noise(3_000_000));
    let gate = world.s3.faults().hold_body(
        Matcher::any().method(Method::GET).path("/files/f"),
        1_000_000,
    );
    let request = world.request(Method::GET, "/p/files/f");
    let download = tokio::spawn(async move { request.send().await?.bytes().await });
    soon("the storage to send", gate.wait_until_reached()).await;
    world.orlop.signal("TERM");
    world
        .orlop
        .wait_for_log("ending what did not finish in time")
        .await;
    // It ended as it was told to, whatever became of its clients.
    assert_eq!(world.orlop.ended().await, Some(0));
    assert!(download.await.unwrap().is_err(), "the file seems whole");
}

#[tokio::test]
async fn a_second_signal_does_not_wait() {
    let mut world = World::start().await;
    world.put("f", noise(3_000_000));
    let gate = world.s3.faults().hold_body(
        Matcher::any().method(Method::GET).path("/files/f"),
        1_000_000,
    );
    let request = world.request(Method::GET, "/p/files/f");
    let download = tokio::spawn(async move { request.send().await?.bytes().await });
    soon("the storage to send", gate.wait_until_reached()).await;
    world.orlop.signal("TERM");
    world.orlop.wait_for_log("ending, once").await;
    world.orlop.signal("TERM");
    world.orlop.ended().await;
    assert!(download.await.unwrap().is_err());
}
