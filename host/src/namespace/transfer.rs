//! Copies that pass through the host: between mounts, and for drivers that cannot copy.

use futures::StreamExt;

use super::{Namespace, Totals, tree::replaces};
use crate::{
    BoxError, Error, Kind, Outcome, Path, Plan, Precondition, ReadRequest, Result, Upload,
    WriteOptions,
};

impl Namespace {
    /// Copies by reading and writing, one file after another, with bounded memory.
    pub(super) async fn stream(
        &self,
        plan: &Plan,
        progress: &mut impl FnMut(Totals),
    ) -> Result<Totals> {
        let mut totals = Totals::default();
        if plan.kind == Kind::File {
            self.stream_file(&plan.from, &plan.to, plan, &mut totals)
                .await?;
            progress(totals);
            return Ok(totals);
        }
        if !replaces(plan) && self.exists(&plan.to, Kind::Directory).await? {
            return Err(Outcome::AlreadyExists.into());
        }
        let mut directories = vec![Path::ROOT];
        while let Some(below) = directories.pop() {
            let (from, to) = (plan.from.join(&below), plan.to.join(&below));
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
                        directories.push(child);
                        continue;
                    }
                    let (from, to) = (plan.from.join(&child), plan.to.join(&child));
                    self.stream_file(&from, &to, plan, &mut totals).await?;
                    progress(totals);
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
                progress(totals);
            }
        }
        Ok(totals)
    }

    async fn stream_file(
        &self,
        from: &Path,
        to: &Path,
        plan: &Plan,
        totals: &mut Totals,
    ) -> Result<()> {
        let reading = self.read(from, ReadRequest::default()).await?;
        let size = reading.size;
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
        match self.write(to, upload, options).await {
            // The plan refuses to overwrite, which is how the contract calls it.
            Err(Error::Outcome(Outcome::PreconditionFailed)) if !replaces(plan) => {
                return Err(Outcome::AlreadyExists.into());
            }
            result => result?,
        };
        totals.items += 1;
        totals.bytes += size;
        Ok(())
    }
}
