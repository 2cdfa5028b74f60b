//! What each user has used in the present day, week and month.

use super::index::Index;
use super::table::{Entry, Slot, Table};
use crate::Identity;
use crate::config::file::Period;
use crate::effect::{Accumulated, DayUse, Labels, Sums};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// The label of a day, a week or a month.
pub const fn period_label(period: Period, labels: Labels) -> i32 {
    match period {
        Period::Day => labels.day,
        Period::Week => labels.week,
        Period::Month => labels.month,
    }
}

const PERIODS: [Period; 3] = [Period::Day, Period::Week, Period::Month];

/// A user's use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UseOf(Identity, [Accumulated; 3]);

impl Entry for UseOf {
    fn order(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

/// The use of all users.
#[derive(Clone, Debug, Default)]
pub(super) struct UseOfAll {
    all: Table<UseOf>,
    by_user: Index,
}

const fn sums(day: &DayUse) -> Sums {
    Sums { seconds: day.seconds, octets: day.input_octets.saturating_add(day.output_octets) }
}

/// The sums of these days for their last two periods. No more is kept.
fn last_two(period: Period, days: &[DayUse]) -> impl Iterator<Item = (i32, Sums)> {
    let mut all = Accumulated::default();
    for day in days {
        let label = period_label(period, day.labels);
        if all.reaches(label) {
            all.add(label, sums(day));
        }
    }
    all.entries()
}

/// A session's use by days, after its counters have counted so many octets in all.
pub(super) fn with_octets(used: &[DayUse], octets: [u64; 2], today: Labels) -> Vec<DayUse> {
    let mut days = used.to_vec();
    let sum = DayUse::octets(used);
    let more = [octets[0].saturating_sub(sum[0]), octets[1].saturating_sub(sum[1])];
    if more == [0, 0] {
        return days;
    }
    match days.iter_mut().find(|day| day.labels == today) {
        Some(day) => (day.input_octets, day.output_octets) = (day.input_octets + more[0], day.output_octets + more[1]),
        None => days.push(DayUse { labels: today, seconds: 0, input_octets: more[0], output_octets: more[1] }),
    }
    days
}

impl UseOfAll {
    /// Loads a checkpoint.
    pub(super) fn load(all: Table<UseOf>) -> Self {
        let mut by_user = Index::default();
        by_user.reserve(all.len());
        for (slot, UseOf(user, _)) in all.iter() {
            by_user.insert(user, slot);
        }
        Self { all, by_user }
    }

    pub(super) const fn table(&self) -> &Table<UseOf> {
        &self.all
    }

    /// Reserves room for so many more users.
    pub(super) fn reserve(&mut self, users: usize) {
        self.by_user.reserve(users);
    }

    fn slot(&self, user: &Identity) -> Option<Slot> {
        self.by_user.find(user).find(|slot| self.all.get(*slot).is_some_and(|UseOf(of, _)| of == user))
    }

    pub(super) fn of(&self, user: &Identity, period: Period, label: i32) -> Sums {
        let all = self.slot(user).and_then(|slot| self.all.get(slot));
        all.map_or(Sums::default(), |UseOf(_, all)| all[period as usize].of(label))
    }

    fn change(&mut self, user: &Identity, change: impl FnOnce(&mut [Accumulated; 3])) {
        match self.slot(user).and_then(|slot| self.all.get_mut(slot)) {
            Some(UseOf(_, all)) => change(all),
            None => {
                let mut all = Default::default();
                change(&mut all);
                let slot = self.all.insert(UseOf(user.clone(), all));
                self.by_user.insert(user, slot);
            }
        }
    }

    /// Replaces a session's use.
    pub(super) fn replace(&mut self, user: &Identity, before: &[DayUse], now: &[DayUse]) {
        if before.is_empty() && now.is_empty() {
            return;
        }
        self.change(user, |all| {
            for (period, accumulated) in PERIODS.into_iter().zip(all) {
                for (label, sums) in last_two(period, before) {
                    accumulated.take(label, sums);
                }
                for (label, sums) in last_two(period, now) {
                    accumulated.add(label, sums);
                }
            }
        });
    }

    /// Sets a user's use, including that of live sessions.
    pub(super) fn carry(&mut self, user: &Identity, sums: [Accumulated; 3]) {
        self.change(user, |all| *all = sums);
    }

    pub(super) fn knows(&self, user: &Identity) -> bool {
        self.slot(user).is_some()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&Identity, &[Accumulated; 3])> {
        self.all.iter().map(|(_, UseOf(user, all))| (user, all))
    }

    /// Forgets what lies before a day: whole days, and weeks and months that ended before it.
    pub(super) fn forget(&mut self, labels: Labels, user: Option<&Identity>) {
        let slots: Vec<Slot> = match user {
            Some(user) => self.slot(user).into_iter().collect(),
            None => self.all.iter().map(|(slot, _)| slot).collect(),
        };
        for slot in slots {
            let Some(UseOf(_, all)) = self.all.get_mut(slot) else { continue };
            for (period, accumulated) in PERIODS.into_iter().zip(all.iter_mut()) {
                accumulated.forget_before(period_label(period, labels));
            }
            if all.iter().all(Accumulated::is_empty)
                && let Some(UseOf(user, _)) = self.all.remove(slot)
            {
                self.by_user.remove(&user, slot);
            }
        }
    }
}
