//! Slowing down who guesses passwords.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Wrong passwords that an address has free.
const FREE: u32 = 5;

/// Wrong passwords for one name, from wherever, that make guessing it dear for every address.
const ALARM: u32 = 20;

/// The first wait, in seconds.
const FIRST: u64 = 4;

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Failures are forgotten so long after the last one.
const MEMORY: Duration = Duration::from_secs(15 * 60);

/// Addresses, and names, that are remembered at once.
const CAPACITY: usize = 10_000;

/// Counts wrong passwords by address and by name.
///
/// It is always an address that has to wait, never a name: else anyone could lock a user out. An address has
/// [`FREE`] failures; then it waits for four seconds, and twice as long after each further one. A name that was
/// guessed [`ALARM`] times, from wherever, leaves each address one failure only. So a guess from a fresh address
/// is always looked at, and the right password with it.
///
/// While an address waits, nothing that it sends is looked at, so it learns nothing. What it sends meanwhile
/// does not make it wait longer.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    addresses: Ledger<Network>,
    names: Ledger<String>,
}

impl Throttle {
    /// Counts a password that is about to be checked as wrong, so that many at once are counted too.
    ///
    /// # Errors
    /// How long the address has to wait.
    pub(crate) fn begin(
        &self,
        address: Option<IpAddr>,
        name: &str,
        now: Instant,
    ) -> Result<(), Duration> {
        let network = Network::of(address);
        let mut counts = self.lock();
        let is_alarmed = counts.names.count(name, now) >= ALARM;
        let free = if is_alarmed { 1 } else { FREE };
        let wait = counts.addresses.wait(&network, free, now);
        if !wait.is_zero() {
            return Err(wait);
        }
        counts.addresses.add(network, now);
        counts.names.add(name.to_owned(), now);
        Ok(())
    }

    /// The password was right: it was no failure of the address, and the name is forgotten.
    ///
    /// The address keeps its other failures: it could otherwise guess for ever, between logins of its own.
    pub(crate) fn right(&self, address: Option<IpAddr>, name: &str) {
        let mut counts = self.lock();
        counts.addresses.take_back(&Network::of(address));
        counts.names.failures.remove(name);
    }

