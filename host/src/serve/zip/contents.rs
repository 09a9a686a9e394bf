//! The members of an archive with their bytes.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _, TryStreamExt as _};

use super::{
    format::{Member, Sizes},
    walk::{self, Found},
};
use crate::{
    BodyStream, Error, Kind, Namespace, Outcome, Page, Path, ReadRequest, Reading, Result,
};

/// Files up to this size are read whole, ahead of their turn.
const SMALL: u64 = 256 * 1024;

/// Members that are got ready at once: a folder of small files would otherwise wait for each of them.
const AHEAD: usize = 8;

/// What a member holds.
pub(super) enum Content {
    /// It is a folder.
    Nothing,
    /// All bytes.
    Whole(Bytes),
    /// As many bytes as the member's size says, or an error.
    Stream(BodyStream),
}

/// A member that is ready, or whose turn is waited for.
enum Ready {
    Now(Member, Content),
    InTurn(Found),
    /// It went before it could be read.
    Gone,
}

/// All in a folder, in the order of its listings.
pub(super) fn of(
    namespace: Namespace,
    folder: Path,
    first: Arc<Page>,
) -> impl Stream<Item = Result<(Member, Content)>> + Send {
    let ahead = namespace.clone();
    walk::walk(namespace.clone(), folder, first)
        .map(move |found| {
            let namespace = ahead.clone();
            async move { prepare(&namespace, found?).await }
        })
        .buffered(AHEAD)
        .try_filter_map(move |ready| {
            let namespace = namespace.clone();
            async move {
                Ok(match ready {
                    Ready::Now(member, content) => Some((member, content)),
                    Ready::InTurn(found) => open(&namespace, &found).await?.map(|reading| {
                        let member = member(&found, Some(&reading));
                        (member, Content::Stream(reading.body))
                    }),
                    Ready::Gone => None,
                })
            }
        })
        .try_filter(|(member, _)| std::future::ready(member.fits()))
}

async fn prepare(namespace: &Namespace, found: Found) -> Result<Ready> {
    if found.entry.kind == Kind::Directory {
        return Ok(Ready::Now(member(&found, None), Content::Nothing));
    }
    if found.entry.size > SMALL {
        return Ok(Ready::InTurn(found));
    }
    let small = walk::patiently(|| async {
        let Some(mut reading) = open_once(namespace, &found).await? else {
            return Ok(None);
        };
        let member = member(&found, Some(&reading));
        if reading.size > SMALL {
            // It has grown.
            return Ok(Some((member, Content::Stream(reading.body))));
        }
        let mut bytes = BytesMut::new();
        while let Some(piece) = reading.body.try_next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(Some((member, Content::Whole(bytes.freeze()))))
    });
    Ok(match small.await? {
        Some((member, content)) => Ready::Now(member, content),
        None => Ready::Gone,
    })
}

async fn open(namespace: &Namespace, found: &Found) -> Result<Option<Reading>> {
    walk::patiently(|| open_once(namespace, found)).await
}

/// Begins to read a file; none if it is gone, or nothing for this caller.
async fn open_once(namespace: &Namespace, found: &Found) -> Result<Option<Reading>> {
    match namespace.read(&found.path, ReadRequest::default()).await {
        Ok(reading) => Ok(Some(reading)),
        Err(Error::Outcome(Outcome::NotFound) | Error::Denied(_)) => {
            tracing::debug!(path = %found.path, "left out of an archive: it is gone");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn member(found: &Found, reading: Option<&Reading>) -> Member {
    let slash = match found.entry.kind {
        Kind::Directory => "/",
        Kind::File => "",
    };
    Member {
        // Windows takes a backslash for a way into a folder. This one looks the same and is none.
        name: found.below.as_str().replace('\\', "\u{ff3c}") + slash,
        modified: reading
            .and_then(|reading| reading.modified)
            .or(found.entry.modified),
        size: reading.map_or(0, |reading| reading.size),
        crc: 0,
        offset: 0,
        sizes: Sizes::Ahead,
    }
}
