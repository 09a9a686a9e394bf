//! The page's own files, carried in the binary.

use std::sync::LazyLock;

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS},
};
use sha2::{Digest, Sha256};

use super::{condition, problem::Problem};

/// A file and the version of its content.
#[derive(Debug)]
pub(crate) struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static [u8],
    version: String,
}

/// The page's style.
pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_bytes!("../../assets/page.css");
    Asset::new("page.css", "text/css; charset=utf-8", content)
});

/// The page's icon.
pub(crate) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_bytes!("../../assets/icon.svg");
    Asset::new("icon.svg", "image/svg+xml", content)
});

impl Asset {
    fn new(name: &'static str, media_type: &'static str, content: &'static [u8]) -> Self {
        let digest = Sha256::digest(content);
        let version = digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            name,
            media_type,
            content,
            version,
        }
    }

    /// Its address, which changes with its content.
    pub(crate) fn address(&self) -> String {
        format!("/_orlop/{}?v={}", self.name, self.version)
    }
}

/// `/_orlop/{name}`.
pub(crate) async fn serve(request: Request) -> Response {
    let name = request
        .uri()
        .path()
        .strip_prefix("/_orlop/")
        .unwrap_or_default();
    let assets: [&Asset; 2] = [&STYLE, &ICON];
    let Some(asset) = assets.into_iter().find(|asset| asset.name == name) else {
        return Problem::not_found().into_response();
    };
    let is_versioned = request
        .uri()
        .query()
        .and_then(|query| query.strip_prefix("v="))
        .is_some_and(|version| version == asset.version);
    let cache = HeaderValue::from_static(if is_versioned {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    });
    let tag = format!("\"{}\"", asset.version);
    let has_it = condition::tags(request.headers(), &IF_NONE_MATCH)
        .is_some_and(|tags| tags.matches_weakly(Some(&tag)));
    let tag = HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""));
    let headers = [(CACHE_CONTROL, cache), (ETAG, tag)];
    if has_it {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let kind = HeaderValue::from_static(asset.media_type);
    let nosniff = HeaderValue::from_static("nosniff");
    let kind = [(CONTENT_TYPE, kind), (X_CONTENT_TYPE_OPTIONS, nosniff)];
    (headers, kind, asset.content).into_response()
}
