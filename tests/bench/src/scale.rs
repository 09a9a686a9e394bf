//! How much is measured.

use std::time::Duration;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Rounds of everything that takes microseconds or milliseconds.
    pub(crate) rounds: Rounds,
    /// Links in a round.
    pub(crate) links: usize,
    /// Listings in a round.
    pub(crate) listings: usize,
    /// Rounds of transfers as fast as the machine can.
    pub(crate) transfers: Rounds,
    /// Rounds of transfers over a line of limited speed.
    pub(crate) paced: Rounds,
    /// Bytes of a transfer.
    pub(crate) size: u64,
    /// How long a round of redirects takes.
    pub(crate) load: Duration,
    /// Starts of the process.
    pub(crate) starts: usize,
}

/// How often something is measured. Figures are medians over the rounds that count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounds {
    /// Rounds that only warm up.
    pub(crate) ignored: usize,
    /// Rounds that count, at least 1.
    pub(crate) counted: usize,
}

impl Scale {
    /// What the figures in the documentation come from.
    pub(crate) const FULL: Self = Self {
        rounds: Rounds {
            ignored: 2,
            counted: 11,
        },
        links: 4_000,
        listings: 40,
        transfers: Rounds {
            ignored: 1,
            counted: 7,
        },
        paced: Rounds {
            ignored: 0,
            counted: 3,
        },
        size: 1 << 30,
        load: Duration::from_secs(2),
        starts: 11,
    };

    /// Enough to see whether everything runs; the figures mean nothing.
    pub(crate) const QUICK: Self = Self {
        rounds: Rounds {
            ignored: 0,
            counted: 1,
        },
        links: 200,
        listings: 3,
        transfers: Rounds {
            ignored: 0,
            counted: 1,
        },
        paced: Rounds {
            ignored: 0,
            counted: 1,
        },
        size: 48 << 20,
        load: Duration::from_millis(200),
        starts: 1,
    };
}
