//! Tasks that go on in the next process, after the last one was killed.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
};

use bytes::Bytes;
use http::Method;
use orlop_test_s3::{Fault, Matcher};
use serde_json::{Value, json};

use super::{copies, two_mounts};
use crate::harness::{BUCKET, Config, Mount, World, soon};

/// Random numbers that can be had again: the seed is printed, and taken from `SEED` if that is set.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let given = std::env::var("SEED").ok().map(|seed| seed.parse().unwrap());
        let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        println!("SEED={seed}");
        Self(seed | 1)
    }

    /// From 0 to below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides.max(1)).unwrap()).unwrap()
    }
}

/// What a bucket shall hold in the end.
type Objects = BTreeMap<String, Bytes>;

impl World {
    /// Fills a folder with files in folders, each with bytes of its own.
    fn fill(&self, folder: &str, count: usize) -> Vec<String> {
        let keys = (0..count).map(|number| match number % 4 {
            0 => format!("{folder}/{number:05}"),
            1 => format!("{folder}/a b/{number:05}+%"),
            2 => format!("{folder}/x/{}/ü {number:05}", number % 7),
            _ => format!("{folder}/x/z{}/{number:05}", number % 11),
        });
        let keys: Vec<String> = keys.collect();
        for key in &keys {
            self.put(key, format!("the bytes of {}", rest(key)));
        }
        keys
    }

    fn objects(&self) -> Objects {
        let keys = self.keys().into_iter();
        keys.filter_map(|key| {
            let bytes = self.s3.store().bytes(BUCKET, &key)?;
            Some((key, bytes))
        })
        .collect()
    }

    fn count(&self, folder: &str) -> usize {
        let inside = format!("{folder}/");
        self.keys()
            .iter()
            .filter(|key| key.starts_with(&inside))
            .count()
    }

    /// Begins some work without waiting for an answer, and gives the task's id.
    async fn set_off(&self, call: &str, body: &Value) -> String {
        let request = self
            .request(Method::POST, &format!("/api/v1/{call}"))
            .header("content-type", "application/json")
            .body(body.to_string());
        // The server is killed before it answers.
        tokio::spawn(request.send());
        let noted = async {
            loop {
                let tasks = self.call("tasks", &[]).await.expect(200).json();
                if let Some(id) = tasks["tasks"][0]["id"].as_str() {
                    return id.to_owned();
                }
                tokio::task::yield_now().await;
            }
        };
        soon("the task to be noted", noted).await
    }

    /// Kills the server when so many more requests that match have come, and starts it again.
    async fn kill_after(&mut self, requests: usize, exactly: bool, which: Matcher) {
        if exactly {
            // That request has no effect; those beside it have.
            let gate = self.s3.faults().hold(which.skip(requests));
            soon("a request", gate.wait_until_reached()).await;
            self.orlop.kill().await;
            self.s3.faults().clear();
        } else {
            let until = self.s3.requests().count() + requests;
            let reached = async {
                while self.s3.requests().count() < until {
                    tokio::task::yield_now().await;
                }
            };
            soon("requests", reached).await;
            self.orlop.kill().await;
        }
        self.start_again().await;
    }
}

/// A key below its first two segments at most: what moves and copies keep.
fn rest(key: &str) -> &str {
    key.split_once("tree/").map_or(key, |(_, rest)| rest)
}

/// What shall be there when the keys lie in another folder.
fn moved(keys: &[String], folder: &str) -> Objects {
    keys.iter()
        .map(|key| {
            let rest = rest(key);
            let bytes = format!("the bytes of {rest}");
            (format!("{folder}/{rest}"), bytes.into())
        })
        .collect()
}

#[track_caller]
fn assert_same(found: &Objects, expected: &Objects) {
    let missing: Vec<_> = expected
        .iter()
        .filter(|(key, bytes)| found.get(*key) != Some(bytes))
        .map(|(key, _)| key)
        .collect();
    let more: Vec<_> = found
        .keys()
        .filter(|key| !expected.contains_key(*key))
        .collect();
    assert!(
        missing.is_empty() && more.is_empty(),
        "lost or changed: {missing:?}\nthere besides: {more:?}"
    );
}

