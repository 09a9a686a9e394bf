//! Several requests at a time.

use std::{future::Future, pin::pin};

use futures::{Stream, StreamExt, channel::oneshot};

/// Runs jobs, up to `width` at a time, and gives their results in the order in which they ended.
///
/// After the first failure no job begins any more, but those on their way are let finish: a request that
/// is given up may still take effect, and then after whatever is done to clear up.
///
/// # Errors
/// The first failure.
pub(crate) async fn run<T, E, J>(jobs: impl Stream<Item = J>, width: usize) -> Result<Vec<T>, E>
where
    J: Future<Output = Result<T, E>>,
{
    let (go_on, stop) = oneshot::channel::<()>();
    let mut go_on = Some(go_on);
    let mut running = pin!(jobs.take_until(stop).buffer_unordered(width));
    let mut results = Vec::new();
    let mut failure = None;
    while let Some(result) = running.next().await {
        match result {
            Ok(value) => results.push(value),
            Err(error) => {
                failure.get_or_insert(error);
                go_on = None;
            }
        }
    }
    // Dropping it is what stops the jobs.
    drop(go_on);
    failure.map_or(Ok(results), Err)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn jobs_run_side_by_side_within_the_width() {
        let (now, most) = (Cell::new(0), Cell::new(0));
        let jobs = stream::iter(0..20).map(|number| {
            let (now, most) = (&now, &most);
            async move {
                now.set(now.get() + 1);
                most.set(most.get().max(now.get()));
                tokio::task::yield_now().await;
                now.set(now.get() - 1);
                Ok::<_, ()>(number)
            }
        });
        let mut results = run(jobs, 4).await.unwrap();
        results.sort_unstable();
        assert_eq!(results, (0..20).collect::<Vec<_>>());
        assert_eq!(most.get(), 4);
    }

    #[tokio::test]
    async fn a_failure_begins_no_more_jobs_and_waits_for_the_others() {
        let (begun, ended) = (Cell::new(0), Cell::new(0));
        let jobs = stream::iter(0..20).map(|number| {
            let (begun, ended) = (&begun, &ended);
            async move {
                begun.set(begun.get() + 1);
                for _ in 0..number {
                    tokio::task::yield_now().await;
                }
                ended.set(ended.get() + 1);
                if number == 1 { Err("first") } else { Ok(()) }
            }
        });
        assert_eq!(run(jobs, 4).await, Err("first"));
        assert_eq!(begun.get(), ended.get());
        assert!(begun.get() < 10);
    }

    #[tokio::test]
    async fn a_source_that_waits_does_not_hold_a_failure_back() {
        let jobs = stream::iter([async { Err::<(), _>("failed") }]).chain(stream::pending());
        assert_eq!(run(jobs, 4).await, Err("failed"));
    }
}
