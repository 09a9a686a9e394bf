//! The records of a zip archive, as PKWARE's APPNOTE 6.3.10 has them. All numbers are little-endian.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;

/// Stands for a number that has its place in the Zip64 field.
const IN_ZIP64_32: u32 = u32::MAX;
const IN_ZIP64_16: u16 = u16::MAX;

/// The version of the format that a reader must know, 4.5 for Zip64 and 2.0 otherwise.
const ZIP64_VERSION: u16 = 45;
const PLAIN_VERSION: u16 = 20;

/// Made on Unix, by version 3.0 of the format: so external attributes hold a file's mode.
const MADE_BY: u16 = (3 << 8) | 30;

/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
/// Checksum and sizes stand behind the content.
const DESCRIPTOR: u16 = 1 << 3;

/// A file or folder of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// Its path in the archive. That of a folder ends in `/`.
    pub(super) name: String,
    pub(super) modified: Option<SystemTime>,
    pub(super) size: u64,
    pub(super) crc: u32,
    /// Where its local header begins.
    pub(super) offset: u64,
    pub(super) sizes: Sizes,
}

/// Where a member's checksum and sizes stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sizes {
    /// Before the content.
    Ahead,
    /// Behind it, since it is sent before it was seen as a whole.
    Behind,
}

/// A record being written.
#[derive(Default)]
struct Record(Vec<u8>);

impl Record {
    fn u16(&mut self, number: u16) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    fn u32(&mut self, number: u32) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    fn u64(&mut self, number: u64) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

/// A number where it has room for 32 bits.
fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(IN_ZIP64_32)
}

fn is_narrow(number: u64) -> bool {
    number < u64::from(IN_ZIP64_32)
}

/// The length of a name or an extra field.
fn length(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX)
}

impl Member {
    /// Whether its name is short enough for the format.
    pub(super) fn fits(&self) -> bool {
        self.name.len() < usize::from(u16::MAX)
    }

    fn is_directory(&self) -> bool {
        self.name.ends_with('/')
    }

    fn flags(&self) -> u16 {
        match self.sizes {
            Sizes::Ahead => UTF8,
            Sizes::Behind => UTF8 | DESCRIPTOR,
        }
    }

    /// What stands before the content.
    pub(super) fn local_header(&self) -> Vec<u8> {
        let (crc, size) = match self.sizes {
            Sizes::Ahead => (self.crc, self.size),
            Sizes::Behind => (0, 0),
        };
        let is_narrow = is_narrow(self.size);
        let mut extra = Record::default();
        if !is_narrow {
            // That it is there tells readers that the descriptor has 64 bits too.
            extra.u16(1).u16(16).u64(size).u64(size);
        }
        extra.bytes(&self.unix_time());
        let mut record = Record::default();
        record
            .u32(0x0403_4b50)
            .u16(if is_narrow {
                PLAIN_VERSION
            } else {
                ZIP64_VERSION
            })
            .u16(self.flags())
            .u16(0);
        record.bytes(&self.dos_time()).u32(crc);
        let size = if is_narrow { narrow(size) } else { IN_ZIP64_32 };
        record
            .u32(size)
            .u32(size)
            .u16(length(self.name.as_bytes()))
            .u16(length(&extra.0))
            .bytes(self.name.as_bytes())
            .bytes(&extra.0);
        record.0
    }

    /// What stands behind the content of a member whose sizes are [`Sizes::Behind`].
    pub(super) fn descriptor(&self) -> Vec<u8> {
        let mut record = Record::default();
        record.u32(0x0807_4b50).u32(self.crc);
        if is_narrow(self.size) {
            record.u32(narrow(self.size)).u32(narrow(self.size));
        } else {
            record.u64(self.size).u64(self.size);
        }
        record.0
    }

    /// Its record at the end of the archive.
    pub(super) fn central_header(&self) -> Vec<u8> {
        let mut wide = Record::default();
        if !is_narrow(self.size) {
            wide.u64(self.size).u64(self.size);
        }
        if !is_narrow(self.offset) {
            wide.u64(self.offset);
        }
        let mut extra = Record::default();
        if !wide.0.is_empty() {
            extra.u16(1).u16(length(&wide.0)).bytes(&wide.0);
        }
        extra.bytes(&self.unix_time());
        let mode: u32 = if self.is_directory() {
            (0o040_755 << 16) | 0x10
        } else {
            0o100_644 << 16
        };
        let mut record = Record::default();
        record
            .u32(0x0201_4b50)
            .u16(MADE_BY)
            .u16(if wide.0.is_empty() {
                PLAIN_VERSION
            } else {
                ZIP64_VERSION
            })
            .u16(self.flags())
            .u16(0)
            .bytes(&self.dos_time())
            .u32(self.crc);
        let size = if is_narrow(self.size) {
            narrow(self.size)
        } else {
            IN_ZIP64_32
        };
        record
            .u32(size)
            .u32(size)
            .u16(length(self.name.as_bytes()))
            .u16(length(&extra.0))
            // No comment, the first disk, no internal attributes.
            .u16(0)
            .u16(0)
            .u16(0)
            .u32(mode)
            .u32(if is_narrow(self.offset) {
                narrow(self.offset)
            } else {
                IN_ZIP64_32
            })
            .bytes(self.name.as_bytes())
            .bytes(&extra.0);
        record.0
    }

