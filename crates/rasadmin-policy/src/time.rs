//! Times as they are stored and passed around.

use jiff::Timestamp;

/// A time: milliseconds since 1970, UTC.
pub type Millis = i64;

/// Parses a time in RFC 3339 (`2026-11-23T09:00:00+01:00`) into milliseconds since 1970.
pub fn parse_time(text: &str) -> Option<Millis> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// Converts a time for the rules; 1970 if it is out of the calendar's range.
pub fn timestamp(time: Millis) -> Timestamp {
    Timestamp::from_millisecond(time).unwrap_or(Timestamp::UNIX_EPOCH)
}
