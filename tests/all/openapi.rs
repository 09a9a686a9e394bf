//! The API's description: every route is in it, and every answer is as it says.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, World, send};

/// The routes below `/api/v1/`, as the source has them.
fn routes() -> Vec<String> {
    let source = include_str!("../../host/src/serve/routes.rs");
    source
        .split('"')
        .filter(|text| text.starts_with("/api/v1/"))
        .map(str::to_owned)
        .collect()
}

/// Checks an answer against the document, as the answer to this call.
#[track_caller]
fn check(document: &Value, method: &str, path: &str, answer: &Answer) {
    let responses = &document["paths"][path][method]["responses"];
    let status = answer.status.as_u16().to_string();
    let mut response = &responses[&status];
    if response.is_null() {
        response = &responses["default"];
    }
    if let Some(name) = response["$ref"].as_str() {
        response = document.pointer(name.trim_start_matches('#')).unwrap();
    }
    let media = answer.header("content-type");
    let schema = &response["content"][media]["schema"];
    assert!(
        schema.is_object(),
        "{method} {path}: {status} {media} is not described"
    );
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let body = answer.json();
    let errors: Vec<String> = validator
        .iter_errors(&body)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{method} {path}: {errors:?}\n{body:#}");
}

#[tokio::test]
async fn every_route_is_described_and_nothing_else_is() {
    let world = World::start().await;
    let document = world.get("/api/v1/openapi.json").await.expect(200).json();
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut described: Vec<String> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let mut routes = routes();
    described.sort();
    routes.sort();
    assert_eq!(described, routes);
    let mut names: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|methods| methods.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "two calls have the same name");
}

#[tokio::test]
async fn answers_are_as_described() {
    let world = World::start().await;
    world.put("f", "content");
    world.put("folder/x", "x");
    let document = world.get("/api/v1/openapi.json").await.expect(200).json();
    for (call, query) in [
        ("list", "path=/files"),
        ("list", "path=/files&limit=1"),
        ("list", "path=/nowhere"),
        ("list", ""),
        ("stat", "path=/files/f"),
        ("stat", "path=/files/folder"),
        ("stat", "path=/files/.."),
        ("link", "path=/files/f&expires=60"),
        ("link", "path=/files/folder/"),
        ("mounts", ""),
        ("drivers", ""),
        ("tasks", ""),
    ] {
        let path = format!("/api/v1/{call}");
        let answer = world.get(&format!("{path}?{query}")).await;
        check(&document, "get", &path, &answer);
    }
    for (call, body) in [
        ("mkdir", json!({"path": "/files/new"})),
        ("mkdir", json!({"path": "/files/f/.."})),
        ("copy", json!({"from": "/files/f", "to": "/files/g"})),
        ("copy", json!({"from": "/files/none", "to": "/files/h"})),
        (
            "move",
            json!({"from": "/files/g", "to": "/files/h", "overwrite": true}),
        ),
        ("remove", json!({"path": "/files/folder/"})),
        ("remove", json!({})),
    ] {
        let answer = world.post(&format!("{call}?wait=true"), &body).await;
        check(&document, "post", &format!("/api/v1/{call}"), &answer);
    }
    let tasks = world.get("/api/v1/tasks").await.expect(200);
    check(&document, "get", "/api/v1/tasks", &tasks);
    if let Some(id) = tasks.json()["tasks"][0]["id"].as_str() {
        let task = world.get(&format!("/api/v1/tasks/{id}")).await.expect(200);
        check(&document, "get", "/api/v1/tasks/{id}", &task);
    }
    let none = world.get("/api/v1/tasks/none").await.expect(404);
    check(&document, "get", "/api/v1/tasks/{id}", &none);
    let retry = send(world.request(Method::POST, "/api/v1/tasks/none/retry")).await;
    check(&document, "post", "/api/v1/tasks/{id}/retry", &retry);
}
