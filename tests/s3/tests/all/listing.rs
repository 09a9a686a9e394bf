use orlop_test_s3::Server;

use crate::client::{Client, query, server};
use crate::xml::{listed, text, texts};

const KEYS: [&str; 8] = ["a", "a/", "a//b", "a/b", "a/c d+e", "b/1/x", "b/2/y", "ü"];

async fn filled() -> (Server, Client) {
    let server = server().await;
    for key in KEYS {
        server.store().put("bkt", key, "x");
    }
    let client = Client::new(&server);
    (server, client)
}

async fn list(client: &Client, parameters: &[(&str, &str)]) -> String {
    let answer = client
        .get(&format!("/bkt?{}", query(parameters)))
        .await
        .expect(200);
    answer.text().to_owned()
}

/// All names of all pages, sorted as one sequence, and how many pages there were.
async fn all_v2(client: &Client, parameters: &[(&str, &str)]) -> (Vec<String>, usize) {
    let mut names = Vec::new();
    let mut token: Option<String> = None;
    for pages in 1.. {
        let mut asked = vec![("list-type", "2")];
        asked.extend_from_slice(parameters);
        if let Some(token) = &token {
            asked.push(("continuation-token", token));
        }
        let xml = list(client, &asked).await;
        let (keys, prefixes) = listed(&xml);
        assert_eq!(
            text(&xml, "KeyCount"),
            (keys.len() + prefixes.len()).to_string()
        );
        names.extend(keys);
        names.extend(prefixes);
        match text(&xml, "IsTruncated").as_str() {
            "true" => token = Some(text(&xml, "NextContinuationToken")),
            _ => {
                assert!(texts(&xml, "NextContinuationToken").is_empty());
                names.sort();
                return (names, pages);
            }
        }
    }
    unreachable!()
}

#[tokio::test]
async fn version_2_pages() {
    let (_server, client) = filled().await;
    type Parameters = &'static [(&'static str, &'static str)];
    let cases: [(Parameters, &[&str]); 5] = [
        (&[], &KEYS),
        (&[("delimiter", "/")], &["a", "a/", "b/", "ü"]),
        (
            &[("delimiter", "/"), ("prefix", "a/")],
            &["a/", "a//", "a/b", "a/c d+e"],
        ),
        (&[("delimiter", "/"), ("prefix", "b/")], &["b/1/", "b/2/"]),
        (&[("prefix", "none")], &[]),
    ];
    for (parameters, expected) in cases {
        for max in ["1", "2", "3", "1000"] {
            let mut parameters = parameters.to_vec();
            parameters.push(("max-keys", max));
            let (names, pages) = all_v2(&client, &parameters).await;
            assert_eq!(names, expected, "{parameters:?}");
            let max: usize = max.parse().unwrap();
            assert_eq!(pages, expected.len().div_ceil(max).max(1), "{parameters:?}");
        }
    }
}

#[tokio::test]
async fn version_1_pages_with_a_delimiter() {
    let (_server, client) = filled().await;
    let mut names = Vec::new();
    let mut marker = String::new();
    loop {
        let xml = list(
            &client,
            &[("delimiter", "/"), ("max-keys", "1"), ("marker", &marker)],
        )
        .await;
        let (keys, prefixes) = listed(&xml);
        names.extend(keys);
        names.extend(prefixes);
        if text(&xml, "IsTruncated") == "false" {
            assert!(texts(&xml, "NextMarker").is_empty());
            break;
        }
        marker = text(&xml, "NextMarker");
        assert_eq!(names.last(), Some(&marker));
    }
    assert_eq!(names, ["a", "a/", "b/", "ü"]);
}

#[tokio::test]
async fn version_1_without_a_delimiter_has_no_next_marker() {
    let (_server, client) = filled().await;
    let xml = list(&client, &[("max-keys", "3")]).await;
    assert_eq!(text(&xml, "IsTruncated"), "true");
    assert!(texts(&xml, "NextMarker").is_empty());
    assert_eq!(listed(&xml).0, KEYS[..3]);
    let xml = list(&client, &[("marker", "a//b")]).await;
    assert_eq!(listed(&xml).0, KEYS[3..]);
    assert_eq!(text(&xml, "Marker"), "a//b");
    assert_eq!(text(&xml, "MaxKeys"), "1000");
}

