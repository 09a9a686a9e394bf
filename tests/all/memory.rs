//! How much memory the server takes.

use crate::harness::World;

#[tokio::test]
async fn a_million_keys_are_listed_page_by_page_in_little_memory() {
    const KEYS: usize = 1_000_000;
    let world = World::with(|mount| mount.set("cache_seconds", 60)).await;
    let world = world.settled().await;
    for number in 0..KEYS {
        world.put(&format!("many/{number:07}"), "");
    }
    let mut cursor = None::<String>;
    let mut listed = 0;
    loop {
        let mut query = vec![("path", "/files/many"), ("limit", "1000")];
        if let Some(cursor) = &cursor {
            query.push(("cursor", cursor));
        }
        let page = world.call("list", &query).await.expect(200).json();
        if cursor.is_none() {
            assert_eq!(world.s3.requests().count(), 1, "for the first page");
        }
        listed += page["entries"].as_array().unwrap().len();
        match page["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(listed, KEYS);
    assert_eq!(world.s3.requests().count(), KEYS / 1000);
    let peak = peak(world.orlop.process());
    assert!(peak < 150 << 20, "{} MB", peak >> 20);
}

/// The most memory that a process has had at once, in bytes.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kilobytes * 1024
}
