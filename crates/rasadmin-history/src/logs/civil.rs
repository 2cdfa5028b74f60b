//! Parses times as the logs write them: `06/18/2024`, `14:45:48`, `05/19/2014 15:21:44.008`, and seconds since 1970.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use rasadmin_policy::Millis;

fn numbers<const N: usize>(text: &str, between: char) -> Option<[i16; N]> {
    let mut parts = text.split(between);
    let mut numbers = [0; N];
    for number in &mut numbers {
        let part = parts.next()?.trim();
        *number = part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(numbers)
}

/// Parses `MM/DD/YYYY` and `HH:MM:SS`, which may have a fraction of a second.
pub fn date_time(date: &str, time: &str) -> Option<DateTime> {
    let [month, day, year] = numbers(date.trim(), '/')?;
    let (time, fraction) = time.trim().split_once('.').unwrap_or((time.trim(), ""));
    let [hour, minute, second] = numbers(time, ':')?;
    let small = |n: i16| i8::try_from(n).ok();
    let mut millis = 0;
    if !fraction.is_empty() {
        let digits: String = fraction.chars().take(3).collect();
        millis = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i32>().ok())??;
        millis *= [1, 100, 10, 1][digits.len()];
    }
    // A leap second counts as the second before it.
    let second = second.min(59);
    let (month, day, hour, minute, second) = (small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?);
    DateTime::new(year, month, day, hour, minute, second, millis * 1_000_000).ok()
}

/// Parses `MM/DD/YYYY HH:MM:SS.mmm`.
pub fn stamp(text: &str) -> Option<DateTime> {
    let (date, time) = text.trim().split_once(' ')?;
    date_time(date, time)
}

/// Converts a local time to milliseconds since 1970: the first one if it comes twice. A time that is skipped is read with
/// the offset before the change.
pub fn utc(local: DateTime, zone: &TimeZone) -> Option<Millis> {
    Some(zone.to_ambiguous_timestamp(local).compatible().ok()?.as_millisecond())
}

/// The second one of a local time that comes twice.
pub fn utc_again(local: DateTime, zone: &TimeZone) -> Option<Millis> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. }).then_some(())?;
    Some(ambiguous.later().ok()?.as_millisecond())
}

/// Does a local time not exist, because the clocks go forward?
pub fn is_skipped(local: DateTime, zone: &TimeZone) -> bool {
    matches!(zone.to_ambiguous_timestamp(local).offset(), AmbiguousOffset::Gap { .. })
}

/// Parses Event-Timestamp: seconds since 1970, or a date and time in UTC. `None` if it is not a time: some servers
/// send 0.
pub fn event_timestamp(text: &str) -> Option<Millis> {
    if text.contains('/') {
        return utc(stamp(text)?, &TimeZone::UTC);
    }
    let seconds: i64 = text.trim().parse().ok()?;
    // RADIUS uses 32 bits.
    (1..=i64::from(u32::MAX)).contains(&seconds).then_some(seconds * 1000)
}

/// Adds the fraction of the time at which the record was written, if both times show the same second. Time zones
/// differ by whole minutes.
pub fn with_fraction(event: Millis, logged: Option<DateTime>) -> Millis {
    match logged {
        Some(local) if event.rem_euclid(60_000) == i64::from(local.second()) * 1000 => {
            event + i64::from(local.subsec_nanosecond()) / 1_000_000
        }
        _ => event,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn both_ways_of_writing_are_read() {
        let local = stamp("05/19/2014 15:21:44.008").unwrap();
        assert_eq!(local.to_string(), "2014-05-19T15:21:44.008");
        assert_eq!(date_time("06/18/2024", "14:45:48").unwrap().to_string(), "2024-06-18T14:45:48");
        assert_eq!(event_timestamp("1718718348"), event_timestamp("06/18/2024 13:45:48"));
        assert_eq!(event_timestamp("1718718348"), Some(1_718_718_348_000));
        for wrong in
            ["", "0", "-1", "x", "13/01/2024 00:00:00", "02/30/2024 00:00:00", "1/2", "01/02/2024", "é/1/1 1:1:1"]
        {
            assert_eq!(event_timestamp(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_local_time_needs_its_zone() {
        let zone = rasadmin_policy::config::time_zone("Europe/Berlin").unwrap();
        let at = |text| utc(stamp(text).unwrap(), &zone).unwrap();
        assert_eq!(at("06/18/2024 15:45:48"), 1_718_718_348_000);
        // The clock goes back at 03:00: the hour from two to three comes twice.
        assert_eq!(at("10/27/2024 02:30:00"), 1_729_989_000_000);
        let again = |text| utc_again(stamp(text).unwrap(), &zone);
        assert_eq!(again("10/27/2024 02:30:00"), Some(1_729_989_000_000 + 3_600_000));
        assert_eq!((again("10/27/2024 03:00:00"), again("03/31/2024 02:30:00")), (None, None), "once, and never");
        assert_eq!(at("10/27/2024 03:00:00") - at("10/27/2024 02:30:00"), 90 * 60_000);
    }

    #[test]
    fn the_fraction_is_taken_only_from_the_same_second() {
        let event = 1_718_718_348_000;
        assert_eq!(with_fraction(event, stamp("06/18/2024 14:45:48.250")), event + 250);
        assert_eq!(with_fraction(event, stamp("06/18/2024 14:45:49.250")), event);
        assert_eq!(with_fraction(event, None), event);
    }
}
