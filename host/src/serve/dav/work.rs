//! Work that goes on to its end, whether or not the client waits for it.

use std::future::Future;

use axum::response::Response;

use super::refusal::Refusal;
use crate::serve::problem::Problem;

/// Does what must not stop half way: a tree whose properties stayed behind would be worse than one that is gone.
pub(super) async fn carry_through(
    work: impl Future<Output = Result<Response, Refusal>> + Send + 'static,
) -> Result<Response, Refusal> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) => Err(Problem::internal(error).into()),
    }
}
