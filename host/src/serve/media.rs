//! What kind of thing a file is.

use http::HeaderValue;

use crate::Entry;

/// The media type of anything.
const BYTES: &str = "application/octet-stream";

/// The policy for content that a browser could take for a page of ours: an origin of its own, no
/// scripts, no forms, and nothing fetched from elsewhere.
pub(crate) const SANDBOX: &str = "sandbox; default-src 'none'; img-src 'self' data:; \
    media-src 'self'; font-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'self'";

/// How a file can be shown in the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preview {
    Image,
    Video,
    Audio,
    Pdf,
    /// A page of its own, shown in a sandboxed frame.
    Html,
    Text,
    /// Only offered as a download.
    None,
}

/// The media type of a file: what the storage keeps, unless it says no more than "bytes", else what the
/// name suggests. Text is UTF-8 if nothing says otherwise.
pub(crate) fn type_of(name: &str, stored: Option<&str>) -> String {
    let found = to_store(name, stored).unwrap_or_else(|| BYTES.to_owned());
    if found.starts_with("text/") && !found.contains(';') {
        return found + "; charset=utf-8";
    }
    found
}

/// The media type to keep with a new file: what the client says, else what the name suggests, if it does.
pub(crate) fn to_store(name: &str, said: Option<&str>) -> Option<String> {
    let said = said.map(str::trim).filter(|said| {
        let essence = essence(said);
        !essence.is_empty()
            && !essence.eq_ignore_ascii_case(BYTES)
            && !essence.eq_ignore_ascii_case("binary/octet-stream")
    });
    said.or_else(|| guess(name)).map(str::to_owned)
}

/// The media type of a file as a header.
pub(crate) fn header(name: &str, stored: Option<&str>) -> HeaderValue {
    HeaderValue::try_from(type_of(name, stored)).unwrap_or_else(|_| HeaderValue::from_static(BYTES))
}

/// Names without an extension, and extensions that the registry gives to something rarer than source.
fn guess(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let extension = lower
        .rsplit_once('.')
        .map_or("", |(_, extension)| extension);
    match (lower.as_str(), extension) {
        (
            "makefile" | "dockerfile" | "license" | "readme" | "changelog" | "authors" | "notice",
            _,
        ) => Some("text/plain"),
        (
            _,
            "ts" | "tsx" | "jsx" | "rs" | "go" | "py" | "rb" | "sh" | "c" | "h" | "cpp" | "hpp",
        )
        | (_, "java" | "kt" | "swift" | "lua" | "sql" | "wit" | "conf" | "cfg" | "ini" | "env")
        | (_, "log" | "lock" | "gitignore" | "yml" | "yaml" | "toml" | "diff" | "patch") => {
            Some("text/plain")
        }
        _ => mime_guess::from_path(&lower).first_raw(),
    }
}

/// A media type without its parameters.
pub(crate) fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// Whether a browser shows this type without ever running anything in it, so that it needs no sandbox
/// (which the viewers of films and PDF do not bear).
pub(crate) fn is_inert(media_type: &str) -> bool {
    let essence = essence(media_type).to_ascii_lowercase();
    let is_picture = ["image/", "audio/", "video/"]
        .iter()
        .any(|kind| essence.starts_with(kind));
    (is_picture && !essence.contains("xml")) || essence == "application/pdf"
}

/// How to show a file of this type.
pub(crate) fn preview(media_type: &str) -> Preview {
    let essence = essence(media_type).to_ascii_lowercase();
    let (kind, rest) = essence.split_once('/').unwrap_or_default();
    match (kind, rest) {
        ("image", "tiff" | "heic" | "heif" | "vnd.adobe.photoshop" | "x-tga") => Preview::None,
        ("image", _) => Preview::Image,
        ("video", _) => Preview::Video,
        ("audio", "midi" | "x-midi") => Preview::None,
        ("audio", _) => Preview::Audio,
        ("application", "pdf") => Preview::Pdf,
        ("text", "html") | ("application", "xhtml+xml") => Preview::Html,
        ("text", _) => Preview::Text,
        (
            "application",
            "json" | "xml" | "javascript" | "x-javascript" | "toml" | "yaml" | "x-yaml",
        )
        | ("application", "x-sh" | "x-tex" | "x-latex" | "sql" | "x-subrip" | "x-sql") => {
            Preview::Text
        }
        ("application", rest) if rest.ends_with("+json") || rest.ends_with("+xml") => Preview::Text,
        _ => Preview::None,
    }
}

