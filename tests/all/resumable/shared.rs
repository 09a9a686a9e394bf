//! Several servers over one PostgreSQL database.

use super::{MIB, PART, mount};
use crate::harness::{BUCKET, Config, World, noise, s3};

#[tokio::test]
#[ignore = "needs a PostgreSQL database, named by ORLOP_TEST_POSTGRES"]
async fn another_server_goes_on_where_the_last_whole_part_ended() {
    let url = std::env::var("ORLOP_TEST_POSTGRES").unwrap();
    let storage = s3().await;
    let config = Config::of([mount(&storage)]).set("state", url.as_str());
    let one = World::over(storage, config.clone()).await;
    // Its own storage is never spoken to: the configuration names the first one's.
    let two = World::over(s3().await, config).await;
    let bytes = noise(3 * PART);
    let upload = one.begin_upload("/files/f", bytes.len()).await;
    one.patch(&upload, 0, bytes.slice(..PART + MIB))
        .await
        .expect(204);
    // What is not yet with the storage is on the first one's disk alone.
    assert_eq!(one.offset(&upload).await, PART + MIB);
    assert_eq!(two.offset(&upload).await, PART);
    let refused = two
        .patch(&upload, PART + MIB, bytes.slice(PART + MIB..2 * PART))
        .await;
    refused.problem(409, "invalid-argument");
    two.patch(&upload, PART, bytes.slice(PART..2 * PART + 9))
        .await
        .expect(204);
    assert_eq!(one.offset(&upload).await, 2 * PART);
    // One at a time, wherever.
    let busy = two.patch_part_of(&upload, 2 * PART + 9, &bytes, MIB).await;
    two.reaches_beyond(&upload, 2 * PART + 9).await;
    one.patch(&upload, 2 * PART, bytes.slice(2 * PART..2 * PART + 9))
        .await
        .problem(423, "unavailable");
    drop(busy);
    one.resume(&upload, &bytes).await.expect(204);
    assert!(one.s3.store().bytes(BUCKET, "f") == Some(bytes));
    assert_eq!(two.offset(&upload).await, 3 * PART);
    one.expect_no_unfinished_uploads();
}
