//! `orlop mv`.

use anyhow::Context;
use clap::Args;
use orlop::Namespace;

use super::{
    cp::{self, Transfer},
    entry,
    output::Output,
    progress,
};

/// Move or rename a file or folder
///
/// A source is removed only when its copy is known to be there. Interrupted, nothing is lost, and running
/// it again finishes it.
#[derive(Args, Debug)]
pub(super) struct Mv {
    #[command(flatten)]
    transfer: Transfer,
}

impl Mv {
    pub(super) async fn run(self, namespace: &Namespace, output: &Output) -> anyhow::Result<()> {
        let plan = self.transfer.plan(namespace).await?;
        let progress = progress::items("moved");
        let totals = namespace
            .rename(&plan, |totals| progress.show(totals))
            .await
            .with_context(|| entry::shown(self.transfer.from()))?;
        drop(progress);
        cp::report(self.transfer.json, totals, output)
    }
}
