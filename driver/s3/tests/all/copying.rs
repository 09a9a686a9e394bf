//! Copying files and trees.

use bytes::Bytes;
use http::{Method, StatusCode};
use orlop_driver::{
    Error, Kind, Overwrite, Transfer, Writable, WriteOptions, native::NativeUpload,
};
use orlop_test_s3::{EtagKind, Fault, Matcher, Metadata, Options, Rope};
use serde_json::json;

use crate::{
    fake::{Fake, listing, object, ok},
    volume::{BUCKET, Volume, path, plan, run},
};

#[tokio::test]
async fn a_copy_keeps_what_the_file_is_kept_with() {
    let volume = Volume::new().await;
    let upload = NativeUpload::from_bytes("bytes", Some("image/x-test"));
    let options = WriteOptions {
        modified: Some(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000)),
        ..WriteOptions::default()
    };
    volume
        .s3
        .write(&path("a+b"), upload, &options)
        .await
        .unwrap();
    let copied = volume.copy("a+b", "dir/c", Kind::File).await.unwrap();
    assert_eq!((copied.items, copied.bytes), (1, 5));
    let entry = volume.stat("dir/c", None).await.unwrap();
    assert_eq!(entry.content_type.as_deref(), Some("image/x-test"));
    assert_eq!(entry.extra, [("mtime".to_owned(), "1700000000".to_owned())]);
    assert_eq!(volume.text("a+b").as_deref(), Some("bytes"));
}

#[tokio::test]
async fn the_source_is_named_byte_for_byte() {
    let copied = ok("<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>");
    let fake = Fake::new([object(1, "e"), copied]);
    let plan = plan("a+b/ü ?.txt", "c", Kind::File, Overwrite::Replace);
    fake.open(json!({})).copy(&plan, None).await.unwrap();
    assert_eq!(
        fake.sent()[1].header("x-amz-copy-source"),
        Some("photos/a%2Bb/%C3%BC%20%3F.txt")
    );
}

#[tokio::test]
async fn a_tree_is_copied_with_its_markers() {
    let volume = Volume::new().await;
    for key in ["src/", "src/a", "src/sub/", "src/sub/b", "src/.openlist"] {
        volume.put(key, if key.ends_with(['a', 'b']) { "x" } else { "" });
    }
    volume.put("src", "a file of that name");
    volume.put("srcx/c", "x");
    let copied = volume
        .copy("src", "deep/dst", Kind::Directory)
        .await
        .unwrap();
    assert_eq!((copied.items, copied.bytes), (5, 2));
    let mut expected = vec!["src".to_owned(), "srcx/c".to_owned()];
    for key in ["", "a", "sub/", "sub/b", ".openlist"] {
        expected.push(format!("src/{key}"));
        expected.push(format!("deep/dst/{key}"));
    }
    expected.sort();
    assert_eq!(volume.keys(), expected);
}

#[tokio::test]
async fn what_is_there_already_is_refused_or_replaced() {
    let volume = Volume::new().await;
    for (key, body) in [
        ("src/a", "new"),
        ("src/b", "new"),
        ("dst/a", "old"),
        ("dst/c", "old"),
    ] {
        volume.put(key, body);
    }
    for (from, to, kind) in [
        ("src/a", "dst/a", Kind::File),
        ("src", "dst", Kind::Directory),
    ] {
        volume.requests();
        assert_eq!(volume.copy(from, to, kind).await, Err(Error::AlreadyExists));
        assert!(
            volume
                .requests()
                .iter()
                .all(|line| !line.starts_with("PUT"))
        );
        let plan = plan(from, to, kind, Overwrite::Replace);
        run(async |cursor| volume.s3.copy(&plan, cursor).await)
            .await
            .unwrap();
        assert_eq!(volume.text("dst/a").as_deref(), Some("new"));
    }
    assert_eq!(volume.keys(), ["dst/a", "dst/b", "dst/c", "src/a", "src/b"]);
    assert_eq!(volume.text("dst/c").as_deref(), Some("old"));
}

#[tokio::test]
async fn plans_that_make_no_sense_are_refused() {
    let volume = Volume::new().await;
    volume.put("a/b/c", "x");
    for (from, to) in [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("", "x"), ("a", "")] {
        for overwrite in [Overwrite::Refuse, Overwrite::Replace] {
            let plan = plan(from, to, Kind::Directory, overwrite);
            let failed = volume.s3.copy(&plan, None).await;
            assert!(
                matches!(failed, Err(Error::InvalidArgument(_))),
                "{from} {to}"
            );
        }
    }
    for kind in [Kind::File, Kind::Directory] {
        for overwrite in [Overwrite::Refuse, Overwrite::Replace] {
            let plan = plan("no", "x", kind, overwrite);
            let failed = run(async |cursor| volume.s3.copy(&plan, cursor).await).await;
            assert_eq!(failed, Err(Error::NotFound));
        }
    }
    assert_eq!(volume.keys(), ["a/b/c"]);
}

