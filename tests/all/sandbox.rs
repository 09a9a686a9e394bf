//! A driver that nobody trusts: it reaches only what was granted, and breaks nothing but itself.

use http::Method;
use orlop_test_s3::{Fault, Matcher, Options, Server};

use crate::harness::{Answer, Config, Mount, World, closed_port, encode, noise, send};

/// A server that anyone may read, with one file, `f`.
pub(crate) async fn open_server(bytes: bytes::Bytes) -> Server {
    let options = Options {
        buckets: vec!["open".to_owned()],
        ..Options::default()
    };
    let server = Server::start(options).await.unwrap();
    server.store().put("open", "f", bytes);
    server
}

async fn world(mount: Mount) -> World {
    World::of(|s3| Config::of([mount, Mount::s3("/files", s3)])).await
}

/// The path at which the probe does something with a URL.
fn order(verb: &str, url: &str) -> String {
    format!("/p{}", order_path(verb, url))
}

/// The same without a door.
pub(crate) fn order_path(verb: &str, url: &str) -> String {
    // Once for the probe, and once for HTTP.
    let object = encode(url).replace('/', "%2F");
    format!("/probe/{verb}/{}", encode(&object))
}

impl World {
    /// The refusal of a request that the probe made.
    async fn blocked(&self, path: &str) -> String {
        self.get(path).await.problem(502, "blocked")
    }
}