#[tokio::test]
async fn a_move_of_2000_objects_outlives_20_kills() {
    let mut dice = Dice::new();
    let mut world = World::start().await;
    let keys = world.fill("tree", 2000);
    let plan = json!({"from": "/files/tree/", "to": "/files/there"});
    let id = world.set_off("move", &plan).await;
    for kill in 0..20 {
        // A step moves a page of a thousand. Fewer requests than there are objects left cannot be all.
        let left = world.count("tree");
        let after = dice.roll(left.min(1300));
        world.kill_after(after, kill % 2 == 0, Matcher::any()).await;
        assert_eq!(world.task(&id).await["state"], "running");
    }
    let task = world.ended(&id).await;
    assert_eq!(task["state"], "done", "{task}");
    assert_same(&world.objects(), &moved(&keys, "there"));
}

#[tokio::test]
async fn a_streamed_move_outlives_kills() {
    let mut dice = Dice::new();
    let mut world = two_mounts().await;
    let keys = world.fill("1/tree", 400);
    let plan = json!({"from": "/one/tree/", "to": "/two/there"});
    let id = world.set_off("move", &plan).await;
    for kill in 0..8 {
        // Each takes a GET, a PUT and a DELETE at least.
        let after = dice.roll(world.count("1/tree").min(150) * 2);
        world.kill_after(after, kill % 2 == 0, Matcher::any()).await;
    }
    let task = world.ended(&id).await;
    assert_eq!(task["state"], "done", "{task}");
    assert_same(&world.objects(), &moved(&keys, "2/there"));
}

#[tokio::test]
async fn copies_outlive_kills() {
    let mut dice = Dice::new();
    for (from, to, source, copy) in [
        ("/one/tree/", "/one/there", "1/tree", "1/there"),
        ("/one/tree/", "/two/there", "1/tree", "2/there"),
    ] {
        let mut world = two_mounts().await;
        let keys = world.fill(source, 1100);
        let id = world
            .set_off("copy", &json!({"from": from, "to": to}))
            .await;
        for kill in 0..4 {
            let left = 1100 - world.count(copy);
            world
                .kill_after(dice.roll(left), kill % 2 == 0, Matcher::any())
                .await;
        }
        let task = world.ended(&id).await;
        assert_eq!(task["state"], "done", "{task}");
        let mut expected = moved(&keys, source);
        expected.append(&mut moved(&keys, copy));
        assert_same(&world.objects(), &expected);
    }
}

#[tokio::test]
async fn a_removal_outlives_kills() {
    let mut dice = Dice::new();
    let mut world = World::start().await;
    world.fill("tree", 4500);
    world.put("tree-house", "stays");
    let first = world.s3.faults().hold(Matcher::any().method(Method::POST));
    let id = world
        .set_off("remove", &json!({"path": "/files/tree/"}))
        .await;
    soon("the first deletion", first.wait_until_reached()).await;
    world.orlop.kill().await;
    world.s3.faults().clear();
    for _ in 0..4 {
        // One deletes a thousand.
        let deletes = Matcher::any().method(Method::POST);
        let left = world.count("tree").div_ceil(1000);
        let gate = world.s3.faults().hold(deletes.skip(dice.roll(left.min(2))));
        world.start_again().await;
        soon("a deletion", gate.wait_until_reached()).await;
        world.orlop.kill().await;
        world.s3.faults().clear();
    }
    world.start_again().await;
    let task = world.ended(&id).await;
    assert_eq!(task["state"], "done", "{task}");
    assert_eq!(world.keys(), ["tree-house"]);
}

/// Kills the server when a request took effect and its answer was not heard.
async fn kill_unheard(world: &mut World, which: Matcher, call: &str, body: &Value) -> String {
    let gate = world.s3.faults().hold_answer(which);
    let id = world.set_off(call, body).await;
    soon("the answer", gate.wait_until_reached()).await;
    world.orlop.kill().await;
    world.s3.faults().clear();
    id
}

#[tokio::test]
async fn a_last_step_that_was_made_and_not_noted_is_no_failure() {
    // A tree of one page that may be replaced is moved in one step, and a small one removed.
    let whole = json!({"from": "/files/tree/", "to": "/files/there", "overwrite": true});
    let file = json!({"from": "/files/tree/00000", "to": "/files/there/00000", "overwrite": true});
    let deletes_many = || Matcher::any().method(Method::POST);
    let deletes_one = || Matcher::any().method(Method::DELETE);
    for (call, body, which) in [
        ("move", whole, deletes_many()),
        ("remove", json!({"path": "/files/tree/"}), deletes_many()),
        (
            "remove",
            json!({"path": "/files/tree/00000"}),
            deletes_one(),
        ),
        ("move", file, deletes_one()),
    ] {
        let mut world = World::start().await;
        let keys = world.fill("tree", 10);
        let id = kill_unheard(&mut world, which, call, &body).await;
        world.start_again().await;
        let task = world.ended(&id).await;
        assert_eq!(task["state"], "done", "{call} {body}: {task}");
        let moved_keys = world.count("there");
        match (call, body["to"].as_str()) {
            ("move", Some("/files/there")) => {
                assert_same(&world.objects(), &moved(&keys, "there"));
            }
            ("move", _) => assert_eq!((moved_keys, world.count("tree")), (1, 9)),
            _ => assert!(world.count("tree") < 10),
        }
    }
}

