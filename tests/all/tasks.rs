//! Tasks: what they tell, and how they are ended and tried again. What outlives the process is in `crash`.

mod crash;

use http::{Method, StatusCode};
use orlop_test_s3::{Fault, Gate, Matcher};
use serde_json::{Value, json};

use crate::harness::{BUCKET, Config, Mount, World, noise, soon};

/// Requests that copy.
fn copies() -> Matcher {
    Matcher::when(|request| request.header("x-amz-copy-source").is_some())
}

impl World {
    /// Begins a copy or move that is held by a gate, and gives the task's id.
    async fn begin(&self, call: &str, body: &Value) -> String {
        let answer = self.post(call, body).await.expect(202);
        let id = answer.json()["task"].as_str().unwrap().to_owned();
        assert_eq!(answer.header("location"), format!("/api/v1/tasks/{id}"));
        id
    }

    async fn task(&self, id: &str) -> Value {
        let task = self.get(&format!("/api/v1/tasks/{id}")).await.expect(200);
        task.json()
    }

    /// Waits until a task is no longer under way.
    async fn ended(&self, id: &str) -> Value {
        let ended = async {
            loop {
                let task = self.task(id).await;
                if task["state"] != "running" {
                    return task;
                }
                tokio::task::yield_now().await;
            }
        };
        soon("a task to end", ended).await
    }

    async fn end(&self, id: &str) -> crate::harness::Answer {
        self.send_with(Method::DELETE, &format!("/api/v1/tasks/{id}"), &[])
            .await
    }

    async fn retry(&self, id: &str) -> crate::harness::Answer {
        self.post(&format!("tasks/{id}/retry"), &json!({})).await
    }

    fn put_files(&self, folder: &str, count: usize) {
        for number in 0..count {
            let key = format!("{folder}/{}/{number:04}", number % 3);
            self.put(&key, key.clone());
        }
    }
}

/// Two mounts over two folders of the bucket.
async fn two_mounts() -> World {
    World::of(|s3| {
        let root = |path, root| Mount::s3(path, s3).set("root", root);
        Config::of([root("/one", "1"), root("/two", "2")])
    })
    .await
}

#[tokio::test]
async fn what_is_quick_is_answered_at_once_and_what_is_not_becomes_a_task() {
    let world = World::start().await;
    world.put_files("tree", 10);
    let plan = json!({"from": "/files/tree/", "to": "/files/copy"});
    let totals = world.post("copy", &plan).await.expect(200).json();
    assert_eq!(totals, json!({"items": 10, "bytes": 110}));

    let gate = world.s3.faults().hold(copies().skip(5));
    let plan = json!({"from": "/files/tree/", "to": "/files/moved"});
    let id = world.begin("move", &plan).await;
    let task = world.task(&id).await;
    assert_eq!(task["id"], *id);
    assert_eq!(task["kind"], "move");
    assert_eq!(task["from"], "/files/tree/");
    assert_eq!(task["to"], "/files/moved/");
    assert_eq!(task["state"], "running");
    assert_eq!(task["items"], 0);
    assert_eq!(task["error"], Value::Null);
    let path = json!({"path": "/files/copy/"});
    let totals = world.post("remove?wait=true", &path).await.expect(200);
    assert_eq!(totals.json()["items"], 10);
    gate.release();
    let task = world.ended(&id).await;
    assert_eq!(task["state"], "done");
    assert_eq!((&task["items"], &task["bytes"]), (&json!(10), &json!(110)));
    assert_eq!(task["total_items"], 10);
    for time in ["created", "updated"] {
        assert!(task[time].as_str().unwrap().ends_with('Z'), "{task}");
    }
    let metrics = world.get("/metrics").await.expect(200);
    for line in [
        "orlop_tasks_running 0",
        "orlop_tasks_total{kind=\"move\",state=\"done\"} 1",
        "orlop_task_items_total{kind=\"remove\"} 10",
        "orlop_task_bytes_total{kind=\"copy\"} 110",
    ] {
        assert!(metrics.text().contains(line), "{line}");
    }
}

#[tokio::test]
async fn who_waits_and_goes_away_does_not_end_it() {
    let world = World::start().await;
    world.put_files("tree", 10);
    let gate = world.s3.faults().hold(copies());
    let plan = json!({"from": "/files/tree/", "to": "/files/moved"});
    let request = world
        .request(Method::POST, "/api/v1/move?wait=true")
        .header("content-type", "application/json")
        .body(plan.to_string());
    let waiting = tokio::spawn(request.send());
    soon("the first copy", gate.wait_until_reached()).await;
    waiting.abort();
    let _ = waiting.await;
    gate.release();
    let tasks = world.call("tasks", &[]).await.expect(200).json();
    let id = tasks["tasks"][0]["id"].as_str().unwrap();
    assert_eq!(world.ended(id).await["state"], "done");
    assert!(world.keys().iter().all(|key| key.starts_with("moved/")));
}

