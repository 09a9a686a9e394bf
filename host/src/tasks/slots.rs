//! How many tasks are under way at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Tasks that have just begun. Most are over before anybody notices, and must not wait for the long ones.
const QUICK: usize = 32;
/// Tasks that take longer.
const LONG: usize = 4;

#[derive(Debug)]
pub(super) struct Slots {
    quick: Arc<Semaphore>,
    long: Arc<Semaphore>,
}

/// Leave to work on a task. It is given back when it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    /// Whether it holds for as long as it takes, or only for a little while.
    pub(super) is_long: bool,
    _permit: OwnedSemaphorePermit,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            quick: Arc::new(Semaphore::new(QUICK)),
            long: Arc::new(Semaphore::new(LONG)),
        }
    }
}

impl Slots {
    /// Room for a little while, if there is some.
    pub(super) fn quick(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.quick).try_acquire_owned().ok()?;
        Some(Slot {
            is_long: false,
            _permit: permit,
        })
    }

    /// Room for as long as it takes, if there is some.
    pub(super) fn long(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.long).try_acquire_owned().ok()?;
        Some(Slot {
            is_long: true,
            _permit: permit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_given_back() {
        let slots = Slots::default();
        let long: Vec<_> = std::iter::from_fn(|| slots.long()).collect();
        assert_eq!(long.len(), LONG);
        assert!(slots.quick().is_some());
        drop(long);
        assert!(slots.long().is_some());
    }
}
