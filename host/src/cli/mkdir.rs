//! `orlop mkdir`.

use anyhow::Context;
use clap::Args;
use orlop::{Kind, Location, Namespace, Path};

use super::{
    Usage,
    entry::{self, EntryJson},
    output::Output,
    target,
};

/// Make folders
#[derive(Args, Debug)]
pub(super) struct Mkdir {
    /// The folders
    #[arg(required = true, value_parser = target::parse)]
    paths: Vec<Location>,
    /// Make the folders above as well, and accept folders that are there
    #[arg(short, long)]
    parents: bool,
    /// Print a JSON array with the folders that were made
    #[arg(long)]
    json: bool,
}

impl Mkdir {
    pub(super) async fn run(self, namespace: &Namespace, output: &Output) -> anyhow::Result<()> {
        let mut made = output.list();
        for location in &self.paths {
            let path = &location.path;
            let missing = if self.parents {
                missing(namespace, path).await?
            } else {
                require_parent(namespace, path).await?;
                vec![path.clone()]
            };
            for path in missing {
                let entry = namespace
                    .make_directory(&path)
                    .await
                    .with_context(|| format!("/{path}"))?;
                if self.json {
                    made.push(&EntryJson::new(&path, &entry))?;
                }
            }
        }
        if self.json { made.finish() } else { Ok(()) }
    }
}

/// Which folders on the way to a path are not there, from the top.
async fn missing(namespace: &Namespace, path: &Path) -> anyhow::Result<Vec<Path>> {
    let mut missing = Vec::new();
    let mut next = Some(path.clone());
    while let Some(path) = next.filter(|path| !path.is_root()) {
        let location = Location::directory(path.clone());
        if target::find(namespace, &location).await?.is_some() {
            break;
        }
        next = path.parent();
        missing.push(path);
    }
    missing.reverse();
    Ok(missing)
}

async fn require_parent(namespace: &Namespace, path: &Path) -> anyhow::Result<()> {
    let Some(parent) = path.parent() else {
        return Err(Usage("/ is there already".to_owned()).into());
    };
    let location = Location::directory(parent);
    match target::find(namespace, &location).await? {
        Some(entry) if entry.kind == Kind::Directory => Ok(()),
        _ => anyhow::bail!(
            "/{path}: there is no folder {}: add -p to make it too",
            entry::shown(&location)
        ),
    }
}
