//! Writing files, in one request and in parts.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use orlop_driver::{Error, Kind, Precondition, Writable, WriteOptions, native::NativeUpload};
use serde_json::json;

use crate::gateway::Gateway;

const MIB: usize = 1 << 20;

/// Bytes in which parts out of order would show.
fn pattern(size: usize) -> Bytes {
    (0..size)
        .map(|place| (place ^ (place >> 8) ^ (place >> 16)) as u8)
        .collect::<Vec<_>>()
        .into()
}

#[tokio::test]
#[ignore = "needs a gateway: make test-ceph"]
async fn files_of_all_sizes_come_back_as_they_went() {
    let gateway = Gateway::with(
        "sizes",
        json!({"part_size": "5MiB", "multipart_threshold": "6MiB"}),
    );
    for size in [0, 1, 5 * MIB, 6 * MIB, 21 * MIB] {
        let name = size.to_string();
        let body = pattern(size);
        let written = gateway.write(&name, body.clone()).await.unwrap();
        assert_eq!(written.size, size as u64);
        assert_eq!(gateway.read(&name).await, body, "{size}");
        assert_eq!(
            gateway.stat(&name).await.unwrap().etag,
            written.etag,
            "{size}"
        );
    }
    let body = pattern(12 * MIB);
    let pieces: Vec<_> = body
        .chunks(100_000)
        .map(Bytes::copy_from_slice)
        .map(Ok)
        .collect();
    let upload = NativeUpload::from_stream(futures::stream::iter(pieces), None, None);
    let path = gateway.path("unknown");
    gateway
        .s3
        .write(&path, upload, &WriteOptions::default())
        .await
        .unwrap();
    assert_eq!(gateway.read("unknown").await, body);
}

#[tokio::test]
#[ignore = "needs a gateway: make test-ceph"]
async fn a_broken_upload_leaves_nothing() {
    let gateway = Gateway::with(
        "broken",
        json!({"part_size": "5MiB", "multipart_threshold": "6MiB"}),
    );
    let pieces = (0..3)
        .map(|_| Ok(pattern(4 * MIB)))
        .chain([Err(Error::Other("the client is gone".to_owned()))]);
    let upload = NativeUpload::from_stream(futures::stream::iter(pieces), Some(20 << 20), None);
    let path = gateway.path("f");
    assert!(
        gateway
            .s3
            .write(&path, upload, &WriteOptions::default())
            .await
            .is_err()
    );
    assert_eq!(gateway.stat("f").await, Err(Error::NotFound));
}

#[tokio::test]
#[ignore = "needs a gateway: make test-ceph"]
async fn conditions_hold() {
    // As the profile has it, and as Ceph itself checks them.
    for trusted in [false, true] {
        let folder = if trusted {
            "conditions-trusted"
        } else {
            "conditions"
        };
        let gateway = Gateway::with(
            folder,
            json!({"conditional_put": trusted, "part_size": "5MiB", "multipart_threshold": "6MiB"}),
        );
        for size in [3, 7 * MIB] {
            let name = size.to_string();
            let write = async |precondition| {
                let options = WriteOptions {
                    precondition,
                    ..WriteOptions::default()
                };
                gateway.write_with(&name, pattern(size), &options).await
            };
            let what = format!("{trusted} {size}");
            let tag = |text: &str| Precondition::Matches(text.to_owned());
            let refused = Err(Error::PreconditionFailed);
            assert_eq!(write(tag("\"none\"")).await, refused, "{what}");
            let first = write(Precondition::Absent).await.unwrap();
            assert_eq!(write(Precondition::Absent).await, refused, "{what}");
            assert_eq!(write(tag("\"none\"")).await, refused, "{what}");
            write(tag(&first.etag.unwrap())).await.expect(&what);
        }
    }
}

#[tokio::test]
#[ignore = "needs a gateway: make test-ceph"]
async fn what_a_file_is_kept_with_survives_copies() {
    let gateway = Gateway::with(
        "kept",
        json!({"copy_max": "6MiB", "copy_part_size": "5MiB", "part_size": "5MiB"}),
    );
    let options = WriteOptions {
        modified: Some(UNIX_EPOCH + Duration::from_millis(1_500_000_000_250)),
        ..WriteOptions::default()
    };
    for (name, size) in [("small", 3), ("large +", 17 * MIB)] {
        gateway
            .write_with(name, pattern(size), &options)
            .await
            .unwrap();
        let copy = format!("copy of {name}");
        gateway.copy(name, &copy, Kind::File).await.unwrap();
        for name in [name, &copy] {
            let entry = gateway.stat(name).await.unwrap();
            assert_eq!(entry.size, size as u64, "{name}");
            assert_eq!(entry.content_type.as_deref(), Some("text/x-test"), "{name}");
            let mtime = entry.extra.iter().find(|(name, _)| name == "mtime");
            assert_eq!(mtime.unwrap().1, "1500000000.25", "{name}");
        }
        assert_eq!(gateway.read(&copy).await, pattern(size));
        gateway.rename(&copy, "moved", Kind::File).await.unwrap();
        assert_eq!(gateway.stat(&copy).await, Err(Error::NotFound));
        assert_eq!(gateway.read("moved").await, pattern(size));
        gateway.remove("moved", Kind::File).await.unwrap();
    }
}
