//! Checking passwords without being brought down by it.

use std::{
    net::IpAddr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use moka::future::Cache;
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::throttle::{Network, Throttle};
use crate::serve::{PasswordError, PasswordHash, signature::Key};

/// How long a checked password is good without another look. WebDAV clients send theirs with every request.
const VERIFIED_TIME: Duration = Duration::from_secs(5 * 60);

/// Checked passwords that are remembered at once.
const VERIFIED_LIMIT: u64 = 4096;

/// Passwords that may wait to be checked; more are turned away.
const QUEUE: usize = 64;

/// The most passwords that are checked at once, each in memory of its own.
const TURNS: usize = 4;

/// Checks passwords.
#[derive(Debug)]
pub(crate) struct Verifier {
    throttle: Throttle,
    /// Keyed hashes of who, where from, and the password.
    verified: Cache<[u8; 32], ()>,
    queue: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

/// A password that somebody sent.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    /// Where it came from.
    pub(crate) address: Option<IpAddr>,
    /// What it is for: failures are counted by it.
    pub(crate) subject: &'a str,
    pub(crate) password: &'a [u8],
    /// The hash to hold it against.
    pub(crate) hash: &'a PasswordHash,
    /// Whether the hash is somebody's, and not one that stands in for a user who does not exist.
    pub(crate) is_real: bool,
}

/// Why a password does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is wrong.
    Wrong,
    /// The address sent too many wrong ones, and has to wait so long.
    TooMany(Duration),
    /// Too many passwords are being checked.
    Busy,
}

impl Default for Verifier {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            throttle: Throttle::default(),
            verified: Cache::builder()
                .max_capacity(VERIFIED_LIMIT)
                .time_to_live(VERIFIED_TIME)
                .build(),
            queue: Arc::new(Semaphore::new(QUEUE)),
            turns: Arc::new(Semaphore::new(cores.div_ceil(2).min(TURNS))),
        }
    }
}

impl Verifier {
    /// Checks a password. One that was right a moment ago, from the same address, is not checked again; the same
    /// one many times at once is checked once.
    ///
    /// # Errors
    /// As [`Refusal`] tells.
    pub(crate) async fn check(&self, key: &Key, attempt: Attempt<'_>) -> Result<(), Refusal> {
        // The address is part of it: an address that has to wait must not learn of what others know.
        let known = key.sign(&[
            b"verified",
            &Network::of(attempt.address).bytes(),
            attempt.subject.as_bytes(),
            &[u8::from(attempt.is_real)],
            attempt.hash.as_str().as_bytes(),
            attempt.password,
        ]);
        let checked = self.verified.try_get_with(known, self.check_anew(attempt));
        checked.await.map_err(|refusal| (*refusal).clone())
    }

    /// Hashes a password; none if too many are being checked.
    pub(crate) async fn hash(
        &self,
        password: String,
    ) -> Option<Result<PasswordHash, PasswordError>> {
        let place = Arc::clone(&self.queue).try_acquire_owned().ok()?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
        let hashing = spawn_blocking(move || {
            let hash = PasswordHash::of(&password);
            drop((turn, place));
            hash
        });
        Some(hashing.await.unwrap_or(Err(PasswordError::System)))
    }

    async fn check_anew(&self, attempt: Attempt<'_>) -> Result<(), Refusal> {
        let Attempt {
            address, subject, ..
        } = attempt;
        let Ok(place) = Arc::clone(&self.queue).try_acquire_owned() else {
            return Err(Refusal::Busy);
        };
        self.throttle
            .begin(address, subject, Instant::now())
            .map_err(Refusal::TooMany)?;
        let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await else {
            self.throttle.unchecked(address, subject);
            return Err(Refusal::Busy);
        };
        let (hash, password) = (attempt.hash.clone(), attempt.password.to_vec());
        let matching = spawn_blocking(move || {
            let matches = hash.matches(&password);
            // Not earlier, also if the client is gone: memory is what they bound.
            drop((turn, place));
            matches
        });
        if matching.await.unwrap_or_default() && attempt.is_real {
            self.throttle.right(address, subject);
            return Ok(());
        }
        Err(Refusal::Wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn right_and_wrong_and_nobody() {
        let verifier = Verifier::default();
        let key = Key::new([1; 32]);
        let hash = PasswordHash::of("right").unwrap();
        let attempt = Attempt {
            address: "192.0.2.1".parse().ok(),
            subject: "a",
            password: b"right",
            hash: &hash,
            is_real: true,
        };
        let decoy = hash.decoy();
        let wrong = Attempt {
            password: b"wrong",
            ..attempt
        };
        let nobody = Attempt {
            hash: &decoy,
            is_real: false,
            ..attempt
        };
        assert_eq!(verifier.check(&key, attempt).await, Ok(()));
        assert_eq!(verifier.check(&key, nobody).await, Err(Refusal::Wrong));
        for _ in 0..4 {
            assert_eq!(verifier.check(&key, wrong).await, Err(Refusal::Wrong));
        }
        assert!(matches!(
            verifier.check(&key, wrong).await,
            Err(Refusal::TooMany(_))
        ));
        // What this address knew already is no guess.
        assert_eq!(verifier.check(&key, attempt).await, Ok(()));
        // It is one with another hash, as after a change of the password, and for another address.
        let renewed = PasswordHash::of("right").unwrap();
        let renewed = Attempt {
            hash: &renewed,
            ..attempt
        };
        assert!(matches!(
            verifier.check(&key, renewed).await,
            Err(Refusal::TooMany(_))
        ));
        let elsewhere = Attempt {
            address: "192.0.2.2".parse().ok(),
            ..attempt
        };
        assert_eq!(verifier.check(&key, elsewhere).await, Ok(()));
    }

    #[tokio::test]
    async fn the_same_password_many_times_at_once_is_one_attempt() {
        let verifier = Verifier::default();
        let key = Key::new([1; 32]);
        let hash = PasswordHash::of("right").unwrap();
        let attempt = |password| Attempt {
            address: None,
            subject: "a",
            password,
            hash: &hash,
            is_real: true,
        };
        let many = (0..50).map(|_| verifier.check(&key, attempt(b"right")));
        let found = futures::future::join_all(many).await;
        assert!(found.iter().all(Result::is_ok), "{found:?}");
        // Different ones are as many attempts, also at once.
        let guesses: Vec<String> = (0..50).map(|number| number.to_string()).collect();
        let many = guesses
            .iter()
            .map(|guess| verifier.check(&key, attempt(guess.as_bytes())));
        let found = futures::future::join_all(many).await;
        let wrong = found.iter().filter(|found| **found == Err(Refusal::Wrong));
        assert_eq!(wrong.count(), 5, "{found:?}");
    }
}
