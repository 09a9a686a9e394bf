//! Writing files and making directories.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use futures::stream;
use http::{Method, StatusCode};
use orlop_driver::{
    Entry, Error, Kind, LinkUploadOptions, Overwrite, Precondition, Result, Sharing, Storage,
    Transfer, Writable, WriteOptions, native::NativeUpload,
};
use orlop_test_s3::{Fault, Matcher};
use serde_json::{Value, json};

use crate::{
    fake::{Fake, answer, error, object, ok},
    volume::{BUCKET, Volume, merge, path, plan},
};

const KIB: usize = 1 << 10;

/// Options that make small files large.
fn small_parts() -> Value {
    json!({"part_min": "100KiB", "part_size": "100KiB", "multipart_threshold": "150KiB", "upload_concurrency": 3})
}

/// Characters that differ from place to place.
fn pattern(len: usize) -> Bytes {
    (0..len).map(|index| (index / 7 % 127) as u8).collect()
}

fn in_pieces(bytes: &Bytes, piece: usize, size: Option<u64>) -> NativeUpload {
    let pieces: Vec<_> = bytes
        .chunks(piece)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    NativeUpload::from_stream(stream::iter(pieces), size, Some("application/x-test"))
}

async fn write(volume: &Volume, upload: NativeUpload) -> Result<Entry> {
    volume
        .s3
        .write(&path("dir/f"), upload, &WriteOptions::default())
        .await
}

#[tokio::test]
async fn files_of_any_size_arrive_whole() {
    for known in [true, false] {
        for len in [
            0,
            1,
            100 * KIB - 1,
            100 * KIB,
            150 * KIB - 1,
            150 * KIB,
            200 * KIB,
            1050 * KIB,
        ] {
            let volume = Volume::with(small_parts()).await;
            let bytes = pattern(len);
            let upload = in_pieces(&bytes, 7777, known.then_some(len as u64));
            let entry = write(&volume, upload).await.unwrap();
            assert_eq!((entry.name.as_str(), entry.size), ("f", len as u64));
            assert_eq!(volume.server.store().bytes(BUCKET, "dir/f").unwrap(), bytes);
            let looked = volume.stat("dir/f", None).await.unwrap();
            assert_eq!(entry.etag, looked.etag);
            assert_eq!(entry.content_type, looked.content_type);
            assert_eq!(entry.extra, looked.extra);
            assert_eq!(entry.content_type.as_deref(), Some("application/x-test"));
            assert_eq!(volume.server.store().unfinished_uploads(BUCKET), 0);
            let puts = volume
                .requests()
                .iter()
                .filter(|line| line.starts_with("PUT"))
                .count();
            let whole = if known {
                len < 150 * KIB
            } else {
                len < 100 * KIB
            };
            let parts = if whole { 1 } else { len.div_ceil(100 * KIB) };
            assert_eq!(puts, parts, "{len} {known}");
        }
    }
}

#[tokio::test]
async fn a_small_file_takes_one_put() {
    for provider in ["aws", "minio", "r2", "generic"] {
        let volume = Volume::with(json!({"provider": provider})).await;
        volume.write("a b", "x").await.unwrap();
        assert_eq!(volume.requests(), ["PUT /a%20b"], "{provider}");
    }
}

#[tokio::test]
async fn a_file_in_parts_takes_no_look() {
    let volume = Volume::with(small_parts()).await;
    let upload = in_pieces(&pattern(200 * KIB), 50_000, Some(200 * KIB as u64));
    let entry = write(&volume, upload).await.unwrap();
    // The service's time for it is that of the beginning, or of the end: nobody knows.
    assert_eq!(entry.modified, None);
    let requests = volume.requests();
    assert_eq!(requests.len(), 4, "{requests:?}");
}

