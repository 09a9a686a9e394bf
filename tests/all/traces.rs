//! Spans, as a collector gets them.

use http::Method;
use orlop_test_s3::{Fault, Matcher};

use crate::harness::{Collector, Config, Mount, SECRET, Span, World, noise, s3, send, soon};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A world whose spans are collected.
async fn world() -> (World, Collector) {
    let collector = Collector::start().await;
    let s3 = s3().await;
    let config = Config::of([Mount::s3("/files", &s3)]);
    // Soon, but not one by one.
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ];
    let world = World::over_in(s3, config, &variables).await;
    (world.settled().await, collector)
}

/// A request that says what it belongs to.
async fn traced(world: &World, method: Method, path: &str) -> crate::harness::Answer {
    let parent = format!("00-{TRACE}-{PARENT}-01");
    world
        .send_with(method, path, &[("traceparent", &parent)])
        .await
}

/// Waits for the span of the request that was traced, and gives all of its trace.
async fn trace(collector: &Collector) -> Vec<Span> {
    let is_over = |span: &Span| span.name == "request" && span.trace == TRACE;
    let all = collector.wait_for("the request's span", |spans| spans.iter().any(is_over));
    let mut spans = all.await;
    spans.retain(|span| span.trace == TRACE);
    spans
}

/// The only span of a name below another.
#[track_caller]
fn below<'a>(spans: &'a [Span], parent: &Span, name: &str) -> &'a Span {
    let found: Vec<&Span> = spans
        .iter()
        .filter(|span| span.parent == parent.id && span.name == name)
        .collect();
    assert_eq!(found.len(), 1, "{name}: {spans:#?}");
    found[0]
}

#[track_caller]
fn request(spans: &[Span]) -> &Span {
    let found = spans.iter().find(|span| span.name == "request").unwrap();
    assert_eq!(found.parent, PARENT);
    assert_eq!(found.service, "orlop");
    found
}

#[tokio::test]
async fn from_the_door_to_the_driver_to_the_storage() {
    let (world, collector) = world().await;
    let body = noise(300_000);
    world.put("folder/a.bin", body.clone());
    traced(&world, Method::GET, "/api/v1/list?path=/files/folder")
        .await
        .expect(200);
    let spans = trace(&collector).await;
    let request = request(&spans);
    assert_eq!(
        (
            request.is("method"),
            request.is("door"),
            request.is("mount")
        ),
        ("GET", "api", "/files")
    );
    assert_eq!(request.is("status"), "200");
    let call = below(&spans, request, "driver call");
    assert_eq!((call.is("driver"), call.is("operation")), ("s3", "list"));
    assert_eq!(
        (call.is("mount"), call.is("outcome")),
        ("/files", "answered")
    );
    // The driver's own request, from inside the sandbox.
    let upstream = below(&spans, call, "upstream request");
    assert_eq!(
        (upstream.is("method"), upstream.is("status")),
        ("GET", "200")
    );
    assert!(
        ["127.0.0.1", "localhost"].contains(&upstream.is("host")),
        "{upstream:?}"
    );
    assert!(upstream.is("received").parse::<u64>().unwrap() > 100);
    for span in &spans {
        let text = format!("{span:?}");
        assert!(!text.contains(SECRET) && !text.contains("X-Amz"), "{text}");
    }
    // Its signature covers what it carries, and the storage is none of ours.
    for request in world.s3.requests().list() {
        assert_eq!(request.header("traceparent"), None);
    }
}