    /// The password was not checked after all.
    pub(crate) fn unchecked(&self, address: Option<IpAddr>, name: &str) {
        let mut counts = self.lock();
        counts.addresses.take_back(&Network::of(address));
        counts.names.take_back(name);
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one customer of a provider has: an IPv4 address, or 64 bits of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Network(u128);

impl Network {
    pub(crate) fn of(address: Option<IpAddr>) -> Self {
        Self(match address.map(|address| address.to_canonical()) {
            None => 0,
            Some(IpAddr::V4(address)) => address.to_ipv6_mapped().to_bits(),
            Some(IpAddr::V6(address)) => address.to_bits() >> 64 << 64,
        })
    }

    pub(crate) fn bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

/// Failures in a row.
#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

#[derive(Debug)]
struct Ledger<K> {
    failures: HashMap<K, Failures>,
}

impl<K> Default for Ledger<K> {
    fn default() -> Self {
        Self {
            failures: HashMap::new(),
        }
    }
}

impl Failures {
    /// How long to wait after the last failure.
    fn wait(self, free: u32) -> Duration {
        match self.count.checked_sub(free) {
            None => Duration::ZERO,
            Some(more) => Duration::from_secs(FIRST << more.min(8)).min(LONGEST),
        }
    }

    fn is_forgotten(self, now: Instant) -> bool {
        now.duration_since(self.last) >= self.wait(1) + MEMORY
    }
}

impl<K: Clone + Eq + Hash> Ledger<K> {
    fn count<Q>(&self, key: &Q, now: Instant) -> u32
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let failures = self.failures.get(key);
        failures
            .filter(|failures| !failures.is_forgotten(now))
            .map_or(0, |failures| failures.count)
    }

    /// What is left of the wait.
    fn wait(&self, key: &K, free: u32, now: Instant) -> Duration {
        self.failures.get(key).map_or(Duration::ZERO, |failures| {
            let passed = now.duration_since(failures.last);
            failures.wait(free).saturating_sub(passed)
        })
    }

    fn add(&mut self, key: K, now: Instant) {
        if self.failures.len() >= CAPACITY && !self.failures.contains_key(&key) {
            self.make_room(now);
        }
        let failures = self.failures.entry(key).or_insert(Failures {
            count: 0,
            last: now,
        });
        if failures.is_forgotten(now) {
            failures.count = 0;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
    }

    fn take_back<Q>(&mut self, key: &Q)
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(failures) = self.failures.get_mut(key) {
            failures.count -= 1;
            if failures.count == 0 {
                self.failures.remove(key);
            }
        }
    }

    /// Forgets what is old, or else the one that has failed least and longest ago.
    fn make_room(&mut self, now: Instant) {
        self.failures
            .retain(|_, failures| !failures.is_forgotten(now));
        if self.failures.len() < CAPACITY {
            return;
        }
        let least = self
            .failures
            .iter()
            .min_by_key(|(_, failures)| (failures.count, failures.last))
            .map(|(key, _)| key.clone());
        if let Some(key) = least {
            self.failures.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_address_waits_longer_and_longer() {
        let throttle = Throttle::default();
        let mut now = Instant::now();
        for _ in 0..FREE {
            throttle.begin(at("192.0.2.1"), "a", now).unwrap();
        }
        for seconds in [4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            let wait = Duration::from_secs(seconds);
            assert_eq!(throttle.begin(at("192.0.2.1"), "a", now), Err(wait));
            // Asking again does not make it longer, and asking for another name does not help.
            let later = now + wait - SECOND / 2;
            assert_eq!(throttle.begin(at("192.0.2.1"), "b", later), Err(SECOND / 2));
            // Another address is let in.
            throttle.begin(at("192.0.2.2"), "c", now).unwrap();
            throttle.right(at("192.0.2.2"), "c");
            now += wait;
            throttle.begin(at("192.0.2.1"), "a", now).unwrap();
        }
        now += LONGEST + MEMORY;
        for _ in 0..FREE {
            throttle.begin(at("192.0.2.1"), "a", now).unwrap();
        }
    }

    #[test]
    fn a_right_password_is_no_failure_but_does_not_clear_the_address() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for _ in 0..FREE - 1 {
            throttle.begin(at("192.0.2.1"), "victim", now).unwrap();
        }
        for _ in 0..10 {
            throttle.begin(at("192.0.2.1"), "own", now).unwrap();
            throttle.right(at("192.0.2.1"), "own");
        }
        throttle.begin(at("192.0.2.1"), "victim", now).unwrap();
        assert_eq!(throttle.begin(at("192.0.2.1"), "own", now), Err(4 * SECOND));
    }

    #[test]
    fn a_name_under_attack_leaves_each_address_one_failure() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for number in 0..ALARM {
            let address = at(&format!("192.0.2.{}", number + 1));
            throttle.begin(address, "victim", now).unwrap();
        }
        // The user comes from elsewhere, and is let in.
        throttle.begin(at("198.51.100.1"), "victim", now).unwrap();
        assert!(throttle.begin(at("198.51.100.1"), "victim", now).is_err());
        throttle.begin(at("198.51.100.1"), "other", now).unwrap();
        throttle.begin(at("198.51.100.2"), "victim", now).unwrap();
        throttle.right(at("198.51.100.2"), "victim");
        // That cleared the name.
        throttle.begin(at("198.51.100.1"), "victim", now).unwrap();
    }

    #[test]
    fn what_was_not_checked_does_not_count() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for _ in 0..3 * FREE {
            throttle.begin(at("192.0.2.1"), "a", now).unwrap();
            throttle.unchecked(at("192.0.2.1"), "a");
        }
        assert!(throttle.lock().addresses.failures.is_empty());
        assert!(throttle.lock().names.failures.is_empty());
    }

    #[test]
    fn networks() {
        let network = |text: &str| Network::of(at(text));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.2"), network("192.0.2.1"));
    }

    #[test]
    fn memory_is_bounded_and_keeps_the_worst() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for _ in 0..FREE {
            throttle.begin(at("192.0.2.1"), "a", now).unwrap();
        }
        for number in 0..2 * CAPACITY as u128 {
            let address = IpAddr::V6((number << 64).into());
            throttle
                .begin(Some(address), &number.to_string(), now)
                .unwrap();
        }
        assert!(throttle.lock().addresses.failures.len() <= CAPACITY);
        assert!(throttle.lock().names.failures.len() <= CAPACITY);
        assert!(throttle.begin(at("192.0.2.1"), "a", now).is_err());
    }
}
