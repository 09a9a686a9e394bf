//! Who may do what.

use http::Method;
use serde_json::json;

use super::{HTML, Proof, with, world};
use crate::harness::{World, send};

const USERS: [&str; 4] = ["nobody", "reader", "worker", "writer"];

/// What is asked, and the statuses for an anonymous caller and for each user.
const MATRIX: &[(&str, &str, &str, [u16; 5])] = &[
    ("GET", "/", "", [401, 403, 200, 200, 200]),
    ("GET", "/files/", "", [401, 403, 200, 200, 200]),
    ("GET", "/files/public/a", "", [401, 403, 200, 200, 200]),
    ("GET", "/files/private/", "", [401, 403, 200, 403, 200]),
    ("GET", "/files/private/b", "", [401, 403, 200, 403, 200]),
    ("GET", "/probe/", "", [401, 403, 403, 403, 200]),
    ("GET", "/d/files/public/a", "", [401, 403, 302, 302, 302]),
    ("GET", "/d/files/private/b", "", [401, 403, 302, 403, 302]),
    ("GET", "/p/files/public/a", "", [401, 403, 200, 200, 200]),
    ("GET", "/p/files/private/b", "", [401, 403, 200, 403, 200]),
    (
        "GET",
        "/p/files/private/missing",
        "",
        [401, 403, 404, 403, 404],
    ),
    ("HEAD", "/d/files/private/b", "", [401, 403, 200, 403, 200]),
    ("HEAD", "/p/files/private/b", "", [401, 403, 200, 403, 200]),
    (
        "GET",
        "/api/v1/list?path=/files",
        "",
        [401, 403, 200, 200, 200],
    ),
    (
        "GET",
        "/api/v1/list?path=/files/private",
        "",
        [401, 403, 200, 403, 200],
    ),
    (
        "GET",
        "/api/v1/stat?path=/files/work/c",
        "",
        [401, 403, 200, 200, 200],
    ),
    (
        "GET",
        "/api/v1/stat?path=/files/private/b",
        "",
        [401, 403, 200, 403, 200],
    ),
    (
        "GET",
        "/api/v1/link?path=/files/private/b",
        "",
        [401, 403, 200, 403, 200],
    ),
    ("GET", "/api/v1/mounts", "", [401, 200, 200, 200, 200]),
    ("GET", "/api/v1/drivers", "", [401, 200, 200, 200, 200]),
    ("GET", "/metrics", "", [401, 200, 200, 200, 200]),
    ("GET", "/readyz", "", [200, 200, 200, 200, 200]),
    ("GET", "/healthz", "", [200, 200, 200, 200, 200]),
    ("GET", "/_orlop/page.css", "", [200, 200, 200, 200, 200]),
    ("PUT", "/d/files/work/new", "x", [401, 403, 403, 201, 201]),
    ("PUT", "/d/files/public/new", "x", [401, 403, 403, 403, 201]),
    ("PUT", "/d/files/private/b", "x", [401, 403, 403, 403, 201]),
    ("DELETE", "/d/files/work/c", "", [401, 403, 403, 204, 204]),
    ("DELETE", "/d/files/public/a", "", [401, 403, 403, 403, 204]),
    ("DELETE", "/d/files/private/", "", [401, 403, 403, 403, 204]),
    (
        "POST",
        "/api/v1/mkdir",
        r#"{"path": "/files/work/WHO"}"#,
        [401, 403, 403, 201, 201],
    ),
    (
        "POST",
        "/api/v1/mkdir",
        r#"{"path": "/files/public/WHO"}"#,
        [401, 403, 403, 403, 201],
    ),
    (
        "POST",
        "/api/v1/remove?wait=true",
        r#"{"path": "/files/work/"}"#,
        [401, 403, 403, 200, 200],
    ),
    (
        "POST",
        "/api/v1/remove?wait=true",
        r#"{"path": "/files/private/b"}"#,
        [401, 403, 403, 403, 200],
    ),
    (
        "POST",
        "/api/v1/remove?wait=true",
        r#"{"path": "/files/"}"#,
        [401, 403, 403, 403, 403],
    ),
    // A copy reads one end and writes the other; a move writes both.
    (
        "POST",
        "/api/v1/copy?wait=true",
        r#"{"from": "/files/public/a", "to": "/files/work/WHO-a"}"#,
        [401, 403, 403, 200, 200],
    ),
    (
        "POST",
        "/api/v1/copy?wait=true",
        r#"{"from": "/files/private/b", "to": "/files/work/WHO-b"}"#,
        [401, 403, 403, 403, 200],
    ),
    (
        "POST",
        "/api/v1/copy?wait=true",
        r#"{"from": "/files/work/c", "to": "/files/public/WHO-c"}"#,
        [401, 403, 403, 403, 200],
    ),
    (
        "POST",
        "/api/v1/move?wait=true",
        r#"{"from": "/files/work/c", "to": "/files/work/WHO-d"}"#,
        [401, 403, 403, 200, 200],
    ),
    (
        "POST",
        "/api/v1/move?wait=true",
        r#"{"from": "/files/public/a", "to": "/files/work/WHO-e"}"#,
        [401, 403, 403, 403, 200],
    ),
    (
        "POST",
        "/api/v1/move?wait=true",
        r#"{"from": "/files/work/c", "to": "/files/public/WHO-f"}"#,
        [401, 403, 403, 403, 200],
    ),
];

