//! What is wrong with a configuration.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// One thing that is wrong with a configuration, in one line: file, line, key, and what would be right.
#[derive(Debug)]
pub(crate) struct Error {
    file: PathBuf,
    line: Option<usize>,
    key: Option<String>,
    message: String,
}

impl Error {
    /// An error about a whole file.
    pub(super) fn new(file: &Path, message: impl Into<String>) -> Self {
        Self {
            file: file.to_path_buf(),
            line: None,
            key: None,
            message: message.into(),
        }
    }

    /// The line of the file, from 1.
    pub(super) fn at_line(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    /// The key with the sections it stands in, such as `mount.config.bucket`.
    pub(super) fn at_key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        if let Some(key) = &self.key {
            write!(formatter, ": {key}")?;
        }
        write!(formatter, ": {}", self.message)
    }
}

impl std::error::Error for Error {}
