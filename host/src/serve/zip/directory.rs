//! The records at an archive's end, which have to be kept until then.

use std::io::SeekFrom;

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _},
};

use crate::{HostError, Result};

/// Records that are held in memory before they go into a file.
const HELD: usize = 256 * 1024;

/// The records of an archive's members, in a nameless temporary file as far as they are many.
#[derive(Debug, Default)]
pub(super) struct Directory {
    recent: Vec<u8>,
    spilled: Option<File>,
    count: u64,
    length: u64,
}

impl Directory {
    /// Members.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Bytes of their records.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Adds a member's record.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub(super) async fn add(&mut self, record: &[u8]) -> Result<()> {
        self.count += 1;
        self.length += record.len() as u64;
        self.recent.extend_from_slice(record);
        if self.recent.len() >= HELD {
            self.spill().await.map_err(failure)?;
            self.recent.clear();
        }
        Ok(())
    }

    async fn spill(&mut self) -> std::io::Result<()> {
        let file = match &mut self.spilled {
            Some(file) => file,
            None => self.spilled.insert(File::from_std(tempfile::tempfile()?)),
        };
        file.write_all(&self.recent).await
    }

    /// All records, in the order they came in.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Bytes>> + Send {
        let recent = stream::iter([Ok(Bytes::from(self.recent))]);
        stream::iter(self.spilled)
            .flat_map(|file| {
                stream::try_unfold((file, false), |(mut file, is_rewound)| async move {
                    let read = async {
                        if !is_rewound {
                            file.flush().await?;
                            file.seek(SeekFrom::Start(0)).await?;
                        }
                        let mut piece = Vec::with_capacity(HELD);
                        (&mut file)
                            .take(HELD as u64)
                            .read_to_end(&mut piece)
                            .await?;
                        std::io::Result::Ok(piece)
                    };
                    let piece = read.await.map_err(failure)?;
                    Ok((!piece.is_empty()).then(|| (Bytes::from(piece), (file, true))))
                })
            })
            .chain(recent)
    }
}

fn failure(error: std::io::Error) -> HostError {
    HostError::Internal(format!("the records of an archive cannot be kept: {error}"))
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt as _;

    use super::*;

    #[tokio::test]
    async fn what_is_spilled_comes_back_in_order() {
        for records in [0_u32, 3, 300_000] {
            let mut directory = Directory::default();
            let mut expected = Vec::new();
            for number in 0..records {
                directory.add(&number.to_le_bytes()).await.unwrap();
                expected.extend_from_slice(&number.to_le_bytes());
            }
            assert_eq!(directory.count(), u64::from(records));
            assert_eq!(directory.length(), expected.len() as u64);
            assert!(directory.recent.len() < HELD);
            let pieces: Vec<Bytes> = directory.into_stream().try_collect().await.unwrap();
            assert_eq!(pieces.concat(), expected);
        }
    }
}
