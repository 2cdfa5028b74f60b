//! Reads spans of time on the calendar: `2026-12-05 20:00 .. 2026-12-06 02:00`.

use super::hours::time;
use crate::rules::hours::DAY;
use crate::rules::period::{Shown, moment};
use crate::rules::{Fault, Span};
use crate::shorten::shortened;
use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// The longest text that gets a suggestion of what is meant.
const LONGEST: usize = 80;

const HELP: &str = "write `2026-12-05 20:00 .. 2026-12-06 02:00`, `2026-12-24 .. 2026-12-26` or a day: `2026-12-24`";

/// Parses a span. It begins with the first moment at which the clocks show its beginning, and ends with the last moment
/// before they show its end. Without a time of day, the whole day belongs to it.
pub(super) fn parse(text: &str, zone: &TimeZone) -> Result<Span, Fault> {
    let ends = text.split_once("..").unwrap_or((text, text));
    let (from, to) = match (point(ends.0, text), point(ends.1, text)) {
        (Ok(from), Ok(to)) => (from, to),
        (from, to) => {
            let meant = meant(text).map(|meant| {
                (format!("`{}` has no `..` between its ends", shortened(text)), format!("write `{meant}`"))
            });
            return Err(meant.or(from.err()).or(to.err()).unwrap_or_default());
        }
    };
    let begin = match from {
        (date, None) => moment(start_of(date), Shown::First, zone),
        (_, Some(clock)) => moment(clock, Shown::First, zone),
    };
    let end = match to {
        (date, None) => moment(start_of(date.saturating_add(1.day())), Shown::First, zone),
        (_, Some(clock)) => moment(clock, Shown::Last, zone),
    };
    let clocks_begin = from.1.unwrap_or(start_of(from.0));
    let clocks_end = to.1.unwrap_or(start_of(to.0.saturating_add(1.day())));
    // In an hour that the clocks show twice, a span that goes backwards could last from its first beginning to its last
    // end. Hardly anyone means that.
    let forward = clocks_begin < clocks_end;
    if begin < end && forward {
        return Ok(Span { begin: begin.as_second(), end: end.as_second() });
    }
    let what = if forward {
        format!("`{}` never comes: the clocks go forward over it", shortened(text))
    } else {
        format!("`{}` does not end after it begins", shortened(text))
    };
    Err((what, HELP.to_owned()))
}

/// How a span is written whose ends are joined in another way: `2026-12-24 - 2026-12-26`, `2026-12-24 to 2026-12-26`.
fn meant(text: &str) -> Option<String> {
    // Every place where it could be joined is tried.
    if text.len() > LONGEST {
        return None;
    }
    let joined = ["-", "–", "—", "/", "to", "until", "..."].into_iter().flat_map(|join| text.match_indices(join));
    let ends = joined.map(|(at, join)| (text[..at].trim(), text[at + join.len()..].trim()));
    let mut ends = ends.filter(|(from, to)| point(from, text).is_ok() && point(to, text).is_ok());
    ends.next().map(|(from, to)| format!("{from} .. {to}"))
}

/// A date, and the time of day if there is one.
fn point(text: &str, whole: &str) -> Result<(Date, Option<DateTime>), Fault> {
    let text = text.trim();
    let (date, clock) = text.split_once([' ', 'T']).map_or((text, None), |(date, clock)| (date, Some(clock.trim())));
    // Four digits, two and two: jiff reads other forms as well.
    let usual = date.len() == 10 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date = date.parse::<Date>().ok().filter(|_| usual);
    let within = if text == whole.trim() { String::new() } else { format!(" in `{}`", shortened(whole)) };
    let date = date.ok_or_else(|| (format!("`{}`{within} is not a date", shortened(text)), HELP.to_owned()))?;
    let Some(clock) = clock else { return Ok((date, None)) };
    let minute = time(clock, DAY)?;
    Ok((date, Some(start_of(date).saturating_add(i64::from(minute).minutes()))))
}

fn start_of(date: Date) -> DateTime {
    date.to_datetime(jiff::civil::Time::midnight())
}
