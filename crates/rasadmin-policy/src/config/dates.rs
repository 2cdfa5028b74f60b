//! Reads spans of time on the calendar: `2026-12-05 20:00 .. 2026-12-06 02:00`.

use super::hours::time;
use crate::rules::hours::DAY;
use crate::rules::period::{Shown, moment};
use crate::rules::{Fault, Span};
use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

const HELP: &str = "write `2026-12-05 20:00 .. 2026-12-06 02:00`, `2026-12-24 .. 2026-12-26` or a day: `2026-12-24`";

/// Parses a span. It begins with the first moment at which the clocks show its beginning, and ends with the last moment
/// before they show its end. Without a time of day, the whole day belongs to it.
pub(super) fn parse(text: &str, zone: &TimeZone) -> Result<Span, Fault> {
    let (from, to) = text.split_once("..").map_or((text, text), |(from, to)| (from, to));
    let (from, to) = (point(from, text)?, point(to, text)?);
    let begin = match from {
        (date, None) => moment(start_of(date), Shown::First, zone),
        (_, Some(clock)) => moment(clock, Shown::First, zone),
    };
    let end = match to {
        (date, None) => moment(start_of(date.saturating_add(1.day())), Shown::First, zone),
        (_, Some(clock)) => moment(clock, Shown::Last, zone),
    };
    if begin < end {
        return Ok(Span { begin: begin.as_second(), end: end.as_second() });
    }
    let clocks = |(date, clock): (Date, Option<DateTime>)| clock.unwrap_or(start_of(date));
    let what = if clocks(from) < clocks(to) {
        format!("`{text}` never comes: the clocks go forward over it")
    } else {
        format!("`{text}` does not end after it begins")
    };
    Err((what, HELP.to_owned()))
}

/// A date, and the time of day if there is one.
fn point(text: &str, whole: &str) -> Result<(Date, Option<DateTime>), Fault> {
    let text = text.trim();
    let (date, clock) = text.split_once([' ', 'T']).map_or((text, None), |(date, clock)| (date, Some(clock.trim())));
    // Four digits, two and two: jiff reads other forms as well.
    let usual = date.len() == 10 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date = date.parse::<Date>().ok().filter(|_| usual);
    let within = if text == whole.trim() { String::new() } else { format!(" in `{whole}`") };
    let date = date.ok_or_else(|| (format!("`{text}`{within} is not a date"), HELP.to_owned()))?;
    let Some(clock) = clock else { return Ok((date, None)) };
    let minute = time(clock, DAY)?;
    Ok((date, Some(start_of(date).saturating_add(i64::from(minute).minutes()))))
}

fn start_of(date: Date) -> DateTime {
    date.to_datetime(jiff::civil::Time::midnight())
}
