//! Conditional requests, in the order of RFC 9110 §13.2.2.

use std::time::{Duration, SystemTime};

use http::{
    HeaderMap, HeaderName,
    header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE},
};

use super::date;
use crate::Entry;

/// What a request's conditions make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Go ahead.
    Holds,
    /// 304: the client has it already.
    NotModified,
    /// 412.
    Failed,
}

/// What a conditional request is measured against: the file that is there now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Current<'a> {
    pub(crate) etag: Option<&'a str>,
    pub(crate) modified: Option<SystemTime>,
}

impl<'a> From<&'a Entry> for Current<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            etag: entry.etag.as_deref(),
            modified: entry.modified.and_then(date::whole_seconds),
        }
    }
}

/// Judges a GET or HEAD of a file that exists.
pub(crate) fn judge_read(headers: &HeaderMap, current: Current<'_>) -> Condition {
    if !may_change(headers, current) {
        return Condition::Failed;
    }
    if let Some(tags) = tags(headers, &IF_NONE_MATCH) {
        // Beside `If-None-Match`, `If-Modified-Since` has no say.
        return if tags.matches_weakly(current.etag) {
            Condition::NotModified
        } else {
            Condition::Holds
        };
    }
    match (time(headers, &IF_MODIFIED_SINCE), current.modified) {
        (Some(since), Some(modified)) if modified <= since => Condition::NotModified,
        _ => Condition::Holds,
    }
}

/// Judges a PUT or DELETE; `current` is none if there is no file yet.
pub(crate) fn judge_change(headers: &HeaderMap, current: Option<Current<'_>>) -> Condition {
    let holds = match current {
        Some(current) => {
            may_change(headers, current)
                && tags(headers, &IF_NONE_MATCH)
                    .is_none_or(|tags| !tags.matches_weakly(current.etag))
        }
        None => !headers.contains_key(IF_MATCH),
    };
    if holds {
        Condition::Holds
    } else {
        Condition::Failed
    }
}

/// Whether a `Range` still counts (RFC 9110 §13.1.5): without `If-Range`, or if that names the very
/// version that is there. Only strong validators do, since parts of two versions must never be joined.
pub(crate) fn honours_range(headers: &HeaderMap, current: Current<'_>, now: SystemTime) -> bool {
    let Some(value) = headers.get(IF_RANGE) else {
        return true;
    };
    let Ok(text) = value.to_str() else {
        return false;
    };
    if text.contains('"') {
        return current.etag == Some(text.trim()) && is_strong(text.trim());
    }
    match (date::parse_http(text), current.modified) {
        // A date is strong only if the file cannot have changed twice within its second (§8.8.2.2).
        (Some(date), Some(modified)) => {
            date == modified && modified + Duration::from_secs(1) <= now
        }
        _ => false,
    }
}

/// `If-Match`, or without it `If-Unmodified-Since`.
fn may_change(headers: &HeaderMap, current: Current<'_>) -> bool {
    if let Some(tags) = tags(headers, &IF_MATCH) {
        return tags.matches_strongly(current.etag);
    }
    match (time(headers, &IF_UNMODIFIED_SINCE), current.modified) {
        (Some(since), Some(modified)) => modified <= since,
        _ => true,
    }
}

/// A date that does not parse counts as absent, as the standard wants.
fn time(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    date::parse_http(headers.get(name)?.to_str().ok()?)
}

/// The entity tags of `If-Match` or `If-None-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tags<'a> {
    /// `*`: whatever is there.
    Any,
    /// One of these, as they were written.
    Listed(Vec<&'a str>),
}

/// Reads a header of entity tags; none if the request has no such header.
pub(crate) fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Tags<'a>> {
    if !headers.contains_key(name) {
        return None;
    }
    let mut listed = Vec::new();
    for text in headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
    {
        if text.trim() == "*" {
            return Some(Tags::Any);
        }
        listed.extend(split(text));
    }
    Some(Tags::Listed(listed))
}

/// A tag may hold a comma, so they are told apart by their quotes.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let open = if rest.starts_with("W/\"") { 3 } else { 1 };
        if !rest.starts_with('"') && open == 1 {
            return None;
        }
        let close = open + rest.get(open..)?.find('"')?;
        let (tag, after) = rest.split_at_checked(close + 1)?;
        rest = after;
        Some(tag)
    })
}

fn is_strong(tag: &str) -> bool {
    tag.starts_with('"')
}

