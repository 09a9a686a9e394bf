//! A volume on a server of its own.

use std::time::Duration;

use orlop_driver::{
    Entry, Host, Kind, Overwrite, Path, Plan, Removable, Request, Response, Result, Step, Storage,
    StreamedResponse, Transfer, Writable, WriteOptions,
    native::{NativeHost, NativePart, NativeUpload},
};
use orlop_driver_s3::S3;
use orlop_test_s3::{Credentials, Options, Request as Seen, Server};
use serde_json::{Value, json};

pub(crate) const BUCKET: &str = "bkt";
pub(crate) const SECRET: &str = "s3cr3t/K7MDENG+bPxRfiCY";

/// The native host, but its pauses take no time.
pub(crate) struct Hasty(NativeHost);

impl Host for Hasty {
    type Part = NativePart;
    type Upload = NativeUpload;

    async fn fetch(&self, request: Request<'_, NativePart>, max_bytes: u64) -> Result<Response> {
        self.0.fetch(request, max_bytes).await
    }

    async fn send(&self, request: Request<'_, NativePart>) -> Result<StreamedResponse> {
        self.0.send(request).await
    }

    async fn sleep(&self, _: Duration) {
        tokio::task::yield_now().await;
    }

    fn recall(&self, name: &str) -> Option<String> {
        self.0.recall(name)
    }

    fn note(&self, name: &str, text: &str) {
        self.0.note(name, text);
    }
}

/// A server with one bucket, and the driver on it.
pub(crate) struct Volume {
    pub(crate) server: Server,
    pub(crate) s3: S3<Hasty>,
}

impl Volume {
    /// A volume of the `minio` profile.
    pub(crate) async fn new() -> Self {
        Self::with(json!({})).await
    }

    /// A volume with some options of its own; those that are null are left out.
    pub(crate) async fn with(options: Value) -> Self {
        Self::on(Options::default(), options).await
    }

    /// A volume on a server of this kind.
    pub(crate) async fn on(server: Options, options: Value) -> Self {
        let server = Server::start(Options {
            credentials: Some(Credentials::new("AKIDEXAMPLE", SECRET)),
            buckets: vec![BUCKET.into()],
            min_part_size: 1,
            ..server
        })
        .await
        .unwrap();
        let s3 = open(&server, options);
        Self { server, s3 }
    }

    pub(crate) fn put(&self, key: &str, body: &'static str) {
        self.server.store().put(BUCKET, key, body);
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.server.store().keys(BUCKET)
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let bytes = self.server.store().bytes(BUCKET, key)?;
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// The requests since the last call, as `METHOD /path?query` without the bucket.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.server.requests().reset().iter().map(summary).collect()
    }

    pub(crate) async fn write(&self, path: &str, body: &'static str) -> Result<Entry> {
        let upload = NativeUpload::from_bytes(body, Some("text/plain"));
        self.s3
            .write(&self::path(path), upload, &WriteOptions::default())
            .await
    }

    pub(crate) async fn stat(&self, path: &str, want: Option<Kind>) -> Result<Entry> {
        self.s3.stat(&self::path(path), want).await
    }

    /// All entries of a directory, page by page, as `name` or `name/`.
    pub(crate) async fn list(&self, directory: &str, limit: u32) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let mut cursor = None;
        loop {
            let page = self
                .s3
                .list(&self::path(directory), cursor.as_deref(), limit)
                .await?;
            names.extend(page.entries.into_iter().map(|entry| match entry.kind {
                Kind::File => entry.name,
                Kind::Directory => entry.name + "/",
            }));
            cursor = page.next;
            if cursor.is_none() {
                return Ok(names);
            }
        }
    }

    pub(crate) async fn remove(&self, path: &str, kind: Kind) -> Result<Step> {
        let path = self::path(path);
        run(async |cursor| self.s3.remove(&path, kind, cursor).await).await
    }

    pub(crate) async fn copy(&self, from: &str, to: &str, kind: Kind) -> Result<Step> {
        let plan = plan(from, to, kind, Overwrite::Refuse);
        run(async |cursor| self.s3.copy(&plan, cursor).await).await
    }

    pub(crate) async fn rename(&self, from: &str, to: &str, kind: Kind) -> Result<Step> {
        let plan = plan(from, to, kind, Overwrite::Refuse);
        run(async |cursor| self.s3.rename(&plan, cursor).await).await
    }
}

/// Opens the server's bucket.
pub(crate) fn open(server: &Server, options: Value) -> S3<Hasty> {
    let config = json!({
        "provider": "minio",
        "bucket": BUCKET,
        "endpoint": server.endpoint(),
        "access_key_id": "AKIDEXAMPLE",
        "secret_access_key": SECRET,
    });
    let config = merge(config, options);
    S3::open(Hasty(NativeHost::new().unwrap()), &config.to_string()).unwrap()
}

/// A configuration with some options changed; those that are null are left out.
pub(crate) fn merge(mut config: Value, options: Value) -> Value {
    let fields = config.as_object_mut().unwrap();
    for (name, value) in options.as_object().unwrap() {
        fields.insert(name.clone(), value.clone());
    }
    fields.retain(|_, value| !value.is_null());
    config
}

pub(crate) fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

pub(crate) fn plan(from: &str, to: &str, kind: Kind, overwrite: Overwrite) -> Plan {
    Plan {
        from: path(from),
        to: path(to),
        kind,
        overwrite,
    }
}

/// Runs an operation to its end, and tells the
/// sums of what its steps did.
pub(crate) async fn run(mut step: impl AsyncFnMut(Option<&str>) -> Result<Step>) -> Result<Step> {
    let mut sum = Step::default();
    let mut cursor = None;
    for _ in 0..1000 {
        let done = step(cursor.as_deref()).await?;
        sum.items += done.items;
        sum.bytes += done.bytes;
        cursor = done.next;
        if cursor.is_none() {
            return Ok(sum);
        }
    }
    panic!("the operation does not end");
}

/// How many of these requests, as [`Volume::requests`] has them, begin so.
pub(crate) fn count(requests: &[String], start: &str) -> usize {
    requests
        .iter()
        .filter(|line| line.starts_with(start))
        .count()
}

pub(crate) fn summary(seen: &Seen) -> String {
    let target = seen.target().strip_prefix("/bkt").unwrap_or(seen.target());
    format!("{} {target}", seen.method())
}
