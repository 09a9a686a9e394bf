//! Measuring again and again.

use std::{future::Future, time::Instant};

use anyhow::{Context, Result};
use futures::future::try_join_all;
use tokio::runtime::Handle;

use super::cores;
use crate::scale::Rounds;

/// Measures two sides in turn, each first as often as the other, and returns the median of each.
pub(super) async fn in_turn(
    rounds: Rounds,
    mut ours: impl AsyncFnMut() -> Result<f64>,
    mut baseline: impl AsyncFnMut() -> Result<f64>,
) -> Result<(f64, f64)> {
    let mut figures = (Vec::new(), Vec::new());
    for round in 0..rounds.ignored + rounds.counted {
        let (our, base) = if round % 2 == 0 {
            let our = ours().await?;
            (our, baseline().await?)
        } else {
            let base = baseline().await?;
            (ours().await?, base)
        };
        if round >= rounds.ignored {
            figures.0.push(our);
            figures.1.push(base);
        }
    }
    Ok((median(figures.0)?, median(figures.1)?))
}

/// Makes calls, so many at a time, each in a task of its own as a server's handlers are. Returns the
/// microseconds that one takes on average.
pub(super) async fn calls<F>(
    calls: usize,
    at_a_time: usize,
    call: impl Fn(usize) -> F + Clone + Send + 'static,
) -> Result<f64>
where
    F: Future<Output = Result<()>> + Send,
{
    let began = Instant::now();
    let mut tasks = Vec::new();
    for first in 0..at_a_time {
        let call = call.clone();
        tasks.push(tokio::spawn(async move {
            for number in (first..calls).step_by(at_a_time) {
                call(number).await?;
            }
            anyhow::Ok(())
        }));
    }
    for task in tasks {
        task.await.context("a call broke")??;
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / calls as f64)
}

/// As [`calls`] for what stays on its thread, with the calls dealt out to as many threads as there are cores.
pub(super) async fn local_calls<F>(
    calls: usize,
    at_a_time: usize,
    call: impl Fn(usize) -> F + Clone + Send + 'static,
) -> Result<f64>
where
    F: Future<Output = Result<()>>,
{
    let began = Instant::now();
    let threads = at_a_time.min(cores());
    let mut tasks = Vec::new();
    for thread in 0..threads {
        let call = call.clone();
        let runtime = Handle::current();
        tasks.push(tokio::task::spawn_blocking(move || {
            let call = &call;
            let sequences = (thread..at_a_time)
                .step_by(threads)
                .map(|first| async move {
                    for number in (first..calls).step_by(at_a_time) {
                        call(number).await?;
                    }
                    anyhow::Ok(())
                });
            runtime.block_on(try_join_all(sequences)).map(drop)
        }));
    }
    for task in tasks {
        task.await.context("a call broke")??;
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / calls as f64)
}

/// The figure in the middle.
pub(super) fn median(mut figures: Vec<f64>) -> Result<f64> {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let upper = *figures.get(middle).context("nothing was measured")?;
    let lower = *figures
        .get((figures.len() - 1) / 2)
        .context("nothing was measured")?;
    Ok(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert!(median(vec![]).is_err());
        assert_eq!(median(vec![3.0, 1.0, 2.0]).unwrap(), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]).unwrap(), 2.5);
    }

    #[tokio::test]
    async fn sides_take_turns_and_the_first_rounds_do_not_count() {
        let order = std::cell::RefCell::new(String::new());
        let mut figure = 100.0;
        let rounds = Rounds {
            ignored: 1,
            counted: 2,
        };
        let medians = in_turn(
            rounds,
            async || {
                order.borrow_mut().push('o');
                figure /= 10.0;
                Ok(figure)
            },
            async || {
                order.borrow_mut().push('b');
                Ok(5.0)
            },
        );
        assert_eq!(medians.await.unwrap(), (0.55, 5.0));
        assert_eq!(order.into_inner(), "obboob");
    }
}