#[tokio::test]
async fn the_list_is_newest_first_and_comes_in_pages() {
    let world = World::start().await;
    for number in 0..5 {
        let key = format!("f{number}");
        world.put(&key, "x");
        let path = format!("/files/{key}");
        world
            .post("remove", &json!({"path": path}))
            .await
            .expect(200);
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let query = [("limit", "2"), ("cursor", cursor.as_str())];
        let page = world.call("tasks", &query).await.expect(200).json();
        let tasks = page["tasks"].as_array().unwrap();
        assert!(tasks.len() <= 2);
        for task in tasks {
            assert_eq!(task["kind"], "remove");
            assert_eq!(task["to"], Value::Null);
            seen.push(task["from"].as_str().unwrap().to_owned());
        }
        match page["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(
        seen,
        [
            "/files/f4",
            "/files/f3",
            "/files/f2",
            "/files/f1",
            "/files/f0"
        ]
    );
    for query in [("limit", "0"), ("limit", "101"), ("cursor", "nonsense")] {
        let answer = world.call("tasks", &[query]).await;
        answer.problem(400, "invalid-argument");
    }
}

#[tokio::test]
async fn nobody_has_a_task_of_an_unknown_id() {
    let world = World::start().await;
    for id in ["unknown", "%2e%2e", "a%20b"] {
        let path = format!("/api/v1/tasks/{id}");
        world.get(&path).await.problem(404, "not-found");
        world.end(id).await.problem(404, "not-found");
        world.retry(id).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn another_site_can_neither_end_nor_retry_a_task() {
    let world = World::start().await;
    world.put("f", "x");
    world
        .post("remove", &json!({"path": "/files/f"}))
        .await
        .expect(200);
    let tasks = world.call("tasks", &[]).await.json();
    let path = format!(
        "/api/v1/tasks/{}",
        tasks["tasks"][0]["id"].as_str().unwrap()
    );
    let foreign = [("origin", "https://evil.example")];
    for (method, path) in [
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/retry")),
    ] {
        let answer = world.send_with(method, &path, &foreign).await;
        answer.problem(403, "permission-denied");
    }
    world.get(&path).await.expect(200);
}

/// Begins a move of 3,000 files and stops it after the first thousand.
async fn half_moved() -> (World, String, Gate) {
    let world = World::start().await;
    world.put_files("tree", 3000);
    let gate = world.s3.faults().hold(copies().skip(1500));
    let plan = json!({"from": "/files/tree/", "to": "/files/moved"});
    let id = world.begin("move", &plan).await;
    soon("the middle", gate.wait_until_reached()).await;
    (world, id, gate)
}

#[tokio::test]
async fn a_task_is_cancelled_between_two_steps_and_goes_on_from_there() {
    let (world, id, gate) = half_moved().await;
    // The step under way is held, so it is still stopping.
    let task = world.end(&id).await.expect(202).json();
    assert_eq!(task["state"], "running");
    gate.release();
    let task = world.ended(&id).await;
    assert_eq!(task["state"], "cancelled", "{task}");
    assert_eq!(task["items"], 2000);
    assert_eq!(world.keys().len(), 3000);
    let answer = world.retry(&id).await.expect(202);
    assert_eq!(answer.json()["task"], *id);
    let task = world.ended(&id).await;
    assert_eq!(
        (&task["state"], &task["items"]),
        (&json!("done"), &json!(3000))
    );
    assert_eq!(world.keys().len(), 3000);
    assert!(world.keys().iter().all(|key| key.starts_with("moved/")));
    // What has ended goes out of the list.
    world.retry(&id).await.problem(409, "invalid-argument");
    world.end(&id).await.expect(204);
    world.end(&id).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_cancelled_stream_breaks_off_and_leaves_nothing() {
    let world = two_mounts().await;
    let bytes = noise(30 << 20);
    world.put("1/large", bytes.clone());
    let gate = world.s3.faults().hold_body(
        Matcher::any().method(Method::GET).path("/1/large"),
        20 << 20,
    );
    let plan = json!({"from": "/one/large", "to": "/two/large"});
    let id = world.begin("move", &plan).await;
    soon("the middle", gate.wait_until_reached()).await;
    let task = world.end(&id).await.expect(200).json();
    assert_eq!(task["state"], "cancelled");
    assert_eq!(world.keys(), ["1/large"]);
    world.expect_no_unfinished_uploads();
    gate.release();
    world.retry(&id).await.expect(202);
    let task = world.ended(&id).await;
    assert_eq!(
        (&task["state"], &task["items"]),
        (&json!("done"), &json!(1))
    );
    assert_eq!(world.keys(), ["2/large"]);
    assert_eq!(world.s3.store().bytes(BUCKET, "2/large").unwrap(), bytes);
}

#[tokio::test]
async fn what_failed_is_tried_again_from_where_it_was() {
    for mounts in [("/files", "/files"), ("/one", "/two")] {
        let world = World::of(|s3| {
            let root = |path, root| Mount::s3(path, s3).set("root", root);
            let all = Mount::s3("/files", s3).set("root", "1");
            Config::of([all, root("/one", "1"), root("/two", "2")])
        })
        .await;
        world.put_files("1/tree", 1400);
        let refusal = Fault::error(StatusCode::FORBIDDEN, "AccessDenied");
        let writes = Matcher::any().method(Method::PUT).skip(1100).always();
        world.s3.faults().inject(writes, refusal);
        let (from, to) = mounts;
        let plan = json!({"from": format!("{from}/tree/"), "to": format!("{to}/there")});
        world
            .post("move?wait=true", &plan)
            .await
            .problem(403, "permission-denied");
        let tasks = world.call("tasks", &[]).await.json();
        let task = &tasks["tasks"][0];
        assert_eq!(task["state"], "failed", "{task}");
        assert_eq!(task["error"]["code"], "permission-denied");
        assert!(!task["error"]["detail"].as_str().unwrap().is_empty());
        assert!(task["items"].as_u64().unwrap() >= 1000, "{task}");
        let left = world
            .keys()
            .iter()
            .filter(|key| key.contains("/tree/"))
            .count();
        assert!((1..=400).contains(&left), "{left}");

        world.s3.faults().clear();
        world.s3.requests().reset();
        let id = task["id"].as_str().unwrap();
        world.retry(id).await.expect(202);
        let task = world.ended(id).await;
        assert_eq!(task["state"], "done", "{task}");
        assert_eq!(task["error"], Value::Null);
        let keys = world.keys();
        assert_eq!(keys.len(), 1400);
        assert!(keys.iter().all(|key| key.contains("/there/")), "{mounts:?}");
        // What was moved the first time was not copied again.
        let written = world
            .s3
            .requests()
            .count_where(|request| request.method() == Method::PUT);
        assert!(written <= 400, "{written}");
    }
}

#[tokio::test]
async fn one_that_cannot_begin_is_no_task() {
    let world = World::of(|s3| {
        let read_only = Mount::s3("/fixed", s3).set("read_only", true);
        Config::of([Mount::s3("/files", s3), read_only])
    })
    .await;
    world.put("f", "x");
    for (call, body, status, code) in [
        (
            "remove",
            json!({"path": "/fixed/f"}),
            403,
            "permission-denied",
        ),
        ("remove", json!({"path": "/elsewhere/f"}), 404, "not-found"),
        (
            "move",
            json!({"from": "/fixed/f", "to": "/files/g"}),
            403,
            "permission-denied",
        ),
        (
            "copy",
            json!({"from": "/files/f", "to": "/files/f"}),
            400,
            "invalid-argument",
        ),
    ] {
        world.post(call, &body).await.problem(status, code);
    }
    let tasks = world.call("tasks", &[]).await.json();
    assert_eq!(tasks, json!({"tasks": [], "next": null}));
}

#[tokio::test]
async fn long_tasks_leave_room_for_short_ones() {
    let world = World::start().await;
    world.put("small", "x");
    let mut gates = Vec::new();
    for number in 0..6 {
        world.put_files(&format!("tree{number}"), 1200);
        let tree = format!("/tree{number}/");
        let mine = Matcher::when(move |request| {
            let source = request.header("x-amz-copy-source");
            source.is_some_and(|source| source.contains(&tree))
        });
        gates.push(world.s3.faults().hold(mine.skip(100)));
    }
    let plans = (0..6).map(|number| {
        let (from, to) = (
            format!("/files/tree{number}/"),
            format!("/files/there{number}"),
        );
        json!({"from": from, "to": to, "overwrite": true})
    });
    let plans: Vec<Value> = plans.collect();
    let ids = futures::future::join_all(plans.iter().map(|plan| world.begin("move", plan))).await;
    // All of them are held in their first step. There is room for four of them to go on after it.
    let path = json!({"path": "/files/small"});
    world.post("remove", &path).await.expect(200);
    for gate in gates {
        gate.release();
    }
    for id in ids {
        assert_eq!(world.ended(&id).await["state"], "done");
    }
    assert_eq!(world.keys().len(), 7200);
    assert!(world.keys().iter().all(|key| key.starts_with("there")));
}
