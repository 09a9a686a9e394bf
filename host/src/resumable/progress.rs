//! How far an upload has come.

/// How far an upload has come, in bytes.
///
/// The last byte counts only when the file is there. Clients take an upload whose bytes have all come for done, so one
/// whose last step failed must ask for something more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The file's size, once it is known.
    pub(crate) length: Option<u64>,
    /// Bytes that are safe: with the storage or in the spool.
    pub(crate) received: u64,
    /// Whether the file is there.
    pub(crate) is_done: bool,
}

impl Progress {
    /// Where the client shall go on.
    pub(crate) fn offset(self) -> u64 {
        match self.length {
            Some(length) if !self.is_done && self.received == length => length.saturating_sub(1),
            _ => self.received,
        }
    }

    /// How many of the bytes that come from `offset` are here already; none if they do not fit on.
    pub(crate) fn overlap(self, offset: u64) -> Option<u64> {
        (offset == self.offset() || offset == self.received)
            .then(|| self.received.saturating_sub(offset))
    }

    /// Whether all bytes have come.
    pub(crate) fn is_complete(self) -> bool {
        self.length == Some(self.received)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_byte_counts_when_the_file_is_there() {
        let at = |length, received, is_done| Progress {
            length,
            received,
            is_done,
        };
        for (progress, offset) in [
            (at(Some(10), 0, false), 0),
            (at(Some(10), 9, false), 9),
            (at(Some(10), 10, false), 9),
            (at(Some(10), 10, true), 10),
            (at(None, 10, false), 10),
            (at(Some(0), 0, false), 0),
            (at(Some(0), 0, true), 0),
        ] {
            assert_eq!(progress.offset(), offset, "{progress:?}");
        }
        let all = at(Some(10), 10, false);
        for (offset, overlap) in [(9, Some(1)), (10, Some(0)), (8, None), (11, None)] {
            assert_eq!(all.overlap(offset), overlap, "{offset}");
        }
        let some = at(Some(10), 5, false);
        for (offset, overlap) in [(5, Some(0)), (4, None), (6, None)] {
            assert_eq!(some.overlap(offset), overlap, "{offset}");
        }
        assert!(all.is_complete() && !some.is_complete());
        assert!(!at(None, 10, false).is_complete());
    }
}
