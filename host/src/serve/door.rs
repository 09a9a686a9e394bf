//! The doors, told apart by the first segment of a path.

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
}

/// First segments that are doors.
const RESERVED: [&str; 8] = [
    "_orlop", "api", "d", "dav", "healthz", "metrics", "p", "readyz",
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
            Some(("dav", _)) => Self::Dav,
            Some(("api", _)) => Self::Api,
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
        }
    }

    /// What stands before a path of the namespace at this door.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Download => "/d",
            Self::Proxy => "/p",
            Self::Dav => "/dav",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("/healthz", Door::Operations),
        ] {
            assert_eq!(Door::of(path), door, "{path}");
        }
    }
}
