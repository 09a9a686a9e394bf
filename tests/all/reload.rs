//! SIGHUP: the configuration is read again.

use http::Method;
use orlop_test_s3::Matcher;
use serde_json::json;

use crate::{
    harness::{Config, Mount, World, noise, s3, send, soon},
    users::Proof,
};

impl World {
    /// Writes another configuration, and waits until the server says this of it.
    async fn reload(&self, text: &str, expected: &str) {
        let seen = self.orlop.stderr().len();
        std::fs::write(self.folder.path().join("orlop.toml"), text).unwrap();
        self.orlop.signal("HUP");
        soon(expected, async {
            while !self.orlop.stderr()[seen..].contains(expected) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    async fn takes_over(&self, config: &Config) {
        self.reload(&config.text(), "reloaded the configuration")
            .await;
    }

    /// How often the driver was opened for a mount.
    async fn opened(&self, mount: &str) -> String {
        let metrics = self.get("/metrics").await.expect(200).text().to_owned();
        let is_it = |line: &&str| {
            line.starts_with("orlop_driver_calls_total{")
                && line.contains(&format!("mount=\"{mount}\""))
                && line.contains("call=\"open\"")
        };
        let line = metrics.lines().find(is_it).unwrap_or("0");
        line.rsplit(' ').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn mounts_come_and_go() {
    let world = World::start().await;
    world.put("f", "x");
    let mount = |path: &str| Mount::s3(path, &world.s3);
    world
        .takes_over(&Config::of([mount("/files"), mount("/more")]))
        .await;
    assert_eq!(world.get("/p/more/f").await.expect(200).text(), "x");
    assert_eq!(world.get("/p/files/f").await.expect(200).text(), "x");
    world.takes_over(&Config::of([mount("/more")])).await;
    world.get("/p/files/f").await.expect(404);
    world.get("/p/more/f").await.expect(200);
    let ready = world.get("/readyz").await.expect(200).json();
    assert_eq!(ready["mounts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn policies_and_rights_change_and_instances_stay() {
    let world = World::start().await;
    world.put("f", "x");
    world.get("/d/files/f").await.expect(302);
    assert_eq!(world.opened("/files").await, "1");
    let mount = || Mount::s3("/files", &world.s3);
    let config = Config::of([mount().set("download", "proxy")]).set("anonymous", "read");
    world.takes_over(&config).await;
    assert_eq!(world.get("/d/files/f").await.expect(200).text(), "x");
    world
        .upload("/d/files/new", "y")
        .await
        .problem(403, "permission-denied");
    assert_eq!(world.opened("/files").await, "1");
    let config = Config::of([mount().config("sign_url_expire", 1)]);
    world.takes_over(&config).await;
    assert_eq!(world.opened("/files").await, "2");
}

#[tokio::test]
async fn users_who_are_removed_are_strangers_at_once() {
    let s3 = s3().await;
    // Another hash, and a session would end with that.
    let before = Config::of([Mount::s3("/files", &s3)]).user("reader", &[("/files", "read")]);
    let writer = before.clone().user("writer", &[("/files", "write")]);
    let world = World::over(s3, writer).await;
    world.put("f", "x");
    let gone = [
        Proof::Password("writer"),
        world.log_in("writer").await,
        world.token("writer").await,
    ];
    let stays = [world.log_in("reader").await, world.token("reader").await];
    let share = json!({"path": "/files/f"});
    let share = world.post_by(&gone[0], "shares", &share).await.expect(201);
    let share = share.json()["url"].as_str().unwrap().to_owned();
    let share = &share[share.find("/s/").unwrap()..];
    world.get(share).await.expect(302);
    for proof in gone.iter().chain(&stays) {
        world.by(proof, Method::GET, "/p/files/f").await.expect(200);
    }
    let after = before.user("late", &[("/files", "read")]);
    world.takes_over(&after).await;
    for proof in &gone {
        world
            .by(proof, Method::GET, "/p/files/f")
            .await
            .problem(401, "unauthenticated");
    }
    world.get(share).await.expect(410);
    for proof in stays.iter().chain(&[Proof::Password("late")]) {
        world.by(proof, Method::GET, "/p/files/f").await.expect(200);
    }
}

#[tokio::test]
async fn what_is_wrong_changes_nothing_and_is_told() {
    let world = World::start().await;
    world.put("f", "x");
    let mount = || Mount::s3("/files", &world.s3);
    for (text, expected) in [
        ("this is = not toml".to_owned(), "orlop.toml:1"),
        (
            Config::of([mount()]).set("lisen", "x").text(),
            "did you mean `listen`?",
        ),
        (
            Config::of([mount().without_config("bucket")]).text(),
            "bucket",
        ),
        (
            Config::of([mount(), Mount::new("/x", "nobody")]).text(),
            "no driver `nobody`",
        ),
        (Config::of([mount(), mount()]).text(), "two mounts"),
        (
            Config::of([mount()]).set("tls_key", "key.pem").text(),
            "`tls_certificate` is not",
        ),
    ] {
        world
            .reload(&text, "the configuration stays as it was")
            .await;
        let log = world.orlop.stderr();
        let line = log.lines().rfind(|line| line.contains("stays as it was"));
        assert!(line.unwrap().contains(expected), "{expected}: {line:?}");
        assert_eq!(world.get("/p/files/f").await.expect(200).text(), "x");
    }
    std::fs::remove_file(world.folder.path().join("orlop.toml")).unwrap();
    world.orlop.signal("HUP");
    world.orlop.wait_for_log("no such file").await;
    world.get("/p/files/f").await.expect(200);
}

#[tokio::test]
async fn what_takes_a_restart_is_told() {
    let world = World::start().await;
    let config = Config::of([Mount::s3("/files", &world.s3)]).set("log_format", "json");
    world.takes_over(&config).await;
    let log = world.orlop.stderr();
    assert!(
        log.contains("`log_format` was changed: that takes a restart"),
        "{log}"
    );
    assert!(!log.contains("`listen` was changed"), "{log}");
}

#[tokio::test]
async fn transfers_under_way_end_as_they_began() {
    let world = World::start().await;
    let bytes = noise(3_000_000);
    world.put("f", bytes.clone());
    let body = world.s3.faults().hold_body(
        Matcher::any().method(Method::GET).path("/files/f"),
        1_000_000,
    );
    let download = tokio::spawn(send(world.request(Method::GET, "/p/files/f")));
    soon("the storage to send", body.wait_until_reached()).await;
    let put = world.s3.faults().hold(Matcher::any().method(Method::PUT));
    let request = world.request(Method::PUT, "/d/files/new").body("content");
    let upload = tokio::spawn(send(request));
    soon("the storage to receive", put.wait_until_reached()).await;
    world
        .takes_over(&Config::of([Mount::probe("/probe")]))
        .await;
    world.get("/p/files/f").await.expect(404);
    body.release();
    put.release();
    assert!(download.await.unwrap().expect(200).body == bytes);
    upload.await.unwrap().expect(201);
    assert_eq!(world.object("new"), "content");
    let call = world.post("mkdir", &json!({"path": "/files/x"})).await;
    assert!(call.status.is_client_error());
}
