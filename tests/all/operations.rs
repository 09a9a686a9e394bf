//! `/healthz`, `/readyz`, `/metrics`.

use std::collections::BTreeMap;

use crate::harness::{Config, Mount, World, closed_port, send};

#[tokio::test]
async fn alive_and_ready() {
    let world = World::start().await;
    let answer = world.get("/healthz").await.expect(200);
    assert_eq!(answer.text(), "ok\n");
    assert_eq!(answer.header("cache-control"), "no-store");
    let ready = world.get("/readyz").await.expect(200).json();
    assert_eq!(ready["ready"], true);
    assert_eq!(ready["mounts"][0]["path"], "/files");
    assert_eq!(ready["mounts"][0]["ready"], true);
    assert_eq!(ready["mounts"][0]["last_error"], serde_json::Value::Null);
}

#[tokio::test]
async fn a_mount_whose_service_is_down_leaves_the_process_alive() {
    let world = World::of(|s3| {
        Config::of([Mount::s3("/files", s3)
            .config("endpoint", format!("http://127.0.0.1:{}", closed_port()))])
    })
    .await;
    world.get("/healthz").await.expect(200);
}

/// The samples of a Prometheus text: name with labels, and value. Fails for a line that is none.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix("# ") {
            assert!(
                comment.starts_with("TYPE ") || comment.starts_with("HELP "),
                "{line}"
            );
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        let name = series.split('{').next().unwrap();
        assert!(
            name.chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_'),
            "{line}"
        );
        assert!(series == name || series.ends_with('}'), "{line}");
        let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
        assert_eq!(
            samples.insert(series.to_owned(), value),
            None,
            "twice: {line}"
        );
    }
    samples
}

#[tokio::test]
async fn figures() {
    let world = World::start().await;
    world.put("f", "0123456789");
    for _ in 0..3 {
        world.get("/p/files/f").await.expect(200);
    }
    world.get("/p/files/missing").await.expect(404);
    world.upload("/d/files/new", "12345").await.expect(201);
    world.get("/d/files/f").await.expect(302);
    let answer = world.get("/metrics").await.expect(200);
    assert!(answer.header("content-type").starts_with("text/plain"));
    let samples = samples(answer.text());
    let sum = |name: &str, labels: &[&str]| -> f64 {
        let matches = |series: &&String| {
            series.split('{').next() == Some(name)
                && labels.iter().all(|label| series.contains(label))
        };
        samples
            .iter()
            .filter(|(series, _)| matches(series))
            .map(|(_, value)| value)
            .sum()
    };
    assert_eq!(
        sum(
            "orlop_requests_total",
            &["door=\"proxy\"", "status=\"200\""]
        ),
        3.0
    );
    assert_eq!(
        sum(
            "orlop_requests_total",
            &["door=\"proxy\"", "status=\"404\""]
        ),
        1.0
    );
    assert_eq!(
        sum(
            "orlop_requests_total",
            &["door=\"download\"", "method=\"PUT\"", "status=\"201\""]
        ),
        1.0
    );
    assert_eq!(
        sum(
            "orlop_requests_total",
            &["door=\"download\"", "status=\"302\""]
        ),
        1.0
    );
    assert_eq!(
        sum(
            "orlop_bytes_total",
            &["door=\"proxy\"", "direction=\"out\""]
        ),
        30.0
    );
    assert_eq!(
        sum(
            "orlop_bytes_total",
            &["door=\"download\"", "direction=\"in\""]
        ),
        5.0
    );
    assert_eq!(sum("orlop_request_seconds_count", &["door=\"proxy\""]), 4.0);
    assert!(
        sum(
            "orlop_driver_calls_total",
            &["mount=\"/files\"", "call=\"stat\""]
        ) >= 4.0
    );
    assert!(
        sum(
            "orlop_upstream_requests_total",
            &["mount=\"/files\"", "status=\"200\""]
        ) >= 3.0
    );
}

#[tokio::test]
async fn instances_are_counted_from_the_start() {
    let world = World::start().await;
    world.get("/api/v1/list?path=/files").await.expect(200);
    let answer = world.get("/metrics").await.expect(200);
    let instances = samples(answer.text())
        .get("orlop_driver_instances{mount=\"/files\"}")
        .copied();
    assert!(instances.is_some_and(|count| count >= 1.0), "{instances:?}");
}

#[tokio::test]
async fn made_up_methods_do_not_grow_the_metrics() {
    let world = World::start().await;
    for method in ["BREW", "WHEN", "TEAPOT"] {
        let method = http::Method::from_bytes(method.as_bytes()).unwrap();
        let status = send(world.request(method, "/files/")).await.status.as_u16();
        assert_eq!(status, 405);
    }
    let text = world.get("/metrics").await.expect(200).text().to_owned();
    assert!(text.contains("method=\"other\""));
    assert!(!text.contains("BREW"));
}
