//! Removals, copies and moves: files at once, trees as tasks with a journal. All of it goes on to its end, whether or
//! not the client waits.

use std::future::Future;

use axum::response::Response;
use http::StatusCode;
use tracing::Instrument as _;

use super::{collection::empty, refusal::Refusal};
use crate::{
    Kind, Work,
    serve::{api, problem::Problem, site::Visit},
    tasks::{Ran, Wait},
};

/// Does what must not stop half way: a tree whose properties stayed behind would be worse than one that is gone.
pub(super) async fn carry_through(
    work: impl Future<Output = Result<Response, Refusal>> + Send + 'static,
) -> Result<Response, Refusal> {
    match tokio::spawn(work.in_current_span()).await {
        Ok(result) => result,
        Err(error) => Err(Problem::internal(error).into()),
    }
}

/// Does some work, and answers with this status when it is done. If the process ends before, the work goes on as a
/// task of the next one, and the answer is 202.
pub(super) async fn perform(
    site: &Visit,
    work: Work,
    done: StatusCode,
) -> Result<Response, Refusal> {
    if work.kind() == Kind::Directory {
        return match site.tasks.run(site, work, Wait::Over).await? {
            Ran::Done(_) => Ok(empty(done)),
            Ran::Task(id) => Ok(api::tasks::begun(&id)),
        };
    }
    match &work {
        Work::Remove { path, kind } => site.namespace.remove(path, *kind, |_| {}).await?,
        Work::Copy(plan) => site.namespace.copy(plan, |_| {}).await?,
        Work::Move(plan) => site.namespace.rename(plan, |_| {}).await?,
    };
    Ok(empty(done))
}
