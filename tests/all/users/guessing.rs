//! Wrong passwords, and what they cost.

use http::Method;

use super::{Proof, config, with, world};
use crate::harness::{Answer, World, send};

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
