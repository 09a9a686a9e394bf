//! Clients that go away, storages that fail, and two requests at once.

use http::Method;
use orlop_test_s3::{Fault, Matcher};

use super::{MIB, PART, completions, parts, world};
use crate::harness::{noise, send};

#[tokio::test]
async fn a_client_that_goes_away_goes_on_where_the_last_byte_came() {
    for (size, cuts) in [
        (3 * MIB, &[1, MIB + 7, 3 * MIB - 1][..]),
        (2 * PART + 99, &[3, MIB, PART, PART + 5, 2 * PART + 98]),
    ] {
        let world = world().await;
        let bytes = noise(size);
        let upload = world.begin_upload("/files/f", size).await;
        let mut offset = 0;
        for cut in cuts {
            let sent = world
                .patch_part_of(&upload, offset, &bytes, cut - offset)
                .await;
            drop(sent);
            world.rests(&upload, *cut).await;
            offset = *cut;
        }
        assert!(world.keys().is_empty());
        world.resume(&upload, &bytes).await.expect(204);
        world.expect_whole("f", &bytes);
    }
}

#[tokio::test]
async fn one_request_at_a_time() {
    let world = world().await;
    let bytes = noise(PART);
    let upload = world.begin_upload("/files/f", bytes.len()).await;
    let mut first = world.patch_part_of(&upload, 0, &bytes, MIB).await;
    world
        .patch(&upload, 0, bytes.slice(..9))
        .await
        .problem(423, "unavailable");
    first.write(&bytes[MIB..]).await;
    first.read_until("HTTP/1.1 204 ").await;
    world.expect_whole("f", &bytes);
}

#[tokio::test]
async fn a_part_that_fails_is_sent_again() {
    let unavailable = || Fault::error(http::StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable");
    for (fault, times) in [
        (unavailable(), 2),
        (Fault::slow_down(), 3),
        (Fault::Reset, 1),
        (Fault::LoseAnswer, 1),
    ] {
        let world = world().await;
        let bytes = noise(2 * PART);
        let upload = world.begin_upload("/files/f", bytes.len()).await;
        world
            .s3
            .faults()
            .inject(parts().skip(1).times(times), fault);
        world.patch(&upload, 0, bytes.clone()).await.expect(204);
        assert_eq!(world.s3.faults().waiting(), 0);
        world.expect_whole("f", &bytes);
    }
}

#[tokio::test]
async fn a_storage_that_is_down_loses_nothing() {
    let world = world().await;
    let bytes = noise(3 * PART);
    let upload = world.begin_upload("/files/f", bytes.len()).await;
    world
        .s3
        .faults()
        .inject(parts().skip(1).always(), Fault::slow_down());
    world
        .patch(&upload, 0, bytes.slice(..2 * PART))
        .await
        .problem(503, "rate-limited");
    // The part that was not taken is full, and waits.
    assert_eq!(world.offset(&upload).await, 2 * PART);
    let again = world.patch(&upload, 2 * PART, bytes.slice(2 * PART..2 * PART + 9));
    again.await.problem(503, "rate-limited");
    world.s3.faults().clear();
    world.resume(&upload, &bytes).await.expect(204);
    world.expect_whole("f", &bytes);
}

#[tokio::test]
async fn a_file_that_could_not_be_shown_is_not_done() {
    for size in [9, PART + 9] {
        let world = world().await;
        let bytes = noise(size);
        let upload = world.begin_upload("/files/f", size).await;
        let last = match size {
            9 => Matcher::any().method(Method::PUT),
            _ => completions(),
        };
        world.s3.faults().inject(last.always(), Fault::slow_down());
        world
            .patch(&upload, 0, bytes.clone())
            .await
            .problem(503, "rate-limited");
        // Clients would take a file whose bytes have all come for done.
        assert_eq!(world.offset(&upload).await, size - 1);
        // Those that do not ask where they are may send nothing, too.
        world
            .patch(&upload, size, bytes.slice(size..))
            .await
            .problem(503, "rate-limited");
        world.s3.faults().clear();
        let done = world.resume(&upload, &bytes).await.expect(204);
        assert_eq!(done.header("upload-offset"), size.to_string());
        world.expect_whole("f", &bytes);
    }
}

#[tokio::test]
async fn a_file_that_is_empty_and_could_not_be_written_is_not_begun() {
    let world = world().await;
    world.s3.faults().inject(
        Matcher::any().method(Method::PUT).always(),
        Fault::slow_down(),
    );
    send(world.creation(0, &[("path", "/files/f")]))
        .await
        .problem(503, "rate-limited");
    world.s3.faults().clear();
    assert_eq!(world.spool(), 0);
    world.begin_upload("/files/f", 0).await;
    world.expect_whole("f", &noise(0));
}

#[tokio::test]
async fn an_upload_that_the_storage_forgot_begins_anew() {
    let world = world().await;
    let bytes = noise(3 * PART);
    let upload = world.begin_upload("/files/f", bytes.len()).await;
    world
        .patch(&upload, 0, bytes.slice(..PART + 9))
        .await
        .expect(204);
    world.s3.store().clear();
    let rest = world
        .patch(&upload, PART + 9, bytes.slice(PART + 9..2 * PART))
        .await;
    rest.problem(410, "not-found");
    world.head(&upload).await.expect(404);
    assert_eq!(world.spool(), 0);
    let upload = world.begin_upload("/files/f", bytes.len()).await;
    world.patch(&upload, 0, bytes.clone()).await.expect(204);
    world.expect_whole("f", &bytes);
}
