//! Uploads past the host.

use std::time::{Duration, UNIX_EPOCH};

use orlop_driver::{
    CompletedPart, Error, LinkUploadOptions, MultipartUpload, Sharing, SignedRequest, UploadLink,
};
use serde_json::json;

use crate::{
    fake::{Fake, ok},
    volume::{BUCKET, Volume, path},
};

async fn send(request: SignedRequest, body: impl Into<reqwest::Body>) -> String {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(request.method, "PUT");
    let sent = request
        .headers
        .into_iter()
        .fold(client.put(request.url), |sent, (name, value)| {
            sent.header(name, value)
        });
    let response = sent.body(body).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.headers()["etag"].to_str().unwrap().to_owned()
}

async fn multipart(volume: &Volume) -> MultipartUpload {
    let options = LinkUploadOptions {
        content_type: Some("text/x-test".to_owned()),
        ..LinkUploadOptions::default()
    };
    match volume
        .s3
        .link_upload(&path("dir/f"), &options)
        .await
        .unwrap()
    {
        UploadLink::Multipart(upload) => upload,
        UploadLink::Single(_) => panic!("one request for a file of unknown size"),
    }
}

#[tokio::test]
async fn a_small_file_goes_up_in_one_request() {
    let volume = Volume::new().await;
    let options = LinkUploadOptions {
        size: Some(5),
        content_type: Some("text/x-test".to_owned()),
        expires: Some(Duration::from_secs(60)),
        ..LinkUploadOptions::default()
    };
    let link = volume
        .s3
        .link_upload(&path("dir/ü"), &options)
        .await
        .unwrap();
    let UploadLink::Single(request) = link else {
        panic!("parts for a small file");
    };
    assert!(
        request
            .url
            .contains("X-Amz-Expires=60&X-Amz-SignedHeaders=content-type%3Bhost&")
    );
    send(request, "bytes").await;
    let entry = volume.stat("dir/ü", None).await.unwrap();
    assert_eq!(
        (entry.size, entry.content_type.as_deref()),
        (5, Some("text/x-test"))
    );
}

#[tokio::test]
async fn a_large_file_goes_up_in_parts() {
    let volume = Volume::new().await;
    let upload = multipart(&volume).await;
    assert!(upload.part_size >= 5 << 20 && upload.max_parts == 10_000);
    let links = volume
        .s3
        .link_parts(&path("dir/f"), &upload.token, 1, 2)
        .await
        .unwrap();
    assert_eq!(links.len(), 2);
    let mut parts = Vec::new();
    for (number, (link, body)) in (1..).zip(links.into_iter().zip(["first ", "second"])) {
        let etag = send(link, body).await;
        parts.insert(0, CompletedPart { number, etag });
    }
    let entry = volume
        .s3
        .complete_upload(&path("dir/f"), &upload.token, &parts)
        .await
        .unwrap();
    assert_eq!((entry.name.as_str(), entry.size), ("f", 12));
    assert_eq!(entry.content_type.as_deref(), Some("text/x-test"));
    assert_eq!(volume.text("dir/f").as_deref(), Some("first second"));
}

#[tokio::test]
async fn an_upload_can_be_thrown_away_twice() {
    let volume = Volume::new().await;
    let upload = multipart(&volume).await;
    assert_eq!(volume.server.store().unfinished_uploads(BUCKET), 1);
    for _ in 0..2 {
        volume
            .s3
            .abort_upload(&path("dir/f"), &upload.token)
            .await
            .unwrap();
        assert_eq!(volume.server.store().unfinished_uploads(BUCKET), 0);
    }
    let parts = [CompletedPart {
        number: 1,
        etag: "\"e\"".to_owned(),
    }];
    let failed = volume
        .s3
        .complete_upload(&path("dir/f"), &upload.token, &parts)
        .await;
    assert!(
        matches!(failed, Err(Error::InvalidArgument(_))),
        "{failed:?}"
    );
}

