//! What is at a path of the namespace, and what a path in a command means.

use anyhow::Context;
use orlop::{Entry, Kind, Location, Namespace, Outcome, Path, ReadRequest, Reading};

use super::{Usage, entry};

/// Reads a path from the command line.
pub(super) fn parse(text: &str) -> Result<Location, String> {
    text.parse()
        .map_err(|_| "write it as in /photos/a.jpg, without empty, `.` or `..` segments".to_owned())
}

/// What is there.
pub(super) async fn stat(namespace: &Namespace, location: &Location) -> anyhow::Result<Entry> {
    namespace
        .stat(location)
        .await
        .with_context(|| entry::shown(location))
}

/// What is there, or none if nothing is.
pub(super) async fn find(
    namespace: &Namespace,
    location: &Location,
) -> anyhow::Result<Option<Entry>> {
    match namespace.stat(location).await {
        Ok(entry) => Ok(Some(entry)),
        Err(orlop::Error::Outcome(Outcome::NotFound)) => Ok(None),
        Err(error) => Err(error).with_context(|| entry::shown(location)),
    }
}

/// Begins to read a whole file.
pub(super) async fn read(namespace: &Namespace, location: &Location) -> anyhow::Result<Reading> {
    let is_folder = || Usage(format!("{} is a folder", entry::shown(location)));
    if location.want == Some(Kind::Directory) {
        return Err(is_folder().into());
    }
    let error = match namespace.read(&location.path, ReadRequest::default()).await {
        Ok(reading) => return Ok(reading),
        Err(error) => error,
    };
    // Storages without folders say no more than that there is no such file.
    let folder = Location::directory(location.path.clone());
    if matches!(error, orlop::Error::Outcome(Outcome::NotFound))
        && find(namespace, &folder).await?.is_some()
    {
        return Err(is_folder().into());
    }
    Err(error).with_context(|| entry::shown(location))
}

/// Where something called `name` goes if the user says `to`: into `to` if that is a folder or written with
/// a `/` at its end, else to `to` itself.
pub(super) async fn destination(
    namespace: &Namespace,
    to: &Location,
    name: &str,
) -> anyhow::Result<Path> {
    let into = to.path.is_root()
        || to.want == Some(Kind::Directory)
        || find(namespace, to)
            .await?
            .is_some_and(|entry| entry.kind == Kind::Directory);
    if !into {
        return Ok(to.path.clone());
    }
    if name.is_empty() {
        return Err(Usage(format!("{}: name the file too", entry::shown(to))).into());
    }
    Ok(entry::child(&to.path, name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_command_line() {
        assert_eq!(parse("/a/b").unwrap().path.as_str(), "a/b");
        assert_eq!(parse("a/b/").unwrap().want, Some(Kind::Directory));
        assert!(parse("/a/../b").is_err());
    }
}