#[tokio::test]
async fn start_after_need_not_exist() {
    let (_server, client) = filled().await;
    let xml = list(&client, &[("list-type", "2"), ("start-after", "a/bb")]).await;
    assert_eq!(listed(&xml).0, KEYS[4..]);
    assert_eq!(text(&xml, "StartAfter"), "a/bb");
    let xml = list(
        &client,
        &[
            ("list-type", "2"),
            ("start-after", "a/b"),
            ("delimiter", "/"),
        ],
    )
    .await;
    assert_eq!(listed(&xml).1, ["a/", "b/"]);
}

#[tokio::test]
async fn names_are_encoded_on_request() {
    let (_server, client) = filled().await;
    let xml = list(
        &client,
        &[
            ("encoding-type", "url"),
            ("prefix", "a/c "),
            ("delimiter", "+"),
            ("marker", "a "),
        ],
    )
    .await;
    assert_eq!(listed(&xml).1, ["a/c%20d%2B"]);
    assert_eq!(text(&xml, "EncodingType"), "url");
    assert_eq!(text(&xml, "Delimiter"), "%2B");
    assert_eq!(text(&xml, "Marker"), "a%20");
    assert!(xml.contains("<Prefix>a/c%20</Prefix>"), "{xml}");
    let xml = list(
        &client,
        &[
            ("encoding-type", "url"),
            ("list-type", "2"),
            ("start-after", "b/3"),
        ],
    )
    .await;
    assert_eq!(listed(&xml).0, ["%C3%BC"]);
    let xml = list(
        &client,
        &[
            ("delimiter", "/"),
            ("max-keys", "1"),
            ("encoding-type", "url"),
            ("prefix", "a/c"),
        ],
    )
    .await;
    assert_eq!(listed(&xml).0, ["a/c%20d%2Be"]);
}

#[tokio::test]
async fn contents_describe_the_objects() {
    let server = server().await;
    let client = Client::new(&server);
    client.put("/bkt/k", "hello").await.expect(200);
    let xml = list(&client, &[("list-type", "2"), ("fetch-owner", "true")]).await;
    assert_eq!(text(&xml, "Name"), "bkt");
    assert_eq!(text(&xml, "Size"), "5");
    assert_eq!(text(&xml, "ETag"), "\"5d41402abc4b2a76b9719d911017c592\"");
    assert_eq!(text(&xml, "StorageClass"), "STANDARD");
    assert!(text(&xml, "LastModified").ends_with(".000Z"));
    assert_eq!(text(&xml, "ID").len(), 64);
    let xml = list(&client, &[("list-type", "2")]).await;
    assert!(texts(&xml, "ID").is_empty());
}

#[tokio::test]
async fn bad_questions() {
    let server = server().await;
    let client = Client::new(&server);
    client
        .get("/bkt?max-keys=-1")
        .await
        .expect_error(400, "InvalidArgument");
    client
        .get("/bkt?list-type=2&continuation-token=nonsense")
        .await
        .expect_error(400, "InvalidArgument");
    server.store().put("bkt", "k", "x");
    let xml = list(&client, &[("max-keys", "0")]).await;
    assert_eq!(text(&xml, "IsTruncated"), "false");
    assert!(listed(&xml).0.is_empty());
}

#[tokio::test]
async fn pages_have_a_thousand_entries_at_most() {
    let server = server().await;
    let client = Client::new(&server);
    for n in 0..1500 {
        server.store().put("bkt", &format!("{:04}/x", n), "");
    }
    let xml = list(&client, &[("max-keys", "5000"), ("delimiter", "/")]).await;
    assert_eq!(text(&xml, "MaxKeys"), "1000");
    assert_eq!(listed(&xml).1.len(), 1000);
    assert_eq!(text(&xml, "NextMarker"), "0999/");
    let (names, pages) = all_v2(&client, &[]).await;
    assert_eq!((names.len(), pages), (1500, 2));
}
