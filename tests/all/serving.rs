//! How connections are taken: addresses, files, handed-over sockets, TLS, HTTP/2, and how long clients may take.

use std::{os::unix::net::UnixDatagram, process::Stdio, time::Duration};

use http::Version;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use crate::harness::{
    Config, Mount, Orlop, Raw, World, client, command, noise, run, s3, send, soon,
};

/// Starts `serve` with a configuration that says where to listen.
async fn start(folder: &TempDir, config: &Config) -> Orlop {
    std::fs::write(folder.path().join("orlop.toml"), config.text()).unwrap();
    let mut serve = command(["serve", "--config", "orlop.toml"]);
    serve.current_dir(folder.path());
    Orlop::start(serve).await
}

fn probe() -> Config {
    Config::of([Mount::probe("/probe")])
}

#[tokio::test]
async fn several_addresses_and_a_socket_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orlop.sock");
    let places = vec![
        "127.0.0.1:0".to_owned(),
        "127.0.0.2:0".to_owned(),
        format!("unix:{}", file.display()),
    ];
    let mut orlop = start(&folder, &probe().set("listen", places)).await;
    let said = orlop.stdout();
    let urls: Vec<&str> = said
        .split_whitespace()
        .filter(|word| word.contains(':'))
        .collect();
    let [first, second, third] = urls[..] else {
        panic!("{said}")
    };
    for url in [first, second] {
        let answer = send(client().get(format!("{url}healthz")))
            .await
            .expect(200);
        assert_eq!(answer.text(), "ok\n");
    }
    assert_eq!(third, format!("unix:{}", file.display()));
    let mut stream = UnixStream::connect(&file).await.unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    soon("the answer", stream.read_to_string(&mut answer))
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    orlop.signal("TERM");
    assert_eq!(orlop.ended().await, Some(0));
    assert!(!file.exists());
}

#[tokio::test]
async fn a_handed_over_socket_and_what_the_service_manager_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("orlop.toml"), probe().text()).unwrap();
    let manager = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    manager
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let serve = command(["serve", "--listen", "systemd", "--anonymous", "read"]);
    let mut shell = std::process::Command::new("sh");
    shell
        .args([
            "-c",
            "exec 3<&0 0</dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$0\" \"$@\"",
        ])
        .arg(serve.get_program())
        .args(serve.get_args())
        .env_clear()
        .envs(
            serve
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("NOTIFY_SOCKET", folder.path().join("notify"))
        .env("WATCHDOG_USEC", "2000000")
        .current_dir(folder.path())
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(listener)));
    let mut orlop = Orlop::start(shell).await;
    assert_eq!(orlop.address(), address);
    send(client().get(orlop.url("/healthz"))).await.expect(200);
    let told = |wanted: &str| {
        let mut buffer = [0; 4096];
        for _ in 0..100 {
            let count = manager.recv(&mut buffer).unwrap();
            let message = String::from_utf8_lossy(&buffer[..count]).into_owned();
            if message.contains(wanted) {
                return message;
            }
        }
        panic!("never told {wanted}");
    };
    assert!(told("READY=1").contains("STATUS=listens on http://127.0.0.1"));
    told("WATCHDOG=1");
    orlop.signal("HUP");
    assert!(told("RELOADING=1").contains("MONOTONIC_USEC="));
    told("READY=1");
    orlop.signal("TERM");
    told("STOPPING=1");
    assert_eq!(orlop.ended().await, Some(0));
}

#[tokio::test]
async fn nothing_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("orlop.toml"), probe().text()).unwrap();
    let mut serve = command(["serve", "--listen", "systemd", "--anonymous", "read"]);
    serve.current_dir(folder.path());
    let ran = run(serve).await.expect(1);
    assert!(ran.stderr.contains("LISTEN_FDS"), "{}", ran.stderr);
}

/// Writes a certificate of its own making for 127.0.0.1, and gives it.
fn certify(folder: &TempDir) -> String {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let pem = certified.cert.pem();
    std::fs::write(folder.path().join("certificate.pem"), &pem).unwrap();
    let key = certified.signing_key.serialize_pem();
    std::fs::write(folder.path().join("key.pem"), key).unwrap();
    pem
}

/// A client that trusts this certificate alone.
fn trusting(pem: &str) -> reqwest::Client {
    let _ = client();
    let certificate = reqwest::Certificate::from_pem(pem.as_bytes()).unwrap();
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([certificate])
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
}

#[tokio::test]
async fn tls_with_both_versions_of_http_and_a_new_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let old = certify(&folder);
    let config = probe()
        .set("listen", "127.0.0.1:0")
        .set("tls_certificate", "certificate.pem")
        .set("tls_key", "key.pem");
    let orlop = start(&folder, &config).await;
    let url = format!("https://{}/healthz", orlop.address());
    let get = |pem: &str| trusting(pem).get(&url).send();
    assert_eq!(get(&old).await.unwrap().version(), Version::HTTP_2);
    let certificate = reqwest::Certificate::from_pem(old.as_bytes()).unwrap();
    let http1 = reqwest::Client::builder()
        .no_proxy()
        .http1_only()
        .tls_certs_only([certificate])
        .build()
        .unwrap();
    let answer = http1.get(&url).send().await.unwrap();
    assert_eq!(answer.version(), Version::HTTP_11);
    assert_eq!(answer.text().await.unwrap(), "ok\n");

    // A file that is half written changes nothing.
    std::fs::write(folder.path().join("certificate.pem"), &old[..old.len() / 2]).unwrap();
    orlop.signal("HUP");
    let log = orlop.wait_for_log("stays as it was").await;
    assert!(log.contains("certificate.pem"), "{log}");
    assert_eq!(get(&old).await.unwrap().status(), 200);

    let new = certify(&folder);
    orlop.signal("HUP");
    orlop.wait_for_log("reloaded the configuration").await;
    assert_eq!(get(&new).await.unwrap().status(), 200);
    assert!(get(&old).await.is_err());
}

