//! SIGINT and SIGTERM.

use std::{fmt, future::Future, io};

use tokio::sync::watch;

/// The user ended the program.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// Counts the signals that ask the program to end. The first asks it to end well, the second at once.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    signals: watch::Receiver<u32>,
}

impl Interrupt {
    /// Begins to listen. From here on, signals no longer end the program by themselves.
    pub(super) fn listen() -> io::Result<Self> {
        let (sender, signals) = watch::channel(0);
        let mut next = signals_to_end()?;
        tokio::spawn(async move {
            while next.recv().await {
                sender.send_modify(|count| *count += 1);
            }
        });
        Ok(Self { signals })
    }

    /// Comes back after the first signal.
    pub(crate) async fn first(&self) {
        self.reach(1).await;
    }

    /// Comes back after the second signal.
    pub(crate) async fn second(&self) {
        self.reach(2).await;
    }

    /// Whether there was a signal.
    pub(crate) fn is_raised(&self) -> bool {
        *self.signals.borrow() > 0
    }

    /// Does some work unless a signal comes first.
    pub(crate) async fn or<T>(
        &self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        tokio::select! {
            result = work => result,
            () = self.first() => Err(Interrupted.into()),
        }
    }

    async fn reach(&self, count: u32) {
        let mut signals = self.signals.clone();
        if signals.wait_for(|seen| *seen >= count).await.is_err() {
            // Nobody can send a signal any more.
            std::future::pending::<()>().await;
        }
    }

    #[cfg(test)]
    pub(super) fn pair() -> (watch::Sender<u32>, Self) {
        let (sender, signals) = watch::channel(0);
        (sender, Self { signals })
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
fn signals_to_end() -> io::Result<Signals> {
    use tokio::signal::unix::{SignalKind, signal};
    Ok(Signals {
        interrupt: signal(SignalKind::interrupt())?,
        terminate: signal(SignalKind::terminate())?,
    })
}

#[cfg(unix)]
impl Signals {
    async fn recv(&mut self) -> bool {
        tokio::select! {
            signal = self.interrupt.recv() => signal.is_some(),
            signal = self.terminate.recv() => signal.is_some(),
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
fn signals_to_end() -> io::Result<Signals> {
    Ok(Signals)
}

#[cfg(not(unix))]
impl Signals {
    async fn recv(&mut self) -> bool {
        tokio::signal::ctrl_c().await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_ends_at_the_first_signal() {
        let (sender, interrupt) = Interrupt::pair();
        assert_eq!(interrupt.or(async { Ok(1) }).await.unwrap(), 1);
        sender.send_replace(1);
        let error = interrupt
            .or(std::future::pending::<anyhow::Result<()>>())
            .await
            .unwrap_err();
        assert!(error.is::<Interrupted>());
    }

    #[tokio::test]
    async fn the_second_signal_is_told_from_the_first() {
        let (sender, interrupt) = Interrupt::pair();
        sender.send_replace(1);
        interrupt.first().await;
        tokio::select! {
            biased;
            () = interrupt.second() => panic!("there was only one"),
            () = std::future::ready(()) => {}
        }
        sender.send_replace(2);
        interrupt.second().await;
    }
}
