//! Days of the configured time zone, as numbers.

use crate::config::file::Period;
use crate::effect::{Day, Labels};
use crate::{Millis, timestamp};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use rasadmin_policy::rules::{days_between, period_dates};

/// Days since 1970-01-01.
fn number(day: Date) -> i32 {
    day.since(date(1970, 1, 1)).map_or(0, |span| span.get_days())
}

fn labels(day: Date) -> Labels {
    let number_of_day = number(day);
    let monday = number_of_day - i32::from(day.weekday().to_monday_zero_offset());
    Labels { day: number_of_day, week: monday, month: number(day.first_of_month()) }
}

fn parsed(text: &str) -> Date {
    text.parse().unwrap_or(Date::ZERO)
}

/// The date of a label, like `2026-11-23`.
pub fn date_of_label(label: i32) -> String {
    let span = jiff::Span::new().try_days(label).unwrap_or_default();
    date(1970, 1, 1).saturating_add(span).to_string()
}

/// The day, week and month of a moment.
pub fn labels_at(time: Millis, zone: &TimeZone) -> Labels {
    labels(parsed(&period_dates(Period::Day, timestamp(time), zone).0))
}

/// Splits the time between two moments by days, in order: each day with its seconds.
pub(crate) fn days_of(from: Millis, to: Millis, zone: &TimeZone) -> impl Iterator<Item = (Labels, u64)> + '_ {
    days_between(timestamp(from), timestamp(to), zone).map(|(day, seconds)| (labels(parsed(&day)), seconds))
}

/// Splits the time between two moments by days: the first moment of each day.
pub(crate) fn day_starts(from: Millis, to: Millis, zone: &TimeZone) -> Vec<Day> {
    let mut days = Vec::new();
    let mut begins = from;
    for (labels, seconds) in days_of(from, to, zone) {
        days.push(Day { begins, labels });
        begins = begins.saturating_add(Millis::try_from(seconds).unwrap_or(0).saturating_mul(1000));
    }
    if days.is_empty() {
        days.push(Day { begins: from, labels: labels_at(to, zone) });
    }
    days
}
