//! What the doors cost: requests to the service, counted.

use http::Method;
use serde_json::json;

use crate::harness::World;

async fn world() -> World {
    let world = World::with(|mount| mount.set("cache_seconds", 60)).await;
    world.settled().await
}

impl World {
    /// The requests since the last time as `METHOD` and what is special about them, sorted and counted:
    /// `["2 LIST", "1 PUT"]`.
    fn spent(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .s3
            .requests()
            .reset()
            .iter()
            .map(|request| {
                let query = request.query();
                let is_bucket = request.path().trim_matches('/').split('/').count() == 1;
                match (request.method(), is_bucket) {
                    (&Method::GET, true) => "LIST".to_owned(),
                    (&Method::POST, true) if query == "delete=" || query == "delete" => {
                        "DELETE many".to_owned()
                    }
                    (&Method::PUT, false) if request.header("x-amz-copy-source").is_some() => {
                        "COPY".to_owned()
                    }
                    (method, _) => method.to_string(),
                }
            })
            .collect();
        names.sort();
        names
            .chunk_by(|a, b| a == b)
            .filter_map(|same| Some(format!("{} {}", same.len(), same.first()?)))
            .collect()
    }

    fn put_tree(&self, folder: &str, keys: usize) {
        for number in 0..keys {
            self.put(&format!("{folder}/{}/{number:05}", number % 7), "x");
        }
    }
}

#[tokio::test]
async fn opening_a_folder_takes_a_listing_for_each_thousand_entries() {
    let world = world().await;
    for number in 0..2500 {
        world.put(&format!("many/{number:05}"), "x");
    }
    world.spent();
    assert_eq!(world.list("/files/many").await.len(), 2500);
    assert_eq!(world.spent(), ["3 LIST"]);
    world.get("/files/many/").await.expect(200);
    assert_eq!(world.spent(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_download_of_a_listed_file_takes_none() {
    let world = world().await;
    world.put("folder/listed", "x");
    world.put("other/unlisted", "x");
    world.list("/files/folder").await;
    assert_eq!(world.spent(), ["1 LIST"]);
    world.get("/d/files/folder/listed").await.expect(302);
    assert!(world.s3.requests().list().is_empty());
    world.get("/d/files/other/unlisted").await.expect(302);
    assert_eq!(world.spent(), ["1 HEAD"]);
    // What is written forgets what was listed.
    world.upload("/d/files/folder/new", "x").await.expect(201);
    world.spent();
    world.get("/d/files/folder/listed").await.expect(302);
    assert_eq!(world.spent(), ["1 HEAD"]);
}

#[tokio::test]
async fn an_upload_of_a_small_file_takes_one() {
    let world = world().await;
    world.upload("/d/files/new/file", "x").await.expect(201);
    assert_eq!(world.spent(), ["1 PUT"]);
    assert_eq!(world.object("new/file"), "x");
    // That it replaces a file is told where it is known.
    world.list("/files/new").await;
    world.spent();
    world.upload("/d/files/new/file", "y").await.expect(204);
    assert_eq!(world.spent(), ["1 PUT"]);
}

#[tokio::test]
async fn an_upload_over_webdav_looks_twice_at_most_where_folders_are_short() {
    let world = world().await;
    world.put("folder/old", "x");
    world.put("folder/sub/x", "x");
    world.upload("/dav/files/folder/new", "x").await.expect(201);
    // Whether the file is there, and its folder or another folder in its place.
    assert_eq!(world.spent(), ["1 HEAD", "1 LIST", "1 PUT"]);
    world.upload("/dav/files/folder/old", "y").await.expect(204);
    assert_eq!(world.spent(), ["1 HEAD", "1 PUT"]);
    world.upload("/dav/files/folder/sub", "y").await.expect(405);
    assert_eq!(world.spent(), ["1 HEAD", "1 LIST"]);
    world.upload("/dav/files/no/new", "x").await.expect(409);
    assert_eq!(world.spent(), ["1 HEAD", "1 LIST"]);
    let make = Method::from_bytes(b"MKCOL").unwrap();
    world
        .send_with(make, "/dav/files/folder/more", &[])
        .await
        .expect(201);
    assert_eq!(world.spent()[0], "2 LIST");
    // Of a long folder, one look does not tell all.
    for number in 0..150 {
        world.put(&format!("long/{number:03}"), "x");
    }
    world.put("long/zz/x", "x");
    world.upload("/dav/files/long/new", "x").await.expect(201);
    assert_eq!(world.spent(), ["1 HEAD", "2 LIST", "1 PUT"]);
    world.upload("/dav/files/long/zz", "x").await.expect(405);
}

#[tokio::test]
async fn removing_a_tree_takes_two_for_each_thousand_keys() {
    let world = world().await;
    world.put_tree("tree", 2500);
    world
        .post("remove?wait=true", &json!({"path": "/files/tree/"}))
        .await
        .expect(200);
    assert_eq!(world.spent(), ["3 DELETE many", "3 LIST"]);
    assert!(world.keys().is_empty());
}

#[tokio::test]
async fn moving_a_tree_takes_a_copy_for_each_key_more() {
    let world = world().await;
    world.put_tree("tree", 1500);
    world
        .transfer("move", "/files/tree/", "/files/there")
        .await
        .expect(200);
    let spent = world.spent();
    assert_eq!(spent[0], "1500 COPY");
    // What refuses to overwrite looks at both ends first, one key each.
    assert_eq!(spent[1..], ["2 DELETE many", "4 LIST"]);
    assert_eq!(world.keys().len(), 1500);
}

#[tokio::test]
async fn moving_a_tree_over_another_does_not_look_first() {
    let world = world().await;
    world.put_tree("tree", 1500);
    let plan = json!({"from": "/files/tree/", "to": "/files/there", "overwrite": true});
    world.post("move?wait=true", &plan).await.expect(200);
    assert_eq!(world.spent(), ["1500 COPY", "2 DELETE many", "2 LIST"]);
}
