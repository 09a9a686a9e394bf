//! What a piece of work costs: calls of drivers, and requests to storages.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

tokio::task_local! {
    static CURRENT: Arc<Effort>;
}

/// What a piece of work has cost so far. What nobody counts costs nothing to count.
#[derive(Debug, Default)]
pub(crate) struct Effort {
    driver_calls: AtomicU32,
    upstream_requests: AtomicU32,
}

impl Effort {
    /// Does some work, and counts what it does in its own task. What a driver asks for itself is done in the
    /// driver's task, and belongs to its call.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "for the servers"))]
    pub(crate) async fn count<T>(self: Arc<Self>, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }

    /// Calls of drivers: none if the cache had the answer.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "for the servers"))]
    pub(crate) fn driver_calls(&self) -> u32 {
        self.driver_calls.load(Ordering::Relaxed)
    }

    /// Requests that the host itself sent to a storage.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "for the servers"))]
    pub(crate) fn upstream_requests(&self) -> u32 {
        self.upstream_requests.load(Ordering::Relaxed)
    }
}

/// Notes a call of a driver.
pub(crate) fn driver_call() {
    // Nobody counts what is done in the background.
    let _ = CURRENT.try_with(|effort| effort.driver_calls.fetch_add(1, Ordering::Relaxed));
}

/// Notes a request to a storage.
pub(crate) fn upstream_request() {
    let _ = CURRENT.try_with(|effort| effort.upstream_requests.fetch_add(1, Ordering::Relaxed));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_counts_its_own() {
        driver_call();
        let effort = Arc::new(Effort::default());
        let work = async {
            driver_call();
            upstream_request();
            tokio::spawn(async { upstream_request() }).await.unwrap();
        };
        Arc::clone(&effort).count(work).await;
        assert_eq!((effort.driver_calls(), effort.upstream_requests()), (1, 1));
    }
}
