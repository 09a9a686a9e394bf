//! The driver itself: its state, and the traits of the contract in terms of the other modules.

use std::{fmt, sync::atomic::AtomicBool};

use orlop_driver::{
    CompletedPart, Content, Descriptor, Entry, Finding, Host, Kind, LinkUploadOptions, Page, Path,
    Plan, ReadOptions, Removable, Result, Sharing, SignedRequest, Step, Storage, Transfer,
    UploadLink, Writable, WriteOptions, parse_config,
};

use crate::{client::Client, config::Config, settings::Settings};

/// A bucket of Amazon S3 or of a service that speaks like it, as a volume.
pub struct S3<H> {
    pub(crate) client: Client<H>,
    pub(crate) settings: Settings,
    /// The service does not know DeleteObjects.
    pub(crate) deletes_singly: AtomicBool,
    /// Uploads that nobody finished have been looked for.
    pub(crate) swept: AtomicBool,
}

impl<H: Host> Storage for S3<H> {
    type Host = H;

    fn describe() -> Descriptor {
        Descriptor {
            name: "s3".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            title: "Amazon S3 and compatible".to_owned(),
            summary: "Serves a bucket of Amazon S3, MinIO, or another service that speaks S3."
                .to_owned(),
            config_schema: Config::SCHEMA.to_owned(),
            extra: vec![("license".to_owned(), env!("CARGO_PKG_LICENSE").to_owned())],
        }
    }

    fn open(host: H, config: &str) -> Result<Self> {
        let settings = Settings::new(parse_config(config)?)?;
        Ok(Self {
            client: Client::new(host, &settings),
            settings,
            deletes_singly: AtomicBool::new(false),
            swept: AtomicBool::new(false),
        })
    }

    async fn check(&self, scratch: Option<&Path>) -> Result<Vec<Finding>> {
        self.client.recall();
        self.findings(scratch).await
    }

    async fn stat(&self, path: &Path, want: Option<Kind>) -> Result<Entry> {
        self.client.recall();
        self.stat_entry(path, want).await
    }

    async fn list(&self, directory: &Path, cursor: Option<&str>, limit: u32) -> Result<Page> {
        self.client.recall();
        self.list_directory(directory, cursor, limit).await
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Content> {
        self.client.recall();
        self.link(path, options)
    }
}

impl<H: Host> Writable for S3<H> {
    async fn write(&self, path: &Path, upload: H::Upload, options: &WriteOptions) -> Result<Entry> {
        self.client.recall();
        self.write_file(path, upload, options).await
    }

    async fn make_directory(&self, path: &Path) -> Result<Entry> {
        self.client.recall();
        self.create_directory(path).await
    }
}

impl<H: Host> Removable for S3<H> {
    async fn remove(&self, path: &Path, kind: Kind, cursor: Option<&str>) -> Result<Step> {
        self.client.recall();
        self.remove_step(path, kind, cursor).await
    }
}

impl<H: Host> Transfer for S3<H> {
    async fn copy(&self, plan: &Plan, cursor: Option<&str>) -> Result<Step> {
        self.client.recall();
        self.transfer_step(plan, cursor, false).await
    }

    async fn rename(&self, plan: &Plan, cursor: Option<&str>) -> Result<Step> {
        self.client.recall();
        self.transfer_step(plan, cursor, true).await
    }
}

impl<H: Host> Sharing for S3<H> {
    async fn link_upload(&self, path: &Path, options: &LinkUploadOptions) -> Result<UploadLink> {
        self.client.recall();
        self.upload_link(path, options).await
    }

    async fn link_parts(
        &self,
        path: &Path,
        token: &str,
        first: u32,
        count: u32,
    ) -> Result<Vec<SignedRequest>> {
        self.client.recall();
        self.part_links(path, token, first, count)
    }

    async fn complete_upload(
        &self,
        path: &Path,
        token: &str,
        parts: &[CompletedPart],
    ) -> Result<Entry> {
        self.client.recall();
        self.complete_linked(path, token, parts).await
    }

    async fn abort_upload(&self, path: &Path, token: &str) -> Result<()> {
        self.client.recall();
        self.abort_linked(path, token).await
    }
}

impl<H> fmt::Debug for S3<H> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("S3")
            .field("bucket", &self.settings.bucket)
            .field("profile", &self.settings.profile.id)
            .finish_non_exhaustive()
    }
}
