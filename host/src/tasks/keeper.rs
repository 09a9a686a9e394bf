//! Taking up tasks that wait, and signs of life for those under way.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tracing::Instrument as _;

use super::{Tasks, run};
use crate::state::{LEASE, StateResult};

/// How often signs of life are given, and tasks of hosts that give none are looked for.
const BEAT: Duration = Duration::from_secs(3);
/// How often old tasks are forgotten.
const SWEEP: Duration = Duration::from_secs(60 * 60);
/// How long tasks that have ended stay in the list.
const AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How many of them stay at most.
const MOST: u32 = 2_000;

// One beat may fail, and another come late.
const _: () = assert!(BEAT.as_secs() * 3 < LEASE.as_secs());

impl Tasks {
    /// Goes on until the tasks are stopped.
    pub(super) async fn keep(self) {
        let inner = &self.inner;
        // What is leased here is leased to processes that are no more.
        if inner.state.is_sole() {
            self.report(inner.state.free_tasks(&inner.host).await);
        }
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut swept: Option<Instant> = None;
        loop {
            if swept.is_none_or(|swept| swept.elapsed() > SWEEP) {
                swept = Some(Instant::now());
                self.report(inner.state.forget_old_tasks(AGE, MOST).await);
            }
            self.report(self.take_up().await);
            tokio::select! {
                () = inner.stop.cancelled() => break,
                () = inner.wake.notified() => {}
                _ = beat.tick() => self.renew().await,
            }
        }
        // The last steps may be long: their leases hold until they are made.
        while !inner.running().is_empty() {
            beat.tick().await;
            self.renew().await;
        }
    }

    /// Begins tasks that wait, as far as there is room.
    async fn take_up(&self) -> StateResult<()> {
        let inner = &self.inner;
        while !inner.stop.is_cancelled()
            && let Some(slot) = inner.slots.long()
            && let Some(task) = inner.state.take_up_task(&inner.host).await?
        {
            tracing::info!(task = task.id, kind = task.kind(), "a task goes on");
            let (tasks, span) = (self.clone(), run::span(&task));
            let working = async move { tasks.work_on(task, slot).await };
            inner.tracker.spawn(working.instrument(span));
        }
        Ok(())
    }

    /// Gives signs of life for all that is under way, and ends what is to end.
    async fn renew(&self) {
        let inner = &self.inner;
        let running: Vec<_> = {
            let running = inner.running();
            running
                .iter()
                .map(|(id, control)| (id.clone(), Arc::clone(control)))
                .collect()
        };
        for (id, control) in running {
            let renewed = inner
                .state
                .renew_task(&id, &inner.host, control.flow.bytes())
                .await;
            match renewed {
                Ok(true) => control.cancel(),
                Ok(false) => {}
                Err(error) => tracing::warn!(task = id, %error, "no sign of life for a task"),
            }
        }
    }

    fn report(&self, result: StateResult<()>) {
        if let Err(error) = result {
            tracing::error!(%error, "the journal of tasks cannot be used");
        }
    }
}
