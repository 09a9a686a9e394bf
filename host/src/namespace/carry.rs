//! One file through the host.

use std::time::SystemTime;

use bytes::{Buf, Bytes};
use futures::StreamExt;

use super::{Flow, Namespace, Totals};
use crate::{
    BodyStream, Entry, Error, Kind, Location, Outcome, Path, Plan, Precondition, ReadRequest,
    Reading, Result, Rights, Upload, WriteOptions,
};

/// What becomes of the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sources {
    /// It is a copy.
    Stay,
    /// It is a move: each goes once its copy is there.
    Go,
}

/// What is carried where: a file, or the files of a directory.
#[derive(Clone, Copy)]
pub(super) struct Carrying<'a> {
    pub(super) from: &'a Path,
    pub(super) to: &'a Path,
    pub(super) sources: Sources,
    /// Whether a file at the destination is replaced.
    pub(super) replaces: bool,
    /// Whether a file at the destination may be our own, from a time before.
    pub(super) again: bool,
    pub(super) flow: &'a Flow,
}

/// Which content of a file was read.
struct Version {
    size: u64,
    etag: Option<String>,
    modified: Option<SystemTime>,
}

impl Namespace {
    /// Carries the one file that a plan is about.
    pub(super) async fn carry_only(
        &self,
        plan: &Plan,
        sources: Sources,
        replaces: bool,
        again: bool,
        flow: &Flow,
        totals: &mut Totals,
    ) -> Result<()> {
        let done = self
            .carry(Carrying {
                from: &plan.from,
                to: &plan.to,
                sources,
                replaces,
                again,
                flow,
            })
            .await?;
        totals.add(done.items, done.bytes);
        Ok(())
    }

    /// Copies a file by reading and writing it, with all that it is kept with, and takes the source
    /// away if it is a move.
    pub(super) async fn carry(&self, file: Carrying<'_>) -> Result<Totals> {
        // Listings do not tell all that a file is kept with, so neither does what is remembered of them.
        self.require(file.from, Rights::Read)?;
        let (mount, inner) = self.entry_of(file.from)?;
        let inner = mount.rooted(&inner);
        let kept = mount.volume().stat(&inner, Some(Kind::File)).await?.extra;
        let reading = self.read(file.from, ReadRequest::default()).await?;
        let version = Version::of(&reading);
        let mut upload = Upload::new(file.flow.through(reading.body), Some(reading.size));
        if let Some(content_type) = reading.content_type {
            upload = upload.with_content_type(content_type);
        }
        let options = WriteOptions {
            precondition: match file.replaces {
                true => Precondition::None,
                false => Precondition::Absent,
            },
            modified: reading.modified,
            extra: kept,
        };
        match self.write(file.to, upload, options).await {
            Ok(copy) if copy.size == version.size => {}
            Ok(_) => return Err(unlike()),
            Err(Error::Outcome(Outcome::PreconditionFailed)) if !file.replaces => {
                // The plan refuses to overwrite. What an earlier attempt wrote is not in the way.
                if !(file.again && self.are_alike(file.from, file.to).await?) {
                    return Err(Outcome::AlreadyExists.into());
                }
            }
            Err(error) => return Err(error),
        }
        if file.sources == Sources::Go {
            self.remove_unchanged(file.from, &version).await?;
        }
        Ok(Totals {
            items: 1,
            bytes: version.size,
        })
    }

    /// Whether two files hold the same bytes. They are read for it: entity tags of two storages tell nothing.
    async fn are_alike(&self, one: &Path, other: &Path) -> Result<bool> {
        let (one, other) = futures::try_join!(
            self.read(one, ReadRequest::default()),
            self.read(other, ReadRequest::default()),
        )?;
        if one.size != other.size {
            return Ok(false);
        }
        alike(one.body, other.body).await
    }

    /// Removes a file that was copied, unless it is no longer what was copied.
    async fn remove_unchanged(&self, file: &Path, version: &Version) -> Result<()> {
        // What was known before the copy says nothing now.
        if let Some(mount) = self.mount_of(file) {
            mount.changed();
        }
        let now = match self.stat(&Location::file(file.clone())).await {
            Err(Error::Outcome(Outcome::NotFound)) => return Ok(()),
            result => result?,
        };
        if !version.is_of(&now) {
            return Err(Outcome::Unavailable(
                "the file was changed while it was moved; it is left as it is".to_owned(),
            )
            .into());
        }
        self.take_away(file, Kind::File).await
    }

