//! What goes wrong between driver and service.

use std::time::Duration;

use orlop_driver::{Error, Kind, Path, Removable, Storage};
use serde_json::json;

use crate::{
    fake::{Fake, answer, error, listing, object, ok},
    volume::path,
};

const ROOT: Path = Path::ROOT;

#[tokio::test]
async fn what_passes_is_tried_again_with_the_pause_that_was_asked_for() {
    let fake = Fake::new([
        error(500, "InternalError"),
        answer(
            503,
            &[("retry-after", "3")],
            "<Error><Code>SlowDown</Code></Error>",
        ),
        Err(Error::Unavailable("the connection broke".into())),
        ok("<ListBucketResult><Contents><Key>a</Ke"),
        listing(&[("a", 1)], false, ""),
    ]);
    let page = fake.open(json!({})).list(&ROOT, None, 10).await.unwrap();
    assert_eq!(page.entries.len(), 1);
    assert_eq!(fake.sent().len(), 5);
    let slept = fake.slept();
    assert_eq!(slept.len(), 4);
    assert_eq!(slept[1], Duration::from_secs(3));
    assert!(slept[0] < slept[2] && slept[2] < slept[3], "{slept:?}");
}

#[tokio::test]
async fn after_six_tries_the_last_error_stands() {
    let fake = Fake::new((0..6).map(|_| error(503, "SlowDown")));
    let failed = fake.open(json!({})).list(&ROOT, None, 10).await;
    assert_eq!(failed.unwrap_err(), Error::RateLimited(None));
    assert_eq!(fake.left(), 0);
}

#[tokio::test]
async fn what_does_not_pass_is_asked_once() {
    for (given, expected) in [
        (
            Err(Error::Blocked("add allow_hosts".into())),
            Error::Blocked("add allow_hosts".into()),
        ),
        (
            error(404, "NoSuchBucket"),
            Error::config("bucket", "the service has no bucket of this name"),
        ),
        (
            error(403, "AccessDenied"),
            Error::PermissionDenied(
                "GET the bucket: the service answered 403 AccessDenied: told".into(),
            ),
        ),
        (
            ok("<!DOCTYPE html><html><body>Console</body></html>"),
            Error::Unavailable(
                "GET the bucket: the service answered with a web page: is the endpoint right?"
                    .into(),
            ),
        ),
        (
            ok("<ListAllMyBucketsResult></ListAllMyBucketsResult>"),
            Error::Unavailable(
                "GET the bucket: the service answered with a document of type \
                 `ListAllMyBucketsResult`: is the endpoint right?"
                    .into(),
            ),
        ),
    ] {
        let fake = Fake::new([given]);
        let failed = fake.open(json!({})).list(&ROOT, None, 10).await;
        assert_eq!(failed.unwrap_err(), expected);
    }
}

#[tokio::test]
async fn an_endless_answer_is_no_upload_that_is_too_large() {
    let fake = Fake::new([Err(Error::TooLarge(8 << 20))]);
    let failed = fake.open(json!({})).list(&ROOT, None, 10).await;
    assert!(matches!(failed, Err(Error::Other(text)) if text.contains("endpoint")));
}

#[tokio::test]
async fn the_clock_is_set_by_the_service_once() {
    let skewed = || {
        answer(
            403,
            &[("date", "Mon, 23 Nov 2026 01:00:00 GMT")],
            "<Error><Code>RequestTimeTooSkewed</Code></Error>",
        )
    };
    let fake = Fake::new([skewed(), listing(&[], false, ""), listing(&[], false, "")]);
    let s3 = fake.open(json!({}));
    s3.list(&ROOT, None, 10).await.unwrap();
    s3.list(&ROOT, None, 10).await.unwrap();
    let dates: Vec<_> = fake
        .sent()
        .iter()
        .map(|sent| sent.header("x-amz-date").unwrap().to_owned())
        .collect();
    assert_eq!(
        dates,
        ["20261123T000000Z", "20261123T010000Z", "20261123T010000Z"]
    );

    let fake = Fake::new([skewed(), skewed()]);
    let failed = fake.open(json!({})).list(&ROOT, None, 10).await;
    assert!(matches!(failed, Err(Error::Unauthenticated(text)) if text.contains("clock")));
}

