//! The command line.

mod cat;
mod check;
mod completions;
mod cp;
mod driver;
mod entry;
mod exit;
mod get;
mod hash_password;
mod interrupt;
mod lifetime;
mod link;
mod log;
mod ls;
mod mkdir;
mod mv;
mod output;
mod progress;
mod put;
mod rm;
pub(crate) mod serve;
mod service;
mod stat;
mod target;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use orlop::Namespace;

pub(crate) use self::{
    exit::{Usage, reason},
    interrupt::Interrupt,
    output::Output,
};
use crate::{config::Settings, demo::Demo};

/// A file server whose storage drivers are WebAssembly components locked in a sandbox.
///
/// Paths are those of the namespace that the configuration describes: /photos/a.jpg is a.jpg in the volume
/// mounted at /photos. A path that ends in / means a folder.
#[derive(Debug, Parser)]
#[command(name = "orlop", version, after_long_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  orlop demo                              try it, without any account
  orlop serve --config orlop.toml         serve the mounts of a configuration file
  orlop check                             try each mount, and say how to mend what is wrong
  orlop ls -l /photos                     the same files from the shell
  orlop put holiday.jpg /photos/2026/     upload a file into a folder
  orlop hash-password                     what a user's password is in the configuration file
  orlop driver inspect s3                 what a driver may reach

Exit status: 0 done, 1 failed, 2 asked wrongly.";

#[derive(Debug, Subcommand)]
enum Command {
    Demo(Demo),
    Serve(serve::Serve),
    Check(check::Check),
    #[command(flatten)]
    Files(Files),
    HashPassword(hash_password::HashPassword),
    /// Look into drivers
    #[command(subcommand)]
    Driver(driver::Driver),
    Completions(completions::Completions),
}

/// Commands on the files of the mounts.
#[derive(Debug, Subcommand)]
enum Files {
    Ls(ls::Ls),
    Stat(stat::Stat),
    Cat(cat::Cat),
    Get(get::Get),
    Put(put::Put),
    Cp(cp::Cp),
    Mv(mv::Mv),
    Rm(rm::Rm),
    Mkdir(mkdir::Mkdir),
    Link(link::Link),
}

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return exit::status(&error.into()),
    };
    let result = runtime.block_on(run(cli));
    // A thread that waits for standard input cannot be stopped: it must not hold the program back.
    runtime.shutdown_timeout(exit::PATIENCE);
    match result {
        Ok(status) => status,
        Err(error) => exit::status(&error),
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let Cli { settings, command } = cli;
    let output = Output::new();
    let interrupt = Interrupt::listen()?;
    match command {
        Command::Demo(command) => {
            let config = settings.alone();
            let _log = log::start(&config, log::SERVER)?;
            command.run(config, &output, interrupt).await?;
        }
        Command::Serve(command) => {
            let config = settings.load()?;
            let _log = log::start(&config, log::SERVER)?;
            command.run(settings, config, &output, interrupt).await?;
        }
        Command::Check(command) => {
            let config = settings.load()?;
            let _log = log::start(&config, log::COMMAND)?;
            return interrupt.or(command.run(&config, &output)).await;
        }
        Command::Files(command) => {
            let config = settings.load()?;
            let _log = log::start(&config, log::COMMAND)?;
            command
                .run(&config.open().await?, &output, interrupt)
                .await?;
        }
        Command::Driver(command) => {
            let config = settings.load_if_there()?;
            let _log = log::start(&config, log::COMMAND)?;
            interrupt.or(command.run(&config, &output)).await?;
        }
        Command::HashPassword(command) => command.run(&output)?,
        Command::Completions(command) => command.run(&output)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Files {
    async fn run(
        self,
        namespace: &Namespace,
        output: &Output,
        interrupt: Interrupt,
    ) -> anyhow::Result<()> {
        match self {
            Self::Ls(command) => interrupt.or(command.run(namespace, output)).await,
            Self::Stat(command) => interrupt.or(command.run(namespace, output)).await,
            Self::Cat(command) => interrupt.or(command.run(namespace, output)).await,
            Self::Get(command) => interrupt.or(command.run(namespace, output)).await,
            Self::Put(command) => command.run(namespace, output, interrupt).await,
            Self::Cp(command) => interrupt.or(command.run(namespace, output)).await,
            Self::Mv(command) => interrupt.or(command.run(namespace, output)).await,
            Self::Rm(command) => interrupt.or(command.run(namespace, output)).await,
            Self::Mkdir(command) => interrupt.or(command.run(namespace, output)).await,
            Self::Link(command) => interrupt.or(command.run(namespace, output)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn settings_stand_before_or_after_the_command() {
        for line in [
            ["orlop", "--config", "x.toml", "ls"],
            ["orlop", "ls", "--config", "x.toml"],
        ] {
            let cli = Cli::try_parse_from(line).unwrap();
            assert_eq!(cli.settings.file(), std::path::Path::new("x.toml"));
        }
    }
}
