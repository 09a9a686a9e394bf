//! Wrong passwords, and what they cost.

use http::Method;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

use super::{Proof, config, with, world};
use crate::harness::{Answer, Orlop, World, command, s3, send, soon};

/// Tries a wrong password.
pub(super) async fn guess(world: &World, name: &str, headers: &[(&str, &str)]) -> Answer {
    let request = world.request(Method::GET, "/p/files/public/a");
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    send(request.basic_auth(name, Some("a wrong one"))).await
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let world =
        World::of(|s3| config(s3).set("trusted_proxies", vec!["127.0.0.1".to_owned()])).await;
    world.furnish();
    let from = |address: &'static str| [("x-forwarded-for", address)];
    let good = async |name: &'static str, address: &'static str| {
        let request = world
            .request(Method::GET, "/p/files/public/a")
            .header("x-forwarded-for", address);
        send(with(request, &Proof::Password(name))).await
    };
    // It has logged in before, so it is not locked out with its neighbour.
    good("writer", "192.0.2.1").await.expect(200);
    for number in 0..5 {
        let name = if number % 2 == 0 {
            "reader"
        } else {
            "nobody-of-that-name"
        };
        guess(&world, name, &from("192.0.2.1")).await.expect(401);
    }
    let refused = guess(&world, "reader", &from("192.0.2.1")).await;
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=8).contains(&wait), "{wait}");
    refused.problem(429, "rate-limited");
    good("writer", "192.0.2.1").await.expect(200);
    // The right password too has to wait here, but nowhere else.
    guess(&world, "reader", &from("192.0.2.1")).await;
    good("reader", "192.0.2.1").await.expect(429);
    good("reader", "192.0.2.2").await.expect(200);
    // The form is the same door.
    let body = "name=reader&password=x&next=/";
    let form = world
        .request(Method::POST, "/_orlop/login")
        .header("x-forwarded-for", "192.0.2.1")
        .header("accept", "text/html")
        .body(body);
    send(form).await.expect(429);
}

/// The status of a request over a socket file, with a wrong password and this for its sender.
async fn guess_over(file: &std::path::Path, sender: &str) -> u16 {
    let mut stream = UnixStream::connect(file).await.unwrap();
    let head = format!(
        "GET /p/files/public/a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         authorization: Basic cmVhZGVyOndyb25n\r\nx-forwarded-for: {sender}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon("the answer", stream.read_to_string(&mut answer))
        .await
        .unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_proxy_behind_a_socket_file_is_believed_if_it_is_named() {
    for is_named in [true, false] {
        let s3 = s3().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("orlop.sock");
        let places = vec!["127.0.0.1:0".to_owned(), format!("unix:{}", file.display())];
        let mut config = config(&s3).set("listen", places);
        if is_named {
            config = config.set("trusted_proxies", vec!["unix"]);
        }
        std::fs::write(folder.path().join("orlop.toml"), config.text()).unwrap();
        let mut serve = command(["serve", "--config", "orlop.toml"]);
        serve.current_dir(folder.path());
        let _orlop = Orlop::start(serve).await;
        for _ in 0..5 {
            assert_eq!(guess_over(&file, "192.0.2.1").await, 401);
        }
        assert_eq!(guess_over(&file, "192.0.2.1").await, 429);
        // Without the word of the proxy, all behind it are one.
        let other = if is_named { 401 } else { 429 };
        assert_eq!(guess_over(&file, "192.0.2.2").await, other, "{is_named}");
    }
}

#[tokio::test]
async fn clients_of_webdav_are_asked_and_slowed_down() {
    let world = world().await;
    let propfind = || {
        let method = Method::from_bytes(b"PROPFIND").unwrap();
        world.request(method, "/dav/files/").header("depth", "0")
    };
    // They begin without a name, and that is no guess.
    for _ in 0..10 {
        let asked = send(propfind()).await.expect(401);
        assert_eq!(
            asked.header("www-authenticate"),
            "Basic realm=\"Orlop\", charset=\"UTF-8\""
        );
    }
    send(with(propfind(), &Proof::Password("reader")))
        .await
        .expect(207);
    let guess = async || send(propfind().basic_auth("worker", Some("a wrong one"))).await;
    for _ in 0..5 {
        let refused = guess().await.expect(401);
        assert!(refused.header("www-authenticate").starts_with("Basic"));
    }
    let refused = guess().await.expect(429);
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=8).contains(&wait), "{wait}");
    send(with(propfind(), &Proof::Password("worker")))
        .await
        .expect(429);
    let reader = Proof::Password("reader");
    let figures = world.by(&reader, Method::GET, "/metrics").await.expect(200);
    let count = |status: &str| {
        let is_it = |line: &&str| {
            line.starts_with("orlop_requests_total{")
                && line.contains("door=\"dav\"")
                && line.contains("method=\"PROPFIND\"")
                && line.contains(&format!("status=\"{status}\""))
        };
        let lines = figures.text().lines().filter(is_it);
        let counts = lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap());
        counts.sum::<u64>()
    };
    assert_eq!((count("401"), count("429"), count("207")), (15, 2, 1));
}

#[tokio::test]
async fn nobody_is_believed_who_is_not_trusted() {
    let world = world().await;
    for number in 0..5 {
        let address = format!("192.0.2.{number}");
        guess(&world, "reader", &[("x-forwarded-for", &address)])
            .await
            .expect(401);
    }
    guess(&world, "reader", &[("x-forwarded-for", "192.0.2.99")])
        .await
        .expect(429);
}
