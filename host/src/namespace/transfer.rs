//! Copies and moves that pass through the host: between mounts, and for what drivers cannot do themselves.

use futures::StreamExt;

use super::{Namespace, Totals, tree::replaces};
use crate::{
    BoxError, Error, Kind, Location, Outcome, Path, Plan, Precondition, ReadRequest, Result,
    Upload, WriteOptions,
};

/// What becomes of the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sources {
    /// It is a copy.
    Stay,
    /// It is a move: each goes once its copy is there.
    Go,
}

impl Namespace {
    /// Copies or moves by reading and writing, one file after another, with bounded memory.
    pub(super) async fn stream(
        &self,
        plan: &Plan,
        sources: Sources,
        progress: &mut impl FnMut(Totals),
    ) -> Result<Totals> {
        let mut totals = Totals::default();
        if plan.kind == Kind::File {
            self.stream_file(plan, sources, &mut totals).await?;
            progress(totals);
            return Ok(totals);
        }
        if !replaces(plan) && self.exists(&plan.to, Kind::Directory).await? {
            return Err(Outcome::AlreadyExists.into());
        }
        let mut waiting = vec![Path::ROOT];
        let mut visited = Vec::new();
        while let Some(below) = waiting.pop() {
            self.stream_directory(plan, &below, sources, &mut waiting, &mut totals, progress)
                .await?;
            visited.push(below);
        }
        if sources == Sources::Go {
            // The deepest last visited, so first to go.
            for below in visited.iter().rev() {
                self.remove_emptied(&plan.from.join(below)).await?;
            }
        }
        Ok(totals)
    }

    /// Streams the files of one directory, and notes the directories in it.
    async fn stream_directory(
        &self,
        plan: &Plan,
        below: &Path,
        sources: Sources,
        waiting: &mut Vec<Path>,
        totals: &mut Totals,
        progress: &mut impl FnMut(Totals),
    ) -> Result<()> {
        let (from, to) = (plan.from.join(below), plan.to.join(below));
        let mut empty = true;
        let mut cursor = None;
        loop {
            let page = self.list(&from, cursor.as_deref(), 1000).await?;
            for entry in &page.entries {
                empty = false;
                let child = below
                    .child(&entry.name)
                    .map_err(|error| Outcome::InvalidArgument(error.to_string()))?;
                if entry.kind == Kind::Directory {
                    waiting.push(child);
                    continue;
                }
                let file = Plan {
                    from: plan.from.join(&child),
                    to: plan.to.join(&child),
                    kind: Kind::File,
                    overwrite: plan.overwrite,
                };
                self.stream_file(&file, sources, totals).await?;
                progress(*totals);
            }
            cursor.clone_from(&page.next);
            if cursor.is_none() {
                break;
            }
        }
        if empty {
            match self.make_directory(&to).await {
                Ok(_) => totals.items += 1,
                Err(Error::Outcome(Outcome::AlreadyExists)) => {}
                Err(error) => return Err(error),
            }
            progress(*totals);
        }
        Ok(())
    }

    async fn stream_file(&self, plan: &Plan, sources: Sources, totals: &mut Totals) -> Result<()> {
        let reading = self.read(&plan.from, ReadRequest::default()).await?;
        let size = reading.size;
        let etag = reading.etag.clone();
        let body = reading.body.map(|piece| piece.map_err(BoxError::from));
        let mut upload = Upload::new(body, Some(size));
        if let Some(content_type) = reading.content_type {
            upload = upload.with_content_type(content_type);
        }
        let options = WriteOptions {
            precondition: if replaces(plan) {
                Precondition::None
            } else {
                Precondition::Absent
            },
            modified: reading.modified,
            extra: Vec::new(),
        };
        match self.write(&plan.to, upload, options).await {
            // The plan refuses to overwrite, which is how the contract calls it.
            Err(Error::Outcome(Outcome::PreconditionFailed)) if !replaces(plan) => {
                return Err(Outcome::AlreadyExists.into());
            }
            result => result?,
        };
        if sources == Sources::Go {
            self.remove_unchanged(&plan.from, etag.as_deref()).await?;
        }
        totals.items += 1;
        totals.bytes += size;
        Ok(())
    }

    /// Removes a file that was copied, unless it is no longer what was copied.
    async fn remove_unchanged(&self, file: &Path, etag: Option<&str>) -> Result<()> {
        // What was known before the copy says nothing now.
        if let Some(mount) = self.mount_of(file) {
            mount.changed();
        }
        let now = match self.stat(&Location::file(file.clone())).await {
            Err(Error::Outcome(Outcome::NotFound)) => return Ok(()),
            result => result?,
        };
        if etag.is_some() && now.etag.as_deref() != etag {
            return Err(Outcome::Unavailable(
                "the file was changed while it was moved; it is left as it is".to_owned(),
            )
            .into());
        }
        self.remove(file, Kind::File, |_| {}).await.map(|_| ())
    }

    /// Removes a directory whose files were moved. One that keeps itself by nothing is gone already.
    async fn remove_emptied(&self, directory: &Path) -> Result<()> {
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
        match self.remove(directory, Kind::Directory, |_| {}).await {
            Err(Error::Outcome(Outcome::NotFound)) => Ok(()),
            result => result.map(|_| ()),
        }
    }
}