    /// Removes a directory whose files were moved. One that keeps itself by nothing is gone already.
    pub(super) async fn remove_emptied(&self, directory: &Path) -> Result<()> {
        if let Some(mount) = self.mount_of(directory) {
            mount.changed();
        }
        match self.list(directory, None, 1).await {
            Err(Error::Outcome(Outcome::NotFound)) => return Ok(()),
            Ok(page) if page.entries.is_empty() && page.next.is_none() => {}
            Ok(_) => {
                return Err(Outcome::Unavailable(
                    "files were added while the folder was moved; they are left: move it again"
                        .to_owned(),
                )
                .into());
            }
            Err(error) => return Err(error),
        }
        self.take_away(directory, Kind::Directory).await
    }

    /// Removes something of which a copy is known to be there.
    async fn take_away(&self, path: &Path, kind: Kind) -> Result<()> {
        let (mount, inner) = self.entry_of(path)?;
        let rooted = mount.rooted(&inner);
        let mut cursor = None;
        loop {
            let step = mount.volume().remove(&rooted, kind, cursor).await;
            mount.changed();
            match step {
                Err(Error::Outcome(Outcome::NotFound)) => return Ok(()),
                step => cursor = step?.next,
            }
            if cursor.is_none() {
                return Ok(());
            }
        }
    }
}

impl Version {
    fn of(reading: &Reading) -> Self {
        Self {
            size: reading.size,
            etag: reading.etag.clone(),
            modified: reading.modified,
        }
    }

    /// Whether an entry still has this content, as far as the storage tells.
    fn is_of(&self, entry: &Entry) -> bool {
        match (&self.etag, &entry.etag) {
            (Some(was), Some(is)) => was == is,
            _ => {
                let has_moved_on = matches!(
                    (self.modified, entry.modified),
                    (Some(was), Some(is)) if was != is
                );
                self.size == entry.size && !has_moved_on
            }
        }
    }
}

fn unlike() -> Error {
    Outcome::Unavailable(
        "a copy is not what its source was; the source is left as it is".to_owned(),
    )
    .into()
}

/// Whether two bodies hold the same bytes.
pub(super) async fn alike(mut one: BodyStream, mut other: BodyStream) -> Result<bool> {
    let (mut left, mut right) = (Bytes::new(), Bytes::new());
    loop {
        refill(&mut left, &mut one).await?;
        refill(&mut right, &mut other).await?;
        let common = left.len().min(right.len());
        if common == 0 {
            return Ok(left.is_empty() && right.is_empty());
        }
        if left.get(..common) != right.get(..common) {
            return Ok(false);
        }
        left.advance(common);
        right.advance(common);
    }
}

/// Takes the next bytes if there are none; leaves it empty at the end.
async fn refill(bytes: &mut Bytes, body: &mut BodyStream) -> Result<()> {
    while bytes.is_empty() {
        match body.next().await {
            Some(piece) => *bytes = piece?,
            None => break,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn body(pieces: &[&'static str]) -> BodyStream {
        let pieces: Vec<_> = pieces.iter().map(|text| Ok(Bytes::from(*text))).collect();
        Box::pin(stream::iter(pieces))
    }

    #[tokio::test]
    async fn bodies_are_alike_however_they_are_cut() {
        for (one, other, expected) in [
            (&["abc", "", "def"][..], &["a", "bcdef"][..], true),
            (&[], &[""], true),
            (&["abc"], &["abd"], false),
            (&["abc"], &["ab"], false),
            (&["ab"], &["ab", "c"], false),
        ] {
            let found = alike(body(one), body(other)).await.unwrap();
            assert_eq!(found, expected, "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_version_is_told_by_its_tag_or_by_size_and_time() {
        let time = |seconds| Some(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds));
        let version = |etag: Option<&str>, modified| Version {
            size: 3,
            etag: etag.map(str::to_owned),
            modified,
        };
        let entry = |size, etag: Option<&str>, modified| Entry {
            etag: etag.map(str::to_owned),
            modified,
            ..Entry::file("x", size)
        };
        for (was, is, expected) in [
            (
                version(Some("\"a\""), None),
                entry(3, Some("\"a\""), time(1)),
                true,
            ),
            (
                version(Some("\"a\""), None),
                entry(3, Some("\"b\""), None),
                false,
            ),
            (
                version(None, time(1)),
                entry(3, Some("\"b\""), time(1)),
                true,
            ),
            (version(None, time(1)), entry(3, None, time(2)), false),
            (version(None, None), entry(4, None, None), false),
        ] {
            assert_eq!(was.is_of(&is), expected, "{is:?}");
        }
    }
}
