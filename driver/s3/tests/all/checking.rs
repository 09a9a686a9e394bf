//! What `check` finds.

use orlop_driver::{Error, Finding, Severity, Storage};
use orlop_test_s3::{Credentials, Options, Server};
use serde_json::{Value, json};

use crate::{
    fake::{Fake, Sent, answer, error, listing, object, ok},
    volume::{self, Volume, path},
};

/// What a check finds that may write.
async fn writing(
    answers: impl IntoIterator<Item = orlop_driver::Result<orlop_driver::Response>>,
) -> (Vec<Finding>, Vec<String>) {
    let fake = Fake::new(answers);
    let s3 = fake.open(json!({}));
    let findings = s3.check(Some(&path("dir/scratch"))).await.unwrap();
    assert_eq!(fake.left(), 0);
    let sent = fake.sent().iter().map(Sent::line).collect();
    (findings, sent)
}

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
async fn links_that_make_browsers_save_are_told() {
    let oss = |options: Value| {
        let config = json!({"provider": "oss", "endpoint": "oss-cn-hangzhou.aliyuncs.com"});
        crate::volume::merge(config, options)
    };
    let found = finding([listing(&[], false, "")], oss(json!({}))).await;
    assert_eq!(
        (found.severity, found.field.as_deref()),
        (Severity::Note, Some("custom_host"))
    );
    assert!(found.remedy.unwrap().contains("custom_host"));
    for fine in [
        json!({"custom_host": "files.example.com"}),
        json!({"endpoint": "files.example.com", "addressing": "cname"}),
        json!({"forced_download": false}),
    ] {
        let fake = Fake::new([listing(&[], false, "")]);
        let findings = fake.open(oss(fine.clone())).check(None).await.unwrap();
        assert_eq!(findings, [], "{fine}");
    }
}

#[tokio::test]
async fn a_write_that_a_path_hides_names_the_addressing() {
    let check = async |options| {
        let fake = Fake::new([empty(), error(404, "NoSuchKey")]);
        let s3 = fake.open(options);
        s3.check(Some(&path("dir/scratch")))
            .await
            .unwrap()
            .remove(0)
    };
    let found = check(json!({"addressing": "path"})).await;
    assert_eq!(found.field.as_deref(), Some("addressing"));
    assert_eq!(
        found.remedy.as_deref(),
        Some("addressing = \"virtual-host\"")
    );
    assert_eq!(check(json!({})).await.field, None);
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

const SCRATCH: &str = "https://photos.s3.example.com/dir/scratch";
const SIZE: u64 = 73;

fn empty() -> orlop_driver::Result<orlop_driver::Response> {
    listing(&[], false, "")
}

#[tokio::test]
async fn a_scratch_file_is_written_looked_at_and_removed() {
    let volume = Volume::new().await;
    volume.put("a", "x");
    let findings = volume.s3.check(Some(&path("scratch"))).await.unwrap();
    assert_eq!(findings, []);
    assert_eq!(volume.keys(), ["a"]);
    let requests = volume.requests();
    let methods: Vec<_> = requests
        .iter()
        .map(|line| line.split('?').next().unwrap())
        .collect();
    let expected = [
        "GET ",
        "HEAD /a",
        "PUT /scratch",
        "HEAD /scratch",
        "DELETE /scratch",
        "GET ",
        "GET ",
    ];
    assert_eq!(methods, expected);

    // Without one, nothing is changed.
    assert_eq!(volume.s3.check(None).await.unwrap(), []);
    let requests = volume.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[0].starts_with("GET") && requests[1].starts_with("HEAD"));
}

#[tokio::test]
async fn rights_that_are_missing_are_named() {
    let denied = || error(403, "AccessDenied");
    let remedy = |findings: &[Finding]| findings[0].remedy.clone().unwrap();

    // A listing shows a file that cannot be looked at.
    let found = finding(
        [listing(&[("a", 1)], false, ""), answer(403, &[], "")],
        json!({}),
    )
    .await;
    assert_eq!(found.severity, Severity::Failure);
    assert!(found.remedy.unwrap().contains("s3:GetObject"));

    // Nothing was written, so nothing is to be removed.
    let (findings, sent) = writing([empty(), denied()]).await;
    assert_eq!(findings.len(), 1);
    assert!(remedy(&findings).contains("s3:PutObject"));
    assert_eq!(sent.len(), 2);

    // What cannot be looked at is removed all the same.
    let (findings, sent) = writing([
        empty(),
        answer(200, &[], ""),
        answer(403, &[], ""),
        answer(204, &[], ""),
    ])
    .await;
    assert_eq!(findings.len(), 1);
    assert!(remedy(&findings).contains("s3:GetObject"));
    assert_eq!(sent[3], format!("DELETE {SCRATCH}"));

    // What cannot be removed is named.
    let (findings, _) = writing([empty(), answer(200, &[], ""), object(SIZE, "e"), denied()]).await;
    assert_eq!(findings.len(), 1);
    assert!(findings[0].message.contains("`dir/scratch` is left"));
    assert!(remedy(&findings).contains("s3:DeleteObject"));
}

#[tokio::test]
async fn a_write_of_which_nobody_knows_is_cleared_up() {
    let lost = || Err(Error::Unavailable("the connection broke".into()));
    let mut answers = vec![empty()];
    answers.extend((0..6).map(|_| lost()));
    answers.push(answer(204, &[], ""));
    let (findings, sent) = writing(answers).await;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].severity, Severity::Failure);
    assert_eq!(sent.last().unwrap(), &format!("DELETE {SCRATCH}"));
}

#[tokio::test]
async fn what_browsers_may_not_do_is_a_note() {
    let rules = |rules: &str| ok(&format!("<CORSConfiguration>{rules}</CORSConfiguration>"));
    let put = "<AllowedMethod>PUT</AllowedMethod><ExposeHeader>ETag</ExposeHeader>";
    let cases = [
        (rules(&format!("<CORSRule>{put}</CORSRule>")), None),
        (rules(""), Some("do not let")),
        (error(404, "NoSuchCORSConfiguration"), Some("no CORS rules")),
        (error(403, "AccessDenied"), Some("cannot be read")),
        // Who does not know the call may allow it all the same.
        (error(501, "NotImplemented"), None),
    ];
    for (cors, told) in cases {
        let (findings, _) = writing([
            empty(),
            answer(200, &[], ""),
            object(SIZE, "e"),
            answer(204, &[], ""),
            ok("<ListMultipartUploadsResult></ListMultipartUploadsResult>"),
            cors,
        ])
        .await;
        let found: Vec<_> = findings
            .iter()
            .map(|found| (found.severity, found.message.contains(told.unwrap_or(" "))))
            .collect();
        let expected: Vec<_> = told.map(|_| (Severity::Note, true)).into_iter().collect();
        assert_eq!(found, expected, "{findings:?}");
    }
}