#[tokio::test]
async fn many_short_calls_are_no_long_computation() {
    let mount = Mount::probe("/probe")
        .set("cache_seconds", 0)
        .limit("cpu_seconds", 0.03);
    let world = world(mount).await;
    // The probe answers these by itself, without asking the host for anything in between.
    for _ in 0..1000 {
        world
            .get("/api/v1/list?path=/probe/notes")
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn notes_outlive_an_instance_and_stay_in_their_volume() {
    let mounts = ["/one", "/two"].map(|path| {
        Mount::probe(path)
            .set("cache_seconds", 0)
            .set("read_only", true)
    });
    let world = World::of(|_| Config::of(mounts)).await;
    world.get("/p/one/note/learned").await.expect(200);
    world.get("/p/one/trap").await.problem(502, "unavailable");
    let noted = world.get("/p/one/noted").await.expect(200);
    assert_eq!(noted.text(), "learned");
    let elsewhere = world.get("/p/two/noted").await.expect(200);
    assert_eq!(elsewhere.text(), "");
}

#[tokio::test]
async fn an_address_that_nobody_granted_is_refused_with_the_line_that_grants_it() {
    let open = open_server("granted".into()).await;
    let url = format!("{}/open/f", open.endpoint());
    let world = world(Mount::probe("/probe")).await;
    for verb in ["fetch", "pass"] {
        let detail = world.blocked(&order(verb, &url)).await;
        let line = format!("allow_hosts = [\"127.0.0.1:{}\"]", open.port());
        assert!(detail.contains(&line), "{detail}");
    }
    assert_eq!(open.requests().count(), 0);

    // That line alone does not open the way into a network.
    let host = format!("127.0.0.1:{}", open.port());
    let hosts = toml::Value::Array(vec![host.into()]);
    let mount = Mount::probe("/probe").set("allow_hosts", hosts);
    let world = self::world(mount.clone()).await;
    let detail = world.blocked(&order("fetch", &url)).await;
    assert!(detail.contains("allow_private_network = true"), "{detail}");
    assert_eq!(open.requests().count(), 0);

    // Both do.
    let world = self::world(mount.set("allow_private_network", true)).await;
    for verb in ["fetch", "pass"] {
        assert_eq!(
            world.get(&order(verb, &url)).await.expect(200).text(),
            "granted",
            "{verb}"
        );
    }
    // Another port of the same host is another address.
    let other = format!("http://127.0.0.1:{}/", closed_port());
    world.blocked(&order("fetch", &other)).await;
}

#[tokio::test]
async fn an_endpoint_that_the_operator_wrote_is_granted_for_its_port_alone() {
    let open = open_server("granted".into()).await;
    let url = format!("{}/open/f", open.endpoint());
    for endpoint in [open.endpoint(), format!("127.0.0.1:{}", open.port())] {
        let world = world(Mount::probe("/probe").config("endpoint", endpoint)).await;
        assert_eq!(
            world.get(&order("fetch", &url)).await.expect(200).text(),
            "granted"
        );
        for other in [
            format!("http://127.0.0.1:{}/", closed_port()),
            format!("http://127.0.0.2:{}/open/f", open.port()),
            "http://example.com/".to_owned(),
        ] {
            world.blocked(&order("fetch", &other)).await;
        }
    }
}

#[tokio::test]
async fn every_spelling_of_an_inner_address_is_one() {
    let hosts: Vec<toml::Value> = [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "10.0.0.1",
        "0.0.0.0",
        "localhost",
    ]
    .map(toml::Value::from)
    .to_vec();
    let world = world(Mount::probe("/probe").set("allow_hosts", toml::Value::Array(hosts))).await;
    for url in [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "http://localhost/",
    ] {
        let detail = world.blocked(&order("fetch", url)).await;
        assert!(
            detail.contains("allow_private_network = true"),
            "{url}: {detail}"
        );
    }
    for url in [
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://127.0.0.1/",
        "http://user:word@127.0.0.1/",
    ] {
        let answer = world.get(&order("fetch", url)).await;
        assert_eq!(answer.status, 502, "{url}");
        let code = answer.json()["code"].as_str().unwrap().to_owned();
        assert!(
            ["blocked", "invalid-argument"].contains(&code.as_str()),
            "{url}: {code}"
        );
    }
}

#[tokio::test]
async fn a_redirect_leads_nowhere() {
    // A bucket asked by its name alone, without the slash, or a fault: any answer of 307 will do.
    let open = open_server("x".into()).await;
    let redirect = Fault::error(http::StatusCode::TEMPORARY_REDIRECT, "TemporaryRedirect")
        .with_header(
            http::header::LOCATION,
            "http://127.0.0.1:1/".parse().unwrap(),
        );
    open.faults().inject(Matcher::any().always(), redirect);
    let world = world(Mount::probe("/probe").config("endpoint", open.endpoint())).await;
    let detail = world
        .get(&order("fetch", &format!("{}/open/f", open.endpoint())))
        .await
        .problem(502, "unavailable");
    assert!(detail.contains("307"), "{detail}");
}

#[tokio::test]
async fn headers_that_are_the_hosts_cannot_be_set() {
    let open = open_server("x".into()).await;
    let world = world(Mount::probe("/probe").config("endpoint", open.endpoint())).await;
    for verb in ["host", "proxy"] {
        let answer = world
            .get(&order(verb, &format!("{}/open/f", open.endpoint())))
            .await;
        let forged = open.requests().count_where(|request| {
            request.header("host") == Some("elsewhere.example")
                || request.header("proxy-authorization").is_some()
        });
        assert_eq!(forged, 0, "{verb}: {answer:?}");
        assert!(
            answer.status.is_client_error() || answer.status.is_server_error(),
            "{verb}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn the_standard_library_finds_no_way_out() {
    let world = world(Mount::probe("/probe")).await;
    let report = world.get("/p/probe/escape").await.expect(200);
    let lines: Vec<&str> = report.text().lines().collect();
    assert!(lines.len() >= 10, "{lines:?}");
    for line in lines {
        assert!(line.ends_with(": closed"), "{line}");
    }
    assert!(!std::path::Path::new("/tmp/orlop-probe").exists());
}

#[tokio::test]
async fn a_stream_of_the_drivers_own() {
    let world = world(Mount::probe("/probe")).await;
    const SIZE: usize = 1_000_000;
    let bytes: Vec<u8> = (0..SIZE).map(|index| (index % 251) as u8).collect();
    let path = "/p/probe/stream/1000000";
    let whole = world.get(path).await.expect(200);
    assert_eq!(whole.header("content-length"), SIZE.to_string());
    assert!(whole.body == bytes);
    for (range, start, end) in [
        ("bytes=0-0", 0, 1),
        ("bytes=1000-1999", 1000, 2000),
        ("bytes=-500", SIZE - 500, SIZE),
        ("bytes=999999-", SIZE - 1, SIZE),
        ("bytes=123456-654321", 123_456, 654_322),
    ] {
        let answer = world.get_with(path, &[("range", range)]).await.expect(206);
        assert_eq!(
            answer.header("content-range"),
            format!("bytes {start}-{}/{SIZE}", end - 1)
        );
        assert!(answer.body == bytes[start..end], "{range}");
    }
    world
        .get_with(path, &[("range", "bytes=1000000-")])
        .await
        .expect(416);
    // It has no link to give away, so `/d/` is no redirect either.
    assert!(world.get("/d/probe/stream/1000000").await.expect(200).body == bytes);
    world
        .call("link", &[("path", "/probe/stream/10")])
        .await
        .problem(501, "unsupported");
    assert!(
        world
            .get("/p/probe/stream/0")
            .await
            .expect(200)
            .body
            .is_empty()
    );
    let ran = world.run(&["cat", "/probe/stream/1000000"]).await.expect(0);
    assert!(ran.stdout == bytes);
}

#[tokio::test]
async fn a_stream_of_the_hosts_handed_through() {
    let bytes = noise(900_000);
    let open = open_server(bytes.clone()).await;
    let world = world(Mount::probe("/probe").config("endpoint", open.endpoint())).await;
    let url = format!("{}/open/f", open.endpoint());
    for verb in ["pass", "fetch"] {
        let path = order(verb, &url);
        assert!(world.get(&path).await.expect(200).body == bytes, "{verb}");
        let part = world
            .get_with(&path, &[("range", "bytes=1000-1999")])
            .await
            .expect(206);
        assert!(part.body == bytes.slice(1000..2000), "{verb}");
    }
}

#[tokio::test]
async fn a_stream_that_ends_early_is_never_taken_for_whole() {
    let world = world(Mount::probe("/probe")).await;
    for name in ["short", "broken"] {
        let response = world
            .request(Method::GET, &format!("/p/probe/{name}/1000000"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.bytes().await.is_err(), "{name}");
        world
            .run(&["cat", &format!("/probe/{name}/1000000")])
            .await
            .expect(1);
        expect_well(&world).await;
    }
}

#[tokio::test]
async fn more_bytes_than_a_guest_may_take_are_refused() {
    let open = open_server(noise(3 << 20)).await;
    let mount = Mount::probe("/probe")
        .config("endpoint", open.endpoint())
        .limit("response_bytes", "1MiB");
    let world = world(mount).await;
    let path = order("flood", &format!("{}/open/f", open.endpoint()));
    world.get(&path).await.problem(413, "too-large");
    expect_well(&world).await;
}

/// The probe and its neighbour answer.
async fn expect_well(world: &World) {
    let (probe, neighbour) = tokio::join!(
        world.get("/p/probe/readme.txt"),
        world.get("/api/v1/list?path=/files")
    );
    probe.expect(200);
    neighbour.expect(200);
}

/// Makes the probe break in some way, and sees to it that only the call in question notices.
async fn breaks(mount: Mount, path: &str, status: u16, code: &str, log: &str) {
    let world = world(mount).await;
    expect_well(&world).await;
    for _ in 0..2 {
        let answer: Answer = world.get(path).await;
        let detail = answer.problem(status, code);
        assert!(!detail.contains("wasm"), "{detail}");
        expect_well(&world).await;
    }
    world.orlop.wait_for_log(log).await;
    let metrics = world.get("/metrics").await.expect(200);
    let line = metrics
        .text()
        .lines()
        .find(|line| line.starts_with("orlop_driver_faults_total{") && line.contains("/probe"))
        .map(str::to_owned);
    assert!(
        line.is_some_and(|line| line.ends_with(" 2")),
        "{}",
        metrics.text()
    );
}

#[tokio::test]
async fn a_trap_fails_its_own_call() {
    breaks(
        Mount::probe("/probe"),
        "/p/probe/trap",
        502,
        "unavailable",
        "broke",
    )
    .await;
}

#[tokio::test]
async fn a_trap_while_listing_fails_its_own_call() {
    breaks(
        Mount::probe("/probe"),
        "/api/v1/list?path=/probe/trap-list",
        502,
        "unavailable",
        "broke",
    )
    .await;
}

#[tokio::test]
async fn a_driver_that_computes_for_ever_is_stopped() {
    let mount = Mount::probe("/probe").limit("cpu_seconds", 0.5);
    breaks(mount, "/p/probe/spin", 502, "unavailable", "computed").await;
}

#[tokio::test]
async fn a_driver_that_eats_memory_is_stopped() {
    let mount = Mount::probe("/probe").limit("memory", "16MiB");
    breaks(mount, "/p/probe/grow", 502, "unavailable", "memory").await;
}

#[tokio::test]
async fn a_driver_that_never_answers_runs_into_its_deadline() {
    let mount = Mount::probe("/probe").limit("deadline_seconds", 1);
    breaks(mount, "/p/probe/sleep", 504, "timed-out", "took more than").await;
}

#[tokio::test]
async fn a_driver_that_keeps_breaking_is_held_off_and_comes_back() {
    let world = world(Mount::probe("/probe")).await;
    let mut held_off = None;
    for _ in 0..20 {
        let answer = world.get("/p/probe/trap").await;
        if answer.status == 503 {
            held_off = Some(answer);
            break;
        }
        answer.expect(502);
    }
    let held_off = held_off.expect("it may break for ever");
    assert!(!held_off.header("retry-after").is_empty());
    world.get("/api/v1/list?path=/files").await.expect(200);
    let mounts = world.get("/api/v1/mounts").await.expect(200).json();
    let probe = mounts["mounts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|mount| mount["path"] == "/probe")
        .unwrap();
    assert!(
        probe["last_error"].as_str().unwrap().contains("broke"),
        "{probe}"
    );
    crate::harness::soon("the probe to come back", async {
        while world.get("/p/probe/readme.txt").await.status != 200 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_slow_call_does_not_hold_up_others() {
    let open = open_server("x".into()).await;
    let gate = open.faults().hold(Matcher::any());
    let world = world(Mount::probe("/probe").config("endpoint", open.endpoint())).await;
    let url = order("fetch", &format!("{}/open/f", open.endpoint()));
    let slow = tokio::spawn(send(world.request(Method::GET, &url)));
    crate::harness::soon("the slow call", gate.wait_until_reached()).await;
    for _ in 0..50 {
        expect_well(&world).await;
    }
    assert!(!slow.is_finished());
    gate.release();
    slow.await.unwrap().expect(200);
}

#[tokio::test]
async fn names_that_break_the_contract_never_reach_a_client() {
    let world = world(Mount::probe("/probe")).await;
    for number in 0..6 {
        let path = format!("/probe/bad-name/{number}");
        let answer = world.call("list", &[("path", &path)]).await;
        assert_eq!(answer.status, 502, "{path}: {}", answer.text());
        for bad in ["a/b", "passwd", "\\u0000"] {
            assert!(!answer.text().contains(bad), "{}", answer.text());
        }
        world.run(&["ls", &path]).await.expect(1);
        expect_well(&world).await;
    }
}

#[tokio::test]
async fn a_driver_without_an_ability_says_so() {
    let world = world(Mount::probe("/probe")).await;
    for answer in [
        world.upload("/d/probe/new", "x").await,
        world
            .send_with(Method::DELETE, "/d/probe/readme.txt", &[])
            .await,
        world
            .transfer("copy", "/probe/readme.txt", "/probe/copy")
            .await,
        world
            .transfer("move", "/probe/readme.txt", "/files/moved")
            .await,
    ] {
        let status = answer.status.as_u16();
        assert!([403, 501].contains(&status), "{answer:?}");
    }
    // Copying out of it needs no ability but reading.
    world
        .transfer("copy", "/probe/notes/", "/files/notes")
        .await
        .expect(200);
    assert_eq!(
        world.object("notes/deep/est.txt"),
        "The probe has no service behind it.\n"
    );
    assert_eq!(world.list("/probe/numbers").await.len(), 2_500);
}

#[tokio::test]
async fn a_secret_in_a_drivers_configuration_stays_there() {
    let world = world(Mount::probe("/probe").config("token", crate::harness::SECRET)).await;
    world
        .get("/p/probe/token")
        .await
        .problem(502, "unauthenticated");
    world.get("/api/v1/mounts").await.expect(200);
    world.get("/api/v1/drivers").await.expect(200);
}