#[tokio::test]
async fn a_tree_of_many_pages_is_copied_several_at_a_time() {
    let volume = Volume::with(json!({"copy_concurrency": 16})).await;
    for number in 0..1205 {
        volume.put(&format!("src/{number:04}"), "x");
    }
    let gate = volume
        .server
        .faults()
        .hold(Matcher::any().method(Method::PUT).always());
    let watch = async {
        while gate.reached() < 16 {
            tokio::task::yield_now().await;
        }
        gate.release();
    };
    let (copied, ()) = futures::join!(volume.copy("src", "dst", Kind::Directory), watch);
    assert_eq!(copied.unwrap().items, 1205);
    assert_eq!(volume.keys().len(), 2410);
    let requests = volume.requests();
    let lists = requests
        .iter()
        .filter(|line| line.starts_with("GET") && line.contains("max-keys=1000"))
        .count();
    let puts = requests
        .iter()
        .filter(|line| line.starts_with("PUT"))
        .count();
    assert_eq!((lists, puts), (2, 1205));
}

#[tokio::test]
async fn large_files_are_copied_and_moved_in_parts() {
    // Hashing so much would take its time, and a tag that is no hash has to do as well.
    let server = Options {
        etag: EtagKind::Counter,
        ..Options::default()
    };
    let volume = Volume::on(
        server,
        json!({"copy_part_size": "500MB", "copy_concurrency": 2}),
    )
    .await;
    let mut body = Rope::default();
    let piece = Bytes::from(vec![7; 1 << 20]);
    for _ in 0..1100 {
        body.push(piece.clone());
    }
    body.push(Bytes::from_static(b"the end"));
    let size = body.len();
    let metadata = Metadata {
        content_type: Some("video/x-test".into()),
        ..Metadata::default()
    };
    volume
        .server
        .store()
        .put_with(BUCKET, "src/large", body, metadata);
    volume.put("src/a", "x");
    volume.put("src/z", "x");

    volume.copy("src/large", "one", Kind::File).await.unwrap();
    let entry = volume.stat("one", None).await.unwrap();
    assert_eq!(
        (entry.size, entry.content_type.as_deref()),
        (size, Some("video/x-test"))
    );
    volume.requests();
    let copied = volume.copy("src", "dst", Kind::Directory).await.unwrap();
    assert_eq!((copied.items, copied.bytes), (3, size + 2));
    let parts = volume
        .requests()
        .iter()
        .filter(|line| line.contains("partNumber"))
        .count();
    assert_eq!(parts, 3);
    volume
        .rename("src", "moved", Kind::Directory)
        .await
        .unwrap();
    volume.rename("one", "two", Kind::File).await.unwrap();
    let expected = [
        "dst/a",
        "dst/large",
        "dst/z",
        "moved/a",
        "moved/large",
        "moved/z",
        "two",
    ];
    assert_eq!(volume.keys(), expected);
    for key in ["dst/large", "moved/large", "two"] {
        let object = volume.server.store().object(BUCKET, key).unwrap();
        assert_eq!(object.body.slice(size - 7..size).to_bytes(), "the end");
        assert_eq!(object.body.len(), size);
    }
    assert_eq!(volume.server.store().unfinished_uploads(BUCKET), 0);
}

const GIB: u64 = 1 << 30;

