//! `orlop driver inspect`.

use std::path::PathBuf;

use clap::Args;
use orlop::Driver;
use serde::Serialize;
use serde_json::Value;

use super::imports;
use crate::{
    cli::{Output, output::printable},
    config::{Config, DriverSource, Drivers},
};

/// Show what a driver imports and exports, its digest and its configuration
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  orlop driver inspect s3
  orlop driver inspect --json ./mine.wasm")]
pub(in crate::cli) struct Inspect {
    /// A driver's name, or the path of a .wasm file
    driver: String,
    /// Print JSON, with the whole schema
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct DriverJson<'a> {
    name: &'a str,
    version: &'a str,
    title: &'a str,
    summary: &'a str,
    digest: &'a str,
    imports: &'a [String],
    exports: &'a [String],
    schema: &'a Value,
}

impl Inspect {
    pub(in crate::cli::driver) async fn run(
        self,
        config: &Config,
        output: &Output,
    ) -> anyhow::Result<()> {
        let source = DriverSource::new(&self.driver, |path| PathBuf::from(path));
        let driver = Drivers::new(config)?.load(&source, None).await?;
        if self.json {
            let descriptor = driver.descriptor();
            return output.json(&DriverJson {
                name: &descriptor.name,
                version: &descriptor.version,
                title: &descriptor.title,
                summary: &descriptor.summary,
                digest: driver.digest(),
                imports: driver.imports(),
                exports: driver.exports(),
                schema: driver.schema(),
            });
        }
        for line in describe(&driver) {
            // A driver that nobody trusts wrote some of this.
            output.line(printable(&line))?;
        }
        Ok(())
    }
}

fn describe(driver: &Driver) -> Vec<String> {
    let descriptor = driver.descriptor();
    let mut lines = vec![
        format!(
            "{} {}: {}",
            descriptor.name, descriptor.version, descriptor.title
        ),
        descriptor.summary.clone(),
        String::new(),
        format!("digest (SHA-256): {}", driver.digest()),
        String::new(),
        "imports, all that it can call:".to_owned(),
    ];
    let imports = imports::group(driver.imports());
    for (purpose, members) in imports.known {
        lines.push(format!("  {purpose}"));
        lines.extend(members.into_iter().map(|import| format!("    {import}")));
    }
    if imports.other.is_empty() {
        lines.push(
            "  nothing else: no files, no sockets, no way out but orlop:driver/http".to_owned(),
        );
    } else {
        lines.push("  others, which have nothing behind them".to_owned());
        lines.extend(imports.other.iter().map(|import| format!("    {import}")));
    }
    lines.push(String::new());
    lines.push("exports, what it can do:".to_owned());
    lines.extend(driver.exports().iter().map(|export| format!("  {export}")));
    lines.push(String::new());
    lines.push("configuration:".to_owned());
    lines.extend(fields(driver.schema()));
    lines
}

/// The fields that a schema describes, a line for each.
fn fields(schema: &Value) -> Vec<String> {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Vec::new();
    };
    let width = properties.keys().map(String::len).max().unwrap_or_default();
    properties
        .iter()
        .map(|(name, field)| {
            let mut notes = Vec::new();
            if required.contains(&name.as_str()) {
                notes.push("required".to_owned());
            }
            if field.get("writeOnly") == Some(&Value::Bool(true)) {
                notes.push("secret".to_owned());
            }
            if let Some(default) = field.get("default").filter(|default| !default.is_null()) {
                notes.push(format!("default {default}"));
            }
            let notes = if notes.is_empty() {
                String::new()
            } else {
                format!(" [{}]", notes.join(", "))
            };
            let text = field.get("description").and_then(Value::as_str);
            let text = text.unwrap_or_default().replace('\n', " ");
            format!("  {name:<width$}  {text}{notes}")
                .trim_end()
                .to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_for_each_field() {
        let schema = json!({
            "required": ["bucket"],
            "properties": {
                "bucket": {"description": "The bucket's\nname."},
                "key": {"writeOnly": true, "default": ""},
                "x": {},
            },
        });
        assert_eq!(
            fields(&schema),
            [
                "  bucket  The bucket's name. [required]",
                "  key      [secret, default \"\"]",
                "  x",
            ]
        );
    }
}
