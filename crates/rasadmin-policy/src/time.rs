//! Moments, as they are kept and passed about.

use jiff::Timestamp;

/// A time: milliseconds since 1970, UTC.
pub type Millis = i64;

/// A time as RFC 3339 (`2026-11-23T09:00:00+01:00`), in milliseconds since 1970.
pub fn parse_time(text: &str) -> Option<Millis> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// As the rules want it; 1970 if it is beyond what a calendar can express.
pub fn timestamp(time: Millis) -> Timestamp {
    Timestamp::from_millisecond(time).unwrap_or(Timestamp::UNIX_EPOCH)
}
