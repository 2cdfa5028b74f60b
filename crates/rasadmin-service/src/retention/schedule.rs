//! When the daily run is due.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rasadmin_policy::Millis;

/// The last due time before now, or now.
pub fn last(now: Millis, at: Time, zone: &TimeZone) -> Millis {
    let today = on_day(now, 0, at, zone);
    if today <= now { today } else { on_day(now, -1, at, zone) }
}

/// The next due time.
pub fn next(now: Millis, at: Time, zone: &TimeZone) -> Millis {
    let today = on_day(now, 0, at, zone);
    if today > now { today } else { on_day(now, 1, at, zone) }
}

/// So many days after today. A time that the clocks skip is moved to after the change; of one that they show twice, the
/// first counts.
fn on_day(now: Millis, days: i64, at: Time, zone: &TimeZone) -> Millis {
    let now = Timestamp::from_millisecond(now).unwrap_or_default();
    let date = zone.to_datetime(now).date().saturating_add(days.days());
    let due = zone.to_ambiguous_timestamp(date.to_datetime(at)).compatible();
    due.unwrap_or(now).as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> TimeZone {
        rasadmin_policy::config::time_zone("Europe/Berlin").unwrap()
    }

    fn millis(text: &str) -> Millis {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn it_is_due_once_a_day_at_the_zones_time() {
        let at = Time::constant(3, 0, 0, 0);
        let cases = [
            // now, the last, the next. 03:00 in Berlin is 02:00 UTC in winter.
            ("2026-11-23T01:59:59Z", "2026-11-22T02:00:00Z", "2026-11-23T02:00:00Z"),
            ("2026-11-23T02:00:00Z", "2026-11-23T02:00:00Z", "2026-11-24T02:00:00Z"),
            ("2026-11-23T23:30:00Z", "2026-11-23T02:00:00Z", "2026-11-24T02:00:00Z"),
        ];
        for (now, before, after) in cases {
            let now = millis(now);
            assert_eq!((last(now, at, &berlin()), next(now, at, &berlin())), (millis(before), millis(after)));
        }
    }

    #[test]
    fn clocks_that_change_neither_skip_nor_repeat_it() {
        let at = Time::constant(2, 30, 0, 0);
        // The clocks skip it on this day: at 02:00 they show 03:00.
        let spring = millis("2026-03-29T00:30:00Z");
        assert_eq!(next(spring, at, &berlin()), millis("2026-03-29T01:30:00Z"));
        // They show it twice on this day.
        let autumn = millis("2026-10-25T00:29:00Z");
        assert_eq!(next(autumn, at, &berlin()), millis("2026-10-25T00:30:00Z"));
        assert_eq!(next(millis("2026-10-25T01:29:00Z"), at, &berlin()), millis("2026-10-26T01:30:00Z"));
    }
}
