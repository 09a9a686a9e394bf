//! The S3 server of the demo.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use s3s::{
    S3, S3Request,
    auth::SimpleAuth,
    dto::{CopyObjectInput, CopySource, MetadataDirective},
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinSet},
};

use super::{bucket::Guard, keys::Keys};

const BUCKET: &str = "demo";

/// The size of the big file: above the 50 MB where transfers in parts begin to matter.
const BIG: u64 = 52 << 20;

/// A server on a free port of the loopback address, over a temporary folder. Both end with this value.
pub(super) struct Storage {
    address: SocketAddr,
    keys: Keys,
    accepting: AbortHandle,
    folder: TempDir,
}

impl Storage {
    pub(super) async fn start(keys: Keys) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("orlop-demo-")
            .tempdir()
            .context("cannot make a folder for the sample files")?;
        std::fs::create_dir(folder.path().join(BUCKET))?;
        let mut service = S3ServiceBuilder::new(file_system(&folder)?);
        service.set_auth(SimpleAuth::from_single(
            keys.id.clone(),
            keys.secret.clone(),
        ));
        service.set_access(Guard {
            root: folder.path().to_path_buf(),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self {
            address: listener.local_addr()?,
            keys,
            accepting: tokio::spawn(accept(listener, service.build())).abort_handle(),
            folder,
        })
    }

    /// What the S3 driver needs to know.
    pub(super) fn driver_config(&self) -> Value {
        json!({
            "provider": "minio",
            "endpoint": format!("http://{}", self.address),
            "bucket": BUCKET,
            "region": "us-east-1",
            "access_key_id": self.keys.id,
            "secret_access_key": self.keys.secret,
            "force_path_style": true,
            // An empty folder on disk is no object, so an object must keep it.
            "placeholder": ".orlop",
        })
    }

    /// Adds a file over 50 MB that takes neither time to write nor room on the disk.
    pub(super) async fn add_big_file(&self, name: &str) -> anyhow::Result<()> {
        let file = std::fs::File::create(self.folder.path().join(BUCKET).join(name))?;
        file.set_len(BIG)?;
        // Copied onto itself it gets its ETag, which would be computed at each request otherwise.
        let input = CopyObjectInput::builder()
            .bucket(BUCKET.to_owned())
            .key(name.to_owned())
            .copy_source(CopySource::Bucket {
                bucket: BUCKET.into(),
                key: name.into(),
                version_id: None,
            })
            .metadata_directive(Some(MetadataDirective::from_static(
                MetadataDirective::REPLACE,
            )))
            .content_type(Some("application/octet-stream".to_owned()))
            .build()?;
        file_system(&self.folder)?
            .copy_object(S3Request {
                input,
                method: http::Method::PUT,
                uri: http::Uri::default(),
                headers: http::HeaderMap::default(),
                extensions: http::Extensions::default(),
                credentials: None,
                region: None,
                service: None,
                trailing_headers: None,
            })
            .await
            .map_err(|error| anyhow::anyhow!("cannot add {name}: {error}"))?;
        Ok(())
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn file_system(folder: &TempDir) -> anyhow::Result<FileSystem> {
    FileSystem::new(folder.path())
        .map_err(|error| anyhow::anyhow!("cannot open {}: {error:?}", folder.path().display()))
}

/// Serves connections until it is aborted, and all connections with it.
async fn accept(listener: TcpListener, service: S3Service) {
    let server = auto::Builder::new(TokioExecutor::new());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A connection that broke before it was accepted.
                let Ok((socket, _)) = accepted else { continue };
                let connection = server.serve_connection(TokioIo::new(socket), service.clone());
                let connection = connection.into_owned();
                connections.spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "a connection to the demo's storage broke");
                    }
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}
