//! The doors, told apart by the first segment of a path.

use std::borrow::Cow;

/// Which door a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Door {
    /// Folders and previews.
    Page,
    /// `/d/`: downloads as the mount says, and changes.
    Download,
    /// `/p/`: downloads through the host.
    Proxy,
    /// `/dav/`: WebDAV.
    Dav,
    /// `/api/`.
    Api,
    /// Health and figures.
    Operations,
    /// The page's own files.
    Assets,
    /// The page's log-in form.
    Login,
    /// `/s/`: what users share.
    Share,
}

/// First segments that are doors.
const RESERVED: [&str; 9] = [
    "_orlop", "api", "d", "dav", "healthz", "metrics", "p", "readyz", "s",
];

/// Whether a name at the top of the namespace is spelt like a door.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

impl Door {
    /// The door that a raw path leads to.
    pub(crate) fn of(path: &str) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        match path.split_once('/') {
            Some(("d", _)) => Self::Download,
            Some(("p", _)) => Self::Proxy,
            Some(("s", _)) => Self::Share,
            Some(("dav", _)) => Self::Dav,
            Some(("api", _)) => Self::Api,
            Some(("_orlop", "login" | "logout")) => Self::Login,
            Some(("_orlop", _)) => Self::Assets,
            // Clients are told `http://host/dav` as often as with the slash.
            None if path == "dav" => Self::Dav,
            None if matches!(path, "healthz" | "readyz" | "metrics") => Self::Operations,
            _ => Self::Page,
        }
    }

    /// Its name in metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Download => "download",
            Self::Proxy => "proxy",
            Self::Dav => "dav",
            Self::Api => "api",
            Self::Operations => "operations",
            Self::Assets => "assets",
            Self::Login => "login",
            Self::Share => "share",
        }
    }

    /// A raw path as logs may hold it: who reads the token of a share there could use it.
    pub(crate) fn loggable(self, path: &str) -> Cow<'_, str> {
        let token = path.strip_prefix("/s/").filter(|_| self == Self::Share);
        match token {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                let below = rest.get(end..).unwrap_or_default();
                format!("/s/…{below}").into()
            }
            None => path.into(),
        }
    }

    /// What stands before a path of the namespace at this door.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Download => "/d",
            Self::Proxy => "/p",
            Self::Share => "/s",
            Self::Dav => "/dav",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_hold_no_share() {
        for (path, logged) in [
            ("/s/token", "/s/…"),
            ("/s/token/", "/s/…/"),
            ("/s/token/a/b", "/s/…/a/b"),
            ("/d/s/token", "/d/s/token"),
        ] {
            assert_eq!(Door::of(path).loggable(path), logged);
        }
    }

    #[test]
    fn only_whole_segments_are_doors() {
        for (path, door) in [
            ("/", Door::Page),
            ("/photos/", Door::Page),
            ("/d", Door::Page),
            ("/%64/", Door::Page),
            ("/data/x", Door::Page),
            ("/metrics/x", Door::Page),
            ("/d/", Door::Download),
            ("/d/a/b", Door::Download),
            ("/p/a", Door::Proxy),
            ("/dav", Door::Dav),
            ("/dav/", Door::Dav),
            ("/dav/a/b", Door::Dav),
            ("/davy/a", Door::Page),
            ("/api/v1/list", Door::Api),
            ("/_orlop/page.css", Door::Assets),
            ("/_orlop/login", Door::Login),
            ("/s/x", Door::Share),
            ("/s", Door::Page),
            ("/healthz", Door::Operations),
        ] {
            assert_eq!(Door::of(path), door, "{path}");
        }
    }
}
