//! Names of uploads.

use std::fmt;

/// How many characters an id has.
const LENGTH: usize = 22;

/// The name of an upload, which is the name of its file in the spool, too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct UploadId(String);

impl UploadId {
    /// A name that nothing else has.
    pub(crate) fn random() -> Option<Self> {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).ok()?;
        Some(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads an id; none for what cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_id = text.len() == LENGTH
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        is_id.then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_are_read() {
        let id = UploadId::random().unwrap();
        assert_eq!(UploadId::parse(id.as_str()), Some(id));
        for text in [
            "",
            "short",
            "../../../../etc/passwd",
            "4Qmdj0zJr3iYb0y2mV1y5.",
            "4Qmdj0zJr3iYb0y2mV1y5wx",
            "4Qmdj0zJr3iYb0y2mV1y5/",
        ] {
            assert_eq!(UploadId::parse(text), None, "{text}");
        }
    }
}
