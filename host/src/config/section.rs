//! Tables of a TOML file, read key by key. What is left over at the end is an unknown key.

use std::{
    collections::BTreeMap,
    fmt::Display,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use serde_json::Value;
use toml::de::{DeInteger, DeTable, DeValue};

use super::{Error, nearest, secret, size};

/// A file and its text.
#[derive(Debug)]
pub(super) struct Source {
    file: PathBuf,
    text: String,
}

impl Source {
    pub(super) fn new(file: &Path, text: String) -> Self {
        Self {
            file: file.to_path_buf(),
            text,
        }
    }

    /// The file's path, for errors.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// A path as written in the file, which starts at the file's folder.
    pub(super) fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }

    fn line(&self, offset: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        before.matches('\n').count() + 1
    }
}

/// A table.
#[derive(Debug)]
pub(super) struct Section<'s> {
    source: &'s Source,
    /// The keys that lead here, with dots; empty for the document.
    name: String,
    line: usize,
    entries: BTreeMap<String, DeValue<'s>>,
    lines: BTreeMap<String, usize>,
    known: Vec<&'static str>,
}

impl<'s> Section<'s> {
    /// The whole document.
    pub(super) fn document(source: &'s Source) -> Result<Self, Error> {
        let table = DeTable::parse(&source.text).map_err(|error| {
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            let offset = error.span().map_or(0, |span| span.start);
            Error::new(&source.file, message).at_line(source.line(offset))
        })?;
        Ok(Self::new(source, String::new(), 1, table.into_inner()))
    }

    fn new(source: &'s Source, name: String, line: usize, table: DeTable<'s>) -> Self {
        let mut entries = BTreeMap::new();
        let mut lines = BTreeMap::new();
        for (key, value) in table {
            lines.insert(key.get_ref().to_string(), source.line(key.span().start));
            entries.insert(key.into_inner().into_owned(), value.into_inner());
        }
        Self {
            source,
            name,
            line,
            entries,
            lines,
            known: Vec::new(),
        }
    }

