//! Signs of life: deadlines for work that may be long as long as it gets on.

use std::{
    future::Future,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// When something last happened. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Activity {
    /// Milliseconds since the first use in this process.
    last: Arc<AtomicU64>,
}

impl Activity {
    /// Something happened.
    pub(crate) fn touch(&self) {
        self.last.store(now(), Ordering::Relaxed);
    }

    /// How long nothing has happened.
    pub(crate) fn idle(&self) -> Duration {
        Duration::from_millis(now().saturating_sub(self.last.load(Ordering::Relaxed)))
    }

    /// Waits for a future as long as something happens at least every `patience`; none if it stood still.
    pub(crate) async fn limit<F: Future>(
        &self,
        patience: Duration,
        future: F,
    ) -> Option<F::Output> {
        let mut future = std::pin::pin!(future);
        loop {
            let rest = patience.saturating_sub(self.idle());
            match tokio::time::timeout(rest, future.as_mut()).await {
                Ok(output) => return Some(output),
                Err(_) if self.idle() >= patience => return None,
                Err(_) => {}
            }
        }
    }
}

fn now() -> u64 {
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stillness_ends_it_and_activity_keeps_it_going() {
        let activity = Activity::default();
        activity.touch();
        assert_eq!(
            activity.limit(Duration::from_secs(60), async { 7 }).await,
            Some(7)
        );
        let never = std::future::pending::<()>();
        assert_eq!(activity.limit(Duration::from_millis(5), never).await, None);
    }
}
