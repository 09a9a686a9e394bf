//! Paging, for storages that list everything at once.

use crate::{Entry, Error, Kind, Page, Result};

/// Cuts a page out of a listing that is all there: for drivers whose service knows no pages.
///
/// Entries come by name. The cursor is the last entry's place, so a listing that changes between two pages
/// neither repeats an entry nor leaves out one that was there all the time.
///
/// # Errors
/// [`Error::InvalidArgument`] for a cursor that no such page gave.
pub fn page_of(mut entries: Vec<Entry>, cursor: Option<&str>, limit: u32) -> Result<Page> {
    entries.sort_unstable_by(|a, b| place(a).cmp(&place(b)));
    if let Some(cursor) = cursor {
        let after = read(cursor)
            .ok_or_else(|| Error::InvalidArgument("the cursor is none of this driver's".into()))?;
        entries.retain(|entry| place(entry) > after);
    }
    let limit = usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| more).map(write);
    Ok(Page { entries, next })
}

/// Where an entry stands in a listing: by name, and a file before a directory of the same name.
fn place(entry: &Entry) -> (&str, Kind) {
    (&entry.name, entry.kind)
}

fn write(entry: &Entry) -> String {
    let kind = match entry.kind {
        Kind::File => 'f',
        Kind::Directory => 'd',
    };
    format!("{kind}{}", entry.name)
}

fn read(cursor: &str) -> Option<(&str, Kind)> {
    if let Some(name) = cursor.strip_prefix('f') {
        return Some((name, Kind::File));
    }
    Some((cursor.strip_prefix('d')?, Kind::Directory))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cursor_of_somebody_else_is_refused() {
        assert!(page_of(Vec::new(), Some("x"), 1).is_err());
        assert!(page_of(Vec::new(), Some(""), 1).is_err());
    }

    proptest! {
        #[test]
        fn pages_together_are_the_listing(names in prop::collection::btree_set("[a-dü]{1,3}", 0..20), limit in 1_u32..6) {
            let mut entries: Vec<Entry> = names.iter().map(|name| Entry::file(name, 1)).collect();
            entries.extend(names.iter().step_by(3).map(Entry::directory));
            let mut seen = Vec::new();
            let mut cursor = None;
            loop {
                let page = page_of(entries.clone(), cursor.as_deref(), limit).unwrap();
                prop_assert!(page.entries.len() <= limit as usize);
                seen.extend(page.entries);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            entries.sort_unstable_by(|a, b| place(a).cmp(&place(b)));
            prop_assert_eq!(seen, entries);
        }
    }
}
