//! For operators: alive, ready, figures.

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use serde::Serialize;

use super::{json, problem::Problem, site::Visit};

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// `/healthz`: the process runs. Says nothing about the storages.
pub(crate) async fn alive() -> Response {
    ([(CACHE_CONTROL, NO_STORE)], "ok\n").into_response()
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    mounts: Vec<MountState>,
}

#[derive(Serialize)]
struct MountState {
    path: String,
    ready: bool,
    last_error: Option<String>,
}

/// `/readyz`: 503 if any mount is not ready, and the state of each that the caller sees.
pub(crate) async fn ready(site: Visit) -> Response {
    let ready = site.mounts().iter().all(|mount| mount.health().ready);
    let mounts: Vec<MountState> = site
        .mounts_seen()
        .map(|mount| {
            let health = mount.health();
            MountState {
                path: format!("/{}", mount.path()),
                ready: health.ready,
                last_error: health.last_error,
            }
        })
        .collect();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    json::answer(status, &Readiness { ready, mounts })
}

/// `/metrics`, as Prometheus reads it. They name every mount, so where there are users they are for users alone.
pub(crate) async fn metrics(site: Visit) -> Response {
    if let Err(problem) = site.require_user() {
        return problem.into_response();
    }
    match site.meters.render() {
        Some(text) => {
            let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            ([(CONTENT_TYPE, kind), (CACHE_CONTROL, NO_STORE)], text).into_response()
        }
        None => Problem::new(
            StatusCode::NOT_IMPLEMENTED,
            "unsupported",
            "the program around this server collects the metrics itself",
        )
        .into_response(),
    }
}
