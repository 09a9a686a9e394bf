//! A folder as one download: a zip archive that is written while it is sent.
//!
//! The writer is our own, since those at hand keep a record of each file in memory until the end. Files are
//! stored as they are: most that take room are compressed already, and the others would cost a core for each
//! download.

mod contents;
mod directory;
mod format;
mod walk;

use std::sync::Arc;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::{
    SinkExt as _, Stream, StreamExt as _, TryStreamExt as _, channel::mpsc, future, stream,
};
use http::{
    HeaderValue, Method,
    header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    request::Parts,
};

use self::{
    contents::Content,
    directory::Directory,
    format::{Member, Sizes},
};
use super::{
    attachment::{self, Disposition},
    door::Door,
    meters::Direction,
    problem::Problem,
    site::Visit,
};
use crate::{Namespace, Page, Path, Result};

/// Pieces between the archive's writer and the client.
const PIECES_IN_FLIGHT: usize = 2;

/// Whether a query asks for an archive.
pub(crate) fn is_asked_for(query: Option<&str>) -> bool {
    let mut keys = query.unwrap_or_default().split('&');
    keys.any(|key| key.split('=').next() == Some("zip"))
}

/// Answers with all that is in a folder and that the caller may read.
///
/// Its length is not known before its end. If something fails on the way, the answer breaks off, so that
/// nobody takes it for whole.
pub(crate) async fn answer(
    site: &Visit,
    door: Door,
    parts: &Parts,
    folder: Path,
) -> Result<Response, Problem> {
    // The first page is listed before the answer begins, while its failure can still be told by a status.
    let first = walk::page(&site.namespace, &folder, None, 0).await?;
    let name = if folder.is_root() {
        &site.options.name
    } else {
        folder.name()
    };
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(
        CONTENT_DISPOSITION,
        attachment::header(Disposition::Attachment, &format!("{name}.zip")),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if parts.method == Method::HEAD {
        return Ok(response);
    }
    let counter = site.meters.bytes(door, Direction::Out);
    let path = folder.to_string();
    let archive = archive(site.namespace.clone(), folder, first)
        .inspect_ok(move |bytes| counter.increment(bytes.len() as u64))
        .inspect_err(move |error| tracing::warn!(path, %error, "an archive broke off"));
    *response.body_mut() = Body::from_stream(archive);
    Ok(response)
}

/// The bytes of the archive. Dropping the stream ends all that is under way for it.
fn archive(
    namespace: Namespace,
    folder: Path,
    first: Arc<Page>,
) -> impl Stream<Item = Result<Bytes>> + Send {
    let (sender, receiver) = mpsc::channel(PIECES_IN_FLIGHT);
    let writing = async move {
        let mut writer = Writer {
            sender,
            offset: 0,
            directory: Directory::default(),
        };
        let mut contents = Box::pin(contents::of(namespace, folder, first));
        while let Some(content) = contents.next().await {
            writer.add(content?).await?;
        }
        writer.finish().await
    };
    let failure = stream::once(writing).filter_map(|written| future::ready(written.err().map(Err)));
    stream::select(receiver.map(Ok), failure)
}

struct Writer {
    sender: mpsc::Sender<Bytes>,
    /// Bytes sent so far.
    offset: u64,
    directory: Directory,
}

impl Writer {
    async fn add(&mut self, (mut member, content): (Member, Content)) -> Result<()> {
        member.offset = self.offset;
        match content {
            Content::Nothing => self.send(member.local_header().into()).await,
            Content::Whole(bytes) => {
                member.crc = crc32fast::hash(&bytes);
                let mut piece = member.local_header();
                piece.extend_from_slice(&bytes);
                self.send(piece.into()).await;
            }
            Content::Stream(mut body) => {
                member.sizes = Sizes::Behind;
                self.send(member.local_header().into()).await;
                let mut hasher = crc32fast::Hasher::new();
                while let Some(piece) = body.try_next().await? {
                    hasher.update(&piece);
                    self.send(piece).await;
                }
                member.crc = hasher.finalize();
                self.send(member.descriptor().into()).await;
            }
        }
        self.directory.add(&member.central_header()).await
    }

    async fn finish(mut self) -> Result<()> {
        let offset = self.offset;
        let (count, length) = (self.directory.count(), self.directory.length());
        let mut directory = Box::pin(std::mem::take(&mut self.directory).into_stream());
        while let Some(piece) = directory.try_next().await? {
            self.send(piece).await;
        }
        self.send(format::end(count, offset, length).into()).await;
        Ok(())
    }

    async fn send(&mut self, piece: Bytes) {
        self.offset += piece.len() as u64;
        // It fails only if the client is gone, and then nothing is polled any more.
        let _ = self.sender.send(piece).await;
    }
}
