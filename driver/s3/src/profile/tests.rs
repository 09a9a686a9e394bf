use serde_json::{Value, json};

use super::*;

fn row(id: &str) -> &'static Profile {
    Profile::choose(Some(id), None).unwrap()
}

#[test]
fn a_chosen_provider_goes_before_the_host() {
    let aws = Some("s3.eu-west-1.amazonaws.com");
    let id = |provider, host| Profile::choose(provider, host).unwrap().id;
    assert_eq!(id(None, aws), "aws");
    assert_eq!(id(Some("minio"), aws), "minio");
    assert_eq!(id(None, Some("amazonaws.com.evil.example")), "generic");
    assert_eq!(id(None, Some("evilamazonaws.com")), "generic");
    assert_eq!(id(None, None), "generic");
    assert!(Profile::choose(Some("s4"), aws).is_err());
}

#[test]
fn hosts_give_away_the_service_and_the_region() {
    let cases = [
        (
            "s3.oss-cn-hangzhou.aliyuncs.com",
            "oss",
            Some("cn-hangzhou"),
        ),
        (
            "photos.oss-cn-beijing.aliyuncs.com",
            "oss",
            Some("cn-beijing"),
        ),
        (
            "s3.oss-cn-beijing-internal.aliyuncs.com",
            "oss",
            Some("cn-beijing"),
        ),
        ("s3.oss-accelerate.aliyuncs.com", "oss", None),
        ("cos.ap-guangzhou.myqcloud.com", "cos", Some("ap-guangzhou")),
        (
            "photos-1250000000.cos.ap-shanghai.myqcloud.com",
            "cos",
            Some("ap-shanghai"),
        ),
        ("cos.accelerate.myqcloud.com", "cos", None),
        ("oos-hazz.ctyunapi.cn", "oos", Some("hazz")),
        ("oos-cn.ctyunapi.cn", "oos", Some("cn")),
        ("s3.bj.bcebos.com", "bos", Some("bj")),
        ("s3-cn-east-1.qiniucs.com", "kodo", Some("cn-east-1")),
        (
            "photos.s3-ap-southeast-1.qiniucs.com",
            "kodo",
            Some("ap-southeast-1"),
        ),
        (
            "obs.cn-north-4.myhuaweicloud.com",
            "obs",
            Some("cn-north-4"),
        ),
        ("s3.cn-north-1.jdcloud-oss.com", "jd", Some("cn-north-1")),
        (
            "s3-internal.cn-east-2.jdcloud-oss.com",
            "jd",
            Some("cn-east-2"),
        ),
        ("eos-wuxi-1.cmecloud.cn", "eos", Some("wuxi-1")),
        ("s3.api.upyun.com", "upyun", None),
        ("s3.eu-west-1.amazonaws.com", "aws", Some("eu-west-1")),
        (
            "s3-ap-southeast-2.amazonaws.com",
            "aws",
            Some("ap-southeast-2"),
        ),
        (
            "photos.s3.dualstack.us-west-2.amazonaws.com",
            "aws",
            Some("us-west-2"),
        ),
        (
            "s3.us-gov-west-1.amazonaws.com",
            "aws",
            Some("us-gov-west-1"),
        ),
        ("s3.cn-north-1.amazonaws.com.cn", "aws", Some("cn-north-1")),
        ("s3.amazonaws.com", "aws", None),
        ("photos.s3.amazonaws.com", "aws", None),
        ("s3-accelerate.amazonaws.com", "aws", None),
        ("photos.s3-accelerate.amazonaws.com", "aws", None),
        ("s3-accelerate.dualstack.amazonaws.com", "aws", None),
        ("0123456789abcdef.r2.cloudflarestorage.com", "r2", None),
        ("0123456789abcdef.eu.r2.cloudflarestorage.com", "r2", None),
        ("s3.us-west-004.backblazeb2.com", "b2", Some("us-west-004")),
        (
            "photos.s3.eu-central-003.backblazeb2.com",
            "b2",
            Some("eu-central-003"),
        ),
        ("s3.fr-par.scw.cloud", "scaleway", Some("fr-par")),
        ("storage.googleapis.com", "gcs", None),
        ("photos.storage.googleapis.com", "gcs", None),
        ("127.0.0.1", "generic", None),
    ];
    for (host, id, region) in cases {
        let found = Profile::choose(None, Some(host)).unwrap();
        assert_eq!((found.id, found.region_of(host)), (id, region), "{host}");
    }
}

