//! Links to files.

use std::time::{Duration, UNIX_EPOCH};

use orlop_driver::{
    Audience, Content, Error, Link, Path, ReadOptions, SignedRequest, SignedUrl, Storage,
};
use serde_json::{Value, json};

use crate::{
    fake::{Fake, NOW},
    volume::path,
};

fn options(audience: Audience) -> ReadOptions {
    ReadOptions {
        audience,
        range: None,
        filename: None,
        expires: None,
    }
}

async fn link(config: Value, options: ReadOptions) -> Link {
    let s3 = Fake::new([]).open(config);
    match s3.read(&path("data/ü +.txt"), &options).await.unwrap() {
        Content::Link(link) => link,
        Content::Stream(_) => panic!("no link"),
    }
}

async fn shared(config: Value, options: ReadOptions) -> SignedUrl {
    match link(config, options).await {
        Link::Shareable(link) => link,
        Link::HostOnly(_) => panic!("not for clients"),
    }
}

async fn kept(config: Value) -> SignedRequest {
    match link(config, options(Audience::Host)).await {
        Link::HostOnly(request) => request,
        Link::Shareable(_) => panic!("for clients"),
    }
}

#[tokio::test]
async fn a_client_gets_a_presigned_url_of_the_configured_life() {
    let link = shared(
        json!({"session_token": "TOKEN/+"}),
        options(Audience::Client),
    )
    .await;
    let (address, query) = link.url.split_once('?').unwrap();
    assert_eq!(
        address,
        "https://photos.s3.example.com/data/%C3%BC%20%2B.txt"
    );
    assert!(query.contains(
        "X-Amz-Expires=14400&X-Amz-Security-Token=TOKEN%2F%2B&X-Amz-SignedHeaders=host&"
    ));
    assert!(query.contains("&X-Amz-Signature="));
    assert!(!query.contains("response-content-disposition"));
    assert_eq!(
        link.expires,
        Some(UNIX_EPOCH + NOW + Duration::from_secs(14_400))
    );
}

#[tokio::test]
async fn the_life_asked_for_is_kept_within_what_services_allow() {
    for (asked, seconds) in [(0, 1), (1, 1), (60, 60), (10_000_000, 604_800)] {
        let options = ReadOptions {
            expires: Some(Duration::from_secs(asked)),
            ..options(Audience::Client)
        };
        let link = shared(json!({}), options).await;
        assert!(link.url.contains(&format!("X-Amz-Expires={seconds}&")));
        assert_eq!(
            link.expires,
            Some(UNIX_EPOCH + NOW + Duration::from_secs(seconds))
        );
    }
    let link = shared(
        json!({"sign_url_expire": 0.0000001}),
        options(Audience::Client),
    )
    .await;
    assert!(link.url.contains("X-Amz-Expires=1&"));
}

#[tokio::test]
async fn no_link_outlives_the_credentials_or_what_the_service_allows() {
    let ends = |text: &str| json!({"session_token": "t", "session_token_expires": text});
    // Ten minutes after `NOW`.
    let link = shared(ends("2026-11-23T00:10:00Z"), options(Audience::Client)).await;
    assert!(link.url.contains("X-Amz-Expires=600&"), "{}", link.url);
    let host = kept(ends("2026-11-23T00:01:00Z")).await;
    assert_eq!(
        host.expires,
        Some(UNIX_EPOCH + NOW + Duration::from_secs(60))
    );
    for audience in [Audience::Client, Audience::Host] {
        let s3 = Fake::new([]).open(ends("2026-11-22T23:59:59Z"));
        let failed = s3.read(&path("f"), &options(audience)).await;
        assert!(matches!(failed, Err(Error::Unauthenticated(_))));
    }

    let doge = json!({"provider": "doge", "region": "ap-shanghai", "session_token": "t"});
    for (config, seconds) in [(doge, 7200), (json!({"presign_max": 0.5}), 1800)] {
        let link = shared(config, options(Audience::Client)).await;
        assert!(link.url.contains(&format!("X-Amz-Expires={seconds}&")));
    }
}

