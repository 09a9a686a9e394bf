//! `orlop stat`.

use clap::Args;
use orlop::{Location, Namespace};

use super::{
    entry::{self, EntryJson},
    output::{Output, printable},
    target,
};

/// Describe a file or folder
#[derive(Args, Debug)]
pub(super) struct Stat {
    /// The file or folder; with a / at its end, only a folder will do
    #[arg(value_parser = target::parse)]
    path: Location,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Stat {
    pub(super) async fn run(self, namespace: &Namespace, output: &Output) -> anyhow::Result<()> {
        let entry = target::stat(namespace, &self.path).await?;
        if self.json {
            return output.json(&EntryJson::new(&self.path.path, &entry));
        }
        let fact =
            |name: &str, value: &str| output.line(format!("{name:<13} {}", printable(value)));
        fact("path", &format!("/{}", self.path.path))?;
        fact("kind", entry::kind(entry.kind))?;
        if entry.kind == orlop::Kind::File {
            fact("size", &entry.size.to_string())?;
        }
        if let Some(modified) = entry.modified.and_then(entry::rfc3339) {
            fact("modified", &modified)?;
        }
        if let Some(etag) = &entry.etag {
            fact("etag", etag)?;
        }
        if let Some(content_type) = &entry.content_type {
            fact("content type", content_type)?;
        }
        for (name, value) in &entry.extra {
            fact(&printable(name), value)?;
        }
        Ok(())
    }
}