    pub(super) fn source(&self) -> &'s Source {
        self.source
    }

    /// The line that the section begins on.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The line of each key.
    pub(super) fn lines(&self) -> &BTreeMap<String, usize> {
        &self.lines
    }

    /// An error about one of its keys.
    pub(super) fn error_at(&self, key: &str, message: impl Into<String>) -> Error {
        let line = self.lines.get(key).copied().unwrap_or(self.line);
        Error::new(&self.source.file, message)
            .at_line(line)
            .at_key(self.dotted(key))
    }

    /// A value that must be there.
    pub(super) fn required<T>(&self, key: &str, value: Option<T>) -> Result<T, Error> {
        value.ok_or_else(|| self.error_at(key, "is missing"))
    }

    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        self.read(key, text)
    }

    /// A text that stands for something.
    pub(super) fn parsed<T>(&mut self, key: &'static str) -> Result<Option<T>, Error>
    where
        T: FromStr<Err: Display>,
    {
        self.read(key, |value| {
            text(value)?
                .parse()
                .map_err(|error: T::Err| error.to_string())
        })
    }

    /// The path of a file or folder.
    pub(super) fn path(&mut self, key: &'static str) -> Result<Option<PathBuf>, Error> {
        Ok(self.text(key)?.map(|path| self.source.resolve(path)))
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Result<Option<bool>, Error> {
        self.read(key, |value| match value {
            DeValue::Boolean(flag) => Ok(flag),
            _ => Err("must be true or false".to_owned()),
        })
    }

    /// A count from 1.
    pub(super) fn count(&mut self, key: &'static str) -> Result<Option<usize>, Error> {
        self.read(key, |value| {
            let count = match &value {
                DeValue::Integer(number) => integer(number).and_then(|n| usize::try_from(n).ok()),
                _ => None,
            };
            count
                .filter(|count| *count > 0)
                .ok_or_else(|| "must be a whole number from 1".to_owned())
        })
    }

    /// A number of bytes.
    pub(super) fn size(&mut self, key: &'static str) -> Result<Option<u64>, Error> {
        self.read(key, |value| {
            let bytes = match &value {
                DeValue::Integer(number) => integer(number).and_then(|n| u64::try_from(n).ok()),
                DeValue::String(text) => size::parse(text),
                _ => None,
            };
            bytes.ok_or_else(|| size::EXPECTED.to_owned())
        })
    }

    /// A number of seconds, perhaps with a fraction.
    pub(super) fn seconds(&mut self, key: &'static str) -> Result<Option<Duration>, Error> {
        self.read(key, |value| {
            let seconds = match &value {
                DeValue::Integer(number) => integer(number)
                    .and_then(|n| u64::try_from(n).ok())
                    .map(Duration::from_secs),
                DeValue::Float(number) => number
                    .as_str()
                    .parse()
                    .ok()
                    .and_then(|n| Duration::try_from_secs_f64(n).ok()),
                _ => None,
            };
            seconds.ok_or_else(|| "must be a number of seconds".to_owned())
        })
    }

    /// A number of seconds above zero.
    pub(super) fn patience(&mut self, key: &'static str) -> Result<Option<Duration>, Error> {
        match self.seconds(key)? {
            Some(Duration::ZERO) => Err(self.error_at(key, "must be more than 0 seconds")),
            seconds => Ok(seconds),
        }
    }

    /// A text, or a list of texts, that stand for one thing, which they do with commas between them.
    pub(super) fn listed<T>(&mut self, key: &'static str) -> Result<Option<T>, Error>
    where
        T: FromStr<Err: Display>,
    {
        self.read(key, |value| {
            let text = match value {
                DeValue::Array(items) => items
                    .into_iter()
                    .map(|item| text(item.into_inner()))
                    .collect::<Result<Vec<_>, _>>()?
                    .join(","),
                value => text(value)?,
            };
            text.parse().map_err(|error: T::Err| error.to_string())
        })
    }

    /// A text that may be kept elsewhere: `{ env = "NAME" }` or `{ file = "PATH" }`.
    pub(super) fn secret(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        let source = self.source;
        self.read(key, |value| match secret::fill(value, source)? {
            Value::String(text) => Ok(text),
            _ => Err(
                "must be a text in quotes, { env = \"NAME\" } or { file = \"PATH\" }".to_owned(),
            ),
        })
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Result<Option<Vec<String>>, Error> {
        self.read(key, |value| match value {
            DeValue::Array(items) => items
                .into_iter()
                .map(|item| text(item.into_inner()))
                .collect::<Result<_, _>>()
                .map_err(|_| "must be a list of texts".to_owned()),
            _ => Err("must be a list of texts".to_owned()),
        })
    }

    /// A table inside this one.
    pub(super) fn section(&mut self, key: &'static str) -> Result<Option<Section<'s>>, Error> {
        let (source, name, line) = (self.source, self.dotted(key), self.line_of(key));
        self.read(key, |value| match value {
            DeValue::Table(table) => Ok(Section::new(source, name, line, table)),
            _ => Err(format!("must be a section: write `[{name}]`")),
        })
    }

    /// The tables of a list.
    pub(super) fn sections(&mut self, key: &'static str) -> Result<Vec<Section<'s>>, Error> {
        let (source, name) = (self.source, self.dotted(key));
        let expected = format!("must be a list of sections: write `[[{name}]]`");
        let sections = self.read(key, |value| {
            let DeValue::Array(items) = value else {
                return Err(expected);
            };
            items
                .into_iter()
                .map(|item| {
                    let line = source.line(item.span().start);
                    match item.into_inner() {
                        DeValue::Table(table) => {
                            Ok(Section::new(source, name.clone(), line, table))
                        }
                        _ => Err(expected.clone()),
                    }
                })
                .collect()
        })?;
        Ok(sections.unwrap_or_default())
    }

    /// Takes all that is there, for tables whose keys are somebody else's.
    pub(super) fn into_entries(self) -> BTreeMap<String, DeValue<'s>> {
        self.entries
    }

    /// Ends the reading: what nobody asked for is unknown.
    pub(super) fn finish(self) -> Result<(), Error> {
        match self.entries.first_key_value() {
            None => Ok(()),
            Some((key, _)) => {
                let message = nearest::unknown_key(key, self.known.iter().copied());
                Err(self.error_at(key, message))
            }
        }
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(DeValue<'s>) -> Result<T, String>,
    ) -> Result<Option<T>, Error> {
        self.known.push(key);
        let Some(value) = self.entries.remove(key) else {
            return Ok(None);
        };
        read(value)
            .map(Some)
            .map_err(|message| self.error_at(key, message))
    }

    fn line_of(&self, key: &str) -> usize {
        self.lines.get(key).copied().unwrap_or(self.line)
    }

    fn dotted(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }
}

/// A whole number; none if it does not fit.
pub(super) fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn text(value: DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.into_owned()),
        _ => Err("must be a text in quotes".to_owned()),
    }
}
