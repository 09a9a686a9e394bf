//! The folders.

use orlop_driver::{Entry, Error, Page, Path, Result, page_of};

use crate::{README, misbehave};

/// Files in `numbers`.
const NUMBERS: u32 = 2_500;

/// Names that no entry may have.
const BAD_NAMES: [&str; 6] = ["", ".", "..", "a/b", "/etc/passwd", "nul\0"];

const DIRECTORIES: [&str; 5] = ["notes", "notes/deep", "numbers", "trap-list", "bad-name"];

pub(crate) fn is_directory(path: &Path) -> bool {
    path.is_root() || DIRECTORIES.contains(&path.as_str()) || bad_name(path).is_some()
}

pub(crate) fn page(directory: &Path, cursor: Option<&str>, limit: u32) -> Result<Page> {
    if let Some(name) = bad_name(directory) {
        let entries = vec![Entry::file("good", 1), Entry::file(name, 1)];
        return Ok(Page {
            entries,
            next: None,
        });
    }
    let entries = match directory.as_str() {
        "" => vec![
            Entry::directory("bad-name"),
            Entry::directory("notes"),
            Entry::directory("numbers"),
            Entry::file("readme.txt", README.len() as u64),
            Entry::directory("trap-list"),
        ],
        "notes" => vec![Entry::directory("deep")],
        "notes/deep" => vec![Entry::file("est.txt", README.len() as u64)],
        "bad-name" => (0..BAD_NAMES.len())
            .map(|number| Entry::directory(number.to_string()))
            .collect(),
        "numbers" => (0..NUMBERS)
            .map(|number| Entry::file(format!("{number:04}"), u64::from(number)))
            .collect(),
        "trap-list" => misbehave::trap(),
        _ => return Err(Error::NotFound),
    };
    page_of(entries, cursor, limit)
}

fn bad_name(directory: &Path) -> Option<&'static str> {
    let number: usize = directory.as_str().strip_prefix("bad-name/")?.parse().ok()?;
    BAD_NAMES.get(number).copied()
}
