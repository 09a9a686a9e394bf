//! A driver's configuration as JSON, with its secrets fetched from where they are kept.

use std::{env, path::PathBuf};

use serde_json::{Map, Number, Value};
use toml::de::{DeTable, DeValue};

use super::section::{self, Source};

/// Turns a value into JSON. `{ env = "NAME" }` becomes the variable's value, `{ file = "PATH" }` the file's
/// content without the line end, at any depth.
///
/// # Errors
/// A text that names where the secret should be, never the secret.
pub(super) fn fill(value: DeValue<'_>, source: &Source) -> Result<Value, String> {
    Ok(match value {
        DeValue::String(text) => Value::String(text.into_owned()),
        DeValue::Integer(number) => {
            let number = section::integer(&number).ok_or("is too large a number")?;
            Value::Number(number.into())
        }
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map(Value::Number)
            .ok_or("must be a finite number")?,
        DeValue::Boolean(flag) => Value::Bool(flag),
        DeValue::Datetime(instant) => Value::String(instant.to_string()),
        DeValue::Array(items) => items
            .into_iter()
            .map(|item| fill(item.into_inner(), source))
            .collect::<Result<_, _>>()?,
        DeValue::Table(table) => match Secret::of(&table, source) {
            Some(secret) => Value::String(secret.fetch()?),
            None => table
                .into_iter()
                .map(|(key, value)| {
                    Ok((
                        key.into_inner().into_owned(),
                        fill(value.into_inner(), source)?,
                    ))
                })
                .collect::<Result<Map<_, _>, String>>()?
                .into(),
        },
    })
}

/// Where a secret is kept.
enum Secret {
    Variable(String),
    File(PathBuf),
}

impl Secret {
    fn of(table: &DeTable<'_>, source: &Source) -> Option<Self> {
        let mut entries = table.iter();
        let (key, value) = entries.next()?;
        let (None, DeValue::String(place)) = (entries.next(), value.get_ref()) else {
            return None;
        };
        match key.get_ref().as_ref() {
            "env" => Some(Self::Variable(place.to_string())),
            "file" => Some(Self::File(source.resolve(place.as_ref()))),
            _ => None,
        }
    }

    fn fetch(self) -> Result<String, String> {
        match self {
            Self::Variable(name) => match env::var(&name) {
                Ok(secret) => Ok(secret),
                Err(env::VarError::NotPresent) => {
                    Err(format!("the environment variable {name} is not set"))
                }
                Err(env::VarError::NotUnicode(_)) => {
                    Err(format!("the environment variable {name} is not UTF-8"))
                }
            },
            Self::File(path) => {
                let secret = std::fs::read_to_string(&path)
                    .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
                let line = secret.strip_suffix('\n').unwrap_or(&secret);
                Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use serde_json::json;

    use super::*;

    fn filled(folder: &Path, text: &str) -> Result<Value, String> {
        let source = Source::new(&folder.join("orlop.toml"), String::new());
        let table = DeTable::parse(text).unwrap().into_inner();
        fill(DeValue::Table(table), &source)
    }

    #[test]
    fn secrets_come_from_the_environment_and_from_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("key"), "s3cret\n").unwrap();
        // Cargo sets this one for every test.
        let text = "a = { env = 'CARGO_PKG_NAME' }\nb.c = [{ file = 'key' }]\nd = { env = 'x', other = 1 }";
        assert_eq!(
            filled(folder.path(), text).unwrap(),
            json!({"a": "orlop", "b": {"c": ["s3cret"]}, "d": {"env": "x", "other": 1}})
        );
    }

    #[test]
    fn a_secret_that_is_not_there() {
        let error = filled(Path::new("/"), "a = { env = 'ORLOP_NO_SUCH_VARIABLE' }").unwrap_err();
        assert_eq!(
            error,
            "the environment variable ORLOP_NO_SUCH_VARIABLE is not set"
        );
        let error = filled(Path::new("/nowhere"), "a = { file = 'key' }").unwrap_err();
        assert!(error.starts_with("cannot read /nowhere/key: "), "{error}");
    }

    #[test]
    fn plain_values() {
        assert_eq!(
            filled(
                Path::new("/"),
                "a = 1\nb = 1.5\nc = true\nd = 'x'\ne = 0x10\nf = 2026-01-02"
            )
            .unwrap(),
            json!({"a": 1, "b": 1.5, "c": true, "d": "x", "e": 16, "f": "2026-01-02"})
        );
    }
}
