//! Calls on tasks.

use std::time::{Duration, UNIX_EPOCH};

use axum::{body::Body, extract::Path as Segment, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header::LOCATION};
use serde::{Deserialize, Serialize};

use super::{query, respond};
use crate::{
    Kind, Location, Path, Totals, Work,
    serve::{date, json, origin, problem::Problem, site::Visit},
    state::TaskMark,
    tasks::{Ended, Failure, Ran, Task, TaskState, Wait},
};

/// The most tasks in a page, and as many as a page has if nobody asks.
const PAGE_LIMIT: u32 = 100;

#[derive(Deserialize)]
struct WaitQuery {
    #[serde(default)]
    wait: bool,
}

#[derive(Serialize)]
struct TotalsBody {
    items: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct Begun<'a> {
    task: &'a str,
}

/// Does some work, and answers with what was done or with the task that it goes on as.
pub(super) async fn run(site: &Visit, uri: &Uri, work: Work) -> Result<Response, Problem> {
    let wait = match query(uri)? {
        WaitQuery { wait: true } => Wait::Over,
        WaitQuery { wait: false } => Wait::Quick,
    };
    match site.tasks.run(site, work, wait).await? {
        Ran::Done(Totals { items, bytes }) => {
            Ok(json::answer(StatusCode::OK, &TotalsBody { items, bytes }))
        }
        Ran::Task(id) => Ok(begun(&id)),
    }
}

/// The answer to work that goes on as a task.
pub(crate) fn begun(id: &str) -> Response {
    let mut response = json::answer(StatusCode::ACCEPTED, &Begun { task: id });
    if let Ok(location) = HeaderValue::try_from(format!("/api/v1/tasks/{id}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

#[derive(Deserialize)]
struct ListQuery {
    cursor: Option<String>,
    limit: Option<u32>,
}

#[derive(Serialize)]
struct TasksBody<'a> {
    tasks: Vec<TaskBody<'a>>,
    next: Option<String>,
}

/// A task as the API shows it.
#[derive(Serialize)]
struct TaskBody<'a> {
    id: &'a str,
    kind: &'static str,
    from: String,
    /// None for a removal.
    to: Option<String>,
    state: &'static str,
    items: u64,
    bytes: u64,
    /// How many there will be, where that is known.
    total_items: Option<u64>,
    total_bytes: Option<u64>,
    error: Option<FailureBody<'a>>,
    created: Option<String>,
    updated: Option<String>,
}

#[derive(Serialize)]
struct FailureBody<'a> {
    code: &'a str,
    detail: &'a str,
}

impl<'a> TaskBody<'a> {
    fn new(task: &'a Task) -> Self {
        let Totals { items, bytes } = task.totals();
        let is_done = task.state == TaskState::Done;
        let is_file = task.work.kind() == Kind::File;
        let shown = |path: &Path| match task.work.kind() {
            Kind::File => Location::file(path.clone()).to_string(),
            Kind::Directory => Location::directory(path.clone()).to_string(),
        };
        let instant = |since: u64| date::rfc3339(UNIX_EPOCH + Duration::from_millis(since));
        Self {
            id: &task.id,
            kind: task.kind(),
            from: shown(task.work.from()),
            to: task.work.plan().map(|plan| shown(&plan.to)),
            state: task.state.name(),
            items,
            bytes,
            total_items: match is_done {
                true => Some(items),
                false => is_file.then_some(1),
            },
            total_bytes: is_done.then_some(bytes),
            error: task.failure.as_ref().map(FailureBody::new),
            created: instant(task.created),
            updated: instant(task.updated),
        }
    }
}

impl<'a> FailureBody<'a> {
    fn new(Failure { code, detail }: &'a Failure) -> Self {
        Self { code, detail }
    }
}

/// `GET tasks`: one page of the caller's tasks, newest first.
pub(crate) async fn list(site: Visit, uri: Uri) -> Response {
    let answer = async {
        let ListQuery { cursor, limit } = query(&uri)?;
        let limit = limit.unwrap_or(PAGE_LIMIT);
        if !(1..=PAGE_LIMIT).contains(&limit) {
            return Err(Problem::bad_request(format!(
                "`limit` is from 1 to {PAGE_LIMIT}"
            )));
        }
        let after = match cursor.as_deref().filter(|cursor| !cursor.is_empty()) {
            None => None,
            Some(cursor) => Some(read_mark(cursor).ok_or_else(|| {
                Problem::bad_request("`cursor` is the `next` of another page, and of nothing else")
            })?),
        };
        let mut tasks = site.tasks.list(&site, after, limit + 1).await?;
        let has_more = tasks.len() > limit as usize;
        tasks.truncate(limit as usize);
        let last = tasks.last().filter(|_| has_more);
        let body = TasksBody {
            next: last.map(|task| format!("{}.{}", task.created, task.id)),
            tasks: tasks.iter().map(TaskBody::new).collect(),
        };
        Ok(json::answer(StatusCode::OK, &body))
    };
    respond(answer.await)
}

