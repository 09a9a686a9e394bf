use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::EncodingType;

/// What `encoding-type=url` leaves as it is, besides letters and digits.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// How names stand in a listing.
#[derive(Debug, Clone)]
pub(super) struct Encoding(Option<EncodingType>);

impl Encoding {
    /// The encoding that a client asked for.
    pub(super) fn asked(asked: Option<EncodingType>) -> Self {
        Self(asked.filter(|asked| asked.as_str() == EncodingType::URL))
    }

    /// A name as it is written.
    pub(super) fn name(&self, name: &str) -> String {
        match self.0 {
            Some(_) => utf8_percent_encode(name, ESCAPED).to_string(),
            None => name.to_owned(),
        }
    }

    /// What the listing says about it.
    pub(super) fn declared(&self) -> Option<EncodingType> {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_only_when_asked() {
        let url = Encoding::asked(Some(EncodingType::from_static(EncodingType::URL)));
        assert_eq!(
            url.name("a b/ä+%?&\u{1}~.txt"),
            "a%20b/%C3%A4%2B%25%3F%26%01~.txt"
        );
        assert!(url.declared().is_some());
        let none = Encoding::asked(None);
        assert_eq!(none.name("a b"), "a b");
        assert!(none.declared().is_none());
    }
}
