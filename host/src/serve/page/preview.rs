//! A file's page: what it is, and a look at it.

use askama::Template;
use axum::response::Response;
use futures::TryStreamExt as _;

use super::{
    frame::{Crumb, Frame, crumbs, grouped, human_size, visible},
    html,
};
use crate::{
    ByteRange, Entry, Error, Path, ReadRequest,
    serve::{
        date,
        door::Door,
        href,
        media::{self, Preview},
        problem::Problem,
        site::Visit,
    },
};

/// As much of a text as a page shows.
const TEXT_LIMIT: u64 = 256 * 1024;

#[derive(Template)]
#[template(path = "file.html")]
struct FilePage<'a> {
    frame: Frame<'a>,
    crumbs: Vec<Crumb>,
    name: String,
    icon: &'static str,
    media_type: String,
    size: String,
    exact_size: String,
    time: String,
    exact_time: String,
    etag: &'a str,
    /// Where the browser saves it from.
    download: String,
    /// Where the browser shows it from: always this server, never the storage.
    source: String,
    /// The folder that it is in.
    folder: String,
    shown: Shown,
}

/// What the page shows of a file.
enum Shown {
    Image,
    Video,
    Audio,
    Pdf,
    Html,
    /// Text, and whether there is more of it than this.
    Text(String, bool),
    /// Why nothing is shown.
    Nothing(String),
}

/// Answers with the page of a file.
pub(super) async fn view(site: &Visit, path: &Path, entry: &Entry) -> Result<Response, Problem> {
    let media_type = media::type_of(path.name(), entry.content_type.as_deref());
    let shown = match media::preview(&media_type) {
        _ if entry.size == 0 => Shown::Nothing("The file is empty.".to_owned()),
        Preview::Image => Shown::Image,
        Preview::Video => Shown::Video,
        Preview::Audio => Shown::Audio,
        Preview::Pdf => Shown::Pdf,
        Preview::Html => Shown::Html,
        Preview::Text => text(site, path, entry).await,
        Preview::None => Shown::Nothing("There is no preview for this kind of file.".to_owned()),
    };
    let folder = path.parent().unwrap_or_default();
    Ok(html(&FilePage {
        frame: Frame::new(site, &visible(path.name())),
        crumbs: crumbs(&site.ground, path),
        name: visible(path.name()),
        icon: media::icon(entry),
        media_type: media::essence(&media_type).to_owned(),
        size: human_size(entry.size),
        exact_size: format!("{} bytes", grouped(entry.size)),
        time: entry.modified.and_then(date::people).unwrap_or_default(),
        exact_time: entry.modified.and_then(date::rfc3339).unwrap_or_default(),
        etag: entry.etag.as_deref().unwrap_or_default(),
        download: href::absolute(Door::Download, path, false),
        source: href::absolute(Door::Proxy, path, false),
        folder: href::absolute(Door::Page, &folder, true),
        shown,
    }))
}

/// The beginning of a text. It goes into the page escaped: a browser would show it in a frame in its
/// own colours, and in whatever encoding it guesses.
async fn text(site: &Visit, path: &Path, entry: &Entry) -> Shown {
    let bytes = match read(site, path, entry.size).await {
        Ok(bytes) => bytes,
        Err(error) => {
            let problem = Problem::from(error);
            return Shown::Nothing(format!(
                "The preview could not be read: {}.",
                problem.detail
            ));
        }
    };
    if bytes.contains(&0) {
        return Shown::Nothing("The file is named like a text, but is not one.".to_owned());
    }
    let is_cut = entry.size > TEXT_LIMIT;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if is_cut {
        // The cut may have split a letter.
        text.truncate(text.trim_end_matches(char::REPLACEMENT_CHARACTER).len());
    }
    Shown::Text(text, is_cut)
}

async fn read(site: &Visit, path: &Path, size: u64) -> Result<Vec<u8>, Error> {
    let request = ReadRequest {
        range: Some(ByteRange {
            offset: 0,
            length: Some(size.min(TEXT_LIMIT)),
        }),
        ..ReadRequest::default()
    };
    let mut body = site.namespace.read(path, request).await?.body;
    let mut bytes = Vec::new();
    while let Some(more) = body.try_next().await? {
        bytes.extend_from_slice(&more);
        if bytes.len() as u64 >= TEXT_LIMIT {
            break;
        }
    }
    Ok(bytes)
}
