//! What is wrong is told, and told right.

use orlop_driver::{Error, Severity, Storage};
use serde_json::json;

use crate::gateway::Gateway;

#[tokio::test]
#[ignore = "needs a gateway: make test-ceph"]
async fn wrong_keys_and_names_are_told_apart() {
    let list = async |options| Gateway::with("wrong", options).list("").await;
    assert!(matches!(
        list(json!({"secret_access_key": "wrong"})).await,
        Err(Error::Unauthenticated(_))
    ));
    assert!(matches!(
        list(json!({"access_key_id": "WRONG"})).await,
        Err(Error::Unauthenticated(_))
    ));
    let missing = list(json!({"bucket": "no-such-bucket"})).await;
    assert!(
        matches!(&missing, Err(Error::InvalidConfig(error)) if error.field.as_deref() == Some("bucket")),
        "{missing:?}"
    );
    let public = list(json!({"access_key_id": "", "secret_access_key": ""})).await;
    assert!(
        matches!(public, Err(Error::PermissionDenied(_))),
        "{public:?}"
    );
    assert_eq!(
        Gateway::new("wrong").stat("nothing").await,
        Err(Error::NotFound)
    );
    assert_eq!(list(json!({})).await, Err(Error::NotFound));
}

#[tokio::test]
#[ignore = "needs a gateway: make test-ceph"]
async fn a_check_finds_nothing_wrong_and_leaves_nothing() {
    let gateway = Gateway::new("check");
    let scratch = gateway.path("scratch");
    for scratch in [None, Some(&scratch)] {
        let findings = gateway.s3.check(scratch).await.unwrap();
        assert!(
            findings
                .iter()
                .all(|finding| finding.severity == Severity::Note),
            "{findings:?}"
        );
    }
    assert_eq!(gateway.list("").await, Err(Error::NotFound));
}
