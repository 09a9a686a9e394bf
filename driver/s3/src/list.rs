//! Listing: pages of raw keys, and pages of a directory's entries.

use std::borrow::Cow;

use orlop_driver::{Entry, Error, Host, Page, Path, Result};
use serde::{Deserialize, Serialize};

use crate::{
    client::Client,
    config::ListVersion,
    cursor,
    driver::S3,
    fault::Fault,
    key, octets,
    operation::Operation,
    xml::{
        Unread,
        listing::{self, Listing},
        prefixes,
    },
};

/// Where a listing goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Position {
    /// Behind this key or prefix.
    #[serde(rename = "a")]
    After(String),
    /// Where this token of the service's says.
    #[serde(rename = "t")]
    Token(String),
}

/// What to list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'a> {
    /// What keys begin with.
    pub(crate) prefix: &'a str,
    /// Whether keys that have a `/` behind the prefix are told as one prefix.
    pub(crate) folded: bool,
    /// Where to go on.
    pub(crate) position: Option<&'a Position>,
    /// The most keys and prefixes, up to 1000.
    pub(crate) limit: u32,
}

/// The most keys that any service lists at once.
pub(crate) const PAGE: u32 = 1000;

/// Empty pages in a row that are no error: services that list what was deleted, and leave it out only then,
/// answer with some.
const EMPTY_PAGES: u32 = 100;

/// Names that keep an empty folder for AList and OpenList.
const PLACEHOLDERS: [&str; 2] = [".alist", ".openlist"];

impl<H: Host> S3<H> {
    /// Lists a page of keys, and tells where the next one begins.
    pub(crate) async fn list_keys(
        &self,
        query: Query<'_>,
    ) -> Result<(Listing, Option<Position>), Fault> {
        let mut listing = self.fetch_listing(query).await?;
        // Some services begin with the key that they were to begin behind.
        if let Some(Position::After(last)) = query.position {
            listing.objects.retain(|object| object.key != *last);
            listing.prefixes.retain(|prefix| prefix != last);
        }
        let next = next(&mut listing, query.position).map_err(Fault::unanswered)?;
        Ok((listing, next))
    }

    /// Lists keys as [`list_keys`](Self::list_keys) does, but goes on as long as a page has none and more follow:
    /// no objects mean that there are none.
    pub(crate) async fn list_some(
        &self,
        query: Query<'_>,
    ) -> Result<(Listing, Option<Position>), Fault> {
        let mut position = query.position.cloned();
        for _ in 0..EMPTY_PAGES {
            let query = Query {
                position: position.as_ref(),
                ..query
            };
            let (listing, next) = self.list_keys(query).await?;
            if next.is_none() || !listing.objects.is_empty() {
                return Ok((listing, next));
            }
            position = next;
        }
        Err(Fault::unanswered(stuck()))
    }

    async fn fetch_listing(&self, query: Query<'_>) -> Result<Listing, Fault> {
        let client: &Client<H> = &self.client;
        // Where a page begins with the last key of the one before, it has to bring one more to get on.
        let repeats = self.settings.profile.list_start_inclusive
            && matches!(query.position, Some(Position::After(_)));
        let limit = query.limit.saturating_add(u32::from(repeats)).min(PAGE);
        let mut operation = Operation::on_bucket("GET").query("max-keys", limit.to_string());
        if !query.prefix.is_empty() {
            operation = operation.query("prefix", query.prefix);
        }
        if query.folded {
            operation = operation.query("delimiter", "/");
        }
        if self.settings.profile.list_url_encode {
            operation = operation.query("encoding-type", "url");
        }
        operation = match self.settings.profile.list_version {
            ListVersion::V2 => operation.query("list-type", "2"),
            ListVersion::V1 => operation,
        };
        operation = match (query.position, self.settings.profile.list_version) {
            (None, _) => operation,
            (Some(Position::After(key)), ListVersion::V1) => operation.query("marker", key),
            (Some(Position::After(key)), ListVersion::V2) => operation.query("start-after", key),
            (Some(Position::Token(token)), _) => operation.query("continuation-token", token),
        };
        client
            .call(&operation, |response| {
                let body = octets::text(&response.body);
                let mut listing = listing::read(&body)?;
                if listing.encoded {
                    prefixes::decode(&mut listing.prefixes, query.prefix);
                    listing.decode_marker();
                }
                if self.settings.profile.list_version == ListVersion::V1 {
                    // The first call does not know it: it would begin anew each time.
                    listing.next_token = None;
                }
                let keys = listing.objects.iter().map(|object| &object.key);
                match keys
                    .chain(&listing.prefixes)
                    .all(|key| key.starts_with(query.prefix))
                {
                    true => Ok(listing),
                    false => Err(Unread::Garbled("keys that were not asked for".to_owned())),
                }
            })
            .await
    }

    /// Whether any key begins with a prefix.
    pub(crate) async fn has_keys(&self, prefix: &str) -> Result<bool, Fault> {
        let query = Query {
            prefix,
            folded: false,
            position: None,
            limit: 1,
        };
        Ok(!self.list_some(query).await?.0.objects.is_empty())
    }

