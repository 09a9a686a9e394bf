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
use crate::Mount;

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

/// `/readyz`: 503 if any mount is not ready, or the server as a whole, and the state of each mount that the caller
/// sees. With `?mount=/path`, that mount alone counts.
pub(crate) async fn ready(site: Visit, uri: Uri) -> Result<Response, Problem> {
    let Query(Which { mount: wanted }) = Query::try_from_uri(&uri)
        .map_err(|error| Problem::bad_request(format!("the query makes no sense: {error}")))?;
    let is_wanted = |mount: &Mount| {
        let path = wanted.as_deref().map(|path| path.trim_start_matches('/'));
        path.is_none_or(|path| mount.path().as_str() == path)
    };
    let are_ready = site
        .mounts()
        .iter()
        .filter(|mount| is_wanted(mount))
        .all(|mount| mount.health().ready);
    let mounts: Vec<MountState> = site
        .mounts_seen()
        .filter(|mount| is_wanted(mount))
        .map(|mount| {
            let health = mount.health();
            MountState {
                path: format!("/{}", mount.path()),
                ready: health.ready,
                last_error: health.last_error,
            }
        })
        .collect();
    if wanted.is_some() && mounts.is_empty() {
        return Err(Problem::not_found());
    }
    let mut state = match timeout(PATIENCE, site.state.ping()).await {
        Ok(Ok(())) => StateCondition {
            ready: true,
            last_error: None,
        },
        Ok(Err(error)) => StateCondition::broken(error.to_string()),
        Err(_) => StateCondition::broken("the database does not answer".to_owned()),
    };
    if site.require_user().is_err() {
        // It may tell of the network behind.
        state.last_error = None;
    }
    let draining = site.ending.is_cancelled();
    let ready = !draining && state.ready && are_ready;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http_body_util::BodyExt as _;

    use super::*;
    use crate::{
        Namespace,
        serve::{ServeOptions, caller::Caller, site::Site},
        state::State,
    };

    /// What it says, as a connection that is still open would hear it.
    async fn readiness(is_ending: bool) -> (StatusCode, serde_json::Value) {
        let namespace = Namespace::new(Vec::new()).unwrap();
        let site = Site::new(namespace, State::fresh().await, ServeOptions::default());
        if is_ending {
            site.ending.cancel();
        }
        let view = site.view();
        let caller = Caller::anonymous(&view.options);
        let visit = Visit::new(Arc::new(site), view, caller, None);
        let answer = ready(visit, Uri::from_static("/readyz")).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_server_that_ends_is_not_ready_and_says_why() {
        let (status, said) = readiness(false).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            (&said["ready"], &said["draining"]),
            (&true.into(), &false.into())
        );
        let (status, said) = readiness(true).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            (&said["ready"], &said["draining"]),
            (&false.into(), &true.into())
        );
        assert_eq!(said["state"]["ready"], true);
        assert_eq!(alive().await.status(), StatusCode::OK);
    }
}
