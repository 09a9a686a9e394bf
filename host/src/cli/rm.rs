//! `orlop rm`.

use anyhow::Context;
use clap::Args;
use orlop::{Kind, Location, Namespace, Totals};

use super::{Usage, cp, entry, output::Output, progress, target};

/// Remove files and folders
#[derive(Args, Debug)]
pub(super) struct Rm {
    /// The files and folders; with a / at its end, only a folder is meant
    #[arg(required = true, value_parser = target::parse)]
    paths: Vec<Location>,
    /// Folders with all that is in them
    #[arg(short, long)]
    recursive: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Rm {
    pub(super) async fn run(self, namespace: &Namespace, output: &Output) -> anyhow::Result<()> {
        // Nothing is removed if one of the paths was written by mistake.
        let mut kinds = Vec::new();
        for location in &self.paths {
            let kind = target::stat(namespace, location).await?.kind;
            if kind == Kind::Directory && !self.recursive {
                let message = format!("{} is a folder: add -r", entry::shown(location));
                return Err(Usage(message).into());
            }
            kinds.push(kind);
        }
        let progress = progress::items("removed");
        let mut sum = Totals::default();
        for (location, kind) in self.paths.iter().zip(kinds) {
            let totals = namespace
                .remove(&location.path, kind, |totals| {
                    progress.show(add(sum, totals))
                })
                .await
                .with_context(|| entry::shown(location))?;
            sum = add(sum, totals);
        }
        drop(progress);
        cp::report(self.json, sum, output)
    }
}

fn add(left: Totals, right: Totals) -> Totals {
    let mut sum = left;
    sum.items += right.items;
    sum.bytes += right.bytes;
    sum
}
