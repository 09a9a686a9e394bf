//! Locks: who may change what, and for how long.

use crate::harness::{World, soon};

fn lock_info(scope: &str) -> String {
    format!(
        "<lockinfo xmlns='DAV:'><lockscope><{scope}/></lockscope><locktype><write/></locktype></lockinfo>"
    )
}

#[tokio::test]
async fn a_locked_file_is_changed_by_who_has_the_token() {
    let world = World::start().await;
    world.put("a", "a");
    let token = world
        .lock("/dav/files/a", &[("timeout", "Second-600")])
        .await;
    let told = world.propfind("/dav/files/", "1").await;
    let discovery = told[1].property("lockdiscovery").to_owned();
    for part in [
        token.as_str(),
        "tester",
        "<exclusive>",
        "<write>",
        "/dav/files/a",
    ] {
        assert!(discovery.contains(part), "no {part} in {discovery}");
    }
    let target = world.orlop.url("/dav/files/b");
    let patch = "<propertyupdate xmlns='DAV:'><set><prop><a/></prop></set></propertyupdate>";
    for (method, body) in [
        ("PUT", "x"),
        ("DELETE", ""),
        ("MOVE", ""),
        ("PROPPATCH", patch),
    ] {
        let answer = world
            .dav(method, "/dav/files/a", &[("destination", &target)], body)
            .await;
        let answer = answer.expect(423);
        assert!(
            answer
                .text()
                .contains("<D:lock-token-submitted><D:href>/dav/files/a</D:href>")
        );
    }
    world
        .dav("LOCK", "/dav/files/a", &[], &lock_info("exclusive"))
        .await
        .expect(423);
    world
        .dav("LOCK", "/dav/files/a", &[], &lock_info("shared"))
        .await
        .expect(423);
    // Reading and copying from it are free, copying onto it is not.
    world.get("/dav/files/a").await.expect(200);
    world
        .dav("COPY", "/dav/files/a", &[("destination", &target)], "")
        .await
        .expect(201);
    let target = world.orlop.url("/dav/files/a");
    world
        .dav("COPY", "/dav/files/b", &[("destination", &target)], "")
        .await
        .expect(423);

    let with = format!("(<{token}>)");
    world
        .dav("PUT", "/dav/files/a", &[("if", &with)], "b")
        .await
        .expect(204);
    let tagged = format!("<{}> (<{token}>)", world.orlop.url("/dav/files/a"));
    world
        .dav(
            "COPY",
            "/dav/files/b",
            &[("destination", &target), ("if", &tagged)],
            "",
        )
        .await
        .expect(204);
    let wrong = "(<urn:uuid:00000000-0000-4000-8000-000000000000>)";
    world
        .dav("PUT", "/dav/files/a", &[("if", wrong)], "x")
        .await
        .expect(412);
    let negated = format!("(Not <{token}>)");
    world
        .dav("PUT", "/dav/files/a", &[("if", &negated)], "x")
        .await
        .expect(412);

    for (header, status) in [("", 400), ("<urn:x>", 409), (token.as_str(), 400)] {
        world
            .dav("UNLOCK", "/dav/files/a", &[("lock-token", header)], "")
            .await
            .expect(status);
    }
    let token = format!("<{token}>");
    world
        .dav("UNLOCK", "/dav/files/b", &[("lock-token", &token)], "")
        .await
        .expect(409);
    world
        .dav("UNLOCK", "/dav/files/a", &[("lock-token", &token)], "")
        .await
        .expect(204);
    world
        .dav("UNLOCK", "/dav/files/a", &[("lock-token", &token)], "")
        .await
        .expect(409);
    world
        .dav("DELETE", "/dav/files/a", &[], "")
        .await
        .expect(204);
}