    /// A page of a directory's entries.
    pub(crate) async fn list_directory(
        &self,
        directory: &Path,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page> {
        let prefix = key::of_directory(directory)?;
        let position = cursor.map(cursor::read::<Position>).transpose()?;
        let query = Query {
            prefix: &prefix,
            folded: true,
            position: position.as_ref(),
            limit: limit.clamp(1, PAGE),
        };
        let (listing, next) = self.list_keys(query).await?;
        let empty = listing.objects.is_empty() && listing.prefixes.is_empty();
        if empty && next.is_none() && position.is_none() && !directory.is_root() {
            return Err(Error::NotFound);
        }

        let mut entries = Vec::with_capacity(listing.objects.len() + listing.prefixes.len());
        for found in &listing.prefixes {
            let segment = found
                .strip_prefix(prefix.as_str())
                .and_then(|rest| rest.strip_suffix('/'));
            if let Some(segment) = segment {
                entries.push(Entry::directory(key::name(segment)));
            }
        }
        for mut object in listing.objects {
            let segment = object.key.strip_prefix(prefix.as_str()).unwrap_or_default();
            if object.size > 0 || !self.is_hidden(segment) {
                let name = match key::name(segment) {
                    Cow::Owned(name) => name,
                    // What is left of the key is the name: it stays where it is.
                    Cow::Borrowed(_) => {
                        let mut name = std::mem::take(&mut object.key);
                        name.drain(..prefix.len().min(name.len()));
                        name
                    }
                };
                entries.push(object.entry(name));
            }
        }
        Ok(Page {
            entries,
            next: next.map(|position| cursor::write(&position)).transpose()?,
        })
    }

    /// Whether an empty object of this name is there only to keep its folder.
    fn is_hidden(&self, segment: &str) -> bool {
        segment.is_empty()
            || segment == self.settings.placeholder
            || PLACEHOLDERS.contains(&segment)
    }
}

/// Where the page after this one begins.
fn next(listing: &mut Listing, current: Option<&Position>) -> Result<Option<Position>> {
    if !listing.truncated {
        return Ok(None);
    }
    let next = match (listing.next_token.take(), listing.next_marker.take()) {
        (Some(token), _) => Position::Token(token),
        (None, Some(marker)) => Position::After(marker),
        // Without a delimiter the first call gives no marker, and some services never do.
        (None, None) => {
            let key = listing.objects.last().map(|object| object.key.as_str());
            let prefix = listing.prefixes.last().map(String::as_str);
            match key.max(prefix) {
                Some(last) => Position::After(last.to_owned()),
                None => return Err(stuck()),
            }
        }
    };
    let advances = match (current, &next) {
        (Some(Position::After(current)), Position::After(next)) => key_of(next) > key_of(current),
        (Some(current), next) => next != current,
        (None, _) => true,
    };
    if advances {
        Ok(Some(next))
    } else {
        Err(stuck())
    }
}

/// The key in a marker. MinIO writes a note to itself behind it, which is to be sent back and says nothing of
/// the order.
fn key_of(marker: &str) -> &str {
    marker
        .split_once("[minio_cache:")
        .map_or(marker, |(key, _)| key)
}

fn stuck() -> Error {
    Error::Unavailable(
        "the service's listing does not advance: try the other `list_object_version`".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::listing::Object;

    fn page(keys: &[&str], prefixes: &[&str]) -> Listing {
        Listing {
            objects: keys
                .iter()
                .map(|key| Object {
                    key: (*key).to_owned(),
                    ..Object::default()
                })
                .collect(),
            prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
            truncated: true,
            ..Listing::default()
        }
    }

    fn after(key: &str) -> Position {
        Position::After(key.to_owned())
    }

    #[test]
    fn pages_go_on_where_the_service_says_or_behind_the_last() {
        let mut whole = Listing {
            truncated: false,
            ..page(&["a"], &[])
        };
        assert_eq!(next(&mut whole, None), Ok(None));
        assert_eq!(
            next(&mut page(&["a", "b"], &["aa/"]), None),
            Ok(Some(after("b")))
        );
        assert_eq!(
            next(&mut page(&["a", "b"], &["c/"]), None),
            Ok(Some(after("c/")))
        );
        let mut marked = Listing {
            next_marker: Some("x".into()),
            ..page(&["a"], &[])
        };
        assert_eq!(next(&mut marked, None), Ok(Some(after("x"))));
        let mut token = Listing {
            next_token: Some("t".into()),
            ..page(&["a"], &[])
        };
        assert_eq!(
            next(&mut token, None),
            Ok(Some(Position::Token("t".into())))
        );
    }

    #[test]
    fn a_listing_that_does_not_advance_is_an_error() {
        let current = after("b");
        for marker in ["a", "b"] {
            let mut marked = Listing {
                next_marker: Some(marker.into()),
                ..page(&["c"], &[])
            };
            assert!(next(&mut marked, Some(&current)).is_err());
        }
        let token = Position::Token("t".into());
        let mut same = Listing {
            next_token: Some("t".into()),
            ..page(&["c"], &[])
        };
        assert!(next(&mut same, Some(&token)).is_err());
        assert!(next(&mut page(&[], &[]), None).is_err());
    }

    #[test]
    fn notes_in_a_marker_do_not_count() {
        let marker = |key| format!("{key}[minio_cache:v2,return:]");
        for (current, coming, advances) in [("b", "b.txt", true), ("b", "b", false)] {
            let mut marked = Listing {
                next_marker: Some(marker(coming)),
                ..page(&["c"], &[])
            };
            let found = next(&mut marked, Some(&after(&marker(current))));
            assert_eq!(found.ok(), advances.then(|| Some(after(&marker(coming)))));
        }
    }
}