#[test]
fn provider_and_region_give_the_endpoint() {
    let cases = [
        (
            "oss",
            "cn-shanghai",
            Some("s3.oss-cn-shanghai.aliyuncs.com"),
        ),
        ("cos", "ap-shanghai", Some("cos.ap-shanghai.myqcloud.com")),
        ("oos", "hazz", Some("oos-hazz.ctyunapi.cn")),
        ("bos", "gz", Some("s3.gz.bcebos.com")),
        ("kodo", "cn-south-1", Some("s3-cn-south-1.qiniucs.com")),
        (
            "obs",
            "cn-north-4",
            Some("obs.cn-north-4.myhuaweicloud.com"),
        ),
        ("jd", "cn-north-1", Some("s3.cn-north-1.jdcloud-oss.com")),
        ("eos", "wuxi-1", Some("eos-wuxi-1.cmecloud.cn")),
        ("upyun", "", Some("s3.api.upyun.com")),
        ("doge", "ap-shanghai", Some("cos.ap-shanghai.myqcloud.com")),
        ("aws", "eu-west-3", Some("s3.eu-west-3.amazonaws.com")),
        (
            "aws",
            "cn-northwest-1",
            Some("s3.cn-northwest-1.amazonaws.com.cn"),
        ),
        ("b2", "us-west-004", Some("s3.us-west-004.backblazeb2.com")),
        ("scaleway", "nl-ams", Some("s3.nl-ams.scw.cloud")),
        ("gcs", "auto", Some("storage.googleapis.com")),
        ("r2", "auto", None),
        ("minio", "us-east-1", None),
        ("generic", "us-east-1", None),
    ];
    for (id, region, endpoint) in cases {
        assert_eq!(
            row(id).endpoint_of(region).as_deref(),
            endpoint,
            "{id} {region}"
        );
    }
    let named: Vec<_> = cases.iter().map(|(id, ..)| *id).collect();
    for profile in Profile::all() {
        assert!(named.contains(&profile.id), "{} has no case", profile.id);
        assert_eq!(row(profile.id).id, profile.id, "two rows have one id");
    }
    assert_eq!(row("aws").endpoint_of(""), None);
}

#[test]
fn every_value_of_a_row_can_be_said_otherwise() {
    let with = |options: Value| {
        let mut config = json!({"bucket": "b"});
        for (name, value) in options.as_object().unwrap() {
            config[name] = value.clone();
        }
        row("aws").with_options(&serde_json::from_value(config).unwrap())
    };
    let all = with(json!({
        "dotted_bucket_in_path": false,
        "https_only": true,
        "list_object_version": "v1",
        "list_url_encode": false,
        "list_start_inclusive": true,
        "payload_hash": "sha256",
        "checksum_headers": "none",
        "content_md5": false,
        "delete_batch_max": 7,
        "copy_max": "8MiB",
        "upload_part_copy": false,
        "part_min": 1024,
        "parts_max": 10,
        "equal_parts": true,
        "etag_is_md5": false,
        "multipart_etag_standard": false,
        "conditional_put": false,
        "presign_max": 1,
        "presign_custom_domain": false,
        "forced_download": true,
        "session_tokens": "required",
        "key_rules": ["double-slash", "control"],
    }))
    .unwrap();
    // What stands in no option: who the service is and where.
    let expected = Profile {
        dotted_bucket_in_path: false,
        https_only: true,
        list_version: ListVersion::V1,
        list_url_encode: false,
        list_start_inclusive: true,
        payload_hash: PayloadHash::Sha256,
        checksum_headers: ChecksumHeaders::None,
        content_md5: false,
        delete_batch_max: 7,
        copy_max: 8 << 20,
        upload_part_copy: false,
        part_min: 1024,
        parts_max: 10,
        equal_parts: true,
        etag_is_md5: false,
        multipart_etag_standard: false,
        conditional_put: false,
        presign_max: Duration::from_secs(3600),
        presign_custom_domain: false,
        forced_download: true,
        session_token: SessionToken::Required,
        key_rules: Cow::Borrowed(&[KeyRule::DoubleSlash, KeyRule::Control]),
        ..row("aws").clone()
    };
    assert_eq!(format!("{all:?}"), format!("{expected:?}"));

    let same = with(json!({})).unwrap();
    assert_eq!(format!("{same:?}"), format!("{:?}", row("aws")));
    for wrong in [
        json!({"parts_max": 0}),
        json!({"parts_max": 10_001}),
        json!({"delete_batch_max": 1001}),
        json!({"presign_max": 0}),
        json!({"presign_max": 169}),
    ] {
        assert!(
            matches!(with(wrong.clone()), Err(Error::InvalidConfig(_))),
            "{wrong}"
        );
    }
}

#[test]
fn keys_that_a_service_does_not_take_are_refused() {
    let cases = [
        (KeyRule::LeadingSlash, "/a", "a/"),
        (KeyRule::LeadingBackslash, "\\a", "a\\"),
        (KeyRule::DoubleSlash, "a//b", "a/b/"),
        (KeyRule::DotSegments, "a/../b", "a/...b"),
        (KeyRule::DotSegments, "./b", ".b/c."),
        (KeyRule::Control, "a\nb", "a b\u{e4}"),
    ];
    for (rule, wrong, right) in cases {
        assert!(rule.check(wrong).is_err(), "{rule:?} {wrong:?}");
        assert!(rule.check(right).is_ok(), "{rule:?} {right:?}");
    }
}