#[tokio::test]
async fn a_locked_folder_keeps_its_members() {
    let world = World::start().await;
    world.put("f/a", "a");
    world.put("f/s/b", "b");
    for (depth, deep) in [("0", false), ("infinity", true)] {
        let token = world.lock("/dav/files/f/", &[("depth", depth)]).await;
        let with = format!("<{}> (<{token}>)", world.orlop.url("/dav/files/f/"));
        let target = world.orlop.url("/dav/files/f/new");
        world
            .dav("PUT", "/dav/files/f/new", &[], "x")
            .await
            .expect(423);
        world
            .dav("MKCOL", "/dav/files/f/new", &[], "")
            .await
            .expect(423);
        world
            .dav("DELETE", "/dav/files/f/a", &[], "")
            .await
            .expect(423);
        world
            .dav("LOCK", "/dav/files/f/new", &[], &lock_info("exclusive"))
            .await
            .expect(423);
        world
            .dav("COPY", "/dav/files/f/a", &[("destination", &target)], "")
            .await
            .expect(423);
        world
            .dav("DELETE", "/dav/files/f/", &[], "")
            .await
            .expect(423);
        // Content of a member is the lock's only if it is deep.
        let inside = if deep { 423 } else { 204 };
        world
            .dav("PUT", "/dav/files/f/a", &[], "x")
            .await
            .expect(inside);
        world
            .dav("PUT", "/dav/files/f/s/b", &[], "x")
            .await
            .expect(inside);
        let below = if deep { 423 } else { 201 };
        world
            .dav("PUT", "/dav/files/f/s/c", &[], "x")
            .await
            .expect(below);
        world
            .dav("PUT", "/dav/files/f/new", &[("if", &with)], "x")
            .await
            .expect(201);
        world
            .dav("DELETE", "/dav/files/f/new", &[("if", &with)], "")
            .await
            .expect(204);
        let token = format!("<{token}>");
        world
            .dav("UNLOCK", "/dav/files/f/", &[("lock-token", &token)], "")
            .await
            .expect(204);
    }
}

#[tokio::test]
async fn what_is_locked_below_keeps_its_tree() {
    let world = World::start().await;
    world.put("f/s/b", "b");
    world.put("g/x", "x");
    let token = world.lock("/dav/files/f/s/b", &[]).await;
    let target = world.orlop.url("/dav/files/h/");
    world
        .dav("DELETE", "/dav/files/f/", &[], "")
        .await
        .expect(423);
    world
        .dav("MOVE", "/dav/files/f/", &[("destination", &target)], "")
        .await
        .expect(423);
    let onto = world.orlop.url("/dav/files/f/");
    world
        .dav("COPY", "/dav/files/g/", &[("destination", &onto)], "")
        .await
        .expect(423);
    // A lock of the whole tree is refused, and told which of it is in the way.
    let answer = world
        .dav("LOCK", "/dav/files/f/", &[], &lock_info("exclusive"))
        .await;
    let told = answer.expect(207).multistatus();
    let told: Vec<_> = told
        .iter()
        .map(|told| (told.href.as_str(), told.status))
        .collect();
    assert_eq!(
        told,
        [
            ("/dav/files/f/s/b", Some(423)),
            ("/dav/files/f/", Some(424))
        ]
    );
    assert_eq!(world.keys(), ["f/s/b", "g/x"]);

    let with = format!("<{}> (<{token}>)", world.orlop.url("/dav/files/f/s/b"));
    world
        .dav(
            "MOVE",
            "/dav/files/f/",
            &[("destination", &target), ("if", &with)],
            "",
        )
        .await
        .expect(201);
    // Locks do not move.
    world
        .dav("PUT", "/dav/files/h/s/b", &[], "x")
        .await
        .expect(204);
    world.put("f/s/b", "b");
    world
        .dav("PUT", "/dav/files/f/s/b", &[], "x")
        .await
        .expect(204);
}

