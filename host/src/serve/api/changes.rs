//! Calls that change something.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use serde::{Deserialize, de::DeserializeOwned};

use super::{location, respond, tasks};
use crate::{
    Kind, Location, Overwrite, Plan, Work,
    serve::{
        json::{self, EntryBody},
        media, origin,
        problem::Problem,
        site::Visit,
    },
};

/// Two paths of the longest kind, with room to spare.
const BODY_LIMIT: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PathBody {
    path: String,
}

/// `POST mkdir`: makes a directory.
pub(crate) async fn mkdir(site: Visit, request: Request) -> Response {
    let answer = async {
        let PathBody { path } = body(request).await?;
        let directory = location("path", &path)?.path;
        let entry = site.namespace.make_directory(&directory).await?;
        Ok(json::answer(
            StatusCode::CREATED,
            &EntryBody::new(directory, &entry),
        ))
    };
    respond(answer.await)
}

/// `POST remove`: removes a file, or a directory and all in it.
pub(crate) async fn remove(site: Visit, request: Request) -> Response {
    let answer = async {
        let uri = request.uri().clone();
        let PathBody { path } = body(request).await?;
        let location = location("path", &path)?;
        let kind = kind(&site, &location).await?;
        let path = location.path;
        tasks::run(&site, &uri, Work::Remove { path, kind }).await
    };
    respond(answer.await)
}

/// `POST copy`: copies a file or a directory.
pub(crate) async fn copy(site: Visit, request: Request) -> Response {
    let answer = async {
        let uri = request.uri().clone();
        let plan = plan(&site, request).await?;
        tasks::run(&site, &uri, Work::Copy(plan)).await
    };
    respond(answer.await)
}

/// `POST move`: moves or renames a file or a directory.
pub(crate) async fn rename(site: Visit, request: Request) -> Response {
    let answer = async {
        let uri = request.uri().clone();
        let plan = plan(&site, request).await?;
        tasks::run(&site, &uri, Work::Move(plan)).await
    };
    respond(answer.await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TransferBody {
    from: String,
    to: String,
    #[serde(default)]
    overwrite: bool,
}

async fn plan(site: &Visit, request: Request) -> Result<Plan, Problem> {
    let TransferBody {
        from,
        to,
        overwrite,
    } = body(request).await?;
    let from = location("from", &from)?;
    let to = location("to", &to)?;
    let kind = kind(site, &from).await?;
    if kind == Kind::File && to.want == Some(Kind::Directory) {
        return Err(Problem::bad_request(
            "`to` is the full path of the file to be, so it does not end in `/`",
        ));
    }
    Ok(Plan {
        from: from.path,
        to: to.path,
        kind,
        overwrite: if overwrite {
            Overwrite::Replace
        } else {
            Overwrite::Refuse
        },
    })
}

/// What is at a location. A slash at the end tells; that nothing is there shows at the first step.
async fn kind(site: &Visit, location: &Location) -> Result<Kind, Problem> {
    match location.want {
        Some(kind) => Ok(kind),
        None => Ok(site.namespace.kind(location).await?),
    }
}

/// Reads a body of JSON. It must be called so: a form of another site cannot.
async fn body<T: DeserializeOwned>(request: Request<Body>) -> Result<T, Problem> {
    let (parts, body) = request.into_parts();
    origin::guard(&parts.uri, &parts.headers)?;
    if !is_json(&parts.headers) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "invalid-argument",
            "send JSON, with `Content-Type: application/json`",
        ));
    }
    let bytes = to_bytes(body, BODY_LIMIT).await.map_err(|_| {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            format!("the body broke off or has more than {BODY_LIMIT} bytes"),
        )
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Problem::bad_request(format!("the body makes no sense: {error}")))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| media::essence(kind).eq_ignore_ascii_case("application/json"))
}