#[tokio::test]
async fn calls_at_once_in_an_instance_are_told_apart() {
    let (world, collector) = world().await;
    let world = &world;
    for number in 1..=16 {
        world.put(&format!("folder{number}/a"), "x");
    }
    let ask = |number: usize| async move {
        let parent = format!("00-{number:032x}-{PARENT}-01");
        let path = format!("/api/v1/list?path=/files/folder{number}");
        world
            .get_with(&path, &[("traceparent", &parent)])
            .await
            .expect(200);
    };
    // None is answered before all are under way: two instances have eight each.
    let lists = Matcher::any().query("delimiter=").always();
    let gate = world.s3.faults().hold(lists);
    let asking = futures::future::join_all((1..=16).map(ask));
    let releasing = async {
        while gate.reached() < 16 {
            tokio::task::yield_now().await;
        }
        gate.release();
    };
    soon(
        "all calls at once",
        futures::future::join(asking, releasing),
    )
    .await;
    let is_over = |spans: &[Span]| {
        let is_over = |span: &&Span| span.name == "request" && span.parent == PARENT;
        spans.iter().filter(is_over).count() == 16
    };
    let spans = collector.wait_for("all requests' spans", is_over).await;
    for number in 1..=16 {
        let trace = format!("{number:032x}");
        let own: Vec<Span> = spans
            .iter()
            .filter(|span| span.trace == trace)
            .cloned()
            .collect();
        let call = below(&own, request(&own), "driver call");
        below(&own, call, "upstream request");
    }
}

#[tokio::test]
async fn a_body_that_is_resumed_tells_its_attempts() {
    let (world, collector) = world().await;
    let body = noise(300_000);
    world.put("a.bin", body.clone());
    let once = Matcher::any().method(Method::GET).path("a.bin");
    world
        .s3
        .faults()
        .inject(once, Fault::CutBody { after: 100_000 });
    let answer = traced(&world, Method::GET, "/p/files/a.bin")
        .await
        .expect(200);
    assert_eq!(answer.body, body);
    let spans = trace(&collector).await;
    let request = request(&spans);
    assert_eq!(
        (request.is("sent"), request.is("outcome")),
        ("300000", "whole")
    );
    let attempts: Vec<&str> = spans
        .iter()
        .filter(|span| span.parent == request.id && span.name == "upstream request")
        .map(|span| span.is("attempt"))
        .collect();
    assert_eq!(attempts.len(), 2, "{spans:#?}");
    assert!(
        attempts.contains(&"0") && attempts.contains(&"1"),
        "{attempts:?}"
    );
}

#[tokio::test]
async fn a_task_has_a_trace_of_its_own_that_leads_back() {
    let (world, collector) = world().await;
    world.put("folder/a", "x");
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let removal = world
        .request(Method::POST, "/api/v1/remove?wait=true")
        .header("traceparent", &parent)
        .header("content-type", "application/json")
        .body(r#"{"path": "/files/folder/"}"#);
    send(removal).await.expect(200);
    let is_over = |spans: &[Span]| {
        let is = |test: &dyn Fn(&Span) -> bool| spans.iter().any(test);
        is(&|span| span.name == "task") && is(&|span| span.trace == TRACE)
    };
    let spans = collector.wait_for("the task's span", is_over).await;
    let task = spans.iter().find(|span| span.name == "task").unwrap();
    let asked = spans.iter().find(|span| span.trace == TRACE).unwrap();
    assert_eq!(
        (asked.name.as_str(), &task.links[..]),
        ("request", &[asked.id.clone()][..])
    );
    assert_eq!((task.is("kind"), task.is("outcome")), ("remove", "done"));
    assert!(
        spans
            .iter()
            .any(|span| span.parent == task.id && span.name == "driver call")
    );
}

#[tokio::test]
async fn the_last_spans_are_sent_before_the_end() {
    let collector = Collector::start().await;
    let s3 = s3().await;
    let config = Config::of([Mount::s3("/files", &s3)]);
    let variables = [
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            &*format!("{}/v1/traces", collector.url),
        ),
        ("OTEL_SERVICE_NAME", "stores"),
        // Never by itself.
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
    ];
    let mut world = World::over_in(s3, config, &variables).await;
    world.get("/healthz").await.expect(200);
    world.orlop.signal("TERM");
    assert_eq!(world.orlop.ended().await, Some(0));
    let spans = collector
        .wait_for("the spans", |spans| !spans.is_empty())
        .await;
    assert!(
        spans
            .iter()
            .any(|span| span.name == "request" && span.service == "stores")
    );
}