async fn ask(world: &World, proof: &Proof, who: &str, row: (&str, &str, &str)) -> u16 {
    let (method, path, body) = row;
    world.furnish();
    let method: Method = method.parse().unwrap();
    let mut request = world
        .request(method, path)
        .header("accept", "application/json");
    if path.starts_with("/api/") && !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    request = request.body(body.replace("WHO", who));
    let answer = send(with(request, proof)).await;
    let status = answer.status.as_u16();
    if status == 401 {
        let challenge = answer.header("www-authenticate");
        assert_eq!(
            challenge, "Basic realm=\"Orlop\", charset=\"UTF-8\"",
            "{row:?}"
        );
    }
    status
}

#[tokio::test]
async fn who_may_do_what() {
    let world = world().await;
    let mut proofs = vec![("anonymous".to_owned(), 0, Proof::Nothing)];
    for (index, name) in USERS.into_iter().enumerate() {
        let mut add = |how: &str, proof| proofs.push((format!("{name}-{how}"), index + 1, proof));
        add("password", Proof::Password(name));
        add("cookie", world.log_in(name).await);
        add("token", world.token(name).await);
    }
    let mut wrong = Vec::new();
    for &(method, path, body, expected) in MATRIX {
        for (who, column, proof) in &proofs {
            let status = ask(&world, proof, who, (method, path, body)).await;
            if status != expected[*column] {
                wrong.push(format!(
                    "{who}: {method} {path} {body}: {status}, not {}",
                    expected[*column]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn listings_hide_what_may_not_be_read() {
    let world = world().await;
    let names = async |name: &'static str, path: &str| {
        let path = format!("/api/v1/list?path={path}");
        let answer = world.by(&Proof::Password(name), Method::GET, &path).await;
        let entries = answer.expect(200).json()["entries"].clone();
        let entries = entries.as_array().unwrap().clone();
        let names = entries.iter().map(|entry| entry["name"].as_str().unwrap());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(names("reader", "/").await, "files");
    assert_eq!(names("writer", "/").await, "files probe");
    assert_eq!(names("worker", "/").await, "files");
    assert_eq!(names("worker", "/files").await, "public work");
    assert_eq!(names("reader", "/files").await, "private public work");
    let mounts = async |name, call: &str, list: &str| {
        let path = format!("/api/v1/{call}");
        let answer = world.by(&Proof::Password(name), Method::GET, &path).await;
        answer.expect(200).json()[list].as_array().unwrap().len()
    };
    for (name, count) in [("nobody", 0), ("reader", 1), ("worker", 1), ("writer", 2)] {
        assert_eq!(mounts(name, "mounts", "mounts").await, count, "{name}");
        assert_eq!(mounts(name, "drivers", "drivers").await, count, "{name}");
    }
    let ready = world.get("/readyz").await.expect(200).json();
    assert_eq!(ready["ready"], true);
    assert_eq!(ready["mounts"], json!([]));
    // What may not be read does not show by its status either.
    for path in [
        "/p/files/private/b",
        "/p/files/private/missing",
        "/p/nowhere",
    ] {
        let answer = world
            .by(&Proof::Password("worker"), Method::GET, path)
            .await;
        answer.problem(403, "permission-denied");
    }
    let page = world
        .request(Method::GET, "/files/public/")
        .header(HTML.0, HTML.1);
    let page = send(with(page, &Proof::Password("worker")))
        .await
        .expect(200);
    assert!(
        !page.text().contains("Upload"),
        "no forms where nothing can be written"
    );
}
