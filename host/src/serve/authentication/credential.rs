//! What requests bring to show who sends them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header::AUTHORIZATION};

/// What `Authorization` holds.
#[derive(PartialEq, Eq)]
pub(crate) enum Credential {
    /// RFC 7617: a name and a password.
    Basic { name: String, password: Vec<u8> },
    /// RFC 6750: an API token.
    Bearer(String),
}

impl Credential {
    /// Reads the header. None if it is missing; an error if it makes no sense.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Result<Self, &'static str>> {
        let mut values = headers.get_all(AUTHORIZATION).into_iter();
        let value = values.next()?;
        if values.next().is_some() {
            return Some(Err("`Authorization` is there twice"));
        }
        let text = value.to_str().unwrap_or_default();
        let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
        let rest = rest.trim();
        Some(if scheme.eq_ignore_ascii_case("basic") {
            Self::basic(rest).ok_or("`Authorization: Basic` makes no sense")
        } else if scheme.eq_ignore_ascii_case("bearer") && !rest.is_empty() {
            Ok(Self::Bearer(rest.to_owned()))
        } else {
            Err("`Authorization` must be `Basic` or `Bearer`")
        })
    }

    fn basic(text: &str) -> Option<Self> {
        let decoded = STANDARD.decode(text).ok()?;
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        let (name, password) = decoded.split_at_checked(colon)?;
        Some(Self::Basic {
            name: std::str::from_utf8(name).ok()?.to_owned(),
            password: password.get(1..)?.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<Result<Credential, &'static str>> {
        let headers: HeaderMap = [(AUTHORIZATION, value.parse().unwrap())]
            .into_iter()
            .collect();
        Credential::of(&headers)
    }

    fn basic(text: &str) -> Option<(String, String)> {
        match read(&format!("Basic {}", STANDARD.encode(text))) {
            Some(Ok(Credential::Basic { name, password })) => {
                Some((name, String::from_utf8(password).unwrap()))
            }
            _ => None,
        }
    }

    #[test]
    fn headers() {
        let pair = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
        assert_eq!(basic("ann:secret"), pair("ann", "secret"));
        assert_eq!(basic("ann:a:b"), pair("ann", "a:b"));
        assert_eq!(basic("ü:ß"), pair("ü", "ß"));
        assert_eq!(basic(":"), pair("", ""));
        assert_eq!(basic("ann"), None);
        assert!(read("bearer  abc").is_some_and(|found| found.is_ok()));
        assert!(read("BASIC YTpi").is_some_and(|found| found.is_ok()));
        for value in [
            "", "Basic", "Basic !", "Bearer", "Bearer ", "Digest x", "YTpi",
        ] {
            assert!(read(value).is_some_and(|found| found.is_err()), "{value}");
        }
        assert!(Credential::of(&HeaderMap::new()).is_none());
        let mut twice = HeaderMap::new();
        twice.append(AUTHORIZATION, "Basic YTpi".parse().unwrap());
        twice.append(AUTHORIZATION, "Basic YTpi".parse().unwrap());
        assert!(Credential::of(&twice).is_some_and(|found| found.is_err()));
    }
}
