//! `orlop ls`.

use anyhow::Context;
use clap::Args;
use orlop::{Entry, Kind, Location, Namespace, Path};

use super::{
    entry::{self, EntryJson, Line},
    output::{List, Output},
    target,
};

/// Entries in one page: the most that a driver gives.
const PAGE: u32 = 1000;

/// List a folder
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  orlop ls                      the mounts
  orlop ls -l /photos/2026      with sizes and times
  orlop ls -R --json /photos    a whole tree, for machines")]
pub(super) struct Ls {
    /// The folder, or a file
    #[arg(default_value = "/", value_parser = target::parse)]
    path: Location,
    /// Show sizes in bytes and times in UTC
    #[arg(short, long)]
    long: bool,
    /// List the folders inside as well, with their paths
    #[arg(short = 'R', long)]
    recursive: bool,
    /// Print a JSON array, an entry on each line
    #[arg(long)]
    json: bool,
}

impl Ls {
    pub(super) async fn run(self, namespace: &Namespace, output: &Output) -> anyhow::Result<()> {
        let mut listing = Listing {
            long: self.long,
            output,
            json: self.json.then(|| output.list()),
        };
        let entry = target::stat(namespace, &self.path).await?;
        if entry.kind == Kind::File {
            listing.print(&self.path.path, self.path.path.name(), &entry)?;
            return listing.finish();
        }
        // Folders to list: the path, and what it is called in the output.
        let mut folders = vec![(self.path.path.clone(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            let mut inside = Vec::new();
            let mut cursor = None;
            loop {
                let page = namespace
                    .list(&folder, cursor.as_deref(), PAGE)
                    .await
                    .with_context(|| entry::shown(&Location::directory(folder.clone())))?;
                for entry in &page.entries {
                    let path = entry::child(&folder, &entry.name)?;
                    let name = format!("{prefix}{}", entry.name);
                    listing.print(&path, &name, entry)?;
                    if self.recursive && entry.kind == Kind::Directory {
                        inside.push((path, format!("{name}/")));
                    }
                }
                cursor = page.next.clone();
                if cursor.is_none() {
                    break;
                }
            }
            folders.extend(inside.into_iter().rev());
        }
        listing.finish()
    }
}

struct Listing<'a> {
    long: bool,
    output: &'a Output,
    json: Option<List<'a>>,
}

impl Listing<'_> {
    fn print(&mut self, path: &Path, name: &str, entry: &Entry) -> anyhow::Result<()> {
        match &mut self.json {
            Some(list) => list.push(&EntryJson::new(path, entry)),
            None => self.output.line(Line {
                name,
                entry,
                long: self.long,
            }),
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        self.json.map_or(Ok(()), List::finish)
    }
}