/// The icon for an entry, by its id in the page's sprite.
pub(crate) fn icon(entry: &Entry) -> &'static str {
    let media_type = type_of(&entry.name, entry.content_type.as_deref());
    let essence = essence(&media_type);
    match preview(&media_type) {
        Preview::Image => "image",
        Preview::Video => "video",
        Preview::Audio => "audio",
        Preview::Pdf => "pdf",
        Preview::Html | Preview::Text => "text",
        Preview::None if essence.starts_with("image/") => "image",
        Preview::None if essence.starts_with("audio/") => "audio",
        Preview::None
            if [
                "zip",
                "gzip",
                "tar",
                "compressed",
                "7z",
                "rar",
                "zstd",
                "bzip",
                "xz",
            ]
            .iter()
            .any(|packed| essence.contains(packed)) =>
        {
            "archive"
        }
        Preview::None => "file",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_storage_is_believed_unless_it_knows_nothing() {
        for (name, stored, media_type) in [
            ("a.png", None, "image/png"),
            ("a.PNG", None, "image/png"),
            ("a.txt", None, "text/plain; charset=utf-8"),
            ("a.md", None, "text/markdown; charset=utf-8"),
            ("a.rs", None, "text/plain; charset=utf-8"),
            ("LICENSE", None, "text/plain; charset=utf-8"),
            ("a.html", None, "text/html; charset=utf-8"),
            ("a", None, "application/octet-stream"),
            ("a.png", Some("binary/octet-stream"), "image/png"),
            ("a.png", Some("application/octet-stream"), "image/png"),
            ("a.png", Some(""), "image/png"),
            ("a.png", Some("text/html"), "text/html; charset=utf-8"),
            (
                "a",
                Some("text/plain; charset=latin1"),
                "text/plain; charset=latin1",
            ),
        ] {
            assert_eq!(type_of(name, stored), media_type, "{name} {stored:?}");
        }
        assert_eq!(header("a", Some("a\nb")), "application/octet-stream");
    }

    #[test]
    fn a_new_file_is_of_the_type_that_is_said_or_its_name_has() {
        for (name, said, kept) in [
            ("a.png", None, Some("image/png")),
            ("a.png", Some("application/octet-stream"), Some("image/png")),
            (
                "a.png",
                Some("application/x-odd; a=b"),
                Some("application/x-odd; a=b"),
            ),
            ("a", None, None),
            ("a", Some("application/octet-stream"), None),
        ] {
            assert_eq!(to_store(name, said).as_deref(), kept, "{name} {said:?}");
        }
    }

    #[test]
    fn what_may_run_is_not_inert() {
        for inert in [
            "image/png",
            "video/mp4",
            "audio/mpeg",
            "application/pdf",
            "IMAGE/GIF; x=y",
        ] {
            assert!(is_inert(inert), "{inert}");
        }
        for active in [
            "text/html",
            "image/svg+xml",
            "IMAGE/SVG+XML",
            "application/xhtml+xml",
            "text/xml",
            "application/octet-stream",
            "multipart/x-mixed-replace",
            "text/plain",
            "",
            "imagex/png",
        ] {
            assert!(!is_inert(active), "{active}");
        }
    }

    #[test]
    fn previews_and_icons() {
        for (name, shown, drawn) in [
            ("a.svg", Preview::Image, "image"),
            ("a.webm", Preview::Video, "video"),
            ("a.flac", Preview::Audio, "audio"),
            ("a.pdf", Preview::Pdf, "pdf"),
            ("a.htm", Preview::Html, "text"),
            ("a.json", Preview::Text, "text"),
            ("a.tar.gz", Preview::None, "archive"),
            ("a.bin", Preview::None, "file"),
        ] {
            assert_eq!(preview(&type_of(name, None)), shown, "{name}");
            assert_eq!(icon(&Entry::file(name, 1)), drawn, "{name}");
        }
    }
}
