//! API tokens.

use http::Method;
use serde_json::{Value, json};

use crate::{
    harness::{Config, Mount, World, soon},
    users::Proof,
};

const ANN: Proof = Proof::Password("ann");

const BOB: Proof = Proof::Password("bob");

fn config(s3: &orlop_test_s3::Server) -> Config {
    Config::of([Mount::s3("/files", s3)])
        .user("ann", &[("/files", "write"), ("/files/secret", "none")])
        .user("bob", &[("/files/public", "read")])
}

async fn world() -> World {
    let world = World::of(config).await;
    for key in ["public/a", "work/b", "secret/c"] {
        world.put(key, "x");
    }
    world
}

impl World {
    async fn make(&self, by: &Proof, body: &Value) -> (String, Proof) {
        let token = self.post_by(by, "tokens", body).await.expect(201).json();
        let text = |key: &str| token[key].as_str().unwrap().to_owned();
        (text("id"), Proof::Token(text("secret")))
    }

    async fn status(&self, by: &Proof, method: Method, path: &str) -> u16 {
        self.by(by, method, path).await.status.as_u16()
    }
}

#[tokio::test]
async fn a_token_may_what_both_it_and_its_owner_may() {
    let world = world().await;
    let all = json!({"name": "all", "expires": 60});
    let read = json!({"name": "read", "expires": 60, "allow": [{"path": "/", "rights": "read"}]});
    let one = json!({"name": "one", "expires": 60, "allow": [{"path": "/files/work", "rights": "write"}]});
    let none = json!({"name": "none", "expires": 60, "allow": []});
    for (body, [public, work, secret, put]) in [
        (all, [200, 200, 403, 201]),
        (read, [200, 200, 403, 403]),
        (one, [403, 200, 403, 201]),
        (none, [403, 403, 403, 403]),
    ] {
        let (_, token) = world.make(&ANN, &body).await;
        for (method, path, status) in [
            (Method::GET, "/p/files/public/a", public),
            (Method::GET, "/p/files/work/b", work),
            (Method::GET, "/p/files/secret/c", secret),
            (Method::PUT, "/d/files/work/new", put),
        ] {
            assert_eq!(
                world.status(&token, method, path).await,
                status,
                "{path} {body}"
            );
        }
    }
    // Nothing is won by asking for more than one has.
    let more = json!({"name": "more", "expires": 60, "allow": [{"path": "/", "rights": "write"}]});
    let (_, token) = world.make(&BOB, &more).await;
    assert_eq!(
        world.status(&token, Method::GET, "/p/files/public/a").await,
        200
    );
    assert_eq!(
        world.status(&token, Method::GET, "/p/files/work/b").await,
        403
    );
    assert_eq!(
        world.status(&token, Method::PUT, "/d/files/public/a").await,
        403
    );
}

#[tokio::test]
async fn each_sees_and_revokes_its_own() {
    let world = world().await;
    let body =
        json!({"name": "backup", "expires": 3600, "allow": [{"path": "/files", "rights": "read"}]});
    let (id, token) = world.make(&ANN, &body).await;
    let Proof::Token(secret) = &token else {
        panic!("a token")
    };
    assert!(
        secret.starts_with("orlop_") && secret.len() == 49,
        "{secret}"
    );
    let list = async |by: &Proof| {
        world
            .by(by, Method::GET, "/api/v1/tokens")
            .await
            .expect(200)
    };
    let found = list(&ANN).await;
    assert!(!found.text().contains(secret.as_str()));
    let found = &found.json()["tokens"][0];
    assert_eq!(found["name"], "backup");
    assert_eq!(found["id"], id.as_str());
    assert_eq!(found["allow"], body["allow"]);
    assert_eq!(found["used"], Value::Null);
    assert!(found.get("secret").is_none());
    assert_eq!(
        world.status(&token, Method::GET, "/p/files/public/a").await,
        200
    );
    assert!(list(&ANN).await.json()["tokens"][0]["used"].is_string());
    assert_eq!(list(&BOB).await.json(), json!({"tokens": []}));
    let path = format!("/api/v1/tokens/{id}");
    world
        .by(&BOB, Method::DELETE, &path)
        .await
        .problem(404, "not-found");
    world
        .by(&Proof::Nothing, Method::DELETE, &path)
        .await
        .expect(401);
    assert_eq!(
        world.status(&token, Method::GET, "/p/files/public/a").await,
        200
    );
    world.by(&ANN, Method::DELETE, &path).await.expect(204);
    assert_eq!(
        world.status(&token, Method::GET, "/p/files/public/a").await,
        401
    );
    world
        .by(&ANN, Method::DELETE, &path)
        .await
        .problem(404, "not-found");
}

