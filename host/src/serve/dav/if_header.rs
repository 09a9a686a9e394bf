//! The `If` header (RFC 4918 §10.4): lists of conditions, of which one must hold, and with them the tokens of locks.

use http::{HeaderMap, HeaderName};

use crate::serve::problem::Problem;

const IF: HeaderName = HeaderName::from_static("if");

/// The most conditions of a request. Each may cost a look at another resource.
const LIMIT: usize = 64;

/// What a request demands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Demands {
    /// One of these must hold; without any, nothing is demanded.
    pub(super) lists: Vec<List>,
}

/// Conditions that must hold together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct List {
    /// What they are about, as it was written; none for what the request is about.
    pub(super) resource: Option<String>,
    pub(super) conditions: Vec<Condition>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// Whether it must not be so.
    pub(super) not: bool,
    pub(super) state: State,
}

/// What a resource can be in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Locked with this token.
    Locked(String),
    /// Of this entity tag.
    Tagged(String),
}

impl Demands {
    /// Reads the header; a request without it demands nothing.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(IF) else {
            return Ok(Self::default());
        };
        value
            .to_str()
            .ok()
            .and_then(parse)
            .ok_or_else(|| Problem::bad_request("the header `If` makes no sense"))
    }

    /// All tokens in it, whatever is said of them: naming a token is what submits it (RFC 4918 §6.5).
    pub(super) fn tokens(&self) -> impl Iterator<Item = &str> {
        let conditions = self.lists.iter().flat_map(|list| &list.conditions);
        conditions.filter_map(|condition| match &condition.state {
            State::Locked(token) => Some(token.as_str()),
            State::Tagged(_) => None,
        })
    }
}

fn parse(text: &str) -> Option<Demands> {
    let mut rest = text.trim_start();
    let mut lists = Vec::new();
    let mut resource: Option<String> = None;
    let mut count = 0;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('<') {
            let (reference, after) = after.split_once('>')?;
            // Lists with and without a resource do not mix.
            if resource.is_none() && !lists.is_empty() {
                return None;
            }
            resource = Some(reference.to_owned());
            rest = after.trim_start();
            if !rest.starts_with('(') {
                return None;
            }
        }
        let (conditions, after) = list(rest.strip_prefix('(')?)?;
        count += conditions.len();
        if count > LIMIT {
            return None;
        }
        lists.push(List {
            resource: resource.clone(),
            conditions,
        });
        rest = after.trim_start();
    }
    (!lists.is_empty()).then_some(Demands { lists })
}

/// The conditions up to the `)`, and what follows that.
fn list(text: &str) -> Option<(Vec<Condition>, &str)> {
    let mut rest = text.trim_start();
    let mut conditions = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix(')') {
            return (!conditions.is_empty()).then_some((conditions, after));
        }
        let not = match rest.get(..3) {
            Some(word) if word.eq_ignore_ascii_case("not") => {
                rest = rest.get(3..)?.trim_start();
                true
            }
            _ => false,
        };
        let (state, after) = if let Some(after) = rest.strip_prefix('<') {
            let (token, after) = after.split_once('>')?;
            (State::Locked(token.trim().to_owned()), after)
        } else {
            let after = rest.strip_prefix('[')?;
            let (etag, after) = entity_tag(after)?;
            (State::Tagged(etag.to_owned()), after)
        };
        conditions.push(Condition { not, state });
        rest = after.trim_start();
    }
}

/// An entity tag up to the `]`, which may be part of the tag, and what follows. A tag without quotes is taken too:
/// some clients send it.
fn entity_tag(text: &str) -> Option<(&str, &str)> {
    let open = text.find('"');
    let close = match (open, text.find(']')) {
        (Some(open), Some(close)) if open < close => {
            let quoted = text.get(open + 1..)?;
            let end = open + 1 + quoted.find('"')?;
            end + text.get(end..)?.find(']')?
        }
        (_, close) => close?,
    };
    Some((text.get(..close)?.trim(), text.get(close + 1..)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lists in short: resources before `:`, `!` for not, `<` for tokens.
    fn short(text: &str) -> Option<String> {
        let demands = parse(text)?;
        let lists = demands.lists.iter().map(|list| {
            let conditions = list.conditions.iter().map(|condition| {
                let not = if condition.not { "!" } else { "" };
                match &condition.state {
                    State::Locked(token) => format!("{not}<{token}"),
                    State::Tagged(etag) => format!("{not}{etag}"),
                }
            });
            let conditions: Vec<String> = conditions.collect();
            let resource = list.resource.as_deref().unwrap_or_default();
            format!("{resource}:{}", conditions.join(","))
        });
        Some(lists.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn headers() {
        for (text, expected) in [
            ("(<urn:a>)", Some(":<urn:a")),
            ("(<urn:a> [\"e\"])", Some(":<urn:a,\"e\"")),
            ("(Not <urn:a>) ([W/\"e\"])", Some(":!<urn:a :W/\"e\"")),
            ("(not<DAV:no-lock>)", Some(":!<DAV:no-lock")),
            ("([\"a]b\"]  NOT [\"c\"])", Some(":\"a]b\",!\"c\"")),
            ("([abc])", Some(":abc")),
            (
                "</dav/a> (<urn:a>)(<urn:b>) </b>(<c>)",
                Some("/dav/a:<urn:a /dav/a:<urn:b /b:<c"),
            ),
            ("", None),
            ("()", None),
            ("(", None),
            ("(<a>", None),
            ("(a)", None),
            ("</a>", None),
            ("(<a>) </b> (<c>)", None),
            ("([\"a)", None),
            ("x(<a>)", None),
            ("(<a>) x", None),
        ] {
            assert_eq!(short(text).as_deref(), expected, "{text}");
        }
        assert_eq!(short(&"(<a>)".repeat(65)), None);
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[()<>\\[\\]\"a ü!NOTnot]{0,40}") {
            let _ = parse(&text);
        }
    }
}
