//! `orlop cp`.

use anyhow::Context;
use clap::Args;
use orlop::{Kind, Location, Namespace, Overwrite, Plan, Totals};
use serde::Serialize;

use super::{Usage, entry, output::Output, progress, target};

/// Copy a file or folder
///
/// Within one mount the storage copies; between mounts the bytes pass through this machine.
#[derive(Args, Debug)]
pub(super) struct Cp {
    #[command(flatten)]
    pub(super) transfer: Transfer,
}

/// What is copied or moved where.
#[derive(Args, Debug)]
pub(super) struct Transfer {
    /// The file or folder
    #[arg(value_parser = target::parse)]
    from: Location,
    /// Where to: its new path, or a folder to put it in
    #[arg(value_parser = target::parse)]
    to: Location,
    /// Folders with all that is in them
    #[arg(short, long)]
    recursive: bool,
    /// Fail if there is a file already
    #[arg(short, long)]
    no_clobber: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Cp {
    pub(super) async fn run(self, namespace: &Namespace, output: &Output) -> anyhow::Result<()> {
        let plan = self.transfer.plan(namespace).await?;
        let progress = progress::items("copied");
        let totals = namespace
            .copy(&plan, |totals| progress.show(totals))
            .await
            .with_context(|| entry::shown(&self.transfer.from))?;
        drop(progress);
        report(self.transfer.json, totals, output)
    }
}

impl Transfer {
    /// Finds out what the source is and what the destination means.
    pub(super) async fn plan(&self, namespace: &Namespace) -> anyhow::Result<Plan> {
        let source = target::stat(namespace, &self.from).await?;
        if source.kind == Kind::Directory && !self.recursive {
            let message = format!("{} is a folder: add -r", entry::shown(&self.from));
            return Err(Usage(message).into());
        }
        let from = self.from.path.clone();
        let to = target::destination(namespace, &self.to, from.name()).await?;
        if from == to || (source.kind == Kind::Directory && from.contains(&to)) {
            let message = format!("{} cannot go into itself", entry::shown(&self.from));
            return Err(Usage(message).into());
        }
        Ok(Plan {
            from,
            to,
            kind: source.kind,
            overwrite: if self.no_clobber {
                Overwrite::Refuse
            } else {
                Overwrite::Replace
            },
        })
    }

    pub(super) fn from(&self) -> &Location {
        &self.from
    }
}

/// Prints what was done, if it is to be printed.
pub(super) fn report(json: bool, totals: Totals, output: &Output) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Report {
        items: u64,
        bytes: u64,
    }
    if !json {
        return Ok(());
    }
    output.json(&Report {
        items: totals.items,
        bytes: totals.bytes,
    })
}
