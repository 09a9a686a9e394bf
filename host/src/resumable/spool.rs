//! Bytes that have come and are not yet with the storage, in files.
//!
//! Each part that is filled has a file of its own, named by its number. So no crash can make the bytes of a part that
//! the storage has count twice: once the part is noted, its file is not looked at any more.

use std::{
    io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use tempfile::TempDir;
use tokio::{
    fs,
    io::{AsyncWriteExt as _, BufWriter},
    sync::OnceCell,
};

use super::UploadId;
use crate::{
    HostError, Outcome, Result,
    activity::Activity,
    part::{Part, Place},
};

/// Bytes gathered before they are written.
const WRITE: usize = 256 * 1024;

/// The folder of the files.
#[derive(Debug)]
pub(crate) struct Spool {
    /// None: one of the system's, which goes with this process.
    wanted: Option<PathBuf>,
    folder: OnceCell<Folder>,
}

#[derive(Debug)]
enum Folder {
    Kept(PathBuf),
    Temporary(TempDir),
}

/// One part while it fills.
#[derive(Debug)]
pub(crate) struct Filling {
    file: BufWriter<fs::File>,
    size: u64,
}

impl Spool {
    /// The files in this folder, which is made when it is needed; without, in one that goes with the process.
    pub(crate) fn new(wanted: Option<PathBuf>) -> Self {
        Self {
            wanted,
            folder: OnceCell::new(),
        }
    }

    /// How many bytes of a part are there.
    pub(crate) async fn size(&self, id: &UploadId, number: u32) -> Result<u64> {
        match fs::metadata(self.file(id, number).await?).await {
            Ok(found) => Ok(found.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(unreadable(error)),
        }
    }

    /// Opens a part, to be filled from where it ends.
    pub(crate) async fn open(&self, id: &UploadId, number: u32) -> Result<Filling> {
        let path = self.file(id, number).await?;
        let mut options = fs::OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        options.mode(0o600);
        let file = options.open(path).await.map_err(no_room)?;
        let size = file.metadata().await.map_err(unreadable)?.len();
        Ok(Filling {
            file: BufWriter::with_capacity(WRITE, file),
            size,
        })
    }

    /// A part to be sent.
    pub(crate) async fn part(
        &self,
        id: &UploadId,
        number: u32,
        activity: Activity,
    ) -> Result<Part> {
        let file = fs::File::open(self.file(id, number).await?)
            .await
            .map_err(unreadable)?;
        let size = file.metadata().await.map_err(unreadable)?.len();
        Ok(Part::new(
            size,
            Place::File(file.into_std().await),
            activity,
        ))
    }

    /// Drops a part.
    pub(crate) async fn remove(&self, id: &UploadId, number: u32) -> Result<()> {
        match fs::remove_file(self.file(id, number).await?).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unreadable(error)),
            _ => Ok(()),
        }
    }

    /// The parts that have files.
    pub(crate) async fn parts(&self) -> Result<Vec<(UploadId, u32)>> {
        let mut files = fs::read_dir(self.folder().await?)
            .await
            .map_err(unreadable)?;
        let mut parts = Vec::new();
        while let Some(file) = files.next_entry().await.map_err(unreadable)? {
            // What has another name is not ours.
            parts.extend(file.file_name().to_str().and_then(parse));
        }
        Ok(parts)
    }

    async fn file(&self, id: &UploadId, number: u32) -> Result<PathBuf> {
        Ok(self.folder().await?.join(format!("{id}.{number}")))
    }

    async fn folder(&self) -> Result<&Path> {
        let folder = self.folder.get_or_try_init(|| async {
            let Some(wanted) = &self.wanted else {
                return tempfile::tempdir().map(Folder::Temporary);
            };
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            builder.mode(0o700);
            builder.create(wanted).await?;
            Ok(Folder::Kept(wanted.clone()))
        });
        match folder.await.map_err(unreadable)? {
            Folder::Kept(folder) => Ok(folder),
            Folder::Temporary(folder) => Ok(folder.path()),
        }
    }
}

impl Filling {
    /// Bytes in it, with those that are on their way to the disk.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds bytes at the end.
    pub(crate) async fn push(&mut self, bytes: &Bytes) -> Result<()> {
        self.file.write_all(bytes).await.map_err(no_room)?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Hands all bytes to the system, so that they survive this process.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        self.file.flush().await.map_err(no_room)
    }

    /// Sees to it that all bytes are on the disk.
    pub(crate) async fn sync(&mut self) -> Result<()> {
        self.flush().await?;
        self.file.get_ref().sync_data().await.map_err(no_room)
    }
}

fn parse(name: &str) -> Option<(UploadId, u32)> {
    let (id, number) = name.split_once('.')?;
    Some((UploadId::parse(id)?, number.parse().ok()?))
}

fn unreadable(source: io::Error) -> crate::Error {
    let context = "the spool of uploads";
    HostError::Io { context, source }.into()
}

fn no_room(error: io::Error) -> crate::Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Outcome::QuotaExceeded(
            "the host has no room left for uploads on their way; free some in its state folder"
                .to_owned(),
        )
        .into(),
        _ => unreadable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn parts_are_filled_over_several_openings_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        for wanted in [Some(folder.path().join("a/spool")), None] {
            let spool = Spool::new(wanted);
            let id = UploadId::random().unwrap();
            assert_eq!(spool.size(&id, 1).await.unwrap(), 0);
            for (text, size) in [("hello ", 6), ("world", 11)] {
                let mut filling = spool.open(&id, 1).await.unwrap();
                filling.push(&Bytes::from(text)).await.unwrap();
                assert_eq!(filling.size(), size);
                filling.sync().await.unwrap();
                assert_eq!(spool.size(&id, 1).await.unwrap(), size);
            }
            let part = spool.part(&id, 1, Activity::default()).await.unwrap();
            assert_eq!(part.size(), 11);
            assert_eq!(part.read(0, 11).await.unwrap(), "hello world");
            spool.open(&id, 2).await.unwrap();
            let mut parts = spool.parts().await.unwrap();
            parts.sort_by_key(|(_, number)| *number);
            assert_eq!(parts, [(id.clone(), 1), (id.clone(), 2)]);
            spool.remove(&id, 1).await.unwrap();
            spool.remove(&id, 1).await.unwrap();
            assert_eq!(spool.parts().await.unwrap(), [(id, 2)]);
        }
    }

    #[test]
    fn other_files_are_left_alone() {
        for name in [
            "x",
            "orlop.sqlite",
            "4Qmdj0zJr3iYb0y2mV1y5w",
            "4Qmdj0zJr3iYb0y2mV1y5w.x",
        ] {
            assert_eq!(parse(name), None, "{name}");
        }
    }
}
