//! `orlop cat`.

use anyhow::Context;
use clap::Args;
use futures::StreamExt;
use orlop::{Location, Namespace};

use super::{entry, output::Output, target};

/// Print files
#[derive(Args, Debug)]
pub(super) struct Cat {
    /// The files, one after the other
    #[arg(required = true, value_parser = target::parse)]
    paths: Vec<Location>,
}

impl Cat {
    pub(super) async fn run(self, namespace: &Namespace, output: &Output) -> anyhow::Result<()> {
        for location in &self.paths {
            print(namespace, location, output).await?;
        }
        Ok(())
    }
}

/// Prints one file.
pub(super) async fn print(
    namespace: &Namespace,
    location: &Location,
    output: &Output,
) -> anyhow::Result<()> {
    let mut reading = target::read(namespace, location).await?;
    while let Some(bytes) = reading.body.next().await {
        output.bytes(&bytes.with_context(|| entry::shown(location))?)?;
    }
    output.flush()
}
