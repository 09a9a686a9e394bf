//! What a client would like to read.

use http::{HeaderMap, header::ACCEPT};

/// What a client asked for by `Accept`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// A page for people: it named HTML.
    Html,
    /// JSON, and rather than HTML.
    Json,
    /// Neither by name.
    Anything,
}

impl Wants {
    /// Reads `Accept` (RFC 9110 §12.5.1). A wildcard names nothing: `curl` sends `*/*`.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let (mut html, mut json) = (0, 0);
        let values = headers.get_all(ACCEPT).into_iter();
        for range in values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
        {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let weight = weight(parts);
            if ["text/html", "application/xhtml+xml"]
                .iter()
                .any(|html| name.eq_ignore_ascii_case(html))
            {
                html = html.max(weight);
            } else if ["application/json", "application/problem+json"]
                .iter()
                .any(|json| name.eq_ignore_ascii_case(json))
            {
                json = json.max(weight);
            }
        }
        match (html, json) {
            (0, 0) => Self::Anything,
            (html, json) if json > html => Self::Json,
            _ => Self::Html,
        }
    }
}

/// The `q` of a media range in thousandths; 1000 if it has none, 0 if it makes no sense.
fn weight<'a>(mut parameters: impl Iterator<Item = &'a str>) -> u16 {
    let q = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim_end()
            .eq_ignore_ascii_case("q")
            .then(|| value.trim())
    });
    match q {
        None => 1000,
        Some(text) => match text.parse::<f32>() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range is checked"
            )]
            Ok(q) if (0.0..=1.0).contains(&q) => (q * 1000.0) as u16,
            _ => 0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_weights_decide() {
        for (accept, wants) in [
            ("", Wants::Anything),
            ("*/*", Wants::Anything),
            ("image/avif,image/webp,*/*;q=0.8", Wants::Anything),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Wants::Html,
            ),
            ("TEXT/HTML", Wants::Html),
            ("application/json", Wants::Json),
            ("application/json, text/plain, */*", Wants::Json),
            ("text/html;q=0.5, application/json", Wants::Json),
            ("application/json;q=0.5, text/html;q=0.7", Wants::Html),
            ("application/json, text/html", Wants::Html),
            ("application/json;q=0", Wants::Anything),
            ("application/json;q=x", Wants::Anything),
            ("application/problem+json", Wants::Json),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(Wants::of(&headers), wants, "{accept}");
        }
        assert_eq!(Wants::of(&HeaderMap::new()), Wants::Anything);
    }
}
