//! `orlop put`.

use std::{
    path::{Path, PathBuf},
    pin::Pin,
    time::SystemTime,
};

use anyhow::Context;
use bytes::{Bytes, BytesMut};
use clap::Args;
use futures::{Stream, stream};
use orlop::{BoxError, Location, Namespace, Outcome, Precondition, Upload, WriteOptions};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{
    Interrupt, Usage,
    entry::{self, EntryJson},
    interrupt::Interrupted,
    output::Output,
    progress, target,
};

/// Bytes that are read from the local file at once.
const CHUNK: usize = 256 * 1024;

/// Upload a file
///
/// The file becomes visible when it is whole. The time it was last changed is kept if the storage can.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  orlop put a.jpg /photos/              into a folder
  orlop put a.jpg /photos/b.jpg         under another name
  tar c docs | orlop put - /backup/docs.tar")]
pub(super) struct Put {
    /// The local file; - for standard input
    local: PathBuf,
    /// Where to: a file, or a folder to put it in
    #[arg(value_parser = target::parse)]
    path: Location,
    /// Fail if there is a file already
    #[arg(short, long)]
    no_clobber: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Where the bytes come from.
struct Local {
    reader: Pin<Box<dyn AsyncRead + Send>>,
    size: Option<u64>,
    modified: Option<SystemTime>,
}

impl Put {
    pub(super) async fn run(
        self,
        namespace: &Namespace,
        output: &Output,
        interrupt: Interrupt,
    ) -> anyhow::Result<()> {
        let local = Local::open(&self.local).await?;
        let name = self.name()?;
        let path = interrupt
            .or(target::destination(namespace, &self.path, name))
            .await?;
        let progress = progress::bytes(path.name(), local.size);
        let bar = progress.share();
        let content_type = mime_guess::from_path(path.name())
            .first_raw()
            .or_else(|| mime_guess::from_path(&self.local).first_raw());
        let bytes = bytes(local.reader, interrupt.clone(), move |count| bar.inc(count));
        let mut upload = Upload::new(bytes, local.size);
        if let Some(content_type) = content_type {
            upload = upload.with_content_type(content_type.to_owned());
        }
        let options = WriteOptions {
            precondition: if self.no_clobber {
                Precondition::Absent
            } else {
                Precondition::None
            },
            modified: local.modified,
            ..WriteOptions::default()
        };
        // The first signal breaks the bytes off, upon which the driver clears up what it has sent.
        let write = namespace.write(&path, upload, options);
        let result = tokio::select! {
            result = write => result,
            () = interrupt.second() => return Err(Interrupted.into()),
        };
        drop(progress);
        let entry = match result {
            Err(_) if interrupt.is_raised() => return Err(Interrupted.into()),
            Err(orlop::Error::Outcome(Outcome::PreconditionFailed)) => {
                return Err(orlop::Error::Outcome(Outcome::AlreadyExists))
                    .with_context(|| entry::shown(&Location::file(path)));
            }
            result => result.with_context(|| entry::shown(&Location::file(path.clone())))?,
        };
        if self.json {
            output.json(&EntryJson::new(&path, &entry))?;
        }
        Ok(())
    }

    /// What the file is called in a folder; empty for standard input.
    fn name(&self) -> Result<&str, Usage> {
        if self.local == Path::new("-") {
            return Ok("");
        }
        self.local
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| Usage(format!("{}: its name is not UTF-8", self.local.display())))
    }
}

impl Local {
    async fn open(path: &Path) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self {
                reader: Box::pin(tokio::io::stdin()),
                size: None,
                modified: None,
            });
        }
        let cannot_read = || format!("cannot read {}", path.display());
        let file = tokio::fs::File::open(path)
            .await
            .with_context(cannot_read)?;
        let metadata = file.metadata().await.with_context(cannot_read)?;
        if metadata.is_dir() {
            return Err(Usage(format!("{} is a folder", path.display())).into());
        }
        Ok(Self {
            // The size of a pipe or device means nothing.
            size: metadata.is_file().then_some(metadata.len()),
            modified: metadata.modified().ok(),
            reader: Box::pin(file),
        })
    }
}

/// The bytes of a reader, ended with an error by the first signal.
fn bytes(
    reader: Pin<Box<dyn AsyncRead + Send>>,
    interrupt: Interrupt,
    progress: impl Fn(u64) + Send + 'static,
) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    stream::try_unfold(
        (reader, interrupt, progress),
        |(mut reader, interrupt, progress)| async move {
            let mut chunk = BytesMut::with_capacity(CHUNK);
            let count = tokio::select! {
                biased;
                () = interrupt.first() => return Err(BoxError::from(Interrupted)),
                read = reader.read_buf(&mut chunk) => read?,
            };
            progress(count as u64);
            let next = (reader, interrupt, progress);
            Ok((count > 0).then(|| (chunk.freeze(), next)))
        },
    )
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn all_bytes_come_through() {
        let (_sender, interrupt) = Interrupt::pair();
        let content = vec![7; CHUNK * 2 + 1];
        let reader = Box::pin(std::io::Cursor::new(content.clone()));
        let chunks: Vec<Bytes> = bytes(reader, interrupt, |_| {})
            .try_collect()
            .await
            .unwrap();
        assert_eq!(chunks.concat(), content);
    }

    #[tokio::test]
    async fn a_signal_breaks_the_bytes_off() {
        let (sender, interrupt) = Interrupt::pair();
        let (_writer, reader) = tokio::io::duplex(1);
        let mut chunks = Box::pin(bytes(Box::pin(reader), interrupt, |_| {}));
        sender.send_replace(1);
        let error = chunks.try_next().await.unwrap_err();
        assert!(error.is::<Interrupted>());
    }
}
