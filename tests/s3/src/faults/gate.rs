use std::sync::Arc;

use tokio::sync::watch;

/// Holds requests until a test releases them. Clones are the same gate.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    open: watch::Sender<bool>,
    reached: watch::Sender<usize>,
    abandoned: watch::Sender<usize>,
}

impl Gate {
    /// Lets the requests that are held go on, and those to come pass.
    pub fn release(&self) {
        self.shared.open.send_replace(true);
    }

    /// Waits until a request has come to the gate.
    pub async fn wait_until_reached(&self) {
        wait_for(&self.shared.reached, |count| *count > 0).await;
    }

    /// Waits until a client has gone away while its request was held.
    pub async fn wait_until_abandoned(&self) {
        wait_for(&self.shared.abandoned, |count| *count > 0).await;
    }

    /// How many requests have come to the gate.
    pub fn reached(&self) -> usize {
        *self.shared.reached.borrow()
    }

    pub(crate) async fn pass(self) {
        self.shared.reached.send_modify(|count| *count += 1);
        let mut held = Held {
            shared: Arc::clone(&self.shared),
            passed: false,
        };
        wait_for(&self.shared.open, |open| *open).await;
        held.passed = true;
    }
}

/// Notices when the future that holds a request is dropped.
struct Held {
    shared: Arc<Shared>,
    passed: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.passed {
            self.shared.abandoned.send_modify(|count| *count += 1);
        }
    }
}

async fn wait_for<T>(value: &watch::Sender<T>, test: impl FnMut(&T) -> bool) {
    // The sender lives in this gate, so it cannot be gone.
    let _ = value.subscribe().wait_for(test).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn holds_until_released() {
        let gate = Gate::default();
        let held = tokio::spawn(gate.clone().pass());
        gate.wait_until_reached().await;
        assert!(!held.is_finished());
        gate.release();
        held.await.unwrap();
        gate.clone().pass().await;
        assert_eq!(gate.reached(), 2);
    }

    #[tokio::test]
    async fn notices_that_a_client_left() {
        let gate = Gate::default();
        let held = tokio::spawn(gate.clone().pass());
        gate.wait_until_reached().await;
        held.abort();
        gate.wait_until_abandoned().await;
    }
}
