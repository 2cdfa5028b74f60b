//! An axis of time of any length: full minutes, hours or days of a time zone.

use jiff::ToSpan;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use rasadmin_answers::show;
use rasadmin_policy::Millis;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

/// At most so many words fit below a chart.
const MOST: Millis = 8;

/// An axis of time.
pub struct TimeAxis<'z> {
    /// The times with words below them, and the words.
    pub ticks: Vec<(Millis, String)>,
    zone: &'z TimeZone,
    /// Does it go beyond one day?
    has_days: bool,
}

impl<'z> TimeAxis<'z> {
    /// The axis of a period.
    pub fn of(first: Millis, last: Millis, zone: &'z TimeZone) -> Self {
        let day = |time| zone.to_datetime(show::at(time)).date();
        let mut axis = Self { ticks: Vec::new(), zone, has_days: day(first) != day(last) };
        let steps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360].map(|minutes| minutes * MINUTE);
        let times = match steps.into_iter().find(|step| (last - first) / step <= MOST) {
            Some(step) => axis.full(first, last, step),
            None => axis.days(day(first), last),
        };
        axis.ticks = times.into_iter().filter(|time| *time >= first).map(|time| (time, axis.words(time))).collect();
        axis
    }

    /// A part of the period in words, with days if they are not clear: `10:05 to 10:10`, `23 Nov 23:58 to 24 Nov 00:03`.
    pub fn part(&self, from: Millis, to: Millis) -> String {
        let [from, to] = [from, to].map(|time| self.zone.to_datetime(show::at(time)));
        let words = |local: jiff::civil::DateTime, with_day| {
            local.strftime(if with_day { "%-d %b %H:%M" } else { "%H:%M" }).to_string()
        };
        format!("{} to {}", words(from, self.has_days), words(to, from.date() != to.date()))
    }

    /// At midnight the new day, if there are several.
    fn words(&self, time: Millis) -> String {
        let local = self.zone.to_datetime(show::at(time));
        let is_new_day = self.has_days && local.time() == Time::midnight();
        local.strftime(if is_new_day { "%-d %b" } else { "%H:%M" }).to_string()
    }

    /// Full steps, counted from midnight.
    fn full(&self, first: Millis, last: Millis, step: Millis) -> Vec<Millis> {
        let offset = Millis::from(self.zone.to_offset(show::at(first)).seconds()) * 1000;
        let begin = (first + offset).div_euclid(step) * step - offset;
        (0..=MOST + 1).map(|at| begin + at * step).take_while(|time| *time <= last).collect()
    }

    /// Midnights, a few days apart.
    fn days(&self, first: Date, last: Millis) -> Vec<Millis> {
        let midnight = |days: i64| {
            let date = first.checked_add(days.days()).ok()?;
            Some(self.zone.to_zoned(date.to_datetime(Time::midnight())).ok()?.timestamp().as_millisecond())
        };
        let begin = midnight(0).unwrap_or(last);
        let apart = ((last - begin) / DAY).div_euclid(MOST) + 1;
        (0..=MOST).map_while(|at| midnight(at * apart)).take_while(|time| *time <= last).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn words(first: &str, last: &str, zone: &str) -> String {
        let zone = TimeZone::posix(zone).unwrap();
        let time = |text: &str| zone.to_zoned(text.parse().unwrap()).unwrap().timestamp().as_millisecond();
        let axis = TimeAxis::of(time(first), time(last), &zone);
        axis.ticks.into_iter().map(|(_, words)| words).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn full_minutes_hours_or_days_are_on_the_axis() {
        let of = |first, last| words(first, last, "UTC0");
        assert_eq!(of("2026-11-23T08:58:30", "2026-11-23T09:02:00"), "08:59 09:00 09:01 09:02");
        assert_eq!(of("2026-11-23T08:10", "2026-11-23T10:00"), "08:15 08:30 08:45 09:00 09:15 09:30 09:45 10:00");
        assert_eq!(
            of("2026-11-23T20:30", "2026-11-24T05:00"),
            "21:00 22:00 23:00 24 Nov 01:00 02:00 03:00 04:00 05:00"
        );
        assert_eq!(of("2026-11-23T08:00", "2026-11-27T08:00"), "24 Nov 25 Nov 26 Nov 27 Nov");
        assert_eq!(of("2026-11-23T08:00", "2026-12-20T08:00"), "27 Nov 1 Dec 5 Dec 9 Dec 13 Dec 17 Dec");
    }

    #[test]
    fn an_axis_is_in_the_time_of_its_zone() {
        assert_eq!(
            words("2026-11-23T08:10", "2026-11-23T09:20", "IST-5:30"),
            "08:10 08:20 08:30 08:40 08:50 09:00 09:10 09:20"
        );
        // A day of 25 hours.
        let long = words("2026-10-24T12:00", "2026-11-05T12:00", "CET-1CEST,M3.5.0,M10.5.0/3");
        assert_eq!(long, "26 Oct 28 Oct 30 Oct 1 Nov 3 Nov 5 Nov");
    }

    #[test]
    fn a_part_has_its_days_only_if_there_are_several() {
        let part = |last, to| TimeAxis::of(0, last, &TimeZone::UTC).part(HOUR, to);
        assert_eq!(part(2 * HOUR, 2 * HOUR), "01:00 to 02:00");
        assert_eq!(part(2 * DAY, 2 * HOUR), "1 Jan 01:00 to 02:00");
        assert_eq!(part(2 * DAY, DAY), "1 Jan 01:00 to 2 Jan 00:00");
    }

    #[test]
    fn an_axis_of_any_length_has_few_words() {
        for last in [0, 1, MINUTE, 400 * DAY, 100_000 * DAY] {
            assert!(TimeAxis::of(0, last, &TimeZone::UTC).ticks.len() < 11, "{last}");
        }
    }
}