impl Tags<'_> {
    fn matches_strongly(&self, etag: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => etag.is_some_and(|etag| is_strong(etag) && tags.contains(&etag)),
        }
    }

    pub(crate) fn matches_weakly(&self, etag: Option<&str>) -> bool {
        let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
        match self {
            Self::Any => true,
            Self::Listed(tags) => etag
                .map(opaque)
                .is_some_and(|etag| tags.iter().any(|tag| opaque(tag) == etag)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const BEFORE: &str = "Thu, 01 Jan 2026 00:00:00 GMT";
    const SAME: &str = "Fri, 02 Jan 2026 00:00:00 GMT";
    const AFTER: &str = "Sat, 03 Jan 2026 00:00:00 GMT";

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    fn current(etag: Option<&'static str>) -> Current<'static> {
        Current {
            etag,
            modified: date::parse_http(SAME),
        }
    }

    #[test]
    fn reads() {
        use Condition::{Failed, Holds, NotModified};
        let cases: &[(&[(HeaderName, &str)], Condition)] = &[
            (&[], Holds),
            (&[(IF_MATCH, "\"a\"")], Holds),
            (&[(IF_MATCH, "*")], Holds),
            (&[(IF_MATCH, "\"b\", \"a\"")], Holds),
            (&[(IF_MATCH, "\"b\"")], Failed),
            (&[(IF_MATCH, "W/\"a\"")], Failed),
            (&[(IF_MATCH, "a")], Failed),
            // `If-Match` comes first and silences `If-Unmodified-Since`.
            (&[(IF_MATCH, "\"a\""), (IF_UNMODIFIED_SINCE, BEFORE)], Holds),
            (&[(IF_MATCH, "\"b\""), (IF_NONE_MATCH, "\"a\"")], Failed),
            (&[(IF_UNMODIFIED_SINCE, BEFORE)], Failed),
            (&[(IF_UNMODIFIED_SINCE, SAME)], Holds),
            (&[(IF_UNMODIFIED_SINCE, AFTER)], Holds),
            (&[(IF_UNMODIFIED_SINCE, "yesterday")], Holds),
            (&[(IF_NONE_MATCH, "\"a\"")], NotModified),
            (&[(IF_NONE_MATCH, "W/\"a\"")], NotModified),
            (&[(IF_NONE_MATCH, "*")], NotModified),
            (&[(IF_NONE_MATCH, "\"x,y\", \"a\"")], NotModified),
            (&[(IF_NONE_MATCH, "\"b\"")], Holds),
            // `If-None-Match` silences `If-Modified-Since`.
            (
                &[(IF_NONE_MATCH, "\"b\""), (IF_MODIFIED_SINCE, AFTER)],
                Holds,
            ),
            (
                &[(IF_NONE_MATCH, "\"a\""), (IF_MODIFIED_SINCE, BEFORE)],
                NotModified,
            ),
            (&[(IF_MODIFIED_SINCE, BEFORE)], Holds),
            (&[(IF_MODIFIED_SINCE, SAME)], NotModified),
            (&[(IF_MODIFIED_SINCE, AFTER)], NotModified),
            (&[(IF_MODIFIED_SINCE, "0")], Holds),
            (
                &[(IF_MODIFIED_SINCE, "Friday, 02-Jan-26 00:00:00 GMT")],
                NotModified,
            ),
        ];
        for (pairs, condition) in cases {
            let found = judge_read(&headers(pairs), current(Some("\"a\"")));
            assert_eq!(found, *condition, "{pairs:?}");
        }
        let weak = current(Some("W/\"a\""));
        assert_eq!(judge_read(&headers(&[(IF_MATCH, "W/\"a\"")]), weak), Failed);
        assert_eq!(
            judge_read(&headers(&[(IF_NONE_MATCH, "\"a\"")]), weak),
            NotModified
        );
        let untagged = current(None);
        assert_eq!(
            judge_read(&headers(&[(IF_MATCH, "\"a\"")]), untagged),
            Failed
        );
        assert_eq!(
            judge_read(&headers(&[(IF_NONE_MATCH, "\"a\"")]), untagged),
            Holds
        );
    }

    #[test]
    fn changes() {
        use Condition::{Failed, Holds};
        let here = Some(current(Some("\"a\"")));
        type Headers<'a> = &'a [(HeaderName, &'a str)];
        let cases: &[(Headers<'_>, Option<Current<'_>>, Condition)] = &[
            (&[], here, Holds),
            (&[], None, Holds),
            (&[(IF_MATCH, "\"a\"")], here, Holds),
            (&[(IF_MATCH, "\"b\"")], here, Failed),
            (&[(IF_MATCH, "*")], here, Holds),
            (&[(IF_MATCH, "*")], None, Failed),
            (&[(IF_MATCH, "\"a\"")], None, Failed),
            (&[(IF_NONE_MATCH, "*")], here, Failed),
            (&[(IF_NONE_MATCH, "*")], None, Holds),
            (&[(IF_NONE_MATCH, "\"a\"")], here, Failed),
            (&[(IF_NONE_MATCH, "\"b\"")], here, Holds),
            (&[(IF_UNMODIFIED_SINCE, BEFORE)], here, Failed),
            (&[(IF_UNMODIFIED_SINCE, BEFORE)], None, Holds),
        ];
        for (pairs, current, condition) in cases {
            assert_eq!(
                judge_change(&headers(pairs), *current),
                *condition,
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn ranges_join_only_the_same_version() {
        let now = date::parse_http(AFTER).unwrap();
        for (value, etag, honoured) in [
            ("\"a\"", Some("\"a\""), true),
            ("\"b\"", Some("\"a\""), false),
            ("W/\"a\"", Some("\"a\""), false),
            ("W/\"a\"", Some("W/\"a\""), false),
            ("\"a\"", None, false),
            (SAME, None, true),
            (BEFORE, None, false),
            (AFTER, None, false),
            ("nonsense", Some("\"a\""), false),
        ] {
            let found = honours_range(&headers(&[(IF_RANGE, value)]), current(etag), now);
            assert_eq!(found, honoured, "{value}");
        }
        assert!(honours_range(&HeaderMap::new(), current(None), now));
        let modified = date::parse_http(SAME).unwrap();
        assert!(!honours_range(
            &headers(&[(IF_RANGE, SAME)]),
            current(None),
            modified
        ));
        assert!(modified > UNIX_EPOCH);
    }
}
