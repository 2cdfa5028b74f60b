//! Stretches of the week by the wall clock.

use jiff::civil::DateTime;

/// Minutes of a day.
pub const DAY: u16 = 24 * 60;
const WEEK: u16 = 7 * DAY;

/// A time span on certain days, from Monday on, from one minute of the day to another. If it ends before it begins, it
/// runs into the next day. Begin and end are never equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The days on which it begins.
    pub days: [bool; 7],
    /// The first minute, below [`DAY`].
    pub from: u16,
    /// The first minute after it, at most [`DAY`].
    pub to: u16,
}

/// A set of minutes of the week, from Monday 00:00: disjoint ranges in ascending order, without their ends.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Week(Box<[(u16, u16)]>);

impl Week {
    /// Does the set contain this minute of the week?
    pub(super) fn contains(&self, minute: u16) -> bool {
        let after = self.0.partition_point(|&(from, _)| from <= minute);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|&(_, to)| minute < to)
    }

    /// The minutes of these stretches.
    pub(super) fn new(stretches: &[Stretch]) -> Self {
        let mut minutes = Vec::new();
        for &Stretch { days, from, to } in stretches {
            for day in (0..7).filter(|day| days[usize::from(*day)]) {
                let begin = day * DAY + from;
                let end = day * DAY + to + if to < from { DAY } else { 0 };
                minutes.push((begin, end.min(WEEK)));
                if end > WEEK {
                    minutes.push((0, end - WEEK)); // Sunday's night runs into Monday.
                }
            }
        }
        Self(merged(minutes))
    }
}

/// Do these stretches leave out no minute of the week?
pub(crate) fn are_whole_week(stretches: &[Stretch]) -> bool {
    *Week::new(stretches).0 == [(0, WEEK)]
}

/// The minute of the week that a wall clock shows.
pub(super) fn minute_of_week(clock: DateTime) -> u16 {
    let day = u16::from(clock.weekday().to_monday_zero_offset().unsigned_abs());
    day * DAY + u16::from(clock.hour().unsigned_abs()) * 60 + u16::from(clock.minute().unsigned_abs())
}

fn merged(mut ranges: Vec<(u16, u16)>) -> Box<[(u16, u16)]> {
    ranges.sort_unstable();
    ranges.dedup_by(|next, last| {
        let meet = next.0 <= last.1;
        if meet {
            last.1 = last.1.max(next.1);
        }
        meet
    });
    ranges.into()
}
