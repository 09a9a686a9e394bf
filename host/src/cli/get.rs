//! `orlop get`.

use std::{
    fs::FileTimes,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use futures::StreamExt;
use orlop::{Location, Namespace, Reading};
use tempfile::NamedTempFile;

use super::{cat, entry, output::Output, progress, target};

/// Download a file
///
/// The file appears under its name when it is whole, with the time it was last changed.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  orlop get /photos/a.jpg           into this folder
  orlop get /photos/a.jpg b.jpg     under another name
  orlop get /photos/a.jpg -         to standard output")]
pub(super) struct Get {
    /// The file
    #[arg(value_parser = target::parse)]
    path: Location,
    /// The local file or folder; - for standard output
    #[arg(default_value = ".")]
    local: PathBuf,
}

impl Get {
    pub(super) async fn run(self, namespace: &Namespace, output: &Output) -> anyhow::Result<()> {
        if self.local == Path::new("-") {
            return cat::print(namespace, &self.path, output).await;
        }
        let name = self.path.path.name();
        let local = if self.local.is_dir() {
            self.local.join(name)
        } else {
            self.local.clone()
        };
        let reading = target::read(namespace, &self.path).await?;
        save(reading, &local, name)
            .await
            .with_context(|| entry::shown(&self.path))
    }
}

/// Saves what is read beside its destination and then gives it its name, so that nothing half-written is
/// ever seen there.
async fn save(mut reading: Reading, local: &Path, name: &str) -> anyhow::Result<()> {
    let cannot_write = || format!("cannot write {}", local.display());
    let folder = match local.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = temporary(folder).with_context(cannot_write)?;
    let progress = progress::bytes(name, Some(reading.size));
    while let Some(bytes) = reading.body.next().await {
        let bytes = bytes?;
        file.write_all(&bytes).with_context(cannot_write)?;
        progress.advance(bytes.len());
    }
    if let Some(modified) = reading.modified {
        let times = FileTimes::new().set_modified(modified);
        file.as_file().set_times(times).with_context(cannot_write)?;
    }
    file.persist(local)
        .map_err(|error| error.error)
        .with_context(cannot_write)?;
    Ok(())
}

/// A hidden file with the rights of any new file; a temporary one would be for its owner alone.
fn temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".orlop-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use std::{fs, time::SystemTime};

    use bytes::Bytes;
    use futures::stream;

    use super::*;

    fn reading(chunks: Vec<Result<Bytes, orlop::Error>>, modified: SystemTime) -> Reading {
        Reading {
            size: 6,
            range: 0..6,
            etag: None,
            modified: Some(modified),
            content_type: None,
            body: Box::pin(stream::iter(chunks)),
        }
    }

    #[tokio::test]
    async fn a_whole_file_replaces_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let local = folder.path().join("a");
        fs::write(&local, "old").unwrap();
        let modified = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        let chunks = vec![Ok(Bytes::from("abc")), Ok(Bytes::from("def"))];
        save(reading(chunks, modified), &local, "a").await.unwrap();
        assert_eq!(fs::read(&local).unwrap(), b"abcdef");
        assert_eq!(fs::metadata(&local).unwrap().modified().unwrap(), modified);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_broken_download_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let local = folder.path().join("a");
        fs::write(&local, "old").unwrap();
        let broken = orlop::Error::Outcome(orlop::Outcome::TimedOut);
        let chunks = vec![Ok(Bytes::from("abc")), Err(broken)];
        let result = save(reading(chunks, SystemTime::now()), &local, "a").await;
        assert!(result.is_err());
        assert_eq!(fs::read(&local).unwrap(), b"old");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
}
