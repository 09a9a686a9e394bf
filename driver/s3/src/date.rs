//! The three ways in which S3 writes instants.

use std::{
    ops::Range,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const DAY: u64 = 86_400;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Writes an instant as signatures do: `20130524T000000Z`. The first eight characters are the day.
pub(crate) fn basic(instant: SystemTime) -> String {
    let seconds = seconds(instant);
    let (year, month, day) = civil(seconds / DAY);
    let time = seconds % DAY;
    format!(
        "{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z",
        time / 3600,
        time / 60 % 60,
        time % 60
    )
}

/// Whole seconds since the epoch; 0 before it.
pub(crate) fn seconds(instant: SystemTime) -> u64 {
    instant
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Reads `2026-11-23T07:40:00.000Z`, as listings have it. Fractions are dropped, so that a listing and a
/// HEAD, which has no fractions, tell the same time.
pub(crate) fn parse_iso(text: &str) -> Option<SystemTime> {
    let bytes = text.as_bytes();
    let number = |range: Range<usize>| {
        bytes.get(range)?.iter().try_fold(0, |number, byte| {
            byte.is_ascii_digit()
                .then(|| number * 10 + u64::from(byte - b'0'))
        })
    };
    if bytes.get(4) != Some(&b'-') || bytes.get(10) != Some(&b'T') {
        return None;
    }
    instant(
        (number(0..4)?, number(5..7)?, number(8..10)?),
        (number(11..13)?, number(14..16)?, number(17..19)?),
    )
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, as headers have it.
pub(crate) fn parse_http(text: &str) -> Option<SystemTime> {
    let mut words = text.split_ascii_whitespace().skip(1);
    let day = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = MONTHS.iter().zip(1..).find(|(month, _)| **month == name)?.1;
    let year = words.next()?.parse().ok()?;
    let mut time = words.next()?.splitn(3, ':').map(|part| part.parse().ok());
    instant(
        (year, month, day),
        (time.next()??, time.next()??, time.next()??),
    )
}

fn instant(
    (year, month, day): (u64, u64, u64),
    (hour, minute, second): (u64, u64, u64),
) -> Option<SystemTime> {
    let valid = (1970..10_000).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    let seconds = days(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
    valid.then(|| UNIX_EPOCH + Duration::from_secs(seconds))
}

// Both conversions count years from March, so that the leap day is a year's last: see
// https://howardhinnant.github.io/date_algorithms.html. 719,468 days lie between 0000-03-01 and 1970.

fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 {
        year.saturating_sub(1)
    } else {
        year
    };
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day.saturating_sub(1);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).saturating_sub(719_468)
}

fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn reads_and_writes_known_instants() {
        assert_eq!(basic(at(1_369_353_600)), "20130524T000000Z");
        assert_eq!(
            parse_iso("2013-05-24T00:00:00.000Z"),
            Some(at(1_369_353_600))
        );
        assert_eq!(
            parse_iso("2013-05-24T00:00:00.999Z"),
            Some(at(1_369_353_600))
        );
        assert_eq!(parse_iso("2013-05-24T00:00:00Z"), Some(at(1_369_353_600)));
        assert_eq!(
            parse_http("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(at(784_111_777))
        );
    }

    #[test]
    fn nonsense_is_no_instant() {
        for text in [
            "",
            "2013",
            "2013-13-01T00:00:00Z",
            "2013-05-24 00:00:00",
            "ü013-05-24T00:00:00Z",
        ] {
            assert_eq!(parse_iso(text), None, "{text}");
        }
        for text in [
            "",
            "yesterday",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse_http(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in 0_u64..253_402_300_800) {
            let text = basic(at(seconds));
            let iso = format!(
                "{}-{}-{}T{}:{}:{}Z",
                &text[0..4], &text[4..6], &text[6..8], &text[9..11], &text[11..13], &text[13..15]
            );
            prop_assert_eq!(parse_iso(&iso), Some(at(seconds)));
        }
    }
}
