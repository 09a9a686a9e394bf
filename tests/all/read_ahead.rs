//! Big files on a storage that is slow on one connection.

use http::Method;
use orlop_test_s3::{Fault, Matcher, Options, Request, Server};

use crate::harness::{BUCKET, Config, Mount, World, credentials, noise, soon};

const SIZE: usize = 40 << 20;

/// A storage that sends so many bytes in a second on a connection.
async fn slow(bytes_per_second: u64) -> World {
    let options = Options {
        credentials: Some(credentials()),
        buckets: vec![BUCKET.to_owned()],
        bytes_per_second: Some(bytes_per_second),
        ..Options::default()
    };
    let s3 = Server::start(options).await.unwrap();
    let config = Config::of([Mount::s3("/files", &s3)]);
    World::over(s3, config).await
}

fn is_block(request: &Request) -> bool {
    request.method() == Method::GET && request.header("range").is_some()
}

#[tokio::test]
async fn several_connections_bring_the_same_bytes() {
    let world = slow(8 << 20).await;
    let bytes = noise(SIZE);
    world.put("f.bin", bytes.clone());
    let answer = world.get("/p/files/f.bin").await.expect(200);
    assert!(answer.body == bytes, "other bytes");
    let blocks: Vec<_> = world
        .s3
        .requests()
        .list()
        .into_iter()
        .filter(is_block)
        .collect();
    assert!(blocks.len() > 2, "{} requests for parts", blocks.len());
    let etag = world
        .get_with("/p/files/f.bin", &[("range", "bytes=0-0")])
        .await;
    for block in blocks {
        assert_eq!(block.header("if-match"), Some(etag.header("etag")));
    }
}

#[tokio::test]
async fn a_block_that_breaks_off_is_taken_up_where_it_broke() {
    let world = slow(8 << 20).await;
    let bytes = noise(SIZE);
    world.put("f.bin", bytes.clone());
    world
        .s3
        .faults()
        .inject(Matcher::when(is_block), Fault::CutBody { after: 1_000_000 });
    world
        .s3
        .faults()
        .inject(Matcher::when(is_block).skip(1), Fault::slow_down());
    world
        .s3
        .faults()
        .inject(Matcher::when(is_block).skip(1), Fault::Reset);
    let answer = world.get("/p/files/f.bin").await.expect(200);
    assert!(answer.body == bytes, "other bytes");
    assert_eq!(world.s3.faults().waiting(), 0, "nothing broke");
}

#[tokio::test]
async fn a_client_that_goes_ends_all_requests_at_once() {
    let world = slow(1 << 20).await;
    world.put("f.bin", noise(SIZE));
    let request = world.request(Method::GET, "/p/files/f.bin");
    let mut response = request.send().await.unwrap();
    let several = async {
        while world.s3.requests().count_where(is_block) < 3 {
            response.chunk().await.unwrap().unwrap();
        }
    };
    soon("several connections", several).await;
    assert!(world.s3.bodies_under_way() > 2);
    drop(response);
    // A block alone would take four seconds, and the file ten times as long.
    let ended = async {
        while world.s3.bodies_under_way() > 0 {
            tokio::task::yield_now().await;
        }
    };
    soon("the end of all requests", ended).await;
    let asked = world.s3.requests().count_where(is_block);
    assert!(asked < SIZE / (4 << 20), "{asked}: the download went on");
}
