//! `/healthz`, `/readyz`, `/metrics`.

use std::collections::{BTreeMap, HashMap};

use http::Method;
use orlop_test_s3::{Fault, Matcher};
use serde_json::json;

use crate::harness::{Config, Mount, World, closed_port, noise, send, soon};

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

/// What `docs/operations.md` says of the figures: names in the first column of its tables.
fn documented() -> Vec<String> {
    let docs = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/operations.md"
    ));
    let docs = docs.unwrap();
    let names = docs.lines().filter_map(|line| line.strip_prefix("| `"));
    names
        .filter_map(|line| Some(line.split_once('`')?.0.to_owned()))
        .filter(|name| name.starts_with("orlop_") || name.starts_with("process_"))
        .collect()
}

/// The syntax of https://prometheus.io/docs/instrumenting/exposition_formats, as `promtool check metrics` has it.
#[tokio::test]
async fn every_figure_is_well_formed_and_documented() {
    let s3 = crate::harness::s3().await;
    let mounts = [Mount::s3("/files", &s3), Mount::probe("/probe")];
    let world = World::over(s3, Config::of(mounts)).await;
    world.put("f", "0123456789");
    world.get("/p/files/f").await.expect(200);
    world.get("/p/probe/trap").await.expect(502);
    let upload = world
        .request(http::Method::POST, "/api/v1/uploads")
        .header("tus-resumable", "1.0.0")
        .header("upload-length", 9)
        .header("upload-metadata", "path L2ZpbGVzL2c=");
    send(upload).await.expect(201);
    let metrics = world.get("/metrics").await.expect(200).text().to_owned();
    let documented = documented();
    let mut kinds = HashMap::new();
    for line in metrics.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(
                documented.iter().any(|known| known == name),
                "{name} is not documented"
            );
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            if name.starts_with("orlop_") {
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            }
            assert_eq!(kinds.insert(name, kind), None, "twice: {line}");
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            assert!(
                rest.split_once(' ')
                    .is_some_and(|(_, text)| !text.is_empty()),
                "{line}"
            );
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            assert!(labels.ends_with('}'), "{line}");
            let is_plain =
                |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_';
            assert!(name.chars().all(is_plain), "{line}");
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| {
                    name.strip_suffix(suffix)
                        .filter(|name| kinds.contains_key(name))
                })
                .unwrap_or(name);
            assert!(kinds.contains_key(family), "no type: {line}");
        }
    }
    for name in [
        "orlop_requests_total",
        "orlop_request_seconds",
        "orlop_connections",
        "orlop_driver_calls_total",
        "orlop_driver_call_seconds",
        "orlop_driver_instances",
        "orlop_driver_memory_bytes",
        "orlop_driver_starts_total",
        "orlop_upstream_requests_total",
        "orlop_upstream_seconds",
        "orlop_build_info",
        "process_resident_memory_bytes",
        "process_open_fds",
    ] {
        assert!(kinds.contains_key(name), "{name}:\n{metrics}");
    }
}

#[tokio::test]
async fn figures_by_mount() {
    let world = World::start().await;
    world.put("f", "0123456789");
    world.get("/p/files/f").await.expect(200);
    world.get("/api/v1/list?path=/files").await.expect(200);
    world.get("/").await.expect(200);
    let answer = world.get("/metrics").await.expect(200);
    let samples = samples(answer.text());
    let value = |series: &str| samples.get(series).copied().unwrap_or_default();
    for (series, expected) in [
        (
            "orlop_requests_total{door=\"proxy\",mount=\"/files\",method=\"GET\",status=\"200\"}",
            1.0,
        ),
        (
            "orlop_requests_total{door=\"api\",mount=\"/files\",method=\"GET\",status=\"200\"}",
            1.0,
        ),
        (
            "orlop_requests_total{door=\"page\",mount=\"\",method=\"GET\",status=\"200\"}",
            1.0,
        ),
        (
            "orlop_bytes_total{door=\"proxy\",mount=\"/files\",direction=\"out\"}",
            10.0,
        ),
    ] {
        assert_eq!(value(series), expected, "{series}\n{}", answer.text());
    }
    assert!(value("orlop_driver_memory_bytes{mount=\"/files\"}") > 65_536.0);
    // What the driver asks the storage for counts as well.
    let lists = samples
        .iter()
        .filter(|(series, _)| series.starts_with("orlop_upstream_requests_total{mount=\"/files\""));
    assert!(lists.map(|(_, count)| count).sum::<f64>() >= 3.0);
}

#[tokio::test]
async fn requests_have_names() {
    let world = World::start().await;
    let answer = world
        .get_with("/healthz", &[("x-request-id", "abc-1")])
        .await;
    assert_eq!(answer.header("x-request-id"), "abc-1");
    let other = world.get_with("/healthz", &[("x-request-id", "a b")]).await;
    let made = other.header("x-request-id").to_owned();
    assert!(!made.is_empty() && made != "a b");
    let next = world.get("/nothing").await;
    assert_ne!(next.header("x-request-id"), made);
}