#[tokio::test]
async fn its_own_copy_is_not_in_the_way_of_one_that_refuses_to_overwrite() {
    for (from, to, copy, which) in [
        ("/one/tree/00000", "/one/there", "1/there", copies()),
        (
            "/one/tree/00000",
            "/two/there",
            "2/there",
            Matcher::any().method(Method::PUT),
        ),
    ] {
        for call in ["copy", "move"] {
            let mut world = two_mounts().await;
            world.fill("1/tree", 3);
            let body = json!({"from": from, "to": to});
            let id = kill_unheard(&mut world, which.clone(), call, &body).await;
            assert_eq!(world.object(copy), "the bytes of 00000");
            world.start_again().await;
            let task = world.ended(&id).await;
            assert_eq!(task["state"], "done", "{call} {to}: {task}");
            assert_eq!(world.object(copy), "the bytes of 00000");
            let sources = if call == "copy" { 3 } else { 2 };
            assert_eq!(world.count("1/tree"), sources);
        }
    }
}

#[tokio::test]
async fn what_somebody_else_put_there_meanwhile_is_in_the_way() {
    let mut world = two_mounts().await;
    world.fill("1/tree", 3);
    let gate = world
        .s3
        .faults()
        .hold(Matcher::any().method(Method::GET).path("/1/tree/00000"));
    let body = json!({"from": "/one/tree/00000", "to": "/two/there"});
    let id = world.set_off("move", &body).await;
    soon("the copy", gate.wait_until_reached()).await;
    world.orlop.kill().await;
    world.s3.faults().clear();
    // As long as what is copied, and something else.
    world.put("2/there", "the bytes of 00001");
    world.start_again().await;
    let task = world.ended(&id).await;
    assert_eq!(task["state"], "failed", "{task}");
    assert_eq!(task["error"]["code"], "already-exists");
    assert_eq!(world.object("2/there"), "the bytes of 00001");
    assert_eq!(world.object("1/tree/00000"), "the bytes of 00000");
}

#[tokio::test]
async fn what_the_service_cannot_copy_is_streamed_across_a_kill() {
    let mut world = World::with(|mount| {
        mount
            .config("upload_part_copy", false)
            .config("copy_max", "1MiB")
    })
    .await;
    let large = crate::harness::noise(2 << 20);
    for number in 0..1200 {
        world.put(&format!("tree/{number:04}"), "small");
    }
    world.put("tree/large", large.clone());
    let body = json!({"from": "/files/tree/", "to": "/files/there"});
    // The first thousand are copied by the service; the large one is met after them.
    let stream = Matcher::any().method(Method::GET).path("/tree/large");
    let gate = world.s3.faults().hold(stream);
    let id = world.set_off("move", &body).await;
    soon("the large one", gate.wait_until_reached()).await;
    world.orlop.kill().await;
    world.s3.faults().clear();
    world.start_again().await;
    let task = world.ended(&id).await;
    assert_eq!(task["state"], "done", "{task}");
    assert_eq!(world.count("there"), 1201);
    assert_eq!(world.keys().len(), 1201);
    assert_eq!(
        world.s3.store().bytes(BUCKET, "there/large").unwrap(),
        large
    );
}

#[tokio::test]
async fn a_server_that_is_asked_to_end_leaves_its_tasks_to_the_next() {
    let mut world = two_mounts().await;
    let keys = world.fill("1/tree", 300);
    let gate = world
        .s3
        .faults()
        .hold(Matcher::any().method(Method::PUT).skip(120));
    let body = json!({"from": "/one/tree/", "to": "/two/there"});
    let request = world
        .request(Method::POST, "/api/v1/move?wait=true")
        .header("content-type", "application/json")
        .body(body.to_string());
    let waiting = tokio::spawn(crate::harness::send(request));
    soon("the middle", gate.wait_until_reached()).await;
    world.orlop.signal("TERM");
    world.orlop.wait_for_log("ending").await;
    gate.release();
    // Who waits is told where it goes on.
    let answer = waiting.await.unwrap().expect(202).json();
    assert_eq!(world.orlop.ended().await, Some(0));
    assert!(world.count("1/tree") > 0);
    world.start_again().await;
    let task = world.ended(answer["task"].as_str().unwrap()).await;
    assert_eq!(task["state"], "done", "{task}");
    assert_eq!(task["items"], 300);
    assert_same(&world.objects(), &moved(&keys, "2/there"));
}

