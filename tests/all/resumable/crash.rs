//! Servers that end: by `kill -9`, by SIGTERM, and what the next one finds.

use http::Method;
use orlop_test_s3::Matcher;
use sqlx::Connection as _;

use super::{MIB, PART, completions, parts, world};
use crate::harness::{BUCKET, World, noise, soon};

impl World {
    async fn killed(&mut self) {
        self.orlop.kill().await;
        self.s3.faults().clear();
        self.start_again().await;
    }
}

#[tokio::test]
async fn killed_while_bytes_come() {
    for (size, cuts) in [
        (3 * MIB, &[MIB, 2 * MIB + 5][..]),
        (3 * PART, &[MIB, PART + 1, 2 * PART + 7]),
    ] {
        let mut world = world().await;
        let bytes = noise(size);
        let upload = world.begin_upload("/files/f", size).await;
        for cut in cuts {
            let offset = world.offset(&upload).await;
            let _client = world
                .patch_part_of(&upload, offset, &bytes, cut - offset)
                .await;
            // Some of what came last may be in memory; a piece of that size reaches the disk.
            world.reaches_beyond(&upload, cut - MIB / 2).await;
            world.killed().await;
        }
        assert!(world.offset(&upload).await > 0);
        world.resume(&upload, &bytes).await.expect(204);
        world.expect_whole("f", &bytes);
    }
}

#[tokio::test]
async fn killed_around_a_request_to_the_storage() {
    // The request had no effect, or it had one and nobody heard of it.
    for had_effect in [false, true] {
        for (size, which) in [
            (9, Matcher::any().method(Method::PUT)),
            (PART + 9, parts()),
            (2 * PART + 9, parts().skip(1)),
            (PART + 9, parts().skip(1)),
            (PART + 9, completions()),
        ] {
            let mut world = world().await;
            let bytes = noise(size);
            let upload = world.begin_upload("/files/f", size).await;
            let gate = match had_effect {
                false => world.s3.faults().hold(which.clone()),
                true => world.s3.faults().hold_answer(which.clone()),
            };
            let sending = tokio::spawn(world.chunk(&upload, 0, bytes.clone()).send());
            soon("the request", gate.wait_until_reached()).await;
            world.killed().await;
            assert!(sending.await.unwrap().is_err());
            // Nothing is replaced, and our own file is not in our way.
            let case = format!("{size} {which:?} {had_effect}");
            assert!(world.offset(&upload).await < size, "{case}");
            let done = world.resume(&upload, &bytes).await;
            assert_eq!(done.status, 204, "{case}: {done:?}");
            world.expect_whole("f", &bytes);
        }
    }
}

#[tokio::test]
async fn asked_to_end_while_bytes_come() {
    let mut world = world().await;
    let bytes = noise(2 * PART);
    let upload = world.begin_upload("/files/f", bytes.len()).await;
    let sent = PART + MIB + 3;
    let mut client = world.patch_part_of(&upload, 0, &bytes, sent).await;
    world.reaches_beyond(&upload, PART + MIB / 2).await;
    world.orlop.signal("TERM");
    client.read_until("HTTP/1.1 503 ").await;
    assert_eq!(world.orlop.ended().await, Some(0));
    world.start_again().await;
    assert!(world.offset(&upload).await >= PART + MIB / 2);
    world.resume(&upload, &bytes).await.expect(204);
    world.expect_whole("f", &bytes);
}

#[tokio::test]
async fn what_expired_while_nobody_served_is_thrown_away() {
    let mut world = world().await;
    let bytes = noise(2 * PART);
    let mut uploads = Vec::new();
    for (path, size, sent) in [
        ("/files/large", 2 * PART, PART + 9),
        ("/files/small", 99, 9),
        ("/files/young", 2 * PART, PART + 9),
    ] {
        let upload = world.begin_upload(path, size).await;
        world
            .patch(&upload, 0, bytes.slice(..sent))
            .await
            .expect(204);
        uploads.push(upload);
    }
    assert_eq!(world.spool(), 3);
    world.orlop.kill().await;
    let database = world.folder.path().join("state/orlop.sqlite");
    let mut state = sqlx::SqliteConnection::connect(&format!("sqlite://{}", database.display()))
        .await
        .unwrap();
    sqlx::query("UPDATE upload SET expires = 1 WHERE path <> 'files/young'")
        .execute(&mut state)
        .await
        .unwrap();
    state.close().await.unwrap();
    // A file that belongs to nothing goes as well.
    let stray = world
        .folder
        .path()
        .join("state/spool/4Qmdj0zJr3iYb0y2mV1y5w.1");
    std::fs::write(stray, "stray").unwrap();
    world.start_again().await;
    let swept = async {
        while world.spool() > 1 {
            tokio::task::yield_now().await;
        }
    };
    soon("the sweep", swept).await;
    assert_eq!(world.s3.store().unfinished_uploads(BUCKET), 1);
    for gone in &uploads[..2] {
        world.head(gone).await.expect(404);
    }
    world.resume(&uploads[2], &bytes).await.expect(204);
    world.expect_whole("young", &bytes);
}
