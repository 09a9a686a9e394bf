//! For operators: alive, ready, figures.

use std::time::Duration;

use axum::{
    extract::Query,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode, Uri,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{json, problem::Problem, site::Visit};

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// How long the database may take to show that it is there.
const PATIENCE: Duration = Duration::from_secs(5);

/// `/healthz`: the process runs. Says nothing about the storages.
pub(crate) async fn alive() -> Response {
    ([(CACHE_CONTROL, NO_STORE)], "ok\n").into_response()
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    /// The server is told to end, and takes no new connections.
    draining: bool,
    state: StateCondition,
    mounts: Vec<MountState>,
}

/// Whether what outlives the process can be read.
#[derive(Serialize)]
struct StateCondition {
    ready: bool,
    last_error: Option<String>,
}

#[derive(Serialize)]
struct MountState {
    path: String,
    ready: bool,
    last_error: Option<String>,
}

#[derive(Default, Deserialize)]
struct Which {
    mount: Option<String>,
}

/// `/readyz`: every mount's state; 503 if any is not ready, or the server as a whole. With `?mount=/path`, that
/// mount alone counts.
pub(crate) async fn ready(site: Visit, uri: Uri) -> Result<Response, Problem> {
    let Query(Which { mount: wanted }) = Query::try_from_uri(&uri)
        .map_err(|error| Problem::bad_request(format!("the query makes no sense: {error}")))?;
    let mounts: Vec<MountState> = site
        .mounts()
        .iter()
        .map(|mount| {
            let health = mount.health();
            MountState {
                path: format!("/{}", mount.path()),
                ready: health.ready,
                last_error: health.last_error,
            }
        })
        .filter(|mount| wanted.as_ref().is_none_or(|path| mount.path == *path))
        .collect();
    if wanted.is_some() && mounts.is_empty() {
        return Err(Problem::not_found());
    }
    let state = match timeout(PATIENCE, site.state.ping()).await {
        Ok(Ok(())) => StateCondition {
            ready: true,
            last_error: None,
        },
        Ok(Err(error)) => StateCondition::broken(error.to_string()),
        Err(_) => StateCondition::broken("the database does not answer".to_owned()),
    };
    let draining = site.ending.is_cancelled();
    let ready = !draining && state.ready && mounts.iter().all(|mount| mount.ready);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let readiness = Readiness {
        ready,
        draining,
        state,
        mounts,
    };
    Ok(json::answer(status, &readiness))
}

impl StateCondition {
    fn broken(error: String) -> Self {
        Self {
            ready: false,
            last_error: Some(error),
        }
    }
}

/// `/metrics`, as Prometheus reads it.
pub(crate) async fn metrics(site: Visit) -> Response {
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
