//! What one instance has learned of the service, the others of its volume know.

use orlop_driver::{Kind, Path, Removable, Storage};
use serde_json::json;

use crate::{
    fake::{Fake, answer, error, listing},
    volume::path,
};

#[tokio::test]
async fn the_region() {
    let malformed =
        "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>";
    let fake = Fake::new([
        answer(400, &[], malformed),
        listing(&[], false, ""),
        listing(&[], false, ""),
    ]);
    let before = fake.open(json!({}));
    let learned = fake.open(json!({}));
    learned.list(&Path::ROOT, None, 10).await.unwrap();
    before.list(&Path::ROOT, None, 10).await.unwrap();
    let scopes: Vec<_> = fake
        .sent()
        .iter()
        .map(|sent| {
            sent.header("authorization")
                .unwrap()
                .contains("/eu-west-1/")
        })
        .collect();
    assert_eq!(scopes, [false, true, true]);
}

#[tokio::test]
async fn the_time() {
    let skewed = answer(
        403,
        &[("date", "Mon, 23 Nov 2026 01:00:00 GMT")],
        "<Error><Code>RequestTimeTooSkewed</Code></Error>",
    );
    let fake = Fake::new([skewed, listing(&[], false, ""), listing(&[], false, "")]);
    fake.open(json!({}))
        .list(&Path::ROOT, None, 10)
        .await
        .unwrap();
    fake.open(json!({}))
        .list(&Path::ROOT, None, 10)
        .await
        .unwrap();
    let sent = fake.sent();
    assert_eq!(
        sent[2].header("x-amz-date"),
        Some("20261123T010000Z"),
        "{sent:?}"
    );
}

#[tokio::test]
async fn that_files_are_deleted_one_by_one() {
    let fake = Fake::new([
        listing(&[("foo/a", 1)], false, ""),
        error(501, "NotImplemented"),
        answer(204, &[], ""),
        listing(&[("foo/b", 1)], false, ""),
        answer(204, &[], ""),
    ]);
    for _ in 0..2 {
        let s3 = fake.open(json!({}));
        s3.remove(&path("foo"), Kind::Directory, None)
            .await
            .unwrap();
    }
    let methods: Vec<_> = fake.sent().into_iter().map(|sent| sent.method).collect();
    assert_eq!(methods, ["GET", "POST", "DELETE", "GET", "DELETE"]);
}