#[tokio::test]
async fn the_file_name_goes_into_the_link() {
    let named = ReadOptions {
        filename: Some("ü +.txt".to_owned()),
        ..options(Audience::Client)
    };
    let link = shared(json!({}), named.clone()).await;
    assert!(link.url.contains(
        "&response-content-disposition=attachment%3B%20filename%2A%3DUTF-8%27%27%25C3%25BC%2520%2B.txt&"
    ));
    let both = json!({"add_filename_to_disposition": true});
    let link = shared(both, named).await;
    assert!(link.url.contains(
        "=attachment%3B%20filename%3D%22_%20%2B.txt%22%3B%20filename%2A%3DUTF-8%27%27%25C3%25BC%2520%2B.txt&"
    ));
}

#[tokio::test]
async fn custom_hosts_stand_for_the_bucket() {
    let file = "data/%C3%BC%20%2B.txt";
    let cases = [
        (
            json!({"custom_host": "cdn.example"}),
            "https://cdn.example/",
        ),
        (
            json!({"custom_host": "http://cdn.example:81/files/"}),
            "http://cdn.example:81/files/",
        ),
        (
            json!({"custom_host": "cdn.example", "force_path_style": true}),
            "https://cdn.example/photos/",
        ),
        (
            json!({"custom_host": "cdn.example", "force_path_style": true, "remove_bucket": true}),
            "https://cdn.example/",
        ),
        // A bucket called `data` is removed as a whole segment, not from the file's own path.
        (
            json!({"custom_host": "cdn.example", "remove_bucket": true, "bucket": "data"}),
            "https://cdn.example/",
        ),
    ];
    for (mut config, start) in cases {
        let plain = shared(config.clone(), options(Audience::Client)).await;
        assert_eq!(plain.url, format!("{start}{file}"), "{config}");
        assert_eq!(plain.expires, None);

        config["enable_custom_host_presign"] = json!(true);
        let signed = shared(config.clone(), options(Audience::Client)).await;
        assert!(
            signed
                .url
                .starts_with(&format!("{start}{file}?X-Amz-Algorithm=")),
            "{config}"
        );
        assert!(signed.expires.is_some());

        // The host itself goes to the service.
        let host = kept(config).await;
        assert!(host.url.contains("s3.example.com"));
    }
}

#[tokio::test]
async fn the_host_gets_a_request_that_its_headers_sign() {
    let request = kept(json!({"session_token": "TOKEN"})).await;
    assert_eq!(request.method, "GET");
    assert_eq!(
        request.url,
        "https://photos.s3.example.com/data/%C3%BC%20%2B.txt"
    );
    assert_eq!(
        request.expires,
        Some(UNIX_EPOCH + NOW + Duration::from_secs(600))
    );
    let header = |name| {
        request
            .headers
            .iter()
            .find(|(header, _)| header == name)
            .unwrap()
            .1
            .as_str()
    };
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(header("x-amz-content-sha256"), nothing);
    assert_eq!(header("x-amz-security-token"), "TOKEN");
    assert!(
        header("authorization")
            .contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, ")
    );

    // Some services do not take an unsigned payload, and nothing is as easily hashed.
    for options in [
        json!({"endpoint": "http://s3.example.com"}),
        json!({"payload_hash": "sha256"}),
    ] {
        let (_, hash) = &kept(options).await.headers[0];
        assert_eq!(hash, nothing);
    }
}

#[tokio::test]
async fn links_to_a_public_bucket_are_plain() {
    for audience in [Audience::Client, Audience::Host] {
        let config = json!({"access_key_id": "", "secret_access_key": ""});
        let link = shared(config, options(audience)).await;
        assert_eq!(
            link.url,
            "https://photos.s3.example.com/data/%C3%BC%20%2B.txt"
        );
        assert_eq!(link.expires, None);
    }
}

#[tokio::test]
async fn the_root_is_no_file() {
    let s3 = Fake::new([]).open(json!({}));
    let failed = s3.read(&Path::ROOT, &options(Audience::Client)).await;
    assert_eq!(failed.err(), Some(Error::IsADirectory));
}
