use http::{HeaderMap, HeaderValue, header};
use s3s::dto::{ETagCondition, Timestamp, TimestampFormat};
use s3s::{S3Error, S3Result, s3_error};

use crate::object::Object;

/// The conditions under which a client wants to read.
#[derive(Debug, Default)]
pub(super) struct ReadConditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

/// Why a read does not take place.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    Failed,
    NotModified,
}

impl ReadConditions {
    /// For GET and HEAD: 412, or 304 with the headers that RFC 9110 asks for.
    pub(super) fn check(&self, object: &Object) -> S3Result {
        match self.refusal(object) {
            None => Ok(()),
            Some(Refusal::Failed) => Err(failed()),
            Some(Refusal::NotModified) => Err(not_modified(object)),
        }
    }

    /// For the source of a copy: always 412.
    pub(super) fn check_source(&self, object: &Object) -> S3Result {
        self.refusal(object).map_or(Ok(()), |_| Err(failed()))
    }

    /// An entity tag's condition decides alone over the time's.
    fn refusal(&self, object: &Object) -> Option<Refusal> {
        let modified = object.modified();
        let unchanged = match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) => matches(condition, object),
            (None, Some(since)) => modified <= *since,
            (None, None) => true,
        };
        if !unchanged {
            return Some(Refusal::Failed);
        }
        let changed = match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) => !matches(condition, object),
            (None, Some(since)) => modified > *since,
            (None, None) => true,
        };
        (!changed).then_some(Refusal::NotModified)
    }
}

/// The conditions under which a client wants to write.
#[derive(Debug, Default)]
pub(super) struct WriteConditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
}

impl WriteConditions {
    /// Compares with what is under the key now.
    pub(super) fn check(&self, current: Option<&Object>) -> S3Result {
        match (&self.if_none_match, current) {
            (Some(ETagCondition::ETag(_)), _) => {
                return Err(s3_error!(
                    NotImplemented,
                    "A header you provided implies functionality that is not implemented"
                ));
            }
            (Some(ETagCondition::Any), Some(_)) => return Err(failed()),
            _ => {}
        }
        match (&self.if_match, current) {
            (Some(_), None) => Err(s3_error!(NoSuchKey, "The specified key does not exist.")),
            (Some(condition), Some(object)) if !matches(condition, object) => Err(failed()),
            _ => Ok(()),
        }
    }
}

fn matches(condition: &ETagCondition, object: &Object) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == object.etag,
    }
}

fn failed() -> S3Error {
    s3_error!(
        PreconditionFailed,
        "At least one of the pre-conditions you specified did not hold"
    )
}

fn not_modified(object: &Object) -> S3Error {
    let mut headers = HeaderMap::new();
    if let Ok(etag) = object.etag().to_http_header() {
        headers.insert(header::ETAG, etag);
    }
    let mut date = Vec::new();
    if object
        .modified()
        .format(TimestampFormat::HttpDate, &mut date)
        .is_ok()
        && let Ok(date) = HeaderValue::from_bytes(&date)
    {
        headers.insert(header::LAST_MODIFIED, date);
    }
    let mut error = s3_error!(NotModified, "Not Modified");
    error.set_headers(headers);
    error
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::metadata::Metadata;
    use crate::rope::Rope;

    fn etag(text: &str) -> Option<ETagCondition> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn reads() {
        let mut object = Object::new(Rope::default(), "x".into(), Metadata::default());
        object.modified = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let at = |seconds| {
            Some(Timestamp::from(
                SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
            ))
        };
        let none = ReadConditions::default;
        use Refusal::{Failed, NotModified};
        let cases = [
            (none(), None),
            (
                ReadConditions {
                    if_match: etag("\"x\""),
                    ..none()
                },
                None,
            ),
            (
                ReadConditions {
                    if_match: etag("*"),
                    ..none()
                },
                None,
            ),
            (
                ReadConditions {
                    if_match: etag("\"y\""),
                    ..none()
                },
                Some(Failed),
            ),
            (
                ReadConditions {
                    if_none_match: etag("\"x\""),
                    ..none()
                },
                Some(NotModified),
            ),
            (
                ReadConditions {
                    if_none_match: etag("W/\"x\""),
                    ..none()
                },
                Some(NotModified),
            ),
            (
                ReadConditions {
                    if_none_match: etag("\"y\""),
                    ..none()
                },
                None,
            ),
            (
                ReadConditions {
                    if_modified_since: at(99),
                    ..none()
                },
                None,
            ),
            (
                ReadConditions {
                    if_modified_since: at(100),
                    ..none()
                },
                Some(NotModified),
            ),
            (
                ReadConditions {
                    if_unmodified_since: at(99),
                    ..none()
                },
                Some(Failed),
            ),
            (
                ReadConditions {
                    if_unmodified_since: at(100),
                    ..none()
                },
                None,
            ),
            // The entity tag decides.
            (
                ReadConditions {
                    if_match: etag("\"x\""),
                    if_unmodified_since: at(1),
                    ..none()
                },
                None,
            ),
            (
                ReadConditions {
                    if_none_match: etag("\"y\""),
                    if_modified_since: at(200),
                    ..none()
                },
                None,
            ),
            (
                ReadConditions {
                    if_match: etag("\"y\""),
                    if_none_match: etag("\"x\""),
                    ..none()
                },
                Some(Failed),
            ),
        ];
        for (conditions, expected) in cases {
            assert_eq!(conditions.refusal(&object), expected, "{conditions:?}");
        }
    }

    #[test]
    fn writes() {
        let object = Object::new(Rope::default(), "x".into(), Metadata::default());
        let code = |conditions: WriteConditions, current| {
            conditions
                .check(current)
                .map_err(|error| error.code().as_str().to_owned())
                .err()
        };
        let none = WriteConditions::default;
        let absent = || WriteConditions {
            if_none_match: etag("*"),
            ..none()
        };
        let same = |text| WriteConditions {
            if_match: etag(text),
            ..none()
        };
        assert_eq!(code(none(), Some(&object)), None);
        assert_eq!(code(absent(), None), None);
        assert_eq!(
            code(absent(), Some(&object)).as_deref(),
            Some("PreconditionFailed")
        );
        assert_eq!(code(same("\"x\""), Some(&object)), None);
        assert_eq!(
            code(same("\"y\""), Some(&object)).as_deref(),
            Some("PreconditionFailed")
        );
        assert_eq!(code(same("\"x\""), None).as_deref(), Some("NoSuchKey"));
        let odd = WriteConditions {
            if_none_match: etag("\"x\""),
            ..none()
        };
        assert_eq!(code(odd, None).as_deref(), Some("NotImplemented"));
    }
}
