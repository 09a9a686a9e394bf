//! What every request passes before a door opens.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{Router, extract::Request, response::Response};
use tower::Service;

use super::{authentication, cors, gate, record, site::Shared};

/// The doors, and what stands before each of them. It is one service rather than layers of the router: the router
/// would put each layer, for each request, into a box of its own, and together they took more time than an answer.
#[derive(Clone, Debug)]
pub(super) struct Front {
    pub(super) site: Shared,
    pub(super) doors: Router,
}

impl Front {
    async fn answer(self, request: Request) -> Response {
        let Self { site, mut doors } = self;
        record::record(&site, request, |request| {
            // Before anybody asks who the caller is: browsers send no credentials with a preflight request.
            cors::admit(&site, request, |request| {
                gate::guard(request, |request| {
                    authentication::authenticate(&site, request, async |request| {
                        let Ok(response) = doors.call(request).await;
                        response
                    })
                })
            })
        })
        .await
    }
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Routers are always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let front = Self {
            site: Arc::clone(&self.site),
            doors: self.doors.clone(),
        };
        Box::pin(async move { Ok(front.answer(request).await) })
    }
}
