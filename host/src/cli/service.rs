//! What a service manager is told: systemd's notify protocol. Without one, nothing happens.

#[cfg(unix)]
mod systemd {
    use std::time::Duration;

    use sd_notify::NotifyState;

    fn notify(states: &[NotifyState<'_>]) {
        if let Err(error) = sd_notify::notify(states) {
            tracing::warn!(%error, "the service manager could not be told");
        }
    }

    /// The server answers.
    pub(in crate::cli) fn ready(status: &str) {
        notify(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// The configuration is read again; [`ready`] comes next.
    pub(in crate::cli) fn reloading() {
        let mut states = vec![NotifyState::Reloading];
        states.extend(NotifyState::monotonic_usec_now());
        notify(&states);
    }

    /// The server ends.
    pub(in crate::cli) fn stopping() {
        notify(&[
            NotifyState::Stopping,
            NotifyState::Status("ending, once the requests under way are answered"),
        ]);
    }

    /// Shows that the program is alive, as often as the service manager wants.
    pub(in crate::cli) async fn stay_alive() {
        let Some(patience) = sd_notify::watchdog_enabled() else {
            return;
        };
        let mut ticks = tokio::time::interval((patience / 2).max(Duration::from_millis(1)));
        loop {
            ticks.tick().await;
            notify(&[NotifyState::Watchdog]);
        }
    }
}

#[cfg(not(unix))]
mod systemd {
    pub(in crate::cli) fn ready(_: &str) {}
    pub(in crate::cli) fn reloading() {}
    pub(in crate::cli) fn stopping() {}
    pub(in crate::cli) async fn stay_alive() {}
}

pub(super) use systemd::{ready, reloading, stay_alive, stopping};