#[tokio::test]
async fn shared_locks_stand_side_by_side() {
    let world = World::start().await;
    world.put("a", "a");
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let answer = world
            .dav("LOCK", "/dav/files/a", &[], &lock_info("shared"))
            .await
            .expect(200);
        tokens.push(answer.header("lock-token").to_owned());
    }
    assert_ne!(tokens[0], tokens[1]);
    world
        .dav("LOCK", "/dav/files/a", &[], &lock_info("exclusive"))
        .await
        .expect(423);
    world.dav("PUT", "/dav/files/a", &[], "x").await.expect(423);
    for token in &tokens {
        world
            .dav("PUT", "/dav/files/a", &[("if", &format!("({token})"))], "x")
            .await
            .expect(204);
        world
            .dav("UNLOCK", "/dav/files/a", &[("lock-token", token)], "")
            .await
            .expect(204);
    }
    world.dav("PUT", "/dav/files/a", &[], "x").await.expect(204);
}

#[tokio::test]
async fn locking_nothing_makes_an_empty_file() {
    let world = World::start().await;
    let token = world.lock("/dav/files/new.txt", &[]).await;
    assert_eq!(world.object("new.txt"), "");
    world
        .dav(
            "PUT",
            "/dav/files/new.txt",
            &[("if", &format!("(<{token}>)"))],
            "x",
        )
        .await
        .expect(204);
    assert_eq!(world.object("new.txt"), "x");
    world
        .dav("LOCK", "/dav/files/no/such", &[], &lock_info("exclusive"))
        .await
        .expect(409);
    world
        .dav("LOCK", "/dav/files/no/", &[], &lock_info("exclusive"))
        .await
        .expect(404);
    for body in ["<lockinfo xmlns='DAV:'/>", "<a/>", "x"] {
        world
            .dav("LOCK", "/dav/files/x", &[], body)
            .await
            .expect(400);
    }
    world.dav("LOCK", "/dav/files/x", &[], "").await.expect(400);
    world
        .dav(
            "LOCK",
            "/dav/files/x",
            &[("depth", "1")],
            &lock_info("shared"),
        )
        .await
        .expect(400);
    assert_eq!(world.keys(), ["new.txt"]);
}

#[tokio::test]
async fn a_lock_ends_and_is_refreshed() {
    let world = World::start().await;
    world.put("a", "a");
    let token = world.lock("/dav/files/a", &[("timeout", "Second-1")]).await;
    let with = format!("(<{token}>)");
    let headers = [("if", with.as_str()), ("timeout", "Second-600")];
    let answer = world
        .dav("LOCK", "/dav/files/a", &headers, "")
        .await
        .expect(200);
    let left = answer
        .text()
        .split("Second-")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap()
        .parse::<u32>()
        .unwrap();
    assert!((500..=600).contains(&left), "{left}");
    assert_eq!(answer.header("lock-token"), "", "it is no new lock");
    let headers = [("if", with.as_str()), ("timeout", "Infinite")];
    let answer = world
        .dav("LOCK", "/dav/files/a", &headers, "")
        .await
        .expect(200);
    assert!(
        answer.text().contains("Second-86"),
        "a day at most: {}",
        answer.text()
    );
    let headers = [("if", with.as_str()), ("timeout", "Second-1")];
    world
        .dav("LOCK", "/dav/files/a", &headers, "")
        .await
        .expect(200);
    let ended = async {
        while world.dav("PUT", "/dav/files/a", &[], "b").await.status != 204 {
            tokio::task::yield_now().await;
        }
    };
    soon("the end of the lock", ended).await;
    world
        .dav("LOCK", "/dav/files/a", &headers, "")
        .await
        .expect(412);
    world
        .dav("PUT", "/dav/files/a", &[("if", &with)], "c")
        .await
        .expect(412);
    assert_eq!(world.object("a"), "b");
}

#[tokio::test]
async fn of_two_who_lock_at_once_one_is_refused() {
    let world = World::start().await;
    world.put("a", "a");
    let lock = || {
        world.dav(
            "LOCK",
            "/dav/files/a",
            &[],
            Box::leak(lock_info("exclusive").into_boxed_str()),
        )
    };
    let answers = futures::future::join_all((0..8).map(|_| lock())).await;
    let granted = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(granted, 1);
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer.status.as_u16(), 200 | 423))
    );
}
