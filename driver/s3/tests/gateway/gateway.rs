//! The gateway, and the driver on it.

use std::env::var;

use orlop_driver::{
    Entry, Kind, Overwrite, Path, Plan, Removable, Result, Step, Storage, Transfer, Writable,
    WriteOptions,
    native::{NativeHost, NativeUpload},
};
use orlop_driver_s3::S3;
use serde_json::{Value, json};

/// What a test says that is not run by `make test-ceph`.
const UNSET: &str = "ORLOP_GATEWAY is not set: run this by `make test-ceph`";

/// The driver on a folder of the gateway's bucket.
pub(crate) struct Gateway {
    pub(crate) s3: S3<NativeHost>,
    folder: &'static str,
}

impl Gateway {
    /// A folder of the gateway's bucket, by what Orlop knows of China Mobile's service, which runs Ceph.
    pub(crate) fn new(folder: &'static str) -> Self {
        Self::with(folder, json!({}))
    }

    /// The same with some options of its own.
    pub(crate) fn with(folder: &'static str, options: Value) -> Self {
        let mut config = json!({
            "provider": "eos",
            "bucket": "suite",
            "endpoint": var("ORLOP_GATEWAY").expect(UNSET),
            "region": "us-east-1",
            "access_key_id": var("ORLOP_GATEWAY_KEY").expect(UNSET),
            "secret_access_key": var("ORLOP_GATEWAY_SECRET").expect(UNSET),
        });
        for (name, value) in options.as_object().unwrap() {
            config[name] = value.clone();
        }
        let host = NativeHost::new().unwrap();
        let s3 = S3::open(host, &config.to_string()).unwrap();
        Self { s3, folder }
    }

    /// A path in the folder; the empty one is the folder itself.
    pub(crate) fn path(&self, below: &str) -> Path {
        let text = format!("{}/{below}", self.folder);
        Path::parse(text.trim_end_matches('/')).unwrap()
    }

    pub(crate) async fn write(&self, path: &str, body: impl Into<bytes::Bytes>) -> Result<Entry> {
        self.write_with(path, body, &WriteOptions::default()).await
    }

    pub(crate) async fn write_with(
        &self,
        path: &str,
        body: impl Into<bytes::Bytes>,
        options: &WriteOptions,
    ) -> Result<Entry> {
        let upload = NativeUpload::from_bytes(body, Some("text/x-test"));
        self.s3.write(&self.path(path), upload, options).await
    }

    /// Small files with these names.
    pub(crate) async fn fill(&self, names: impl IntoIterator<Item = String>) {
        for name in names {
            self.write(&name, name.clone()).await.unwrap();
        }
    }

    pub(crate) async fn stat(&self, path: &str) -> Result<Entry> {
        self.s3.stat(&self.path(path), None).await
    }

    /// All entries of a directory, those of directories with a slash behind, sorted.
    pub(crate) async fn list(&self, path: &str) -> Result<Vec<String>> {
        let (mut names, mut cursor) = (Vec::new(), None);
        loop {
            let path = self.path(path);
            let page = self.s3.list(&path, cursor.as_deref(), 1000).await?;
            names.extend(page.entries.into_iter().map(|entry| match entry.kind {
                Kind::File => entry.name,
                Kind::Directory => entry.name + "/",
            }));
            cursor = page.next;
            if cursor.is_none() {
                names.sort();
                return Ok(names);
            }
        }
    }

    /// A file's bytes, by a link that the host performs.
    pub(crate) async fn read(&self, path: &str) -> bytes::Bytes {
        let link = crate::reading::link(self, path).await;
        reqwest::get(link).await.unwrap().bytes().await.unwrap()
    }

    pub(crate) async fn copy(&self, from: &str, to: &str, kind: Kind) -> Result<Step> {
        let plan = self.plan(from, to, kind);
        run(async |cursor| self.s3.copy(&plan, cursor).await).await
    }

    pub(crate) async fn rename(&self, from: &str, to: &str, kind: Kind) -> Result<Step> {
        let plan = self.plan(from, to, kind);
        run(async |cursor| self.s3.rename(&plan, cursor).await).await
    }

    pub(crate) async fn remove(&self, path: &str, kind: Kind) -> Result<Step> {
        let path = self.path(path);
        run(async |cursor| self.s3.remove(&path, kind, cursor).await).await
    }

    fn plan(&self, from: &str, to: &str, kind: Kind) -> Plan {
        Plan {
            from: self.path(from),
            to: self.path(to),
            kind,
            overwrite: Overwrite::Refuse,
        }
    }
}

/// Runs an operation to its end, every step twice: what is repeated must do no harm.
async fn run(mut step: impl AsyncFnMut(Option<&str>) -> Result<Step>) -> Result<Step> {
    let mut sum = Step::default();
    let mut cursor: Option<String> = None;
    for _ in 0..1000 {
        let done = step(cursor.as_deref()).await?;
        sum.items += done.items;
        sum.bytes += done.bytes;
        if cursor.is_some() && done.next.is_some() {
            step(cursor.as_deref()).await?;
        }
        cursor = done.next;
        if cursor.is_none() {
            return Ok(sum);
        }
    }
    panic!("the operation does not end");
}
