//! Between the crate's words and the generated ones. What comes from a driver is checked here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::bindings::{
    exports::orlop::driver::{sharing, storage, transfer, writable},
    orlop::driver::types,
};
use crate::{
    Audience, CompletedPart, ConfigError, Descriptor, Entry, FaultKind, Finding, Kind, Link,
    LinkUploadOptions, MultipartUpload, Outcome, Overwrite, Page, Plan, Precondition, ReadOptions,
    Severity, SignedRequest, SignedUrl, Step, UploadLink, WriteOptions,
};

/// A driver's answer that the contract does not allow.
pub(super) type Checked<T> = Result<T, FaultKind>;

/// The longest text that a driver may put into an error.
const MESSAGE: usize = 1000;

impl From<types::Error> for Outcome {
    fn from(error: types::Error) -> Self {
        match error {
            types::Error::NotFound => Self::NotFound,
            types::Error::AlreadyExists => Self::AlreadyExists,
            types::Error::NotADirectory => Self::NotADirectory,
            types::Error::IsADirectory => Self::IsADirectory,
            types::Error::PreconditionFailed => Self::PreconditionFailed,
            types::Error::PermissionDenied(text) => Self::PermissionDenied(line(text)),
            types::Error::Unauthenticated(text) => Self::Unauthenticated(line(text)),
            types::Error::InvalidConfig(error) => Self::InvalidConfig(ConfigError {
                field: error.field.map(line),
                message: line(error.message),
            }),
            types::Error::InvalidArgument(text) => Self::InvalidArgument(line(text)),
            types::Error::Unsupported(text) => Self::Unsupported(line(text)),
            types::Error::RateLimited(after) => Self::RateLimited(after.map(Duration::from_millis)),
            types::Error::Unavailable(text) => Self::Unavailable(line(text)),
            types::Error::QuotaExceeded(text) => Self::QuotaExceeded(line(text)),
            types::Error::TooLarge(limit) => Self::TooLarge(limit),
            types::Error::Blocked(text) => Self::Blocked(line(text)),
            types::Error::TimedOut => Self::TimedOut,
            types::Error::Other(text) => Self::Other(line(text)),
        }
    }
}

impl From<Outcome> for types::Error {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::NotFound => Self::NotFound,
            Outcome::AlreadyExists => Self::AlreadyExists,
            Outcome::NotADirectory => Self::NotADirectory,
            Outcome::IsADirectory => Self::IsADirectory,
            Outcome::PreconditionFailed => Self::PreconditionFailed,
            Outcome::PermissionDenied(text) => Self::PermissionDenied(text),
            Outcome::Unauthenticated(text) => Self::Unauthenticated(text),
            Outcome::InvalidConfig(error) => Self::InvalidConfig(types::ConfigError {
                field: error.field,
                message: error.message,
            }),
            Outcome::InvalidArgument(text) => Self::InvalidArgument(text),
            Outcome::Unsupported(text) => Self::Unsupported(text),
            Outcome::RateLimited(after) => Self::RateLimited(
                after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
            ),
            Outcome::Unavailable(text) => Self::Unavailable(text),
            Outcome::QuotaExceeded(text) => Self::QuotaExceeded(text),
            Outcome::TooLarge(limit) => Self::TooLarge(limit),
            Outcome::Blocked(text) => Self::Blocked(text),
            Outcome::TimedOut => Self::TimedOut,
            Outcome::Other(text) => Self::Other(text),
        }
    }
}

/// One line of bounded length without control characters, whatever the driver sent.
fn line(text: String) -> String {
    if text.len() <= MESSAGE && !text.contains(char::is_control) {
        return text;
    }
    text.chars()
        .take(MESSAGE)
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect()
}

pub(super) fn lower_kind(kind: Kind) -> types::Kind {
    match kind {
        Kind::File => types::Kind::File,
        Kind::Directory => types::Kind::Directory,
    }
}

pub(super) fn lift_descriptor(descriptor: storage::Descriptor) -> Descriptor {
    Descriptor {
        name: line(descriptor.name),
        version: line(descriptor.version),
        title: line(descriptor.title),
        summary: line(descriptor.summary),
        config_schema: descriptor.config_schema,
        extra: descriptor.extra,
    }
}

