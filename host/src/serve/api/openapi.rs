//! The API's own description.

use axum::response::{IntoResponse as _, Response};
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};

/// Written by hand, and held against the routes and their answers by `tests/all/openapi.rs`.
const DOCUMENT: &str = include_str!("../../../assets/openapi.json");

/// `GET openapi.json`: the OpenAPI document of all calls.
pub(crate) async fn openapi() -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, DOCUMENT).into_response()
}