#[tokio::test]
async fn an_upload_that_must_be_new_is_put_together_once_and_told_of_twice() {
    // One service checks by itself, the other is looked at before; and what an object of parts is called is not the
    // same everywhere.
    for (conditional_put, standard) in [(true, true), (false, true), (true, false), (false, false)]
    {
        let profile = json!({
            "conditional_put": conditional_put,
            "multipart_etag_standard": standard,
            "multipart_threshold": "5MiB",
        });
        let volume = Volume::with(profile).await;
        let file = path("dir/f");
        let options = LinkUploadOptions {
            size: Some(5 << 20),
            must_be_new: true,
            modified: Some(UNIX_EPOCH + Duration::from_secs(1_000)),
            ..LinkUploadOptions::default()
        };
        let begin = async || match volume.s3.link_upload(&file, &options).await.unwrap() {
            UploadLink::Multipart(upload) => upload.token,
            UploadLink::Single(_) => panic!("one request for a file of unknown size"),
        };
        let send_only = async |token: &str, byte: &'static str| {
            let body = byte.repeat(5 << 20);
            let links = volume.s3.link_parts(&file, token, 1, 1).await.unwrap();
            let etag = send(links.into_iter().next().unwrap(), body).await;
            [CompletedPart { number: 1, etag }]
        };
        let token = begin().await;
        let parts = send_only(&token, "m").await;
        let other = begin().await;
        let others = send_only(&other, "o").await;
        // The answer to the first call may have been lost.
        for _ in 0..2 {
            let done = volume.s3.complete_upload(&file, &token, &parts).await;
            let entry = done.unwrap();
            assert_eq!(entry.size, 5 << 20, "{conditional_put} {standard}");
            let mtime = ("mtime".to_owned(), "1000".to_owned());
            assert!(entry.extra.contains(&mtime), "{:?}", entry.extra);
        }
        let refused = volume.s3.complete_upload(&file, &other, &others).await;
        assert_eq!(
            refused,
            Err(Error::PreconditionFailed),
            "{conditional_put} {standard}"
        );
        assert!(
            volume
                .text("dir/f")
                .is_some_and(|text| text.starts_with("mm"))
        );
    }
}

#[tokio::test]
async fn numbers_and_tokens_are_checked() {
    let volume = Volume::new().await;
    let file = path("dir/f");
    let token = multipart(&volume).await.token;
    for (first, count) in [(0, 1), (1, 1001), (10_000, 2), (u32::MAX, 2)] {
        let failed = volume.s3.link_parts(&file, &token, first, count).await;
        assert!(
            matches!(failed, Err(Error::InvalidArgument(_))),
            "{first} {count}"
        );
    }
    assert_eq!(
        volume
            .s3
            .link_parts(&file, &token, 10_000, 1)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        volume
            .s3
            .link_parts(&file, &token, 1, 0)
            .await
            .unwrap()
            .len(),
        0
    );
    assert!(volume.s3.link_parts(&file, "x", 1, 1).await.is_err());
    assert!(volume.s3.complete_upload(&file, &token, &[]).await.is_err());
    assert!(!token.contains(crate::volume::SECRET));
}

#[tokio::test]
async fn links_for_parts_do_not_outlive_the_credentials() {
    let begun =
        "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
    let file = path("f");
    let options = LinkUploadOptions::default();
    let link = Fake::new([ok(begun)])
        .open(json!({}))
        .link_upload(&file, &options)
        .await
        .unwrap();
    let UploadLink::Multipart(upload) = link else {
        panic!("one request for a file of unknown size");
    };
    // The rest of them may be asked for when the credentials end soon, or have ended.
    let links = async |ends: &str| {
        let config = json!({"session_token": "t", "session_token_expires": ends});
        let s3 = Fake::new([]).open(config);
        s3.link_parts(&file, &upload.token, 1, 1).await
    };
    let soon = links("2026-11-23T00:10:00Z").await.unwrap().remove(0);
    assert!(soon.url.contains("X-Amz-Expires=600&"), "{}", soon.url);
    let late = links("2026-11-22T23:00:00Z").await;
    assert!(matches!(late, Err(Error::Unauthenticated(_))), "{late:?}");
}

#[tokio::test]
async fn without_keys_there_are_no_upload_links() {
    let s3 = Fake::new([]).open(json!({"access_key_id": null, "secret_access_key": null}));
    for size in [Some(1), None] {
        let options = LinkUploadOptions {
            size,
            ..LinkUploadOptions::default()
        };
        let failed = s3.link_upload(&path("f"), &options).await;
        assert!(matches!(failed, Err(Error::Unsupported(_))));
    }
}

#[tokio::test]
async fn a_client_sends_along_how_the_file_is_to_be_kept() {
    let s3 = Fake::new([]).open(json!({
        "storage_class": "STANDARD_IA",
        "server_side_encryption": "AES256",
    }));
    let options = LinkUploadOptions {
        size: Some(5),
        ..LinkUploadOptions::default()
    };
    let link = s3.link_upload(&path("f"), &options).await.unwrap();
    let UploadLink::Single(request) = link else {
        panic!("parts for a small file");
    };
    let kept = [
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-server-side-encryption", "AES256"),
    ];
    assert_eq!(
        request.headers,
        kept.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert!(request.url.contains(
        "X-Amz-SignedHeaders=host%3Bx-amz-server-side-encryption%3Bx-amz-storage-class&"
    ));
}