pub(super) fn lift_finding(finding: storage::Finding) -> Finding {
    Finding {
        severity: match finding.severity {
            storage::Severity::Note => Severity::Note,
            storage::Severity::Warning => Severity::Warning,
            storage::Severity::Failure => Severity::Failure,
        },
        field: finding.field.map(line),
        message: line(finding.message),
        remedy: finding.remedy.map(line),
    }
}

/// An entry of a listing, whose name is one segment of a path.
pub(super) fn lift_listed(entry: types::Entry) -> Checked<Entry> {
    let name = entry.name.as_str();
    if matches!(name, "" | "." | "..") || name.contains(['/', '\0']) {
        return Err(FaultKind::BadAnswer(
            "an entry's name is not one segment of a path".to_owned(),
        ));
    }
    Ok(lift_entry(entry))
}

/// An entry that was asked for by its path, so that its name is known.
pub(super) fn lift_named(entry: types::Entry, name: &str) -> Entry {
    Entry {
        name: name.to_owned(),
        ..lift_entry(entry)
    }
}

fn lift_entry(entry: types::Entry) -> Entry {
    let kind = match entry.kind {
        types::Kind::File => Kind::File,
        types::Kind::Directory => Kind::Directory,
    };
    Entry {
        name: entry.name,
        kind,
        size: if kind == Kind::File { entry.size } else { 0 },
        modified: entry.modified.and_then(instant),
        etag: entry.etag.filter(|etag| is_etag(etag)),
        content_type: entry.content_type.filter(|text| is_header_text(text)),
        extra: entry.extra,
    }
}

/// Whether a text is an entity tag (RFC 9110 §8.8.3), so that it may stand in a header.
fn is_etag(text: &str) -> bool {
    let opaque = text.strip_prefix("W/").unwrap_or(text);
    opaque
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .is_some_and(|inner| {
            inner
                .bytes()
                .all(|byte| byte == 0x21 || (0x23..=0x7e).contains(&byte))
        })
}

fn is_header_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

pub(super) fn lift_page(page: storage::Page, limit: u32) -> Checked<Page> {
    if page.entries.len() > limit as usize {
        return Err(FaultKind::BadAnswer(format!(
            "a page has {} entries, and {limit} were asked for",
            page.entries.len()
        )));
    }
    Ok(Page {
        entries: page
            .entries
            .into_iter()
            .map(lift_listed)
            .collect::<Checked<_>>()?,
        next: page.next,
    })
}

pub(super) fn lower_read_options(options: &ReadOptions) -> storage::ReadOptions {
    storage::ReadOptions {
        audience: match options.audience {
            Audience::Client => storage::Audience::Client,
            Audience::Host => storage::Audience::Host,
        },
        range: options.range.map(|range| storage::ByteRange {
            offset: range.offset,
            length: range.length,
        }),
        filename: options.filename.clone(),
        expires: options.expires.map(seconds),
    }
}

pub(super) fn lift_link(link: storage::Link) -> Checked<Link> {
    Ok(match link {
        storage::Link::Shareable(url) => Link::Shareable(SignedUrl {
            url: checked_url(url.url)?,
            expires: url.expires.and_then(instant),
        }),
        storage::Link::HostOnly(request) if request.method == "GET" => {
            Link::HostOnly(lift_signed_request(request)?)
        }
        storage::Link::HostOnly(_) => {
            return Err(FaultKind::BadAnswer(
                "a link's method is not GET".to_owned(),
            ));
        }
    })
}

pub(super) fn lift_signed_request(request: storage::SignedRequest) -> Checked<SignedRequest> {
    Ok(SignedRequest {
        method: request.method,
        url: checked_url(request.url)?,
        headers: request.headers,
        expires: request.expires.and_then(instant),
    })
}

/// A URL that may stand in a `Location` header and leads to the web.
fn checked_url(url: String) -> Checked<String> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    if web && url.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(url)
    } else {
        Err(FaultKind::BadAnswer(
            "a link is not an http or https URL".to_owned(),
        ))
    }
}

