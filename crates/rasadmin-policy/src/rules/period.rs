//! Days, weeks and months on the calendar of a time zone.
//!
//! A day begins with the first moment at which the zone's clocks show its date; after a change of the clocks that may
//! be 01:00. A day may have 23 or 25 hours, or none if a zone skipped it at the date line.

use super::Period;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use std::iter::FusedIterator;

/// The most days that a session is split into (ten years). Only a wrong clock makes a session longer, and then its
/// last days are the right ones.
pub const MAX_DAYS: i64 = 3_660;

/// The start of the day, week (from Monday) or month of a moment.
pub fn period_start(period: Period, time: Timestamp, zone: &TimeZone) -> Timestamp {
    day_start(dates(period, time, zone).0, zone)
}

/// The first and the last date of the day, week or month of a moment, like `2026-03-29`.
pub fn period_dates(period: Period, time: Timestamp, zone: &TimeZone) -> (String, String) {
    let (first, last) = dates(period, time, zone);
    (first.to_string(), last.to_string())
}

/// Splits the time between two moments at every midnight: each date (`2026-03-29`) with its seconds, in order, without
/// days that have none. Fractions of a second are dropped at both ends. Returns nothing if `stop` is not after
/// `start`, and only the last [`MAX_DAYS`] days of a longer time.
pub fn days_between(start: Timestamp, stop: Timestamp, zone: &TimeZone) -> Days<'_> {
    let stop = stop.as_second();
    let from = start.as_second().max(stop.saturating_sub(MAX_DAYS * 86_400));
    let date = Timestamp::from_second(from).map_or(Date::MIN, |from| date_of(from, zone));
    Days { zone, date: Some(date), from, stop }
}

/// See [`days_between`].
#[derive(Clone, Debug)]
pub struct Days<'z> {
    zone: &'z TimeZone,
    date: Option<Date>,
    from: i64,
    stop: i64,
}

impl Iterator for Days<'_> {
    type Item = (String, u64);

    fn next(&mut self) -> Option<Self::Item> {
        while self.from < self.stop {
            let date = self.date?;
            self.date = date.tomorrow().ok();
            let end = self.date.map_or(self.stop, |next| day_start(next, self.zone).as_second()).min(self.stop);
            let seconds = u64::try_from(end - self.from).unwrap_or(0);
            if seconds > 0 {
                self.from = end;
                return Some((date.to_string(), seconds));
            }
        }
        None
    }
}

impl FusedIterator for Days<'_> {}

fn dates(period: Period, time: Timestamp, zone: &TimeZone) -> (Date, Date) {
    let date = date_of(time, zone);
    match period {
        Period::Day => (date, date),
        Period::Week => {
            let monday = i64::from(date.weekday().to_monday_zero_offset());
            let day = |days: i64| date.saturating_add(jiff::Span::new().days(days));
            (day(-monday), day(6 - monday))
        }
        Period::Month => (date.first_of_month(), date.last_of_month()),
    }
}

/// The day of a moment. If clocks went back over midnight (St. John's did at 00:01), they show yesterday's date again,
/// but the day that has begun goes on.
fn date_of(time: Timestamp, zone: &TimeZone) -> Date {
    let shown = zone.to_datetime(time).date();
    match shown.tomorrow() {
        Ok(next) if day_start(next, zone) <= time => next,
        _ => shown,
    }
}

/// The first moment at which the clocks show a date, or a later date if it was skipped.
fn day_start(date: Date, zone: &TimeZone) -> Timestamp {
    moment(date.to_datetime(jiff::civil::Time::midnight()), Shown::First, zone)
}

/// Which of two moments is meant, if the clocks go back and show a time twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    First,
    Last,
}

/// The moment at which the clocks show a time. If they go forward over it, the moment of that change.
pub(crate) fn moment(clock: DateTime, shown: Shown, zone: &TimeZone) -> Timestamp {
    let moment = match zone.to_ambiguous_timestamp(clock).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(clock),
        AmbiguousOffset::Fold { before, after } => {
            if shown == Shown::First {
                before.to_timestamp(clock)
            } else {
                after.to_timestamp(clock)
            }
        }
        AmbiguousOffset::Gap { before, .. } => before.to_timestamp(clock).map(|after| {
            let just_after = after.saturating_add(jiff::SignedDuration::from_secs(1)).unwrap_or(after);
            zone.preceding(just_after).next().map_or(after, |change| change.timestamp())
        }),
    };
    // Only at the limits of jiff's range.
    moment.unwrap_or(if clock.year() < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
