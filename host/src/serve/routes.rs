//! Which handler answers what.

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse as _, Response},
    routing::{any, delete, get, head, post},
};
use http::{Method, StatusCode};

use super::{
    ServeOptions, api, assets, change, dav, download,
    front::Front,
    login, operations, page,
    problem::Problem,
    share,
    site::{Shared, Site, Visit},
};
use crate::{Namespace, state::State};

/// The front doors as a service, for programs with a server of their own.
///
/// It is meant for the top of a host: nested below a path, its links would miss that path. The process's
/// metrics recorder is installed unless there is one already.
pub fn router(namespace: Namespace, state: State, options: ServeOptions) -> Router {
    Router::new().fallback_service(front(Arc::new(Site::new(namespace, state, options))))
}

/// The front doors of a site, and what stands before them.
pub(super) fn front(site: Shared) -> Front {
    Front {
        doors: doors(Arc::clone(&site)),
        site,
    }
}

fn doors(site: Shared) -> Router {
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
        .route("/dav", any(dav::handle))
        .route("/dav/", any(dav::handle))
        .route("/dav/{*path}", any(dav::handle))
        .route("/api/v1/list", get(api::list))
        .route("/api/v1/stat", get(api::stat))
        .route("/api/v1/link", get(api::link))
        .route("/api/v1/mounts", get(api::mounts))
        .route("/api/v1/drivers", get(api::drivers))
        .route("/api/v1/mkdir", post(api::mkdir))
        .route("/api/v1/remove", post(api::remove))
        .route("/api/v1/copy", post(api::copy))
        .route("/api/v1/move", post(api::rename))
        .route(
            "/api/v1/tokens",
            get(api::tokens::list).post(api::tokens::create),
        )
        .route("/api/v1/tokens/{id}", delete(api::tokens::remove))
        .route(
            "/api/v1/shares",
            get(api::shares::list).post(api::shares::create),
        )
        .route("/api/v1/shares/{id}", delete(api::shares::remove))
        .route("/s/", any(share::handle))
        .route("/s/{*path}", any(share::handle))
        .route("/api/v1/tasks", get(api::tasks::list))
        .route(
            "/api/v1/tasks/{id}",
            get(api::tasks::find).delete(api::tasks::end),
        )
        .route("/api/v1/tasks/{id}/retry", post(api::tasks::retry))
        .route(
            "/api/v1/uploads",
            post(api::uploads::create).options(api::uploads::discover),
        )
        .route(
            "/api/v1/uploads/{id}",
            head(api::uploads::find)
                .patch(api::uploads::append)
                .delete(api::uploads::end)
                .post(api::uploads::override_method)
                .options(api::uploads::discover),
        )
        .route("/api/v1/openapi.json", get(api::openapi))
        .route("/api/", any(api::unknown))
        .route("/api/{*path}", any(api::unknown))
        .route("/healthz", get(operations::alive))
        .route("/readyz", get(operations::ready))
        .route("/metrics", get(operations::metrics))
        .route("/_orlop/login", get(login::form).post(login::submit))
        .route("/_orlop/logout", post(login::log_out))
        .route("/_orlop/{name}", get(assets::serve))
        // All else is the page's: a path of the namespace, which no pattern could decode as strictly.
        .fallback(page::handle)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(site)
}

/// The router adds `Allow`.
async fn method_not_allowed(site: Visit, request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
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