fn upload_id() -> orlop_driver::Result<orlop_driver::Response> {
    ok("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
}

fn part(number: u32) -> orlop_driver::Result<orlop_driver::Response> {
    ok(&format!(
        "<CopyPartResult><ETag>\"p{number}\"</ETag></CopyPartResult>"
    ))
}

#[tokio::test]
async fn above_a_gibibyte_parts_are_copied_in_steps() {
    let size = 5 * GIB / 2;
    let fake = Fake::new([
        object(size, "src"),
        upload_id(),
        part(1),
        part(2),
        part(3),
        ok("<CompleteMultipartUploadResult><ETag>\"x-3\"</ETag></CompleteMultipartUploadResult>"),
    ]);
    let s3 = fake.open(json!({"copy_part_size": "1GiB", "copy_concurrency": 2}));
    let plan = plan("a", "b", Kind::File, Overwrite::Replace);
    let copied = run(async |cursor| s3.copy(&plan, cursor).await)
        .await
        .unwrap();
    assert_eq!((copied.items, copied.bytes), (1, size));
    let sent = fake.sent();
    let ranges: Vec<_> = sent
        .iter()
        .filter_map(|sent| sent.header("x-amz-copy-source-range"))
        .collect();
    assert_eq!(
        ranges,
        [
            "bytes=0-1073741823",
            "bytes=1073741824-2147483647",
            "bytes=2147483648-2684354559"
        ]
    );
    assert!(sent[2].url.contains("partNumber=1&uploadId=u"));
    assert_eq!(
        sent[2].header("x-amz-copy-source-if-match"),
        Some("\"src\"")
    );
    assert!(
        sent[5]
            .body
            .contains("<PartNumber>3</PartNumber><ETag>&quot;p3&quot;</ETag>")
    );
}

#[tokio::test]
async fn a_large_copy_that_fails_leaves_no_parts_and_a_repeat_begins_anew() {
    let size = 3 * GIB / 2;
    let plan = plan("a", "b", Kind::File, Overwrite::Replace);
    let config = json!({"copy_part_size": "1GiB"});
    let fake = Fake::new([
        object(size, "src"),
        upload_id(),
        part(1),
        crate::fake::error(403, "AccessDenied"),
        crate::fake::answer(204, &[], ""),
        // The same step again.
        crate::fake::error(404, "NoSuchUpload"),
        crate::fake::error(404, "NoSuchUpload"),
        object(size, "src"),
        upload_id(),
    ]);
    let s3 = fake.open(config);
    let begun = s3.copy(&plan, None).await.unwrap();
    let failed = s3.copy(&plan, begun.next.as_deref()).await;
    assert!(
        matches!(failed, Err(Error::PermissionDenied(_))),
        "{failed:?}"
    );
    assert_eq!(
        fake.sent()[4].line(),
        "DELETE https://photos.s3.example.com/b?uploadId=u"
    );
    let again = s3.copy(&plan, begun.next.as_deref()).await.unwrap();
    assert!(again.next.is_some() && again.items == 0);
}

#[tokio::test]
async fn an_error_with_status_200_is_no_copy() {
    let volume = Volume::new().await;
    volume.put("a", "x");
    let matcher = Matcher::any().method(Method::PUT);
    volume
        .server
        .faults()
        .inject(matcher.clone(), Fault::error_in_ok("AccessDenied"));
    assert!(matches!(
        volume.copy("a", "b", Kind::File).await,
        Err(Error::PermissionDenied(_))
    ));
    volume
        .server
        .faults()
        .inject(matcher.clone(), Fault::error_in_ok("InternalError"));
    volume.copy("a", "b", Kind::File).await.unwrap();
    volume.server.faults().inject(
        matcher,
        Fault::error(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
    );
    volume.copy("a", "c", Kind::File).await.unwrap();
    assert_eq!(volume.keys(), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_source_that_vanishes_meanwhile_does_not_stop_a_tree() {
    let fake = Fake::new([
        listing(&[("src/a", 1), ("src/b", 1)], false, ""),
        crate::fake::error(404, "NoSuchKey"),
        ok("<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>"),
    ]);
    let plan = plan("src", "dst", Kind::Directory, Overwrite::Replace);
    let step = fake
        .open(json!({"copy_concurrency": 1}))
        .copy(&plan, None)
        .await
        .unwrap();
    assert_eq!((step.items, step.next), (2, None));
}

#[tokio::test]
async fn what_the_service_cannot_copy_is_told_before_anything_is_done() {
    // Neither copies in parts nor whole objects of this size.
    let options = || json!({"provider": "upyun"});
    let large = 6_000_000_000;
    for overwrite in [Overwrite::Refuse, Overwrite::Replace] {
        let mut answers = vec![object(large, "e")];
        if overwrite == Overwrite::Refuse {
            answers.insert(0, crate::fake::answer(404, &[], ""));
        }
        let fake = Fake::new(answers);
        let plan = plan("a", "b", Kind::File, overwrite);
        let failed = fake.open(options()).copy(&plan, None).await;
        assert!(matches!(failed, Err(Error::Unsupported(_))), "{failed:?}");
        assert!(fake.sent().iter().all(|sent| sent.method == "HEAD"));
    }
    let fake = Fake::new([listing(&[("src/a", 1), ("src/b", large)], false, "")]);
    let tree = plan("src", "dst", Kind::Directory, Overwrite::Replace);
    let failed = fake.open(options()).rename(&tree, None).await;
    assert!(matches!(failed, Err(Error::Unsupported(_))), "{failed:?}");
    assert_eq!(fake.sent().len(), 1);

    // A service that turns out not to know the call is left without parts.
    let fake = Fake::new([
        object(large, "e"),
        upload_id(),
        crate::fake::error(501, "NotImplemented"),
        crate::fake::answer(204, &[], ""),
    ]);
    let file = plan("a", "b", Kind::File, Overwrite::Replace);
    let s3 = fake.open(json!({"copy_part_size": "5GiB", "copy_concurrency": 1}));
    let begun = s3.copy(&file, None).await.unwrap();
    let failed = s3.copy(&file, begun.next.as_deref()).await;
    assert!(matches!(failed, Err(Error::Unsupported(_))), "{failed:?}");
    assert_eq!(fake.left(), 0);
}

#[tokio::test]
async fn each_service_copies_as_much_in_one_call_as_it_can() {
    let mb = 1_000_000;
    for (options, size, whole) in [
        (
            json!({"provider": "oss", "region": "cn-beijing"}),
            1000 * mb,
            true,
        ),
        (
            json!({"provider": "oss", "region": "cn-beijing"}),
            1001 * mb,
            false,
        ),
        (
            json!({"provider": "oss", "region": "cn-beijing", "copy_part_size": "2GiB"}),
            1001 * mb,
            false,
        ),
        (json!({"provider": "aws"}), GIB, true),
        (json!({"provider": "aws"}), GIB + 1, false),
        // Without copies in parts there is but one way.
        (json!({"provider": "gcs"}), 100 * GIB, true),
        (json!({"provider": "upyun"}), 5000 * mb, true),
    ] {
        let answer = match whole {
            true => ok("<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>"),
            false => upload_id(),
        };
        let fake = Fake::new([object(size, "e"), answer]);
        let file = plan("a", "b", Kind::File, Overwrite::Replace);
        let step = fake.open(options.clone()).copy(&file, None).await.unwrap();
        assert_eq!(step.next.is_none(), whole, "{options} {size}");
        assert_eq!(fake.left(), 0);
    }
}

#[tokio::test]
async fn a_copy_in_parts_keeps_what_the_file_is_kept_with() {
    let kept = [
        ("content-type", "video/x-test"),
        ("cache-control", "no-cache"),
        ("content-disposition", "attachment"),
        ("content-encoding", "identity"),
        ("content-language", "de"),
        ("expires", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("x-amz-meta-mtime", "1700000000"),
        ("x-amz-meta-color", "red"),
    ];
    let size = (2 * GIB).to_string();
    let mut headers = vec![
        ("content-length", size.as_str()),
        ("etag", "\"e\""),
        ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-request-id", "1"),
    ];
    headers.extend(kept);
    let fake = Fake::new([crate::fake::answer(200, &headers, ""), upload_id()]);
    let file = plan("a", "b", Kind::File, Overwrite::Replace);
    fake.open(json!({})).copy(&file, None).await.unwrap();
    let sent = &fake.sent()[1];
    for (name, value) in kept {
        assert_eq!(sent.header(name), Some(value));
    }
    assert_eq!(sent.header("x-amz-storage-class"), Some("STANDARD_IA"));
    for name in ["etag", "last-modified", "x-amz-request-id"] {
        assert_eq!(sent.header(name), None);
    }
}

#[tokio::test]
async fn a_copy_keeps_its_storage_class_unless_told_otherwise() {
    let page = |class: &str| {
        ok(&format!(
            "<ListBucketResult><Contents><Key>src/a</Key><Size>1</Size><ETag>\"e\"</ETag>\
             <StorageClass>{class}</StorageClass></Contents></ListBucketResult>"
        ))
    };
    for (class, option, told) in [
        ("STANDARD", "", None),
        ("STANDARD_IA", "", Some("STANDARD_IA")),
        ("STANDARD_IA", "GLACIER_IR", Some("GLACIER_IR")),
        ("STANDARD", "GLACIER_IR", Some("GLACIER_IR")),
        // A name of the service's own, which it may not take back.
        ("Standard", "", None),
    ] {
        let copied = ok("<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>");
        let fake = Fake::new([page(class), copied]);
        let tree = plan("src", "dst", Kind::Directory, Overwrite::Replace);
        let s3 = fake.open(json!({"storage_class": option}));
        s3.copy(&tree, None).await.unwrap();
        let sent = &fake.sent()[1];
        assert_eq!(sent.header("x-amz-storage-class"), told, "{class} {option}");
    }
}

#[tokio::test]
async fn an_empty_page_does_not_end_a_tree() {
    let fake = Fake::new([
        listing(
            &[],
            true,
            "<NextContinuationToken>t</NextContinuationToken>",
        ),
        listing(&[("src/a", 1)], false, ""),
        ok("<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>"),
    ]);
    let tree = plan("src", "dst", Kind::Directory, Overwrite::Replace);
    let step = fake.open(json!({})).copy(&tree, None).await.unwrap();
    assert_eq!((step.items, step.next), (1, None));
}