/// `GET tasks/{id}`: one task.
pub(crate) async fn find(site: Visit, Segment(id): Segment<String>) -> Response {
    let answer = async {
        let task = site.tasks.find(&site, &id).await?.ok_or_else(unknown)?;
        Ok(json::answer(StatusCode::OK, &TaskBody::new(&task)))
    };
    respond(answer.await)
}

/// `DELETE tasks/{id}`: ends a task, or takes one that has ended out of the list.
pub(crate) async fn end(
    site: Visit,
    Segment(id): Segment<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        origin::guard(&uri, &headers)?;
        match site.tasks.end(&site, &id).await?.ok_or_else(unknown)? {
            Ended::Cancelled(task) => {
                let status = match task.state {
                    TaskState::Running => StatusCode::ACCEPTED,
                    _ => StatusCode::OK,
                };
                Ok(json::answer(status, &TaskBody::new(&task)))
            }
            Ended::Forgotten => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NO_CONTENT;
                Ok(response)
            }
        }
    };
    respond(answer.await)
}

/// `POST tasks/{id}/retry`: lets a task that failed or was cancelled go on.
pub(crate) async fn retry(
    site: Visit,
    Segment(id): Segment<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let answer = async {
        origin::guard(&uri, &headers)?;
        match site.tasks.retry(&site, &id).await?.ok_or_else(unknown)? {
            true => Ok(begun(&id)),
            false => Err(Problem::new(
                StatusCode::CONFLICT,
                "invalid-argument",
                "only a task that failed or was cancelled can be tried again",
            )),
        }
    };
    respond(answer.await)
}

fn unknown() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not-found",
        "you have no task of this id",
    )
}

fn read_mark(cursor: &str) -> Option<TaskMark> {
    let (created, id) = cursor.split_once('.')?;
    Some((created.parse().ok()?, id.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::extract::Request;
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use http::Method;
    use http_body_util::BodyExt as _;
    use serde_json::Value;
    use tower::Service as _;

    use super::*;
    use crate::{
        Access, Namespace, Position,
        serve::{PasswordHash, ServeOptions, User, router},
        state::State,
    };

    fn task(id: &str, owner: Option<&str>) -> Task {
        Task {
            id: id.to_owned(),
            owner: owner.map(Arc::from),
            access: Access::full(),
            work: Work::Remove {
                path: Path::parse("a/b").unwrap(),
                kind: Kind::Directory,
            },
            state: TaskState::Running,
            position: Position::default(),
            flowing: 0,
            failure: None,
            created: 1,
            updated: 1,
            runs: 0,
        }
    }

    #[tokio::test]
    async fn everybody_has_tasks_of_their_own() {
        let state = State::in_memory().await.unwrap();
        for (id, owner) in [
            ("mine", Some("me")),
            ("hers", Some("her")),
            ("noones", None),
        ] {
            let task = task(id, owner);
            // Leased to another host, so that nobody works on it here.
            state.insert_task(&task, Some("elsewhere")).await.unwrap();
        }
        let namespace = Namespace::new(Vec::new()).unwrap();
        let user =
            |name: &str| User::new(name, PasswordHash::of(name).unwrap(), Access::full()).unwrap();
        let users = ["me", "her"].map(user).into_iter().collect();
        let mut router = router(namespace, state, ServeOptions::default().with_users(users));
        let mut ask = async |method: Method, path: &str, name: Option<&str>| {
            let uri = format!("/api/v1/tasks{path}");
            let mut request = Request::builder().method(method).uri(uri);
            if let Some(name) = name {
                let basic = STANDARD.encode(format!("{name}:{name}"));
                request = request.header("authorization", format!("Basic {basic}"));
            }
            let answer = router
                .call(request.body(Body::empty()).unwrap())
                .await
                .unwrap();
            let status = answer.status().as_u16();
            let bytes = answer.into_body().collect().await.unwrap().to_bytes();
            let body: Value = serde_json::from_slice(&bytes).unwrap();
            (status, body)
        };
        for (name, own, other) in [
            (Some("me"), "mine", "hers"),
            (Some("her"), "hers", "noones"),
            (None, "noones", "mine"),
        ] {
            let (status, list) = ask(Method::GET, "", name).await;
            assert_eq!(status, 200);
            let tasks = list["tasks"].as_array().unwrap();
            assert_eq!(tasks.len(), 1, "{name:?}");
            assert_eq!(tasks[0]["id"], own);
            assert_eq!(tasks[0]["from"], "/a/b/");
            assert_eq!(ask(Method::GET, &format!("/{own}"), name).await.0, 200);
            for (method, path) in [
                (Method::GET, format!("/{other}")),
                (Method::DELETE, format!("/{other}")),
                (Method::POST, format!("/{other}/retry")),
            ] {
                let (status, problem) = ask(method.clone(), &path, name).await;
                assert_eq!(
                    (status, &problem["code"]),
                    (404, &"not-found".into()),
                    "{method} {path}"
                );
            }
        }
    }
}
