//! `orlop hash-password`.

use std::io::{self, BufRead as _, IsTerminal as _};

use clap::Args;
use orlop::serve::PasswordHash;

use super::{Output, Usage};

/// Turn a password into what `[[user]]` takes
///
/// Asks for it twice on a terminal, without showing it; otherwise reads one line from standard input.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  orlop hash-password
  printf '%s' \"$PASSWORD\" | orlop hash-password

What it prints goes into the configuration file:
  [[user]]
  name = \"editor\"
  password = \"$argon2id$v=19$...\"
  allow = [{ path = \"/photos\", rights = \"write\" }]")]
pub(super) struct HashPassword {}

impl HashPassword {
    pub(super) fn run(self, output: &Output) -> anyhow::Result<()> {
        let password = if io::stdin().is_terminal() {
            ask()?
        } else {
            line()?
        };
        let hash = PasswordHash::of(&password).map_err(|error| Usage(error.to_string()))?;
        output.line(hash.as_str())
    }
}

fn ask() -> anyhow::Result<String> {
    let password = rpassword::prompt_password("Password: ")?;
    if rpassword::prompt_password("Again: ")? != password {
        return Err(Usage("that was not the same password twice".to_owned()).into());
    }
    Ok(password)
}

fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}
