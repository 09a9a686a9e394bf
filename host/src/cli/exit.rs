//! How the program ends.

use std::{fmt, process::ExitCode, time::Duration};

use super::{interrupt::Interrupted, output};
use crate::config;

/// How long the program waits at its end for threads that may never come back.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);

/// What a shell reports for a program that SIGINT ended: 128 + 2.
const INTERRUPTED: u8 = 130;

/// The program was asked for something that makes no sense.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Tells the user what went wrong, in one line, and gives the exit status. Nobody listening any more
/// (`orlop ls | head -1`) is no failure.
pub(super) fn status(error: &anyhow::Error) -> ExitCode {
    let code = code(error);
    if code != 0 {
        output::complain(&reason(error));
    }
    code.into()
}

/// 1, or 2 if the question was wrong.
fn code(error: &anyhow::Error) -> u8 {
    if error.is::<output::Closed>() {
        0
    } else if error.is::<Interrupted>() {
        INTERRUPTED
    } else if error.is::<Usage>() || error.is::<config::Error>() {
        2
    } else {
        1
    }
}

/// An error with its causes in one line, each text once.
pub(crate) fn reason(error: &anyhow::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !texts.last().is_some_and(|last| last.ends_with(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_was_asked_wrongly_is_told_from_what_failed() {
        for (error, expected) in [
            (anyhow::Error::new(Usage("x".to_owned())), 2),
            (anyhow::Error::new(Usage("x".to_owned())).context("y"), 2),
            (anyhow::Error::new(output::Closed), 0),
            (anyhow::Error::new(Interrupted), 130),
            (anyhow::anyhow!("x"), 1),
        ] {
            assert_eq!(code(&error), expected, "{error:?}");
        }
    }

    #[test]
    fn a_reason_does_not_repeat_itself() {
        let error = anyhow::Error::new(io::Error::other("no disk")).context("cannot write");
        assert_eq!(reason(&error), "cannot write: no disk");
        let error = anyhow::Error::new(io::Error::other("no disk")).context("no disk");
        assert_eq!(reason(&error), "no disk");
        assert_eq!(reason(&anyhow::anyhow!("on\n  two lines")), "on two lines");
    }
}
