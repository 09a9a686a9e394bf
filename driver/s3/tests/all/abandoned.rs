//! Uploads in parts that nobody finished.

use orlop_driver::{Storage, Writable, WriteOptions, native::NativeUpload};
use serde_json::{Value, json};

use crate::{
    fake::{Fake, answer, error, listing, object, ok},
    volume::path,
};

type Answer = orlop_driver::Result<orlop_driver::Response>;

/// Now is 2026-11-23T00:00:00Z.
fn uploads(found: &[(&str, &str, &str)], rest: &str) -> Answer {
    let uploads: String = found
        .iter()
        .map(|(key, id, begun)| {
            format!(
                "<Upload><Key>{key}</Key><UploadId>{id}</UploadId><Initiated>{begun}</Initiated></Upload>"
            )
        })
        .collect();
    ok(&format!(
        "<ListMultipartUploadsResult>{rest}{uploads}</ListMultipartUploadsResult>"
    ))
}

fn gone() -> Answer {
    answer(204, &[], "")
}

/// The answers to an upload of one part.
fn written() -> [Answer; 3] {
    [
        ok("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"),
        answer(200, &[("etag", "\"p\"")], ""),
        ok("<CompleteMultipartUploadResult><ETag>\"x-1\"</ETag></CompleteMultipartUploadResult>"),
    ]
}

async fn write(s3: &impl Writable<Host = Fake>) -> bool {
    let upload = NativeUpload::from_bytes("data", None);
    s3.write(&path("f"), upload, &WriteOptions::default())
        .await
        .is_ok()
}

fn lines(fake: &Fake) -> Vec<String> {
    let host = "https://photos.s3.example.com";
    let sent = fake.sent();
    sent.iter()
        .map(|sent| sent.line().replace(host, ""))
        .collect()
}

fn sweeping() -> Value {
    json!({"abandoned_uploads_after": 24, "multipart_threshold": 0})
}

#[tokio::test]
async fn the_first_upload_in_parts_clears_up_what_is_old() {
    let old = "2026-11-21T23:59:59.000Z";
    let new = "2026-11-22T00:00:01.000Z";
    let more = "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
                <NextKeyMarker>b+c</NextKeyMarker><NextUploadIdMarker>2</NextUploadIdMarker>";
    let mut answers = written().to_vec();
    answers.extend([
        uploads(&[("a", "1", new), ("b+c", "2", old)], more),
        uploads(
            &[("b+c", "3", old), ("z", "4", new)],
            "<EncodingType>url</EncodingType>",
        ),
        gone(),
        error(404, "NoSuchUpload"),
    ]);
    answers.extend(written());
    answers.extend(written());
    let fake = Fake::new(answers);
    let s3 = fake.open(sweeping());
    assert!(write(&s3).await);
    assert_eq!(
        lines(&fake)[3..],
        [
            "GET /?encoding-type=url&max-uploads=1000&uploads=",
            "GET /?encoding-type=url&key-marker=b%20c&max-uploads=1000&upload-id-marker=2&uploads=",
            "DELETE /b%20c?uploadId=2",
            "DELETE /b%20c?uploadId=3",
        ]
    );
    // Once is enough, for all instances.
    assert!(write(&s3).await);
    assert!(write(&fake.open(sweeping())).await);
    assert_eq!(fake.left(), 0);
}

#[tokio::test]
async fn an_upload_is_not_worse_for_what_goes_wrong_with_others() {
    let mut answers = written().to_vec();
    answers.push(error(403, "AccessDenied"));
    let fake = Fake::new(answers);
    assert!(write(&fake.open(sweeping())).await);
    assert_eq!(fake.left(), 0);

    // A failed upload looks after its own parts alone.
    let [begun, _, _] = written();
    let fake = Fake::new([begun, error(403, "AccessDenied"), gone()]);
    assert!(!write(&fake.open(sweeping())).await);
    assert_eq!(fake.left(), 0);

    // Nobody asked for it.
    let fake = Fake::new(written());
    assert!(write(&fake.open(json!({"multipart_threshold": 0}))).await);
}

#[tokio::test]
async fn a_list_of_uploads_that_stands_still_ends() {
    let stuck = "<IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker>";
    let mut answers = written().to_vec();
    answers.extend([uploads(&[], stuck), uploads(&[], stuck)]);
    let fake = Fake::new(answers);
    assert!(write(&fake.open(sweeping())).await);
    assert_eq!(fake.left(), 0);
}

#[tokio::test]
async fn a_check_counts_them_or_clears_them_up() {
    let rules = "<CORSConfiguration><CORSRule><AllowedMethod>PUT</AllowedMethod>\
                 <ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>";
    let old = [("a", "1", "2026-11-20T00:00:00.000Z")];
    for sweeps in [false, true] {
        let mut answers = vec![
            listing(&[], false, ""),
            answer(200, &[], ""),
            object(73, "e"),
            gone(),
            uploads(&old, ""),
        ];
        if sweeps {
            answers.push(gone());
        }
        answers.push(ok(rules));
        let fake = Fake::new(answers);
        let options = match sweeps {
            true => sweeping(),
            false => json!({}),
        };
        let findings = fake.open(options).check(Some(&path("scratch"))).await;
        let findings = findings.unwrap();
        assert_eq!(findings.len(), 1, "{findings:?}");
        let found = &findings[0];
        assert_eq!(found.field.as_deref(), Some("abandoned_uploads_after"));
        assert!(found.message.ends_with(": 1"), "{found:?}");
        assert_eq!(found.remedy.is_none(), sweeps);
        assert_eq!(fake.left(), 0);
    }
}
