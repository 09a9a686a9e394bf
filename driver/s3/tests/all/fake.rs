//! A host that plays a script: it answers what a function says and remembers what it was asked.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    rc::Rc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use orlop_driver::{
    Body, ByteStream, Host, Part, Request, Response, Result, Storage, StreamedResponse,
    native::{NativePart, NativeUpload},
};
use orlop_driver_s3::S3;
use serde_json::{Value, json};

use crate::volume::merge;

/// A request as the driver made it.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) url: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }

    /// `METHOD URL`
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.url)
    }
}

/// The host. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Fake(Rc<State>);

struct State {
    answers: RefCell<VecDeque<Result<Response>>>,
    sent: RefCell<Vec<Sent>>,
    slept: RefCell<Vec<Duration>>,
    notes: RefCell<HashMap<String, String>>,
}

/// 2026-11-23T00:00:00Z.
pub(crate) const NOW: Duration = Duration::from_secs(1_795_392_000);

impl Fake {
    /// A host that gives these answers, in order.
    pub(crate) fn new(answers: impl IntoIterator<Item = Result<Response>>) -> Self {
        Self(Rc::new(State {
            answers: RefCell::new(answers.into_iter().collect()),
            sent: RefCell::default(),
            slept: RefCell::default(),
            notes: RefCell::default(),
        }))
    }

    /// Opens a volume with keys at `https://s3.example.com`, unless the options say otherwise.
    pub(crate) fn open(&self, options: Value) -> S3<Self> {
        let config = json!({
            "provider": "aws",
            "bucket": "photos",
            "endpoint": "https://s3.example.com",
            "access_key_id": "AKIDEXAMPLE",
            "secret_access_key": "TOPSECRET",
        });
        let config = merge(config, options);
        S3::open(self.clone(), &config.to_string()).unwrap()
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.0.sent.borrow().clone()
    }

    pub(crate) fn slept(&self) -> Vec<Duration> {
        self.0.slept.borrow().clone()
    }

    /// Answers that nobody asked for.
    pub(crate) fn left(&self) -> usize {
        self.0.answers.borrow().len()
    }
}

impl Host for Fake {
    type Part = NativePart;
    type Upload = NativeUpload;

    async fn fetch(&self, request: Request<'_, NativePart>, max_bytes: u64) -> Result<Response> {
        assert!(max_bytes <= 8 << 20);
        let body = match request.body {
            Body::Empty => Vec::new(),
            Body::Bytes(bytes) => bytes,
            Body::Part(part) => part.read(0, u64::MAX).await.unwrap(),
            Body::Stream(_) => panic!("the driver streams a body"),
        };
        let sent = Sent {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: String::from_utf8(body).unwrap(),
        };
        let line = sent.line();
        self.0.sent.borrow_mut().push(sent);
        let answer = self.0.answers.borrow_mut().pop_front();
        tokio::task::yield_now().await;
        answer.unwrap_or_else(|| panic!("there is no answer for {line}"))
    }

    async fn send(&self, request: Request<'_, NativePart>) -> Result<StreamedResponse> {
        let response = self.fetch(request, 8 << 20).await?;
        Ok(StreamedResponse {
            status: response.status,
            headers: response.headers,
            body: ByteStream::new(futures::stream::iter([Ok(response.body)])),
        })
    }

    async fn sleep(&self, duration: Duration) {
        self.0.slept.borrow_mut().push(duration);
    }

    fn recall(&self, name: &str) -> Option<String> {
        self.0.notes.borrow().get(name).cloned()
    }

    fn note(&self, name: &str, text: &str) {
        let mut notes = self.0.notes.borrow_mut();
        notes.insert(name.to_owned(), text.to_owned());
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH + NOW
    }

    fn random(&self) -> u64 {
        u64::MAX
    }
}

/// An answer.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Response> {
    Ok(Response {
        status,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.as_bytes().to_vec(),
    })
}

/// 200 with a document.
pub(crate) fn ok(body: &str) -> Result<Response> {
    answer(200, &[], body)
}

/// An `<Error>` with a status.
pub(crate) fn error(status: u16, code: &str) -> Result<Response> {
    let body = format!("<Error><Code>{code}</Code><Message>told</Message></Error>");
    answer(status, &[], &body)
}

/// A HEAD's answer for an object.
pub(crate) fn object(size: u64, etag: &str) -> Result<Response> {
    let headers = [
        ("content-length", size.to_string()),
        ("etag", format!("\"{etag}\"")),
        ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
    ];
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    answer(200, &headers, "")
}

/// A page of keys with sizes; `more` says whether others follow, and `rest` is added as it is.
pub(crate) fn listing(keys: &[(&str, u64)], more: bool, rest: &str) -> Result<Response> {
    let objects: String = keys
        .iter()
        .map(|(key, size)| {
            format!("<Contents><Key>{key}</Key><Size>{size}</Size><ETag>\"e\"</ETag></Contents>")
        })
        .collect();
    ok(&format!(
        "<ListBucketResult><IsTruncated>{more}</IsTruncated>{objects}{rest}</ListBucketResult>"
    ))
}
