//! `orlop completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, output::Output};

/// Print a completion script for a shell
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  source <(orlop completions bash)
  orlop completions zsh > ~/.zfunc/_orlop
  orlop completions fish > ~/.config/fish/completions/orlop.fish")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, output: &Output) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "orlop", &mut script);
        output.bytes(&script)
    }
}
