//! Processes that take part in a measurement.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};

use crate::usage::Usage;

/// A process that listens. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    url: String,
}

impl Process {
    /// Starts a program, and waits until it prints the URL that it listens on.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().display().to_string();
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let mut process = Self {
            child,
            url: String::new(),
        };
        let stdout = process.child.stdout.take().context("no standard output")?;
        for line in BufReader::new(stdout).lines() {
            if let Some(url) = listens_on(&line.context("cannot read standard output")?) {
                process.url = url;
                return Ok(process);
            }
        }
        anyhow::bail!("{name} ended before it listened; what it wrote to standard error tells why")
    }

    /// Starts this very program in another role.
    pub(crate) fn start_role(arguments: &[&str]) -> Result<Self> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        Self::start(Command::new(program).args(arguments))
    }

    /// Where it listens, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it uses.
    pub(crate) fn usage(&self) -> Usage {
        Usage::of(self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing that it holds is worth an orderly end, and it may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listens_on(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("http://")?;
    let authority = rest.split(['/', ' ']).next()?;
    Some(format!("http://{authority}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_address() {
        for (line, url) in [
            (
                "Orlop listens on http://127.0.0.1:5244/",
                Some("http://127.0.0.1:5244"),
            ),
            ("http://127.0.0.1:1", Some("http://127.0.0.1:1")),
            ("warming up", None),
        ] {
            assert_eq!(listens_on(line).as_deref(), url);
        }
    }
}
