//! Trying again.

use std::time::Duration;

use crate::{Error, Host, Result};

/// How often and how patiently to try again: exponential pauses with full jitter.
///
/// The defaults suit object storage: six attempts, pauses from 200 ms doubling to 10 s, none begun more than
/// 20 s after the first, and a `Retry-After` of up to 10 s honoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, at least 1.
    pub attempts: u32,
    /// The longest first pause.
    pub base: Duration,
    /// The longest pause, also when the service asks for more.
    pub cap: Duration,
    /// No attempt begins later than this after the first. With the time that one attempt may take, it stays below
    /// a host's deadline for one call.
    pub budget: Duration,
}

/// What came of one attempt.
#[derive(Debug)]
pub enum Attempt<T> {
    /// It is over: success, or an error that trying again will not mend.
    Over(Result<T>),
    /// It failed in a way that may pass; with the pause that the service asked for, if it did.
    Again(Error, Option<Duration>),
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 6,
            base: Duration::from_millis(200),
            cap: Duration::from_secs(10),
            budget: Duration::from_secs(20),
        }
    }
}

impl Retry {
    /// Runs `attempt` until it is over, or the attempts or the budget are used up; then its last error
    /// stands.
    ///
    /// # Errors
    /// The error of the last attempt.
    pub async fn run<H: Host, T>(
        &self,
        host: &H,
        mut attempt: impl AsyncFnMut(u32) -> Attempt<T>,
    ) -> Result<T> {
        let started = host.now();
        let mut number = 1;
        loop {
            let (error, asked) = match attempt(number).await {
                Attempt::Over(result) => return result,
                Attempt::Again(error, asked) => (error, asked),
            };
            let pause = self.pause(number, asked, host.random());
            // A clock that was set back has not made the time go by.
            let passed = host.now().duration_since(started).unwrap_or_default();
            if number >= self.attempts || passed + pause > self.budget {
                return Err(error);
            }
            host.sleep(pause).await;
            number += 1;
        }
    }

    /// How long to wait after attempt `number`, given what the service asked for and a random number.
    fn pause(&self, number: u32, asked: Option<Duration>, random: u64) -> Duration {
        if let Some(asked) = asked {
            return asked.min(self.cap);
        }
        let ceiling = self
            .base
            .saturating_mul(1_u32 << (number - 1).min(16))
            .min(self.cap);
        let share = (random >> 11) as f64 / (1_u64 << 53) as f64;
        ceiling.mul_f64(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_stay_under_the_cap_and_follow_the_service() {
        let retry = Retry::default();
        for number in 1..40 {
            assert_eq!(retry.pause(number, None, 0), Duration::ZERO);
            let longest = retry.pause(number, None, u64::MAX);
            assert!(longest <= retry.cap);
            assert!(longest >= retry.base.mul_f64(0.99));
        }
        let asked = Some(Duration::from_secs(3));
        assert_eq!(retry.pause(1, asked, 7), Duration::from_secs(3));
        let too_long = Some(Duration::from_secs(3600));
        assert_eq!(retry.pause(1, too_long, 7), retry.cap);
    }
}