    fn since_epoch(&self) -> Option<Duration> {
        self.modified?.duration_since(UNIX_EPOCH).ok()
    }

    /// Time and date in steps of two seconds, from 1980 to 2107. The format knows no time zone; here it is UTC.
    fn dos_time(&self) -> [u8; 4] {
        let first = 1 | (1 << 5);
        let (time, date) = self
            .since_epoch()
            .and_then(|since| i64::try_from(since.as_secs()).ok())
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .and_then(|moment| {
                let year = u16::try_from(moment.year().checked_sub(1980)?).ok()?;
                let (hour, minute, second) = moment.to_hms();
                let month = u16::from(u8::from(moment.month()));
                (year < 128).then(|| {
                    let time = (u16::from(hour) << 11)
                        | (u16::from(minute) << 5)
                        | (u16::from(second) / 2);
                    (time, (year << 9) | (month << 5) | u16::from(moment.day()))
                })
            })
            .unwrap_or((0, first));
        let ([a, b], [c, d]) = (time.to_le_bytes(), date.to_le_bytes());
        [a, b, c, d]
    }

    /// The field that Info-ZIP keeps times in, in UTC and to the second; empty past 2038.
    fn unix_time(&self) -> Vec<u8> {
        let seconds = self
            .since_epoch()
            .and_then(|since| i32::try_from(since.as_secs()).ok());
        let Some(seconds) = seconds else {
            return Vec::new();
        };
        let mut record = Record::default();
        record
            .u16(0x5455)
            .u16(5)
            .bytes(&[1])
            .bytes(&seconds.to_le_bytes());
        record.0
    }
}

/// The end of an archive of so many members, whose records begin at this offset and have this length.
pub(super) fn end(count: u64, offset: u64, bytes: u64) -> Vec<u8> {
    let mut record = Record::default();
    let is_small = count < u64::from(IN_ZIP64_16) && is_narrow(offset) && is_narrow(bytes);
    if !is_small {
        record
            .u32(0x0606_4b50)
            // What follows this number in the record.
            .u64(44)
            .u16(MADE_BY)
            .u16(ZIP64_VERSION)
            .u32(0)
            .u32(0)
            .u64(count)
            .u64(count)
            .u64(bytes)
            .u64(offset)
            // Where that record is.
            .u32(0x0706_4b50)
            .u32(0)
            .u64(offset + bytes)
            .u32(1);
    }
    let entries = u16::try_from(count).unwrap_or(IN_ZIP64_16);
    record
        .u32(0x0605_4b50)
        .u16(0)
        .u16(0)
        .u16(entries)
        .u16(entries)
        .u32(narrow(bytes))
        .u32(narrow(offset))
        .u16(0);
    record.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(size: u64, offset: u64) -> Member {
        Member {
            name: "a/b".to_owned(),
            // 2026-11-28 05:06:07 UTC.
            modified: Some(UNIX_EPOCH + Duration::from_secs(1_795_842_367)),
            size,
            crc: 0x1234_5678,
            offset,
            sizes: Sizes::Behind,
        }
    }

    #[test]
    fn wide_numbers_stand_in_the_zip64_field() {
        let large = u64::from(u32::MAX);
        for (size, offset, wide) in [
            (0, 0, 0),
            (large - 1, large - 1, 0),
            (large, 0, 16),
            (0, large, 8),
            (large, large, 24),
        ] {
            let central = member(size, offset).central_header();
            let extra = usize::from(u16::from_le_bytes([central[30], central[31]]));
            let expected = if wide == 0 { 9 } else { 9 + 4 + wide };
            assert_eq!(extra, expected, "{size} {offset}");
            assert_eq!(central.len(), 46 + 3 + extra);
            let descriptor = member(size, offset).descriptor();
            assert_eq!(descriptor.len(), if size < large { 16 } else { 24 });
        }
    }

    #[test]
    fn times_are_utc() {
        let [a, b, c, d] = member(0, 0).dos_time();
        let (time, date) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        assert_eq!((date >> 9, (date >> 5) & 15, date & 31), (46, 11, 28));
        assert_eq!((time >> 11, (time >> 5) & 63, time & 31), (5, 6, 3));
        let timeless = Member {
            modified: None,
            ..member(0, 0)
        };
        assert_eq!(timeless.dos_time(), [0, 0, 0x21, 0]);
        assert!(timeless.unix_time().is_empty());
    }

    #[test]
    fn many_members_need_the_wide_end() {
        assert_eq!(end(65_534, 0, 0).len(), 22);
        assert_eq!(end(65_535, 0, 0).len(), 98);
        assert_eq!(end(1, 1 << 32, 0).len(), 98);
    }
}