/// A world that logs every request.
async fn logging(format: &str) -> World {
    let s3 = crate::harness::s3().await;
    let config = Config::of([Mount::s3("/files", &s3)])
        .set("log", "info,orlop::access=debug")
        .set("log_format", format);
    World::over(s3, config).await
}

#[tokio::test]
async fn the_access_log_for_programs() {
    let world = logging("json").await;
    world.put("f", "0123456789");
    let headers = [
        ("x-request-id", "read"),
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
    ];
    world
        .get_with("/p/files/f?signature=hush", &headers)
        .await
        .expect(200);
    let upload = world
        .request(Method::PUT, "/d/files/new")
        .header("x-request-id", "write")
        .body("12345");
    send(upload).await.expect(201);
    world
        .get_with("/s/hush/a", &[("x-request-id", "share")])
        .await;
    let log = world.orlop.wait_for_log("\"share\"").await;
    assert!(!log.contains("hush"), "{log}");
    let line = |id: &str| -> serde_json::Value {
        let lines: Vec<serde_json::Value> = log
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .filter(|line: &serde_json::Value| line["id"] == id)
            .collect();
        assert_eq!(lines.len(), 1, "{id}: {log}");
        lines.into_iter().next().unwrap()
    };
    let read = line("read");
    for (key, value) in [
        ("target", json!("orlop::access")),
        ("method", json!("GET")),
        ("path", json!("/p/files/f")),
        ("status", json!(200)),
        ("door", json!("proxy")),
        ("mount", json!("/files")),
        ("sent", json!(10)),
        ("received", json!(0)),
        ("driver_calls", json!(2)),
        ("upstream_requests", json!(1)),
        ("trace", json!("4bf92f3577b34da6a3ce929d0e0e4736")),
    ] {
        assert_eq!(read[key], value, "{key}: {read}");
    }
    assert!(read["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert!(read["seconds"].as_f64() >= read["head_seconds"].as_f64());
    assert!(read.get("end").is_none(), "{read}");
    let write = line("write");
    assert_eq!(
        (&write["received"], &write["status"]),
        (&json!(5), &json!(201))
    );
    assert_eq!(line("share")["path"], "/s/…/a");
}

#[tokio::test]
async fn a_download_that_the_client_leaves_is_logged_as_cut() {
    let world = logging("text").await;
    world.put("f", noise(3_000_000));
    let gate = world.s3.faults().hold_body(
        Matcher::any().method(Method::GET).path("/files/f"),
        1_000_000,
    );
    let request = world.request(Method::GET, "/p/files/f");
    let download = tokio::spawn(async move { request.send().await?.bytes().await });
    soon("the storage to send", gate.wait_until_reached()).await;
    download.abort();
    let log = world.orlop.wait_for_log("orlop::access").await;
    let line = log
        .lines()
        .find(|line| line.contains("orlop::access"))
        .unwrap();
    assert!(line.contains("end=\"cut\""), "{line}");
}

#[tokio::test]
async fn by_default_a_request_that_succeeds_is_not_logged_and_a_failure_is_once() {
    let world = World::start().await;
    world.put("f", "x");
    world.get("/p/files/f").await.expect(200);
    world.get("/p/files/missing").await.expect(404);
    let refusal = Fault::error(http::StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
    world.s3.faults().inject(Matcher::any().always(), refusal);
    let answer = world
        .get_with("/api/v1/list?path=/files", &[("x-request-id", "broken")])
        .await;
    assert!(answer.status.is_server_error());
    let log = world.orlop.wait_for_log("broken").await;
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| !line.contains("mounted"))
        .collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains("WARN orlop::access"), "{log}");
}

#[tokio::test]
async fn whether_a_mount_is_ready() {
    let s3 = crate::harness::s3().await;
    let broken = Mount::new("/broken", "s3")
        .config("bucket", "x")
        .config("endpoint", format!("http://127.0.0.1:{}", closed_port()))
        .config("access_key_id", "x")
        .config("secret_access_key", "y");
    let config = Config::of([Mount::s3("/files", &s3), broken]);
    let world = World::over(s3, config).await;
    world.orlop.wait_for_log("does not work yet").await;
    let ready = world.get("/readyz").await.expect(503).json();
    assert_eq!(
        (&ready["ready"], &ready["draining"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(ready["state"]["ready"], json!(true));
    let ready = world.get("/readyz?mount=/files").await.expect(200).json();
    assert_eq!(ready["mounts"].as_array().unwrap().len(), 1);
    world.get("/readyz?mount=/broken").await.expect(503);
    world
        .get("/readyz?mount=/nowhere")
        .await
        .problem(404, "not-found");
}
