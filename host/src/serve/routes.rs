//! Which handler answers what.

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    middleware,
    response::Response,
    routing::{any, get, post},
};
use http::StatusCode;

use super::{
    ServeOptions, api, assets, change, download, gate,
    meters::MeterLayer,
    operations, page,
    problem::Problem,
    site::{Shared, Site, Visit},
};
use crate::{Namespace, state::State};

/// The front doors as a service, for programs with a server of their own.
///
/// It is meant for the top of a host: nested below a path, its links would miss that path. The process's
/// metrics recorder is installed unless there is one already.
pub fn router(namespace: Namespace, state: State, options: ServeOptions) -> Router {
    routes(Arc::new(Site::new(namespace, state, options)))
}

/// The front doors of a site.
pub(super) fn routes(site: Shared) -> Router {
    let by_policy = || {
        get(download::by_policy)
            .put(change::put)
            .delete(change::delete)
    };
    Router::new()
        .route("/d/", by_policy())
        .route("/d/{*path}", by_policy())
        .route("/p/", get(download::through_host))
        .route("/p/{*path}", get(download::through_host))
        .route("/api/v1/list", get(api::list))
        .route("/api/v1/stat", get(api::stat))
        .route("/api/v1/link", get(api::link))
        .route("/api/v1/mounts", get(api::mounts))
        .route("/api/v1/drivers", get(api::drivers))
        .route("/api/v1/mkdir", post(api::mkdir))
        .route("/api/v1/remove", post(api::remove))
        .route("/api/v1/copy", post(api::copy))
        .route("/api/v1/move", post(api::rename))
        .route("/api/v1/tasks", get(api::tasks::list))
        .route(
            "/api/v1/tasks/{id}",
            get(api::tasks::find).delete(api::tasks::end),
        )
        .route("/api/v1/tasks/{id}/retry", post(api::tasks::retry))
        .route("/api/", any(api::unknown))
        .route("/api/{*path}", any(api::unknown))
        .route("/healthz", get(operations::alive))
        .route("/readyz", get(operations::ready))
        .route("/metrics", get(operations::metrics))
        .route("/_orlop/{name}", get(assets::serve))
        // All else is the page's: a path of the namespace, which no pattern could decode as strictly.
        .fallback(page::handle)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(Arc::clone(&site))
        .layer(middleware::from_fn(gate::guard))
        .layer(MeterLayer { site })
}

async fn method_not_allowed(site: Visit, request: Request) -> Response {
    let problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "unsupported",
        format!(
            "this address does not answer {}; see `Allow`",
            request.method()
        ),
    );
    problem.render(&site, request.headers())
}