#[tokio::test]
async fn certificates_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    certify(&folder);
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("other.pem", &other.signing_key.serialize_pem());
    write("text.pem", "this is no PEM");
    for (certificate, key, status, text) in [
        (Some("certificate.pem"), None, 2, "`tls_key` is not"),
        (None, Some("key.pem"), 2, "`tls_certificate` is not"),
        (Some("missing.pem"), Some("key.pem"), 1, "missing.pem"),
        (Some("text.pem"), Some("key.pem"), 1, "text.pem"),
        (Some("certificate.pem"), Some("text.pem"), 1, "text.pem"),
        (
            Some("certificate.pem"),
            Some("other.pem"),
            1,
            "certificate.pem",
        ),
    ] {
        let mut config = probe().set("listen", "127.0.0.1:0");
        for (name, file) in [("tls_certificate", certificate), ("tls_key", key)] {
            if let Some(file) = file {
                config = config.set(name, file);
            }
        }
        write("orlop.toml", &config.text());
        let mut serve = command(["serve"]);
        serve.current_dir(folder.path());
        let ran = run(serve).await.expect(status);
        assert!(ran.stderr.contains(text), "{text}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn http2_without_tls() {
    let world = World::start().await;
    world.put("f", "content");
    let http2 = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let answer = http2
        .get(world.orlop.url("/p/files/f"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.version(), Version::HTTP_2);
    assert_eq!(answer.text().await.unwrap(), "content");
}

async fn world_with(key: &str, value: impl Into<toml::Value>) -> World {
    let s3 = s3().await;
    let config = Config::of([Mount::s3("/files", &s3)]).set(key, value);
    World::over(s3, config).await
}

#[tokio::test]
async fn more_connections_than_may_be_wait_for_their_turn() {
    let world = world_with("max_connections", 2).await;
    let address = world.orlop.address();
    let request = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut raw = Raw::connect(address).await;
        raw.write(request).await;
        raw.read_until("ok\n").await;
        held.push(raw);
    }
    let mut waiting = Raw::connect(address).await;
    waiting.write(request).await;
    world.orlop.wait_for_log("max_connections").await;
    held.clear();
    waiting.read_until("ok\n").await;
}

#[tokio::test]
async fn clients_that_say_nothing_are_let_go() {
    let world = world_with("idle_seconds", 0.3).await;
    let address = world.orlop.address();
    for beginning in [
        "",
        "GET /healthz",
        "GET /healthz HTTP/1.1\r\nhost: x\r\nx-more: ",
        "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n",
        // HTTP/2, and then nothing.
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    ] {
        let mut raw = Raw::connect(address).await;
        raw.write(beginning).await;
        raw.read_to_end().await;
    }
    world.get("/healthz").await.expect(200);
}

#[tokio::test]
async fn a_body_that_stops_coming_is_given_up() {
    let world = world_with("body_seconds", 0.3).await;
    for (head, beginning) in [
        ("PUT /d/files/f", "some"),
        ("PUT /d/files/f", ""),
        ("PUT /d/files/folder/", ""),
        ("POST /api/v1/mkdir", "{\"path\""),
    ] {
        let request = format!(
            "{head} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             content-length: 1000\r\n\r\n{beginning}"
        );
        let answer = Raw::exchange(world.orlop.address(), request).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{head}: {answer}");
    }
    assert!(world.keys().is_empty());
    world.expect_no_unfinished_uploads();
    // The storage is not to blame.
    world.get("/readyz").await.expect(200);
    // What gets on may take longer than that.
    let gate = world
        .s3
        .faults()
        .hold(orlop_test_s3::Matcher::any().method(http::Method::PUT));
    let upload = tokio::spawn(send(
        world
            .request(http::Method::PUT, "/d/files/f")
            .body("content"),
    ));
    soon("the storage to receive", gate.wait_until_reached()).await;
    gate.release();
    upload.await.unwrap().expect(201);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_let_go() {
    let s3 = s3().await;
    let config = Config::of([Mount::s3("/files", &s3)])
        .set("write_seconds", 0.3)
        .set("log", "orlop=debug");
    let world = World::over(s3, config).await;
    world.put("f", noise(30_000_000));
    let mut raw = Raw::connect(world.orlop.address()).await;
    raw.write("GET /p/files/f HTTP/1.1\r\nhost: x\r\n\r\n")
        .await;
    world.orlop.wait_for_log("no longer takes").await;
    let rest = raw.read_to_end().await;
    assert!(rest.len() < 30_000_000);
}
