//! Folders larger than a page, through every door.

use std::collections::BTreeSet;

use crate::harness::World;

const FILES: usize = 2_500;

fn name(number: usize) -> String {
    format!("file {number:04}.txt")
}

async fn world(version: &str) -> World {
    let world = World::with(|mount| mount.config("list_object_version", version)).await;
    for number in 0..FILES {
        world.put(&format!("many/{}", name(number)), "x");
    }
    world.put("many.txt", "beside");
    world.put("many-more/x", "beside");
    world
}

#[tokio::test]
async fn the_api_pages_with_a_cursor() {
    for version in ["v1", "v2"] {
        let world = world(version).await;
        let mut names = Vec::new();
        let mut cursor = String::new();
        loop {
            let query = [
                ("path", "/files/many"),
                ("limit", "700"),
                ("cursor", &cursor),
            ];
            let page = world.call("list", &query).await.expect(200).json();
            let entries = page["entries"].as_array().unwrap();
            assert!(entries.len() <= 700, "{version}: {}", entries.len());
            for entry in entries {
                assert_eq!(entry["kind"], "file");
                assert_eq!(entry["size"], 1);
                names.push(entry["name"].as_str().unwrap().to_owned());
            }
            match page["next"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(names, (0..FILES).map(name).collect::<Vec<_>>(), "{version}");

        let lists = |query: &'static str| {
            world
                .s3
                .requests()
                .count_where(move |request| request.query().contains(query))
        };
        let v2 = lists("list-type=2");
        assert!(lists("delimiter") >= 4, "{version}");
        assert_eq!(v2 > 0, version == "v2", "{version}: {v2}");
    }
}

#[tokio::test]
async fn a_page_may_be_as_small_as_one_entry() {
    let world = World::start().await;
    for key in ["f/a", "f/b/x", "f/b/y", "f/c", "f/d/z"] {
        world.put(key, "x");
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let query = [("path", "/files/f"), ("limit", "1"), ("cursor", &cursor)];
        let page = world.call("list", &query).await.expect(200).json();
        let entries = page["entries"].as_array().unwrap();
        assert!(entries.len() <= 1);
        seen.extend(
            entries
                .iter()
                .map(|entry| entry["path"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    seen.sort();
    assert_eq!(
        seen,
        ["/files/f/a", "/files/f/b/", "/files/f/c", "/files/f/d/"]
    );

    for limit in ["0", "1001", "-1", "x"] {
        let query = [("path", "/files/f"), ("limit", limit)];
        world
            .call("list", &query)
            .await
            .problem(400, "invalid-argument");
    }
    let query = [("path", "/files/f"), ("cursor", "made up")];
    world
        .call("list", &query)
        .await
        .problem(400, "invalid-argument");
}

#[tokio::test]
async fn the_page_pages_with_links() {
    let world = world("v2").await;
    let mut rows = 0;
    let mut pages = 0;
    let mut links = BTreeSet::new();
    let mut query = String::new();
    loop {
        let answer = world
            .get_with(&format!("/files/many/{query}"), &[("accept", "text/html")])
            .await
            .expect(200);
        assert!(answer.header("content-type").starts_with("text/html"));
        let html = answer.text();
        rows += html.matches("<td class=\"name\">").count();
        links.extend(
            html.split("href=\"./file")
                .skip(1)
                .map(|rest| rest.split('"').next().unwrap().to_owned()),
        );
        pages += 1;
        let Some(before) = html
            .split("rel=\"next\"")
            .next()
            .filter(|before| before.len() < html.len())
        else {
            break;
        };
        let link = before.rsplit("href=\"./").next().unwrap();
        query = link.split('"').next().unwrap().replace("&amp;", "&");
    }
    assert_eq!((rows, links.len()), (FILES, FILES));
    assert_eq!(pages, 3);
}

#[tokio::test]
async fn a_folder_answers_with_json_to_who_accepts_it() {
    let world = World::start().await;
    world.put("f/a.txt", "abc");
    world.put("f/b/c.txt", "x");
    let answer = world
        .get_with("/files/f/", &[("accept", "application/json")])
        .await
        .expect(200);
    assert_eq!(answer.header("content-type"), "application/json");
    let listed = world
        .call("list", &[("path", "/files/f")])
        .await
        .expect(200);
    assert_eq!(answer.json(), listed.json());
}

#[tokio::test]
async fn the_command_line_prints_all_of_a_folder() {
    let world = world("v2").await;
    let ran = world.run(&["ls", "/files/many"]).await.expect(0);
    assert_eq!(ran.lines(), (0..FILES).map(name).collect::<Vec<_>>());

    let ran = world.run(&["ls", "--json", "/files/many"]).await.expect(0);
    assert_eq!(ran.json().as_array().unwrap().len(), FILES);

    let ran = world.run(&["ls", "/files"]).await.expect(0);
    assert_eq!(ran.sorted(), ["many-more/", "many.txt", "many/"]);
}

#[tokio::test]
async fn pages_that_end_where_the_listing_does_lose_and_repeat_nothing() {
    let world = World::start().await;
    for number in 0..1000 {
        world.put(&format!("full/{number:04}"), "x");
    }
    for number in 0..1001 {
        world.put(&format!("folders/{number:04}/inside"), "x");
    }
    assert_eq!(world.list("/files/full").await.len(), 1000);
    let folders: BTreeSet<_> = world.names("/files/folders").await.into_iter().collect();
    assert_eq!(folders.len(), 1001);
}

#[tokio::test]
async fn folders_in_folders() {
    let world = World::start().await;
    world.put("a/b/c/d/e.txt", "deep");
    world.put("a/b/c.txt", "beside");
    for (folder, names) in [
        ("/files", vec!["a/"]),
        ("/files/a", vec!["b/"]),
        ("/files/a/b/", vec!["c.txt", "c/"]),
        ("/files/a/b/c", vec!["d/"]),
        ("/files/a/b/c/d", vec!["e.txt"]),
    ] {
        assert_eq!(world.names(folder).await, names, "{folder}");
    }
    for missing in [
        "/files/b",
        "/files/a/b/c/d/e.txt",
        "/files/a/b/c.txt",
        "/elsewhere",
    ] {
        let answer = world.call("list", &[("path", missing)]).await;
        let status = answer.status.as_u16();
        assert!([404, 409].contains(&status), "{missing}: {status}");
    }
    world.get("/p/files/a/b/c/d/e.txt").await.expect(200);

    let ran = world.run(&["ls", "-R", "/files"]).await.expect(0);
    assert_eq!(
        ran.sorted(),
        [
            "a/",
            "a/b/",
            "a/b/c.txt",
            "a/b/c/",
            "a/b/c/d/",
            "a/b/c/d/e.txt"
        ]
    );
}
