//! What the counters of live sessions have counted.

use super::index::Index;
use super::table::{Entry, Slot, Table};
use crate::counters::Counted;
use crate::now::Id;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// What one session's counters have counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CountedOf(Id, Counted);

impl Entry for CountedOf {
    fn order(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

/// What the counters of all live sessions have counted, as far as looks were recorded.
#[derive(Clone, Debug, Default)]
pub(super) struct CountedOfAll {
    all: Table<CountedOf>,
    by_session: Index,
}

impl CountedOfAll {
    /// Loads a checkpoint.
    pub(super) fn load(all: Table<CountedOf>) -> Self {
        let mut by_session = Index::default();
        by_session.reserve(all.len());
        for (slot, CountedOf(session, _)) in all.iter() {
            by_session.insert(session, slot);
        }
        Self { all, by_session }
    }

    pub(super) const fn table(&self) -> &Table<CountedOf> {
        &self.all
    }

    fn slot(&self, session: Id) -> Option<Slot> {
        self.by_session.find(&session).find(|slot| self.all.get(*slot).is_some_and(|CountedOf(of, _)| *of == session))
    }

    pub(super) fn of(&self, session: Id) -> Option<Counted> {
        self.slot(session).and_then(|slot| self.all.get(slot)).map(|CountedOf(_, counted)| *counted)
    }

    pub(super) fn set(&mut self, session: Id, counted: Counted) {
        match self.slot(session).and_then(|slot| self.all.get_mut(slot)) {
            Some(CountedOf(_, of)) => *of = counted,
            None => {
                let slot = self.all.insert(CountedOf(session, counted));
                self.by_session.insert(&session, slot);
            }
        }
    }

    /// Forgets a session, because it has ended.
    pub(super) fn forget(&mut self, session: Id) {
        if let Some(slot) = self.slot(session) {
            self.all.remove(slot);
            self.by_session.remove(&session, slot);
        }
    }

    /// Forgets all sessions.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
