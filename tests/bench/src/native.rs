//! The same driver, built natively.

use std::sync::Arc;

use anyhow::{Result, bail};
use bytes::Bytes;
use futures::stream;
use orlop::{Audience, Link, Path, ReadOptions};
use orlop_driver::{
    Content, Storage,
    native::{NativeHost, NativeUpload},
};
use orlop_driver_s3::S3;
use serde_json::Value;

use crate::{client::BLOCK, pace::Pace};

/// The driver without a sandbox around it.
pub(crate) type Native = S3<NativeHost>;

/// Opens a volume.
pub(crate) fn open(config: &Value) -> Result<Arc<Native>> {
    Ok(Arc::new(Native::open(
        NativeHost::new()?,
        &config.to_string(),
    )?))
}

/// Makes a link for a client.
pub(crate) async fn link(native: &Native, path: &Path) -> Result<String> {
    match native.read(path, &for_client(path)).await? {
        Content::Link(Link::Shareable(link)) => Ok(link.url),
        _ => bail!("the driver gave no link for a client"),
    }
}

/// What `/d/` asks for.
pub(crate) fn for_client(path: &Path) -> ReadOptions {
    ReadOptions {
        audience: Audience::Client,
        range: None,
        filename: Some(path.name().to_owned()),
        expires: None,
    }
}

/// An upload of zeros that come over a line.
pub(crate) fn upload(size: u64, pace: Pace) -> NativeUpload {
    let block = Bytes::from(vec![0; BLOCK]);
    let blocks = stream::unfold((size, pace), move |(left, mut pace)| {
        let block = block.clone();
        async move {
            let bytes = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
            if bytes == 0 {
                return None;
            }
            pace.pass(bytes).await;
            Some((Ok(block.slice(..bytes)), (left - bytes as u64, pace)))
        }
    });
    NativeUpload::from_stream(blocks, Some(size), None)
}
