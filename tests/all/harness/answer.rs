use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use reqwest::{Client, RequestBuilder, redirect::Policy};
use serde_json::Value;

use super::{BUCKET, SECRET, soon};

/// An answer with all its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    request: String,
}

/// A client that follows no redirects and knows no proxies.
///
/// It keeps no connections: each test has a runtime of its own, which takes them down with it.
pub(crate) fn client() -> Client {
    static PROVIDER: OnceLock<()> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        // An error means that it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .pool_max_idle_per_host(0)
        // Browsers know names in `localhost` by themselves; this client has to be told.
        .resolve(
            &format!("{BUCKET}.s3.localhost"),
            ([127, 0, 0, 1], 0).into(),
        )
        .build()
        .unwrap()
}

/// Sends a request, and sees to it that no answer holds the secret.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let name = format!("{} {}", request.method(), request.url());
    let response = soon(&name, client.execute(request))
        .await
        .unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let (status, headers) = (response.status(), response.headers().clone());
    let body = soon(&name, response.bytes())
        .await
        .unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let answer = Answer {
        status,
        headers,
        body,
        request: name,
    };
    let shown = format!(
        "{:?}{}",
        answer.headers,
        String::from_utf8_lossy(&answer.body[..answer.body.len().min(1 << 20)])
    );
    assert!(!shown.contains(SECRET), "the secret shows in {answer:?}");
    answer
}

impl Answer {
    /// The same answer, if it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(
            self.status.as_u16(),
            status,
            "{}: {:?} {}",
            self.request,
            self.headers,
            self.text_lossy()
        );
        self
    }

    /// A header's value; the empty text if it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap_or("not ASCII"))
    }

    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_else(|_| panic!("{}: not UTF-8", self.request))
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.request, self.text_lossy()))
    }

    /// Checks that this is a problem document of the given status and code, and gives its detail.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> String {
        let answer = self.expect(status);
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{}",
            answer.request
        );
        let problem = answer.json();
        assert_eq!(problem["code"], code, "{}: {problem}", answer.request);
        assert_eq!(problem["status"], status, "{}: {problem}", answer.request);
        assert!(
            problem["title"]
                .as_str()
                .is_some_and(|title| !title.is_empty()),
            "{problem}"
        );
        problem["detail"].as_str().unwrap_or_default().to_owned()
    }

    fn text_lossy(&self) -> String {
        String::from_utf8_lossy(&self.body)
            .chars()
            .take(2_000)
            .collect()
    }
}
