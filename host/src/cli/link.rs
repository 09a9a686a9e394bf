//! `orlop link`.

use anyhow::Context;
use clap::Args;
use orlop::{Kind, LinkOptions, Location, Namespace};
use serde::Serialize;

use super::{Usage, entry, lifetime::Lifetime, output::Output, target};

/// Print a link to a file that anyone can use while it lasts
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  orlop link /photos/a.jpg --expires 15m
  curl \"$(orlop link /photos/a.jpg)\"")]
pub(super) struct Link {
    /// The file
    #[arg(value_parser = target::parse)]
    path: Location,
    /// How long it shall be good, such as 15m, 4h or 7d; the storage may give less
    #[arg(long, value_name = "TIME")]
    expires: Option<Lifetime>,
    /// The name that a browser shall save the file under
    #[arg(long, value_name = "NAME")]
    filename: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct LinkJson<'a> {
    url: &'a str,
    expires: Option<String>,
}

impl Link {
    pub(super) async fn run(self, namespace: &Namespace, output: &Output) -> anyhow::Result<()> {
        // A link can be signed for a file that is not there: better to know now.
        let entry = target::stat(namespace, &self.path).await?;
        if entry.kind == Kind::Directory {
            return Err(Usage(format!("{} is a folder", entry::shown(&self.path))).into());
        }
        let options = LinkOptions {
            filename: self.filename,
            expires: self.expires.map(|lifetime| lifetime.0),
        };
        let link = namespace
            .link(&self.path.path, options)
            .await
            .with_context(|| entry::shown(&self.path))?;
        if !self.json {
            return output.line(&link.url);
        }
        output.json(&LinkJson {
            url: &link.url,
            expires: link.expires.and_then(entry::rfc3339),
        })
    }
}
