//! What `check` finds.

use orlop_driver::{Error, Finding, Severity, Storage};
use orlop_test_s3::{Credentials, Options, Server};
use serde_json::{Value, json};

use crate::{
    fake::{Fake, answer, error, listing, ok},
    volume::{self, Volume},
};

/// The one finding of a script.
async fn finding(
    answers: impl IntoIterator<Item = orlop_driver::Result<orlop_driver::Response>>,
    options: Value,
) -> Finding {
    let findings = Fake::new(answers).open(options).check(None).await.unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_volume_that_works_has_no_findings() {
    let volume = Volume::new().await;
    assert_eq!(volume.s3.check(None).await.unwrap(), []);
    assert_eq!(volume.requests().len(), 1);
}

#[tokio::test]
async fn each_trouble_names_the_option_to_change() {
    let cases = [
        (error(404, "NoSuchBucket"), "bucket"),
        (error(403, "InvalidAccessKeyId"), "access_key_id"),
        (error(403, "SignatureDoesNotMatch"), "secret_access_key"),
        (error(400, "ExpiredToken"), "session_token"),
        (error(403, "PathStyleDomainForbidden"), "addressing"),
        (answer(404, &[], "nothing here"), "endpoint"),
        (ok("<html></html>"), "endpoint"),
    ];
    for (given, field) in cases {
        let found = finding([given], json!({})).await;
        assert_eq!(found.severity, Severity::Failure);
        assert_eq!(found.field.as_deref(), Some(field), "{found:?}");
        assert!(found.remedy.is_some(), "{found:?}");
    }
    let denied = finding([error(403, "AccessDenied")], json!({})).await;
    assert!(denied.remedy.unwrap().contains("s3:ListBucket"));
    let anonymous = json!({"access_key_id": null, "secret_access_key": null});
    let denied = finding([error(403, "AccessDenied")], anonymous).await;
    assert_eq!(denied.field.as_deref(), Some("access_key_id"));
}

#[tokio::test]
async fn an_address_without_a_service_is_told() {
    let lost = || Err(Error::Unavailable("connection refused".into()));
    let found = finding((0..6).map(|_| lost()), json!({})).await;
    assert_eq!(found.field.as_deref(), Some("endpoint"));
    assert!(found.message.contains("connection refused"));
}

#[tokio::test]
async fn the_host_speaks_for_its_own_policy() {
    let blocked = Err(Error::Blocked(
        "add allow_hosts = [\"s3.example.com\"]".into(),
    ));
    let found = finding([blocked], json!({})).await;
    assert_eq!(found.message, "add allow_hosts = [\"s3.example.com\"]");
}

#[tokio::test]
async fn what_was_put_right_by_itself_is_told_too() {
    let wrong = answer(
        400,
        &[],
        "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>",
    );
    let found = finding([wrong, listing(&[], false, "")], json!({})).await;
    assert_eq!(
        (found.severity, found.field.as_deref()),
        (Severity::Warning, Some("region"))
    );
    assert_eq!(found.remedy.as_deref(), Some("region = \"eu-west-1\""));

    let skewed = answer(
        403,
        &[("date", "Mon, 23 Nov 2026 01:00:00 GMT")],
        "<Error><Code>RequestTimeTooSkewed</Code></Error>",
    );
    let found = finding([skewed, listing(&[], false, "")], json!({})).await;
    assert!(found.message.contains("3600 seconds"));

    let found = finding(
        [listing(&[], false, "")],
        json!({"endpoint": "http://s3.example.com"}),
    )
    .await;
    assert_eq!(
        (found.severity, found.field.as_deref()),
        (Severity::Note, Some("endpoint"))
    );
}

#[tokio::test]
async fn a_real_server_is_understood() {
    let server = Server::start(Options {
        credentials: Some(Credentials::new("AKIDEXAMPLE", volume::SECRET)),
        buckets: vec![volume::BUCKET.into()],
        region: Some("eu-north-1".into()),
        ..Options::default()
    })
    .await
    .unwrap();
    let check = async |options| {
        volume::open(&server, options)
            .check(None)
            .await
            .unwrap()
            .remove(0)
    };
    let cases = [
        (
            json!({"region": "eu-north-1", "bucket": "nowhere"}),
            "bucket",
        ),
        (
            json!({"region": "eu-north-1", "secret_access_key": "wrong"}),
            "secret_access_key",
        ),
        (
            json!({"region": "eu-north-1", "access_key_id": "wrong"}),
            "access_key_id",
        ),
        (json!({"region": "us-east-1"}), "region"),
    ];
    for (options, field) in cases {
        let found: Finding = check(options).await;
        assert_eq!(found.field.as_deref(), Some(field), "{found:?}");
    }
}