#[tokio::test]
async fn a_head_has_no_code_so_the_clocks_are_compared() {
    let refused = |date| answer(403, &[("date", date)], "");
    let fake = Fake::new([refused("Mon, 23 Nov 2026 01:00:00 GMT"), object(3, "e")]);
    let entry = fake
        .open(json!({}))
        .stat(&path("a"), Some(Kind::File))
        .await
        .unwrap();
    assert_eq!(entry.size, 3);

    let fake = Fake::new([
        refused("Mon, 23 Nov 2026 00:00:05 GMT"),
        error(403, "AccessDenied"),
    ]);
    let failed = fake
        .open(json!({}))
        .stat(&path("a"), Some(Kind::File))
        .await;
    assert!(matches!(failed, Err(Error::PermissionDenied(_))));
}

#[tokio::test]
async fn a_refused_head_is_explained_by_a_listing() {
    type Check = fn(&Error) -> bool;
    let cases: [(_, Check); 4] = [
        (error(403, "InvalidAccessKeyId"), |error| {
            matches!(error, Error::Unauthenticated(_))
        }),
        (error(403, "AccessDenied"), |error| {
            matches!(error, Error::PermissionDenied(_))
        }),
        (listing(&[], false, ""), |error| {
            matches!(error, Error::NotFound)
        }),
        (listing(&[("a", 1)], false, ""), |error| {
            matches!(error, Error::PermissionDenied(_))
        }),
    ];
    for (number, (explanation, is_right)) in cases.into_iter().enumerate() {
        let fake = Fake::new([answer(403, &[], ""), explanation]);
        let failed = fake
            .open(json!({}))
            .stat(&path("a"), Some(Kind::File))
            .await;
        assert!(
            failed.as_ref().is_err_and(is_right),
            "case {number}: {failed:?}"
        );
    }
}

#[tokio::test]
async fn the_region_is_set_by_the_service_once() {
    let wrong = || {
        answer(
            400,
            &[],
            "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>",
        )
    };
    let fake = Fake::new([wrong(), listing(&[], false, ""), listing(&[], false, "")]);
    let s3 = fake.open(json!({}));
    s3.list(&ROOT, None, 10).await.unwrap();
    s3.list(&ROOT, None, 10).await.unwrap();
    let regions: Vec<_> = fake
        .sent()
        .iter()
        .map(|sent| {
            sent.header("authorization")
                .unwrap()
                .contains("/eu-west-1/")
        })
        .collect();
    assert_eq!(regions, [false, true, true]);

    let fake = Fake::new([wrong(), wrong()]);
    let failed = fake.open(json!({})).list(&ROOT, None, 10).await;
    assert!(
        matches!(failed, Err(Error::InvalidConfig(error)) if error.message.contains("eu-west-1"))
    );
}