#[tokio::test]
async fn a_token_makes_nothing_that_outlives_it() {
    let world = world().await;
    let (id, token) = world.make(&ANN, &json!({"name": "a", "expires": 60})).await;
    let body = json!({"name": "b", "expires": 60});
    world
        .post_by(&token, "tokens", &body)
        .await
        .problem(403, "permission-denied");
    let body = json!({"path": "/files/public/a"});
    world
        .post_by(&token, "shares", &body)
        .await
        .problem(403, "permission-denied");
    for path in ["/api/v1/tokens", "/api/v1/shares"] {
        world.by(&token, Method::GET, path).await.expect(403);
    }
    let path = format!("/api/v1/tokens/{id}");
    world.by(&token, Method::DELETE, &path).await.expect(403);
}

#[tokio::test]
async fn tokens_that_cannot_be() {
    let world = world().await;
    for body in [
        json!({"name": "a"}),
        json!({"expires": 60}),
        json!({"name": "", "expires": 60}),
        json!({"name": "x".repeat(200), "expires": 60}),
        json!({"name": "a", "expires": 0}),
        json!({"name": "a", "expires": -1}),
        json!({"name": "a", "expires": 367 * 24 * 60 * 60}),
        json!({"name": "a", "expires": 60, "allow": [{"path": "/a/../b", "rights": "read"}]}),
        json!({"name": "a", "expires": 60, "allow": [{"path": "/a", "rights": "all"}]}),
        json!({"name": "a", "expires": 60, "allow": [{"path": "/a"}]}),
        json!({"name": "a", "expires": 60, "admin": true}),
    ] {
        world
            .post_by(&ANN, "tokens", &body)
            .await
            .problem(400, "invalid-argument");
    }
    let body = json!({"name": "a", "expires": 60});
    world
        .post_by(&Proof::Nothing, "tokens", &body)
        .await
        .problem(401, "unauthenticated");
}

#[tokio::test]
async fn tokens_tampered_with_and_expired() {
    let world = world().await;
    let (_, token) = world.make(&ANN, &json!({"name": "a", "expires": 60})).await;
    let Proof::Token(secret) = token else {
        panic!("a token")
    };
    let last = if secret.ends_with('A') { "B" } else { "A" };
    for tampered in [
        format!("{}{last}", &secret[..secret.len() - 1]),
        format!("{secret}A"),
        secret[..secret.len() - 1].to_owned(),
        secret["orlop_".len()..].to_owned(),
        secret.to_uppercase(),
        format!("orlop_{}", "x".repeat(4000)),
    ] {
        let answer = world
            .by(&Proof::Token(tampered), Method::GET, "/p/files/public/a")
            .await;
        answer.problem(401, "unauthenticated");
    }
    let (_, token) = world.make(&ANN, &json!({"name": "a", "expires": 1})).await;
    let expired =
        async { while world.status(&token, Method::GET, "/p/files/public/a").await != 401 {} };
    soon("the token's end", expired).await;
}

#[tokio::test]
async fn a_token_goes_with_its_owners_rights() {
    let world = world().await;
    let (_, anns) = world.make(&ANN, &json!({"name": "a", "expires": 60})).await;
    let (_, bobs) = world.make(&BOB, &json!({"name": "a", "expires": 60})).await;
    let world = world
        .restarted(|s3| {
            Config::of([Mount::s3("/files", s3)]).user("ann", &[("/files/work", "read")])
        })
        .await;
    assert_eq!(
        world.status(&anns, Method::GET, "/p/files/work/b").await,
        200
    );
    assert_eq!(
        world.status(&anns, Method::PUT, "/d/files/work/b").await,
        403
    );
    assert_eq!(
        world.status(&anns, Method::GET, "/p/files/public/a").await,
        403
    );
    assert_eq!(
        world.status(&bobs, Method::GET, "/p/files/public/a").await,
        401
    );
}
