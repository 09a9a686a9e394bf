//! All that is measured, in the order of the table.

mod dav;
mod download;
mod footprint;
mod library;
mod link;
mod list;
mod parse;
mod redirect;
mod rounds;
mod start;
mod tree;
mod upload;

use anyhow::Result;

use crate::{
    native, orlop_process::Orlop, plain_server::PlainServer, report, sandbox, scale::Scale, storage,
};

/// What can be measured by itself.
pub(crate) const GROUPS: [&str; 11] = [
    "links",
    "listings",
    "parsing",
    "trees",
    "library",
    "starts",
    "memory",
    "redirects",
    "dav",
    "downloads",
    "uploads",
];

/// Measures some groups, prints the table and writes `bench.json`.
pub(crate) async fn all(scale: Scale, groups: &[&str]) -> Result<()> {
    let storage = storage::start(scale.size)?;
    let config = storage::config(&storage);
    let cache = tempfile::tempdir()?;
    let native = native::open(&config)?;
    let driver = sandbox::load(&sandbox::engine(cache.path())?).await?;
    let ours = sandbox::open(&driver, &config).await?;
    let orlop = Orlop::new(&storage)?;
    let plain = PlainServer::start(&storage)?;
    let mut rows = Vec::new();
    for group in groups {
        report::progress(group);
        rows.extend(match *group {
            "links" => link::measure(scale, &ours, &native).await?,
            "listings" => list::measure(scale, &ours, &native).await?,
            "parsing" => parse::measure(scale, &driver).await?,
            "trees" => tree::measure(scale, &ours, &native).await?,
            "library" => library::measure(scale, cache.path(), &config).await?,
            "starts" => start::measure(scale, &orlop).await?,
            "memory" => footprint::measure(scale, &orlop).await?,
            "redirects" => redirect::measure(scale, &orlop, &plain).await?,
            "dav" => dav::measure(scale, &ours, &orlop).await?,
            "downloads" => download::measure(scale, &orlop, &native, &plain).await?,
            "uploads" => upload::measure(scale, &orlop, &native, &plain).await?,
            unknown => anyhow::bail!("there is no group `{unknown}`"),
        });
    }
    report::print(&rows)?;
    let file = report::write(&rows)?;
    report::progress(&format!("written to {}", file.display()));
    Ok(())
}

/// Lines that a client may be on, in gigabits per second: a common one, and a fast one.
const LINES: [f64; 2] = [1.0, 10.0];

/// The size of a transfer in words.
fn size(scale: Scale) -> String {
    match scale.size {
        size if size % (1 << 30) == 0 => format!("{} GiB", size >> 30),
        size => format!("{} MiB", size >> 20),
    }
}

/// The number of processor cores that all that takes part has to share.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}