#[tokio::test]
async fn another_region_of_amazon_has_another_host() {
    let moved = || answer(301, &[("x-amz-bucket-region", "eu-west-1")], "");
    let options = json!({"endpoint": "", "region": "us-east-1"});
    let fake = Fake::new([moved(), listing(&[], false, "")]);
    fake.open(options.clone())
        .list(&ROOT, None, 10)
        .await
        .unwrap();
    let urls: Vec<_> = fake.sent().iter().map(|sent| sent.url.clone()).collect();
    assert!(urls[0].starts_with("https://photos.s3.us-east-1.amazonaws.com/?"));
    assert!(urls[1].starts_with("https://photos.s3.eu-west-1.amazonaws.com/?"));

    // The host may not grant it: then the region is the news, also the next time.
    let blocked = || Err(Error::Blocked("no".into()));
    let fake = Fake::new([moved(), blocked(), moved(), blocked()]);
    let s3 = fake.open(options);
    for _ in 0..2 {
        let failed = s3.list(&ROOT, None, 10).await;
        assert!(
            matches!(&failed, Err(Error::InvalidConfig(error)) if error.field.as_deref() == Some("region")),
            "{failed:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_without_a_region_names_the_endpoint() {
    let fake = Fake::new([answer(307, &[("location", "https://evil.example/")], "")]);
    let failed = fake.open(json!({})).list(&ROOT, None, 10).await;
    assert!(
        matches!(failed, Err(Error::InvalidConfig(error)) if error.field.as_deref() == Some("endpoint"))
    );
    assert_eq!(fake.sent().len(), 1);
}

#[tokio::test]
async fn no_error_tells_a_secret() {
    let echo = "<Error><Code>AccessDenied</Code><Message>StringToSign: TOPSECRET \
                https://h/?X-Amz-Signature=abc</Message></Error>";
    for status in [400, 401, 403, 404, 409, 418, 500, 507] {
        let fake = Fake::new((0..6).map(|_| answer(status, &[], echo)));
        let failed = fake
            .open(json!({}))
            .list(&ROOT, None, 10)
            .await
            .unwrap_err();
        let text = format!("{failed} {failed:?}");
        assert!(
            !text.contains("TOPSECRET") && !text.contains("abc"),
            "{text}"
        );
    }
    let s3 = Fake::new([]).open(json!({}));
    assert!(!format!("{s3:?}").contains("TOPSECRET"));
}

#[tokio::test]
async fn what_changes_something_waits_as_long_as_it_is_asked_to() {
    let busy = |seconds| answer(503, &[("retry-after", seconds)], "");
    // What only looks has to be back before the host's deadline.
    let fake = Fake::new([busy("25"), object(1, "e")]);
    let s3 = fake.open(json!({}));
    s3.stat(&path("a"), Some(Kind::File)).await.unwrap();
    assert_eq!(fake.slept(), [Duration::from_secs(10)]);

    let fake = Fake::new([
        object(1, "e"),
        busy("25"),
        busy("3600"),
        answer(204, &[], ""),
    ]);
    let s3 = fake.open(json!({}));
    s3.remove(&path("a"), Kind::File, None).await.unwrap();
    assert_eq!(fake.slept(), [25, 30].map(Duration::from_secs));
}

#[tokio::test]
async fn the_services_words_may_be_missing() {
    // As Ceph has it.
    let silent =
        "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message></Message></Error>";
    let fake = Fake::new([answer(403, &[], silent)]);
    let failed = fake.open(json!({})).list(&ROOT, None, 10).await;
    assert_eq!(
        failed.unwrap_err(),
        Error::PermissionDenied("GET the bucket: the service answered 403 AccessDenied".into())
    );
}

#[tokio::test]
async fn white_space_before_an_answer_keeps_the_connection_alive() {
    let fake = Fake::new([ok(
        " \r\n \n<?xml version=\"1.0\"?>\n<ListBucketResult></ListBucketResult>",
    )]);
    let page = fake.open(json!({})).list(&ROOT, None, 10).await.unwrap();
    assert!(page.entries.is_empty());
    let late = "   \n<Error><Code>InternalError</Code></Error>";
    let fake = Fake::new([ok(late), listing(&[("a", 1)], false, "")]);
    let page = fake.open(json!({})).list(&ROOT, None, 10).await.unwrap();
    assert_eq!(page.entries.len(), 1);
}

#[tokio::test]
async fn expired_credentials_are_asked_once_and_named() {
    for code in ["ExpiredToken", "InvalidToken", "TokenRefreshRequired"] {
        let fake = Fake::new([error(400, code)]);
        let failed = fake.open(json!({})).list(&ROOT, None, 10).await;
        assert!(matches!(failed, Err(Error::Unauthenticated(text)) if text.contains("token")));
    }
}

#[tokio::test]
async fn what_stands_still_is_tried_again() {
    let fake = Fake::new([Err(Error::TimedOut), listing(&[("a", 1)], false, "")]);
    let page = fake.open(json!({})).list(&ROOT, None, 10).await.unwrap();
    assert_eq!(page.entries.len(), 1);
}
