//! What is remembered, and how a client has it forgotten.

use crate::harness::{Config, Mount, World};

const NOW: [(&str, &str); 1] = [("cache-control", "no-cache")];

async fn world(anonymous: &str) -> World {
    World::of(|s3| {
        Config::of([Mount::s3("/files", s3).set("cache_seconds", 600)]).set("anonymous", anonymous)
    })
    .await
}

#[tokio::test]
async fn who_may_write_may_have_the_storage_asked_anew() {
    for (anonymous, refreshes) in [("write", true), ("read", false)] {
        let world = world(anonymous).await;
        world.put("a/f", "1");
        let list = "/api/v1/list?path=/files/a";
        let stat = "/api/v1/stat?path=/files/a/f";
        let seen = async |path: &str, headers: &[(&str, &str)]| {
            let answer = world.get_with(path, headers).await.expect(200).json();
            let entry = answer.get("entries").map_or(&answer, |entries| &entries[0]);
            entry["size"].as_u64().unwrap()
        };
        assert_eq!((seen(list, &[]).await, seen(stat, &[]).await), (1, 1));
        world.put("a/f", "22");
        assert_eq!((seen(list, &[]).await, seen(stat, &[]).await), (1, 1));
        let fresh = if refreshes { 2 } else { 1 };
        assert_eq!(seen(list, &NOW).await, fresh, "{anonymous}");
        assert_eq!(
            seen(stat, &[("pragma", "no-cache")]).await,
            fresh,
            "{anonymous}"
        );
        // What was asked anew is remembered.
        assert_eq!(
            (seen(list, &[]).await, seen(stat, &[]).await),
            (fresh, fresh)
        );
    }
}

#[tokio::test]
async fn the_cache_is_counted() {
    let world = world("write").await.settled().await;
    world.put("f", "1");
    for _ in 0..3 {
        world.get("/d/files/f").await.expect(302);
        world
            .call("stat", &[("path", "/files/f")])
            .await
            .expect(200);
        world.list("/files").await;
    }
    let metrics = world.get("/metrics").await.expect(200).text().to_owned();
    let count = |name: &str, kind: &str| {
        let start = format!("orlop_cache_{name}_total{{mount=\"/files\",kind=\"{kind}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or("0").parse::<u64>().unwrap()
    };
    assert_eq!(
        (count("hits", "link"), count("misses", "link")),
        (2, 1),
        "{metrics}"
    );
    assert_eq!(
        (count("hits", "list"), count("misses", "list")),
        (2, 2),
        "with the first look\n{metrics}"
    );
    assert!(
        count("hits", "stat") >= 2 && count("misses", "stat") >= 1,
        "{metrics}"
    );
}
