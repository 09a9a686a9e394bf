//! Live properties: what the server itself knows of a resource (RFC 4918 §15).

use std::fmt::Write as _;

use super::{claim, multistatus::text, xml::Name};
use crate::{
    Entry, Kind, Path,
    serve::{date, media},
    state::lock::Lock,
};

/// A property that the server keeps. No client can change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Live {
    ResourceType,
    ContentLength,
    ContentType,
    LastModified,
    Etag,
    SupportedLock,
    LockDiscovery,
}

/// All of them.
pub(super) const ALL: [Live; 7] = [
    Live::ResourceType,
    Live::ContentLength,
    Live::ContentType,
    Live::LastModified,
    Live::Etag,
    Live::SupportedLock,
    Live::LockDiscovery,
];

/// What live properties are made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resource<'a> {
    pub(super) path: &'a Path,
    pub(super) entry: &'a Entry,
    /// All locks that may touch it.
    pub(super) locks: &'a [Lock],
}

const SUPPORTED_LOCK: &str = "<D:supportedlock>\
    <D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>\
    <D:lockentry><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>\
    </D:supportedlock>";

impl Live {
    /// The property of this name; none if the server keeps none.
    pub(super) fn of(name: &Name) -> Option<Self> {
        ALL.into_iter().find(|live| name.is_dav(live.name()))
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ResourceType => "resourcetype",
            Self::ContentLength => "getcontentlength",
            Self::ContentType => "getcontenttype",
            Self::LastModified => "getlastmodified",
            Self::Etag => "getetag",
            Self::SupportedLock => "supportedlock",
            Self::LockDiscovery => "lockdiscovery",
        }
    }

    /// Whether a resource has it.
    pub(super) fn is_of(self, entry: &Entry) -> bool {
        match self {
            Self::ResourceType | Self::SupportedLock | Self::LockDiscovery => true,
            Self::ContentLength | Self::ContentType => entry.kind == Kind::File,
            Self::LastModified => entry.modified.and_then(date::whole_seconds).is_some(),
            Self::Etag => entry.etag.is_some(),
        }
    }

    /// Writes it, if the resource has it.
    pub(super) fn write(self, out: &mut String, resource: &Resource<'_>) -> bool {
        let entry = resource.entry;
        if !self.is_of(entry) {
            return false;
        }
        match self {
            Self::ResourceType if entry.kind == Kind::Directory => {
                out.push_str("<D:resourcetype><D:collection/></D:resourcetype>");
            }
            Self::ResourceType => out.push_str("<D:resourcetype/>"),
            Self::ContentLength => {
                // Writing to a string cannot fail.
                let _ = write!(
                    out,
                    "<D:getcontentlength>{}</D:getcontentlength>",
                    entry.size
                );
            }
            Self::ContentType => {
                let media_type = media::type_of(&entry.name, entry.content_type.as_deref());
                text(out, self.name(), &media_type);
            }
            Self::LastModified => {
                let date = entry.modified.and_then(date::http);
                let date = date.as_ref().and_then(|date| date.to_str().ok());
                text(out, self.name(), date.unwrap_or_default());
            }
            Self::Etag => text(out, self.name(), entry.etag.as_deref().unwrap_or_default()),
            Self::SupportedLock => out.push_str(SUPPORTED_LOCK),
            Self::LockDiscovery => discovery(
                out,
                resource
                    .locks
                    .iter()
                    .filter(|lock| lock.covers(resource.path, entry.kind)),
            ),
        }
        true
    }
}

/// Writes `lockdiscovery` (RFC 4918 §15.8). Tokens are shown to everybody: they are no secret, since only the one who
/// made a lock can use them.
pub(super) fn discovery<'a>(out: &mut String, locks: impl Iterator<Item = &'a Lock>) {
    out.push_str("<D:lockdiscovery>");
    for lock in locks {
        let scope = if lock.exclusive {
            "exclusive"
        } else {
            "shared"
        };
        let depth = if lock.deep { "infinity" } else { "0" };
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "<D:activelock><D:locktype><D:write/></D:locktype>\
             <D:lockscope><D:{scope}/></D:lockscope><D:depth>{depth}</D:depth>"
        );
        if !lock.owner.is_empty() {
            let _ = write!(out, "<D:owner>{}</D:owner>", lock.owner);
        }
        let _ = write!(
            out,
            "<D:timeout>Second-{}</D:timeout><D:locktoken><D:href>{}</D:href></D:locktoken>\
             <D:lockroot><D:href>{}</D:href></D:lockroot></D:activelock>",
            lock.left(),
            lock.token,
            claim::href(lock)
        );
    }
    out.push_str("</D:lockdiscovery>");
}