#[tokio::test]
async fn one_whose_mount_is_gone_or_closed_fails_clearly() {
    let one = |world: &World| Mount::s3("/one", &world.s3).set("root", "1");
    let two = |world: &World| Mount::s3("/two", &world.s3).set("root", "2");
    for (is_gone, code, text) in [
        (true, "not-found", "no mount holds `/two/there` any more"),
        (false, "permission-denied", "read-only"),
    ] {
        let mut world = two_mounts().await;
        world.fill("1/tree", 30);
        let gate = world.s3.faults().hold(Matcher::any().method(Method::PUT));
        let body = json!({"from": "/one/tree/", "to": "/two/there"});
        let id = world.set_off("move", &body).await;
        soon("the middle", gate.wait_until_reached()).await;
        world.orlop.kill().await;
        world.s3.faults().clear();
        let config = match is_gone {
            true => Config::of([one(&world)]),
            false => Config::of([one(&world), two(&world).set("read_only", true)]),
        };
        world.start_again_with(&config).await;
        let task = world.ended(&id).await;
        assert_eq!(task["state"], "failed", "{task}");
        assert_eq!(task["error"]["code"], code);
        let detail = task["error"]["detail"].as_str().unwrap();
        assert!(detail.contains(text), "{detail}");
        assert_eq!(world.count("1/tree"), 30);
        // With the mount back as it was, it goes on.
        world.orlop.kill().await;
        let config = Config::of([one(&world), two(&world)]);
        world.start_again_with(&config).await;
        world.retry(&id).await.expect(202);
        assert_eq!(world.ended(&id).await["state"], "done");
        assert_eq!(world.count("2/there"), 30);
    }
}

#[tokio::test]
async fn a_task_goes_on_with_the_rights_that_it_was_begun_with() {
    let mut world = World::start().await;
    world.fill("tree", 30);
    let gate = world.s3.faults().hold(copies());
    let body = json!({"from": "/files/tree/", "to": "/files/there"});
    let id = world.set_off("move", &body).await;
    soon("the middle", gate.wait_until_reached()).await;
    world.orlop.kill().await;
    world.s3.faults().clear();
    // Whoever asks now may only read. The task was begun by one who could write.
    let config = Config::of([Mount::s3("/files", &world.s3)]).set("anonymous", "read");
    world.start_again_with(&config).await;
    assert_eq!(world.ended(&id).await["state"], "done");
    assert_eq!(world.count("there"), 30);
    // A new one is judged by what may be done now, and so is one that is tried again.
    let back = json!({"from": "/files/there/", "to": "/files/tree"});
    world
        .post("move", &back)
        .await
        .problem(403, "permission-denied");
}

#[tokio::test]
async fn a_retry_is_judged_by_the_rights_of_now() {
    let mut world = World::start().await;
    world.fill("tree", 30);
    let refusal = Fault::error(http::StatusCode::FORBIDDEN, "AccessDenied");
    world.s3.faults().inject(copies().always(), refusal);
    let body = json!({"from": "/files/tree/", "to": "/files/there"});
    world
        .post("move?wait=true", &body)
        .await
        .problem(403, "permission-denied");
    let tasks = world.call("tasks", &[]).await.json();
    let id = tasks["tasks"][0]["id"].as_str().unwrap().to_owned();
    world.orlop.kill().await;
    world.s3.faults().clear();
    let config = Config::of([Mount::s3("/files", &world.s3)]).set("anonymous", "read");
    world.start_again_with(&config).await;
    world.retry(&id).await.problem(403, "permission-denied");
    assert_eq!(world.task(&id).await["state"], "failed");
    assert_eq!(world.count("tree"), 30);
}

#[tokio::test]
async fn a_state_folder_has_one_server() {
    let world = World::start().await;
    let ran = world
        .run(&["serve", "--listen", "127.0.0.1:0"])
        .await
        .expect(1);
    for text in ["another server uses the state folder", "`state_dir`"] {
        assert!(ran.stderr.contains(text), "{}", ran.stderr);
    }
    world.get("/healthz").await.expect(200);
}
