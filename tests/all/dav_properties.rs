//! Properties that clients keep with resources.

use crate::harness::{Orlop, World, command};

fn update(instructions: &str) -> String {
    format!("<D:propertyupdate xmlns:D='DAV:' xmlns:x='urn:x'>{instructions}</D:propertyupdate>")
}

async fn patch(world: &World, path: &str, instructions: &str) -> Vec<(String, u16)> {
    let answer = world
        .dav("PROPPATCH", path, &[], &update(instructions))
        .await;
    let told = answer.expect(207).multistatus().remove(0);
    let properties = told.properties.into_iter();
    properties
        .map(|(name, (status, _))| (name, status))
        .collect()
}

#[tokio::test]
async fn changes_are_made_all_or_none() {
    let world = World::start().await;
    world.put("a", "a");
    let set = "<D:set><D:prop><x:one>1</x:one><x:two><x:deep k='v'>&lt;</x:deep></x:two></D:prop></D:set>";
    let done = patch(&world, "/dav/files/a", set).await;
    assert_eq!(
        done,
        [
            ("{urn:x}one".to_owned(), 200),
            ("{urn:x}two".to_owned(), 200)
        ]
    );
    let told = world.propfind("/dav/files/a", "0").await;
    assert_eq!(told[0].property("{urn:x}two"), "<{urn:x}deep><");

    for protected in [
        "getlastmodified",
        "getetag",
        "getcontentlength",
        "resourcetype",
        "lockdiscovery",
    ] {
        let mixed = format!(
            "<D:remove><D:prop><x:one/></D:prop></D:remove><D:set><D:prop><D:{protected}/></D:prop></D:set>"
        );
        let done = patch(&world, "/dav/files/a", &mixed).await;
        assert_eq!(
            done,
            [(protected.to_owned(), 403), ("{urn:x}one".to_owned(), 424)]
        );
    }
    let big = format!(
        "<D:remove><D:prop><x:one/></D:prop></D:remove><D:set><D:prop><x:big>{}</x:big></D:prop></D:set>",
        "x".repeat(100_000)
    );
    let done = patch(&world, "/dav/files/a", &big).await;
    assert!(done.iter().all(|(_, status)| *status == 507), "{done:?}");
    let told = world.propfind("/dav/files/a", "0").await;
    assert_eq!(told[0].property("{urn:x}one"), "1");

    // Instructions count in their order, and removing what is not there is no failure.
    let order = "<D:set><D:prop><x:one>2</x:one></D:prop></D:set><D:remove><D:prop><x:one/><x:none/></D:prop></D:remove>";
    let answer = world
        .dav("PROPPATCH", "/dav/files/a", &[], &update(order))
        .await;
    answer.expect(207);
    let told = world.propfind("/dav/files/a", "0").await;
    assert!(!told[0].properties.contains_key("{urn:x}one"));
    for body in ["", "<a/>", "<propertyupdate xmlns='DAV:'/>"] {
        world
            .dav("PROPPATCH", "/dav/files/a", &[], body)
            .await
            .problem(400, "invalid-argument");
    }
    world
        .dav("PROPPATCH", "/dav/files/none", &[], &update(set))
        .await
        .problem(404, "not-found");
}

#[tokio::test]
async fn they_go_where_their_tree_goes() {
    let world = World::start().await;
    for key in ["t/a", "t/s/b", "t2/a"] {
        world.put(key, key);
        world
            .set_property(&format!("/dav/files/{key}"), "p", key)
            .await;
    }
    world.set_property("/dav/files/t/", "p", "t").await;
    let value = async |path: &str| {
        let told = world.propfind(&format!("/dav/files/{path}"), "0").await;
        told[0]
            .properties
            .get("{urn:x}p")
            .map(|(_, content)| content.clone())
    };
    let target = world.orlop.url("/dav/files/moved/");
    world
        .dav("MOVE", "/dav/files/t/", &[("destination", &target)], "")
        .await
        .expect(201);
    for (path, expected) in [
        ("moved/", "t"),
        ("moved/a", "t/a"),
        ("moved/s/b", "t/s/b"),
        ("t2/a", "t2/a"),
    ] {
        assert_eq!(value(path).await.as_deref(), Some(expected), "{path}");
    }
    let target = world.orlop.url("/dav/files/copied/");
    world
        .dav("COPY", "/dav/files/moved/", &[("destination", &target)], "")
        .await
        .expect(201);
    let told = world.propfind("/dav/files/copied/s/", "1").await;
    assert_eq!(told[1].property("{urn:x}p"), "t/s/b");
    // What comes to a path anew has nothing of what was there.
    world
        .dav("DELETE", "/dav/files/moved/", &[], "")
        .await
        .expect(204);
    world.put("moved/a", "new");
    assert_eq!(value("moved/a").await, None);
    assert_eq!(value("copied/a").await.as_deref(), Some("t/a"));
}

#[tokio::test]
async fn they_outlive_the_process() {
    let mut world = World::start().await;
    world.put("a", "a");
    world.set_property("/dav/files/a", "p", "kept").await;
    let token = world.lock("/dav/files/a", &[]).await;
    let mut serve = command(["serve", "--config", "orlop.toml", "--listen", "127.0.0.1:0"]);
    serve.current_dir(world.folder.path());
    world.orlop.signal("KILL");
    world.orlop.ended().await;
    world.orlop = Orlop::start(serve).await;
    let told = world.propfind("/dav/files/", "1").await;
    assert_eq!(told[1].property("{urn:x}p"), "kept");
    assert!(told[1].property("lockdiscovery").contains(&token));
    world.dav("PUT", "/dav/files/a", &[], "x").await.expect(423);
}

#[tokio::test]
async fn those_of_a_long_folder_are_told_page_by_page() {
    let world = World::start().await;
    for number in 0..1_200 {
        world.put(&format!("t/{number:04}"), "x");
    }
    for name in ["0000", "0499", "0500", "0999", "1000", "1199"] {
        world
            .set_property(&format!("/dav/files/t/{name}"), "p", name)
            .await;
    }
    let body = "<propfind xmlns='DAV:'><prop><x:p xmlns:x='urn:x'/></prop></propfind>";
    let answer = world
        .dav("PROPFIND", "/dav/files/t/", &[("depth", "1")], body)
        .await;
    let told = answer.expect(207).multistatus();
    assert_eq!(told.len(), 1_201);
    let having: Vec<_> = told
        .iter()
        .filter(|told| told.properties["{urn:x}p"].0 == 200)
        .map(|told| {
            (
                told.href.rsplit('/').next().unwrap(),
                told.property("{urn:x}p"),
            )
        })
        .collect();
    assert_eq!(having.len(), 6);
    assert!(
        having.iter().all(|(name, value)| name == value),
        "{having:?}"
    );
}
