//! Everything that the program prints.

use std::{
    borrow::Cow,
    fmt::{self, Display},
    io::{self, Write},
};

use serde::Serialize;

/// Nobody reads standard output any more.
#[derive(Debug)]
pub(crate) struct Closed;

impl Display for Closed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("standard output is closed")
    }
}

impl std::error::Error for Closed {}

/// Standard output.
#[derive(Debug)]
pub(crate) struct Output(());

impl Output {
    pub(super) fn new() -> Self {
        Self(())
    }

    /// Prints a line. Styles are dropped unless it goes to a terminal.
    pub(crate) fn line(&self, text: impl Display) -> anyhow::Result<()> {
        checked(writeln!(anstream::stdout().lock(), "{text}"))
    }

    /// Prints a value for machines.
    pub(crate) fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        checked(writeln!(io::stdout().lock(), "{text}"))
    }

    /// Prints bytes as they are.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> anyhow::Result<()> {
        checked(io::stdout().lock().write_all(bytes))
    }

    /// Makes sure that everything is out.
    pub(crate) fn flush(&self) -> anyhow::Result<()> {
        checked(io::stdout().lock().flush())
    }

    /// Begins a list of values for machines: valid JSON, one value on each line, printed as they come.
    pub(crate) fn list(&self) -> List<'_> {
        List {
            output: self,
            items: 0,
        }
    }
}

/// A JSON array on its way out.
#[derive(Debug)]
pub(crate) struct List<'a> {
    output: &'a Output,
    items: u64,
}

impl List<'_> {
    /// Prints one value.
    pub(crate) fn push(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        let before = if self.items == 0 { "[\n" } else { ",\n" };
        self.items += 1;
        self.output.bytes(before.as_bytes())?;
        self.output.bytes(&serde_json::to_vec(value)?)
    }

    /// Ends the array.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        self.output
            .bytes(if self.items == 0 { b"[]\n" } else { b"\n]\n" })
    }
}

/// Tells the user that something went wrong. If that fails as well, there is nobody to tell.
pub(super) fn complain(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "orlop: {text}");
}

/// A name with its control characters escaped, so that it stays on its line and cannot command the terminal.
pub(crate) fn printable(name: &str) -> Cow<'_, str> {
    if !name.contains(char::is_control) {
        return Cow::Borrowed(name);
    }
    name.chars()
        .flat_map(|letter| {
            let escaped = letter.is_control().then(|| letter.escape_default());
            let plain = (!letter.is_control()).then_some(letter);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

fn checked(result: io::Result<()>) -> anyhow::Result<()> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Closed.into(),
        _ => anyhow::Error::new(error).context("cannot write to standard output"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_command_the_terminal() {
        assert_eq!(printable("a ü 日本 🚢 \"'"), "a ü 日本 🚢 \"'");
        assert_eq!(printable("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
    }

    #[test]
    fn a_closed_pipe_is_told_from_a_full_disk() {
        let broken = checked(Err(io::ErrorKind::BrokenPipe.into())).unwrap_err();
        assert!(broken.is::<Closed>());
        let full = checked(Err(io::ErrorKind::StorageFull.into())).unwrap_err();
        assert!(!full.is::<Closed>());
    }
}
