//! `orlop driver`.

mod imports;
mod inspect;

use clap::Subcommand;

use super::output::Output;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Driver {
    Inspect(inspect::Inspect),
}

impl Driver {
    pub(super) async fn run(self, config: &Config, output: &Output) -> anyhow::Result<()> {
        match self {
            Self::Inspect(command) => command.run(config, output).await,
        }
    }
}
