//! The storage: an S3 server in memory, in a process of its own.

use std::io::Write;

use anyhow::{Context, Result};
use bytes::Bytes;
use orlop_test_s3::{EtagKind, Options, Rope, Server};
use serde_json::{Value, json};

use crate::{process::Process, until_orphaned};

/// The first argument of the process that is the storage; the others are the size of [`LARGE`] and the speed of
/// a connection in bytes a second, 0 for any.
pub(crate) const ROLE: &str = "serve-storage";
/// A file as large as the transfers.
pub(crate) const LARGE: &str = "large.bin";
/// A file for many connections at once.
pub(crate) const MEDIUM: &str = "medium.bin";
/// Its size in bytes.
pub(crate) const MEDIUM_SIZE: u64 = 32 << 20;
/// A folder of [`MANY_FILES`] files.
pub(crate) const MANY: &str = "many";
/// A full page of a listing.
pub(crate) const MANY_FILES: u32 = 1000;
/// A folder of [`FEW_FILES`] files.
pub(crate) const FEW: &str = "few";
/// As many as the load generator has connections.
pub(crate) const FEW_FILES: u32 = 32;

/// A folder of [`LONG_FILES`] files.
pub(crate) const LONG: &str = "long";
/// Ten full pages of a listing.
pub(crate) const LONG_FILES: u32 = 10_000;

/// Folders of [`TREE_FILES`] small files, to be moved about: one for each side.
pub(crate) const TREES: [&str; 2] = ["tree-a", "tree-b"];
/// Files in each tree.
pub(crate) const TREE_FILES: u32 = 10_000;

const BUCKET: &str = "bench";
/// The body of the large file is this often the same chunk.
const CHUNK: usize = 1 << 20;

/// Starts the storage.
pub(crate) fn start(size: u64) -> Result<Process> {
    Process::start_role(&[ROLE, &size.to_string(), "0"])
}

/// Starts a storage whose answers come at so many bytes in a second on each connection.
pub(crate) fn start_slow(size: u64, bytes_per_second: u64) -> Result<Process> {
    Process::start_role(&[ROLE, &size.to_string(), &bytes_per_second.to_string()])
}

/// The configuration of a driver for this storage: signed, as nearly all are.
pub(crate) fn config(storage: &Process) -> Value {
    json!({
        "provider": "minio",
        "bucket": BUCKET,
        "endpoint": storage.url(),
        "region": "us-east-1",
        "access_key_id": "AKIAIOSFODNN7EXAMPLE",
        "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "force_path_style": true,
    })
}

/// The name of the file with this number.
pub(crate) fn name(number: u32) -> String {
    format!("IMG_{number:05}.jpg")
}

/// Is the storage.
///
/// It takes any signature without looking at it, and hashes nothing: what it spends is spent for either side
/// of a comparison, and brings them closer together than they are.
pub(crate) async fn serve(size: &str, bytes_per_second: &str) -> Result<()> {
    let size: u64 = size.parse().context("the size is no number")?;
    let speed: u64 = bytes_per_second.parse().context("the speed is no number")?;
    let server = Server::start(Options {
        etag: EtagKind::Counter,
        bytes_per_second: (speed > 0).then_some(speed),
        buckets: vec![BUCKET.to_owned()],
        ..Options::default()
    })
    .await?;
    fill(&server, size);
    writeln!(std::io::stdout(), "{}", server.endpoint())?;
    until_orphaned().await;
    Ok(())
}

fn fill(server: &Server, size: u64) {
    let store = server.store();
    let chunk = Bytes::from(vec![0; CHUNK]);
    for (name, size) in [(LARGE, size), (MEDIUM, MEDIUM_SIZE)] {
        let mut file = Rope::default();
        while file.len() < size {
            let left = usize::try_from(size - file.len()).unwrap_or(CHUNK);
            file.push(chunk.slice(..left.min(CHUNK)));
        }
        store.put(BUCKET, name, file);
    }
    let [our_tree, base_tree] = TREES.map(|tree| (tree, TREE_FILES));
    for (folder, files) in [
        (MANY, MANY_FILES),
        (FEW, FEW_FILES),
        (LONG, LONG_FILES),
        our_tree,
        base_tree,
    ] {
        for number in 0..files {
            store.put(
                BUCKET,
                &format!("{folder}/{}", name(number)),
                "a photo, more or less",
            );
        }
    }
}