#[tokio::test]
async fn what_was_written_is_described_as_a_look_would() {
    let told = [("etag", "\"e\""), ("date", "Sun, 06 Nov 1994 08:49:37 GMT")];
    let looked = [
        ("content-length", "4"),
        ("etag", "\"e\""),
        ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("content-type", "application/octet-stream"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-meta-mtime", "1700000000.25"),
        ("x-amz-meta-colour", "blue"),
        ("cache-control", "no-cache"),
    ];
    let fake = Fake::new([answer(200, &told, ""), answer(200, &looked, "")]);
    let s3 = fake.open(json!({"storage_class": "STANDARD_IA"}));
    let upload = NativeUpload::from_bytes("data", None);
    let options = WriteOptions {
        modified: Some(UNIX_EPOCH + Duration::from_millis(1_700_000_000_250)),
        extra: [
            ("meta-colour", "blue"),
            ("cache-control", "no-cache"),
            ("storage-class", "GLACIER"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
        ..WriteOptions::default()
    };
    let written = s3.write(&path("f"), upload, &options).await.unwrap();
    assert_eq!(written, s3.stat(&path("f"), None).await.unwrap());
    let sent = &fake.sent()[0];
    let kept = [
        "content-type",
        "x-amz-meta-mtime",
        "x-amz-storage-class",
        "x-amz-meta-colour",
        "cache-control",
    ];
    assert_eq!(
        kept.map(|name| sent.header(name)),
        [
            Some("application/octet-stream"),
            Some("1700000000.25"),
            Some("STANDARD_IA"),
            Some("blue"),
            Some("no-cache"),
        ]
    );
}

#[tokio::test]
async fn a_time_that_came_with_the_file_goes_before_that_of_a_storage() {
    let fake = Fake::new([answer(200, &[("etag", "\"e\"")], "")]);
    let options = WriteOptions {
        modified: Some(UNIX_EPOCH + Duration::from_secs(1_700_000_000)),
        extra: vec![("mtime".to_owned(), "784111777.5".to_owned())],
        ..WriteOptions::default()
    };
    let upload = NativeUpload::from_bytes("data", None);
    let s3 = fake.open(json!({}));
    s3.write(&path("f"), upload, &options).await.unwrap();
    let sent = &fake.sent()[0];
    assert_eq!(sent.header("x-amz-meta-mtime"), Some("784111777.5"));
}

#[tokio::test]
async fn an_answer_without_an_etag_is_looked_up() {
    let fake = Fake::new([answer(200, &[], ""), object(4, "e")]);
    let upload = NativeUpload::from_bytes("data", None);
    let options = WriteOptions::default();
    let entry = fake
        .open(json!({}))
        .write(&path("f"), upload, &options)
        .await;
    assert_eq!(entry.unwrap().etag.as_deref(), Some("\"e\""));

    // Ceph puts parts together and tells no ETag.
    let fake = Fake::new([
        ok("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"),
        answer(200, &[("etag", "\"p\"")], ""),
        ok("<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>"),
        object(100 * 1024, "whole-1"),
    ]);
    let upload = in_pieces(&pattern(100 * KIB), 7777, None);
    let entry = fake
        .open(small_parts())
        .write(&path("f"), upload, &options)
        .await;
    assert_eq!(entry.unwrap().etag.as_deref(), Some("\"whole-1\""));
    assert_eq!(fake.left(), 0);
}

#[tokio::test]
async fn encryption_and_class_are_asked_for_wherever_an_object_begins() {
    let options = json!({
        "storage_class": "STANDARD_IA",
        "server_side_encryption": "aws:kms",
        "sse_kms_key_id": "key-1",
        "part_min": "100KiB",
        "part_size": "100KiB",
        "multipart_threshold": "100KiB",
    });
    let fake = Fake::new([
        ok("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"),
        answer(200, &[("etag", "\"p\"")], ""),
        ok("<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>"),
        answer(200, &[("etag", "\"e\"")], ""),
        object(3, "e"),
        ok("<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>"),
    ]);
    let s3 = fake.open(options);
    let write = async |len| {
        let upload = in_pieces(&pattern(len), 7777, Some(len as u64));
        s3.write(&path("f"), upload, &WriteOptions::default())
            .await
            .unwrap()
    };
    write(100 * KIB).await;
    write(3).await;
    let plan = plan("f", "g", Kind::File, Overwrite::Replace);
    s3.copy(&plan, None).await.unwrap();
    let sent = fake.sent();
    for index in [0, 3, 5] {
        let told = [
            "x-amz-storage-class",
            "x-amz-server-side-encryption",
            "x-amz-server-side-encryption-aws-kms-key-id",
        ]
        .map(|name| sent[index].header(name));
        assert_eq!(
            told,
            [Some("STANDARD_IA"), Some("aws:kms"), Some("key-1")],
            "{index}"
        );
    }
    // Parts and their end have none of it.
    assert!(sent[1].header("x-amz-storage-class").is_none());
    assert!(sent[2].header("x-amz-server-side-encryption").is_none());
}

#[tokio::test]
async fn too_large_is_known_before_a_byte_is_sent() {
    let fake = Fake::new([]);
    let options = json!({"parts_max": 10, "multipart_threshold": 0});
    let upload = in_pieces(&Bytes::new(), 1, Some(51 << 30));
    let failed = fake
        .open(options)
        .write(&path("f"), upload, &WriteOptions::default())
        .await;
    assert_eq!(failed, Err(Error::TooLarge(50 << 30)));
}

#[tokio::test]
async fn a_file_of_unknown_size_may_fill_the_last_part_and_no_more() {
    for equal in [true, false] {
        let options = json!({
            "part_min": "100KiB", "part_size": "100KiB", "parts_max": 3, "equal_parts": equal,
        });
        let sizes: &[usize] = match equal {
            true => &[100, 100, 100],
            // Three, four and six tenths of the parts are done when these begin.
            false => &[100, 400, 700],
        };
        let most = sizes.iter().sum::<usize>();
        let volume = Volume::with(options).await;
        let upload = in_pieces(&pattern(most * KIB), 50_000, None);
        let entry = write(&volume, upload).await.unwrap();
        assert_eq!(entry.size, (most * KIB) as u64);
        let upload = in_pieces(&pattern(most * KIB + 1), 50_000, None);
        let failed = write(&volume, upload).await;
        assert_eq!(failed, Err(Error::TooLarge((most * KIB) as u64)));
        // What was there before is there still.
        let store = volume.server.store();
        let kept = store.object(BUCKET, "dir/f").unwrap().body.len();
        assert_eq!(kept, (most * KIB) as u64);
        assert_eq!(store.unfinished_uploads(BUCKET), 0);
    }
}

#[tokio::test]
async fn the_etag_tells_whether_a_lost_answer_was_a_success() {
    // The object that was there before has the same size.
    for (there, finished) in [
        ("59adb24ef3cdbe0297f05b395827453f-1", true),
        ("0123456789abcdef0123456789abcdef-1", false),
    ] {
        let mut answers = vec![
            ok(
                "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
            ),
            answer(200, &[("etag", "\"d41d8cd98f00b204e9800998ecf8427e\"")], ""),
            Err(Error::Unavailable("lost".into())),
            error(404, "NoSuchUpload"),
            object(100 * 1024, there),
        ];
        if !finished {
            answers.push(answer(204, &[], ""));
        }
        let fake = Fake::new(answers);
        let upload = in_pieces(&pattern(100 * KIB), 7777, None);
        let written = fake
            .open(small_parts())
            .write(&path("f"), upload, &WriteOptions::default())
            .await;
        assert_eq!(written.is_ok(), finished, "{there}");
        assert_eq!(fake.left(), 0);
    }
}

#[tokio::test]
async fn an_etag_that_the_service_wants_without_quotes_is_sent_so_once() {
    let options = WriteOptions {
        precondition: Precondition::Matches("\"e\"".to_owned()),
        ..WriteOptions::default()
    };
    let refused = || error(412, "PreconditionFailed");
    let write = async |fake: &Fake| {
        let upload = NativeUpload::from_bytes("data", None);
        fake.open(json!({}))
            .write(&path("f"), upload, &options)
            .await
    };
    let fake = Fake::new([
        refused(),
        object(9, "e"),
        answer(200, &[("etag", "\"n\"")], ""),
    ]);
    write(&fake).await.unwrap();
    let sent = fake.sent();
    assert_eq!(sent[0].header("if-match"), Some("\"e\""));
    assert_eq!(sent[2].header("if-match"), Some("e"));

    // Another's file stays.
    let fake = Fake::new([refused(), object(9, "other")]);
    assert_eq!(write(&fake).await, Err(Error::PreconditionFailed));
    let fake = Fake::new([refused(), object(9, "e"), refused()]);
    assert_eq!(write(&fake).await, Err(Error::PreconditionFailed));
}

#[tokio::test]
async fn an_upload_that_fails_leaves_nothing() {
    let bytes = pattern(500 * KIB);
    let cases: [(&str, Fault); 4] = [
        (
            "partNumber=2",
            Fault::error(StatusCode::FORBIDDEN, "AccessDenied"),
        ),
        (
            "partNumber=5",
            Fault::error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        ),
        ("partNumber=1", Fault::Reset),
        ("partNumber=3", Fault::slow_down()),
    ];
    for (query, fault) in cases {
        let volume = Volume::with(small_parts()).await;
        let matcher = Matcher::any().method(Method::PUT).query(query).always();
        volume.server.faults().inject(matcher, fault.clone());
        let failed = write(&volume, in_pieces(&bytes, 50_000, None)).await;
        assert!(failed.is_err(), "{fault:?}");
        assert_eq!(
            volume.server.store().unfinished_uploads(BUCKET),
            0,
            "{fault:?}"
        );
        assert!(volume.keys().is_empty());
    }

    // The same, now that the client breaks off.
    let volume = Volume::with(small_parts()).await;
    let pieces = (0..30).map(|_| Ok(Bytes::from(vec![7; 10_000])));
    let broken =
        stream::iter(pieces.chain([Err(Error::Unavailable("the client went away".into()))]));
    let failed = write(&volume, NativeUpload::from_stream(broken, None, None)).await;
    assert_eq!(
        failed,
        Err(Error::Unavailable("the client went away".into()))
    );
    assert_eq!(volume.server.store().unfinished_uploads(BUCKET), 0);
    assert!(volume.keys().is_empty());
}

#[tokio::test]
async fn what_passes_does_not_break_an_upload() {
    let bytes = pattern(500 * KIB);
    let cases = [
        (
            Matcher::any().method(Method::PUT).times(5),
            Fault::slow_down(),
        ),
        (Matcher::any().query("partNumber=2"), Fault::Reset),
        (Matcher::any().query("partNumber=2"), Fault::LoseAnswer),
        (Matcher::any().query("uploads"), Fault::slow_down()),
        (
            Matcher::any().method(Method::POST).query("uploadId"),
            Fault::error_in_ok("InternalError"),
        ),
        (
            Matcher::any().method(Method::POST).query("uploadId"),
            Fault::LoseAnswer,
        ),
        (
            Matcher::any().method(Method::POST).query("uploadId"),
            Fault::CutBody { after: 60 },
        ),
    ];
    for (matcher, fault) in cases {
        let volume = Volume::with(small_parts()).await;
        volume.server.faults().inject(matcher, fault.clone());
        let entry = write(&volume, in_pieces(&bytes, 50_000, None)).await;
        assert_eq!(
            entry.map(|entry| entry.size),
            Ok(bytes.len() as u64),
            "{fault:?}"
        );
        assert_eq!(
            volume.server.faults().waiting(),
            0,
            "{fault:?} did not happen"
        );
        assert_eq!(volume.server.store().bytes(BUCKET, "dir/f").unwrap(), bytes);
        assert_eq!(
            volume.server.store().unfinished_uploads(BUCKET),
            0,
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn an_error_with_status_200_is_an_error() {
    let volume = Volume::with(small_parts()).await;
    let matcher = Matcher::any()
        .method(Method::POST)
        .query("uploadId")
        .always();
    volume
        .server
        .faults()
        .inject(matcher, Fault::error_in_ok("AccessDenied"));
    let failed = write(&volume, in_pieces(&pattern(300 * KIB), 50_000, None)).await;
    assert!(
        matches!(failed, Err(Error::PermissionDenied(_))),
        "{failed:?}"
    );
    assert_eq!(volume.server.store().unfinished_uploads(BUCKET), 0);
}

#[tokio::test]
async fn parts_go_up_side_by_side_but_not_too_many() {
    let volume = Volume::with(small_parts()).await;
    let gate = volume
        .server
        .faults()
        .hold(Matcher::any().query("partNumber").always());
    let upload = in_pieces(&pattern(1000 * KIB), 50_000, None);
    let watch = async {
        while gate.reached() < 3 {
            tokio::task::yield_now().await;
        }
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.reached(), 3);
        gate.release();
    };
    let (entry, ()) = futures::join!(write(&volume, upload), watch);
    entry.unwrap();
}

#[tokio::test]
async fn preconditions_hold_with_and_without_the_service() {
    for provider in ["minio", "generic"] {
        for large in [false, true] {
            let mut options = small_parts();
            options["provider"] = json!(provider);
            let volume = Volume::with(options).await;
            let len = if large { 300 * KIB } else { 3 };
            let write = async |precondition| {
                let upload = in_pieces(&pattern(len), 50_000, Some(len as u64));
                let options = WriteOptions {
                    precondition,
                    ..WriteOptions::default()
                };
                volume.s3.write(&path("f"), upload, &options).await
            };
            let refused = Err(Error::PreconditionFailed);
            let tag = |text: &str| Precondition::Matches(text.to_owned());
            assert_eq!(write(tag("\"none\"")).await, refused, "{provider} {large}");
            let first = write(Precondition::Absent).await.unwrap();
            assert_eq!(
                write(Precondition::Absent).await,
                refused,
                "{provider} {large}"
            );
            assert_eq!(write(tag("\"other\"")).await, refused, "{provider} {large}");
            write(tag(first.etag.as_deref().unwrap())).await.unwrap();
            write(Precondition::None).await.unwrap();
            assert_eq!(volume.server.store().unfinished_uploads(BUCKET), 0);
        }
    }
}

#[tokio::test]
async fn a_second_try_does_not_stumble_over_the_first() {
    let volume = Volume::new().await;
    volume
        .server
        .faults()
        .inject(Matcher::any().method(Method::PUT), Fault::LoseAnswer);
    let options = WriteOptions {
        precondition: Precondition::Absent,
        ..WriteOptions::default()
    };
    let upload = NativeUpload::from_bytes("mine", None);
    let entry = volume.s3.write(&path("f"), upload, &options).await.unwrap();
    assert_eq!(entry.size, 4);

    // But over another's file of the same size it does.
    let fake = Fake::new([
        Err(Error::Unavailable("lost".into())),
        error(412, "PreconditionFailed"),
        object(4, "0123456789abcdef0123456789abcdef"),
    ]);
    let upload = NativeUpload::from_bytes("mine", None);
    let failed = fake
        .open(json!({}))
        .write(&path("f"), upload, &options)
        .await;
    assert_eq!(failed, Err(Error::PreconditionFailed));
}

#[tokio::test]
async fn payloads_are_protected_by_one_digest() {
    let written = || [answer(200, &[("etag", "\"e\"")], "")];
    let write = async |config: Value| {
        let fake = Fake::new(written());
        let upload = NativeUpload::from_bytes("data", Some("text/plain"));
        let options = WriteOptions {
            modified: Some(UNIX_EPOCH + Duration::from_millis(1_700_000_000_250)),
            ..WriteOptions::default()
        };
        fake.open(config)
            .write(&path("f"), upload, &options)
            .await
            .unwrap();
        fake.sent().into_iter().next().unwrap()
    };
    let sent = write(json!({"provider": "generic"})).await;
    assert_eq!(sent.header("content-md5"), Some("jXd/OF09/siBXSD3SWAm3A=="));
    assert_eq!(
        sent.header("x-amz-content-sha256"),
        Some("UNSIGNED-PAYLOAD")
    );
    assert_eq!(sent.header("content-type"), Some("text/plain"));
    assert_eq!(sent.header("x-amz-meta-mtime"), Some("1700000000.25"));
    assert!(sent.header("authorization").unwrap().contains(
        "SignedHeaders=content-md5;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-mtime,"
    ));
    assert_eq!(sent.body, "data");

    let sha256 = "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7";
    for options in [
        json!({"provider": "generic", "endpoint": "http://s3.example.com"}),
        json!({"provider": "generic", "payload_hash": "sha256"}),
    ] {
        let sent = write(options).await;
        assert_eq!(sent.header("content-md5"), None);
        assert_eq!(sent.header("x-amz-checksum-sha256"), None);
        assert_eq!(sent.header("x-amz-content-sha256"), Some(sha256));
    }

    // Where the service keeps checksums, they do instead of the MD5.
    let sent = write(json!({"provider": "aws"})).await;
    assert_eq!(sent.header("content-md5"), None);
    assert_eq!(
        sent.header("x-amz-checksum-sha256"),
        Some("Om6weQ85rIfJTzhWst0sXREOaBFgImGpqSPTuyOtyLc=")
    );
    assert_eq!(
        sent.header("x-amz-content-sha256"),
        Some("UNSIGNED-PAYLOAD")
    );
    for provider in [
        "oss", "cos", "obs", "kodo", "bos", "jd", "oos", "eos", "upyun", "b2", "gcs", "minio",
    ] {
        let sent = write(json!({"provider": provider, "region": "r"})).await;
        assert!(sent.header("content-md5").is_some(), "{provider}");
        assert_eq!(sent.header("x-amz-checksum-sha256"), None, "{provider}");
    }
}

#[tokio::test]
async fn where_no_digest_goes_along_the_etag_shows_what_arrived() {
    let (right, wrong) = (
        "\"8d777f385d3dfec8815d20f7496026dc\"",
        "\"d41d8cd98f00b204e9800998ecf8427e\"",
    );
    let alone = json!({"provider": "generic", "content_md5": false, "etag_is_md5": true});
    for (options, etag, fits) in [
        (alone.clone(), right, true),
        (alone.clone(), wrong, false),
        // What the service looks at itself needs no second look, and other ETags tell nothing.
        (
            merge(alone.clone(), json!({"content_md5": true})),
            wrong,
            true,
        ),
        (
            merge(alone.clone(), json!({"payload_hash": "sha256"})),
            wrong,
            true,
        ),
        (
            merge(alone.clone(), json!({"etag_is_md5": false})),
            wrong,
            true,
        ),
        (
            merge(alone.clone(), json!({"server_side_encryption": "aws:kms"})),
            wrong,
            true,
        ),
        (alone, "\"7-of-another-kind\"", true),
    ] {
        let whole = Fake::new([answer(200, &[("etag", etag)], "")]);
        let upload = NativeUpload::from_bytes("data", None);
        let s3 = whole.open(options.clone());
        let written = s3.write(&path("f"), upload, &WriteOptions::default()).await;
        assert_eq!(written.is_ok(), fits, "{options} {etag}: {written:?}");
    }

    let parts = Fake::new([
        ok("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"),
        answer(200, &[("etag", wrong)], ""),
        answer(204, &[], ""),
    ]);
    let options = json!({"content_md5": false, "provider": "b2", "region": "r"});
    let s3 = parts.open(merge(small_parts(), options));
    let upload = in_pieces(&pattern(100 * KIB), 7777, None);
    let written = s3.write(&path("f"), upload, &WriteOptions::default()).await;
    assert!(
        matches!(&written, Err(Error::Other(text)) if text.contains("etag_is_md5")),
        "{written:?}"
    );
    assert_eq!(parts.left(), 0);
}

#[tokio::test]
async fn a_writer_who_may_not_look_is_told_what_is_known() {
    let fake = Fake::new([answer(200, &[], ""), answer(403, &[], "")]);
    let upload = NativeUpload::from_bytes("data", None);
    let entry = fake
        .open(json!({}))
        .write(&path("f"), upload, &WriteOptions::default())
        .await
        .unwrap();
    assert_eq!(
        (entry.size, entry.etag.as_deref(), entry.modified),
        (4, None, None)
    );
}

#[tokio::test]
async fn a_finished_upload_whose_answer_was_lost_is_finished() {
    let fake = Fake::new([
        ok("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"),
        answer(200, &[("etag", "\"p\"")], ""),
        Err(Error::Unavailable("lost".into())),
        error(404, "NoSuchUpload"),
        object(100 * 1024, "whole-1"),
    ]);
    let s3 = fake.open(small_parts());
    let upload = NativeUpload::from_bytes(vec![b'x'; 100 * KIB], None);
    let upload = NativeUpload::from_stream(
        stream::unfold(Some(upload), |upload| async move {
            use orlop_driver::{Part, Upload};
            let part = upload?.next(1 << 20).await.unwrap()?;
            Some((Ok(Bytes::from(part.read(0, u64::MAX).await.unwrap())), None))
        }),
        None,
        None,
    );
    let entry = s3
        .write(&path("f"), upload, &WriteOptions::default())
        .await
        .unwrap();
    assert_eq!(entry.etag.as_deref(), Some("\"whole-1\""));
    assert_eq!(fake.left(), 0);
}

#[tokio::test]
async fn directories_are_kept_by_a_marker_or_a_placeholder() {
    for (placeholder, key) in [("", "a/b/"), (".keep", "a/b/.keep")] {
        let volume = Volume::with(json!({"placeholder": placeholder})).await;
        let entry = volume.s3.make_directory(&path("a/b")).await.unwrap();
        assert_eq!((entry.name.as_str(), entry.kind), ("b", Kind::Directory));
        assert_eq!(volume.keys(), [key]);
        assert!(volume.list("a/b", 10).await.unwrap().is_empty());
        for taken in ["a/b", "a", ""] {
            assert_eq!(
                volume.s3.make_directory(&path(taken)).await,
                Err(Error::AlreadyExists)
            );
        }
    }
    let volume = Volume::new().await;
    volume.put("a", "a file of that name does not stand in the way");
    volume.s3.make_directory(&path("a")).await.unwrap();
    assert_eq!(volume.keys(), ["a", "a/"]);
}

#[tokio::test]
async fn a_write_that_a_path_hides_names_the_addressing() {
    // Huawei's answer to a bucket in the path.
    let write = async |options| {
        let fake = Fake::new([error(404, "NoSuchKey")]);
        let upload = NativeUpload::from_bytes("data", None);
        let s3 = fake.open(options);
        s3.write(&path("f"), upload, &WriteOptions::default()).await
    };
    let failed = write(json!({"addressing": "path"})).await;
    assert!(
        matches!(&failed, Err(Error::InvalidConfig(error)) if error.field.as_deref() == Some("addressing")),
        "{failed:?}"
    );
    assert_eq!(write(json!({})).await, Err(Error::NotFound));
}

#[tokio::test]
async fn names_that_the_service_does_not_take_are_refused_before_anything_is_sent() {
    for (provider, name) in [
        ("oss", "∅/a"),
        ("oss", "\\a"),
        ("cos", "∅/a"),
        ("kodo", "a\u{1}b"),
        ("minio", "a/∅/b"),
        ("minio", "a/..∅/b"),
        ("minio", ".∅/b"),
    ] {
        let fake = Fake::new([]);
        let s3 = fake.open(json!({"provider": provider, "region": "r"}));
        let to = path(name);
        let upload = NativeUpload::from_bytes("data", None);
        let plan = plan("from", name, Kind::File, Overwrite::Replace);
        let refusals = [
            s3.write(&to, upload, &WriteOptions::default()).await.err(),
            s3.make_directory(&to).await.err(),
            s3.copy(&plan, None).await.err(),
            s3.rename(&plan, None).await.err(),
            s3.link_upload(&to, &LinkUploadOptions::default())
                .await
                .err(),
        ];
        for refusal in refusals {
            assert!(
                matches!(&refusal, Some(Error::InvalidArgument(text)) if text.contains("takes no name")),
                "{provider} {name:?}: {refusal:?}"
            );
        }
    }
}

#[tokio::test]
async fn names_that_no_object_has_are_refused() {
    let volume = Volume::new().await;
    for name in ["␀", "a/␀1"] {
        let failed = volume.write(name, "x").await;
        assert!(matches!(failed, Err(Error::InvalidArgument(_))), "{name}");
    }
    assert!(matches!(
        volume.write("dir/∅", "").await,
        Err(Error::InvalidArgument(_))
    ));
    assert_eq!(volume.write("", "x").await, Err(Error::IsADirectory));
}
