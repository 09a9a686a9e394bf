//! Uploads straight from a client.

use bytes::Bytes;
use orlop_driver::{CompletedPart, LinkUploadOptions, Sharing, SignedRequest, UploadLink};

use crate::gateway::Gateway;

async fn send(request: SignedRequest, body: Bytes) -> String {
    let client = reqwest::Client::new();
    let sent = request
        .headers
        .into_iter()
        .fold(client.put(request.url), |sent, (name, value)| {
            sent.header(name, value)
        });
    let answer = sent.body(body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.headers()["etag"].to_str().unwrap().to_owned()
}

#[tokio::test]
#[ignore = "needs a gateway: make test-ceph"]
async fn clients_upload_small_and_large_files_by_themselves() {
    let gateway = Gateway::new("sharing");
    let small = gateway.path("small");
    let options = LinkUploadOptions {
        size: Some(5),
        content_type: Some("text/x-test".to_owned()),
        ..LinkUploadOptions::default()
    };
    let UploadLink::Single(request) = gateway.s3.link_upload(&small, &options).await.unwrap()
    else {
        panic!("parts for a small file");
    };
    send(request, Bytes::from_static(b"hello")).await;
    assert_eq!(gateway.read("small").await, "hello");

    let large = gateway.path("large");
    let options = LinkUploadOptions::default();
    let UploadLink::Multipart(upload) = gateway.s3.link_upload(&large, &options).await.unwrap()
    else {
        panic!("one request for a file of unknown size");
    };
    let links = gateway
        .s3
        .link_parts(&large, &upload.token, 1, 2)
        .await
        .unwrap();
    let bodies = [Bytes::from(vec![1; 5 << 20]), Bytes::from_static(b"end")];
    let mut parts = Vec::new();
    for ((number, link), body) in (1..).zip(links).zip(bodies) {
        let etag = send(link, body).await;
        parts.push(CompletedPart { number, etag });
    }
    let entry = gateway
        .s3
        .complete_upload(&large, &upload.token, &parts)
        .await
        .unwrap();
    assert_eq!(entry.size, (5 << 20) + 3);

    let given_up = gateway.path("given up");
    let UploadLink::Multipart(upload) = gateway.s3.link_upload(&given_up, &options).await.unwrap()
    else {
        panic!("one request for a file of unknown size");
    };
    gateway
        .s3
        .abort_upload(&given_up, &upload.token)
        .await
        .unwrap();
    assert!(
        gateway
            .s3
            .complete_upload(&given_up, &upload.token, &parts)
            .await
            .is_err()
    );
}
