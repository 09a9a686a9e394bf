//! Times as HTTP, JSON and people write them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The end of the year 9999, past which neither HTTP nor RFC 3339 can write a date. Drivers report
/// times, and must not be able to trip a formatter up.
const LAST: Duration = Duration::from_secs(253_402_300_799);

fn since_epoch(time: SystemTime) -> Option<Duration> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    (since <= LAST).then_some(since)
}

fn calendar(time: SystemTime) -> Option<OffsetDateTime> {
    let nanoseconds = i128::try_from(since_epoch(time)?.as_nanos()).ok()?;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()
}

/// An HTTP date (RFC 9110 §5.6.7), which has whole seconds; none before 1970 or after 9999.
pub(crate) fn http(time: SystemTime) -> Option<HeaderValue> {
    since_epoch(time)?;
    HeaderValue::try_from(httpdate::fmt_http_date(time)).ok()
}

/// Reads an HTTP date in any of its three forms.
pub(crate) fn parse_http(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

/// A time cut to the whole seconds that an HTTP date can hold.
pub(crate) fn whole_seconds(time: SystemTime) -> Option<SystemTime> {
    Some(UNIX_EPOCH + Duration::from_secs(since_epoch(time)?.as_secs()))
}

/// RFC 3339 in UTC, for programs.
pub(crate) fn rfc3339(time: SystemTime) -> Option<String> {
    calendar(time)?.format(&Rfc3339).ok()
}

/// Reads RFC 3339; none before 1970 or after 9999.
pub(crate) fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    let time = SystemTime::from(OffsetDateTime::parse(text, &Rfc3339).ok()?);
    since_epoch(time).map(|_| time)
}

/// Year to minute in UTC, for people.
pub(crate) fn people(time: SystemTime) -> Option<String> {
    let time = calendar(time)?;
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, _) = time.to_hms();
    let month = u8::from(month);
    Some(format!(
        "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let time = UNIX_EPOCH + Duration::from_millis(1_456_789_012_345);
        assert_eq!(http(time).unwrap(), "Mon, 29 Feb 2016 23:36:52 GMT");
        assert_eq!(rfc3339(time).unwrap(), "2016-02-29T23:36:52.345Z");
        assert_eq!(people(time).unwrap(), "2016-02-29 23:36");
        assert_eq!(
            parse_http("Mon, 29 Feb 2016 23:36:52 GMT"),
            whole_seconds(time)
        );
    }

    #[test]
    fn times_out_of_range_are_no_times() {
        for time in [
            UNIX_EPOCH - Duration::from_secs(1),
            UNIX_EPOCH + LAST + Duration::from_secs(1),
            UNIX_EPOCH + Duration::from_millis(i64::MAX as u64),
        ] {
            assert_eq!(http(time), None);
            assert_eq!(rfc3339(time), None);
            assert_eq!(people(time), None);
            assert_eq!(whole_seconds(time), None);
        }
        assert!(http(UNIX_EPOCH + LAST).is_some());
        assert!(rfc3339(UNIX_EPOCH + LAST).is_some());
    }
}
