//! `orlop serve`, as it is shipped, in front of the storage.

use std::{fmt::Write, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::{client::Target, pace::Pace, process::Process, storage};

/// Where the storage is mounted.
const MOUNT: &str = "bench";

/// The program, a configuration, and folders for compiled drivers and for what it keeps.
#[derive(Debug)]
pub(crate) struct Orlop {
    program: PathBuf,
    folder: TempDir,
}

/// The program while it runs.
#[derive(Debug)]
pub(crate) struct Running {
    process: Process,
}

impl Orlop {
    /// Finds the program beside this one, and writes a configuration with the storage mounted. Drivers are
    /// compiled by the first start, and loaded by later ones.
    pub(crate) fn new(storage: &Process) -> Result<Self> {
        let program = std::env::current_exe()
            .context("cannot find this program's own file")?
            .with_file_name("orlop");
        ensure!(
            program.exists(),
            "there is no {}: build it with `cargo build --release --package orlop`",
            program.display()
        );
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let config = file(&storage::config(storage))?;
        fs::write(folder.path().join("orlop.toml"), config).context("cannot write orlop.toml")?;
        Ok(Self { program, folder })
    }

    /// Starts it.
    pub(crate) fn start(&self) -> Result<Running> {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("ORLOP_") {
                command.env_remove(name);
            }
        }
        command
            .arg("serve")
            .args(["--listen", "127.0.0.1:0", "--log", "warn", "--config"])
            .arg(self.folder.path().join("orlop.toml"))
            .arg("--cache-dir")
            .arg(self.folder.path().join("cache"))
            .arg("--state-dir")
            .arg(self.folder.path().join("state"));
        let process = Process::start(&mut command)?;
        Ok(Running { process })
    }
}

impl Running {
    /// A path in the storage, seen through a front door: `""` for the page, `"/d"`, `"/p"`.
    pub(crate) fn target(&self, door: &str, path: &str) -> Result<Target> {
        Target::parse(&format!("{}{door}/{MOUNT}/{path}", self.process.url()))
    }

    /// Has it list a small folder.
    pub(crate) async fn list(&self) -> Result<()> {
        let folder = self.target("", &format!("{}/", storage::FEW))?;
        folder
            .get(Pace::UNLIMITED)
            .await
            .context("cannot list through orlop")?;
        Ok(())
    }

    /// The process.
    pub(crate) fn process(&self) -> &Process {
        &self.process
    }
}

/// A configuration file with one mount and defaults for all the rest.
fn file(config: &Value) -> Result<String> {
    let fields = config
        .as_object()
        .context("the driver's configuration is no object")?;
    let mut text = format!("[[mount]]\npath = \"/{MOUNT}\"\ndriver = \"s3\"\n\n[mount.config]\n");
    for (name, value) in fields {
        // Texts and truths are written alike in JSON and TOML.
        writeln!(text, "{name} = {value}")?;
    }
    Ok(text)
}