pub(super) fn lower_write_options(options: WriteOptions) -> writable::WriteOptions {
    writable::WriteOptions {
        precondition: match options.precondition {
            Precondition::None => writable::Precondition::None,
            Precondition::Absent => writable::Precondition::Absent,
            Precondition::Matches(etag) => writable::Precondition::Matches(etag),
        },
        modified: options.modified.map(milliseconds),
        extra: options.extra,
    }
}

pub(super) fn lift_step(step: types::Step) -> Step {
    Step {
        next: step.next,
        items: step.items,
        bytes: step.bytes,
    }
}

pub(super) fn lower_plan(plan: &Plan) -> transfer::Plan {
    transfer::Plan {
        from: plan.from.as_str().to_owned(),
        to: plan.to.as_str().to_owned(),
        kind: lower_kind(plan.kind),
        overwrite: match plan.overwrite {
            Overwrite::Refuse => transfer::Overwrite::Refuse,
            Overwrite::Replace => transfer::Overwrite::Replace,
        },
    }
}

pub(super) fn lower_link_upload_options(options: LinkUploadOptions) -> sharing::LinkUploadOptions {
    sharing::LinkUploadOptions {
        size: options.size,
        content_type: options.content_type,
        modified: options.modified.map(milliseconds),
        must_be_new: options.must_be_new,
        expires: options.expires.map(seconds),
    }
}

pub(super) fn lift_upload_link(link: sharing::UploadLink) -> Checked<UploadLink> {
    Ok(match link {
        sharing::UploadLink::Single(request) => UploadLink::Single(lift_signed_request(request)?),
        sharing::UploadLink::Multipart(upload) => {
            if upload.part_size == 0 || upload.max_parts == 0 {
                return Err(FaultKind::BadAnswer(
                    "an upload has parts of no size".to_owned(),
                ));
            }
            UploadLink::Multipart(MultipartUpload {
                token: upload.token,
                part_size: upload.part_size,
                max_parts: upload.max_parts,
            })
        }
    })
}

pub(super) fn lower_completed_part(part: CompletedPart) -> sharing::CompletedPart {
    sharing::CompletedPart {
        number: part.number,
        etag: part.etag,
    }
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

fn milliseconds(instant: SystemTime) -> u64 {
    instant.duration_since(UNIX_EPOCH).map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// The latest instant that HTTP and RFC 3339 can write: the end of the year 9999.
const LATEST: u64 = 253_402_300_799_999;

fn instant(milliseconds: u64) -> Option<SystemTime> {
    (milliseconds <= LATEST)
        .then(|| UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds)))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> types::Entry {
        types::Entry {
            name: name.to_owned(),
            kind: types::Kind::Directory,
            size: 7,
            modified: Some(u64::MAX),
            etag: Some("\"a\r\nset-cookie: b\"".to_owned()),
            content_type: Some("text/plain\nx".to_owned()),
            extra: Vec::new(),
        }
    }

    #[test]
    fn names_are_single_segments() {
        for bad in ["", ".", "..", "a/b", "/", "a\0b"] {
            assert!(lift_listed(entry(bad)).is_err(), "{bad:?}");
        }
        assert_eq!(lift_listed(entry("a b ü")).unwrap().name, "a b ü");
    }

    #[test]
    fn facts_that_cannot_be_true_are_dropped() {
        let entry = lift_named(entry("x"), "y");
        assert_eq!(entry, Entry::directory("y"));
    }

    #[test]
    fn links_lead_to_the_web() {
        for bad in [
            "file:///etc/passwd",
            "https://a/\r\nx: y",
            "javascript:alert(1)",
            "https://a/ b",
            "",
        ] {
            let link = storage::Link::Shareable(storage::SignedUrl {
                url: bad.to_owned(),
                expires: None,
            });
            assert!(lift_link(link).is_err(), "{bad}");
        }
    }

    #[test]
    fn messages_are_one_short_line() {
        let outcome = Outcome::from(types::Error::Other("a\nb\u{1b}[2J".repeat(1000)));
        let text = outcome.to_string();
        assert!(text.len() <= MESSAGE && !text.contains(char::is_control));
    }
}
