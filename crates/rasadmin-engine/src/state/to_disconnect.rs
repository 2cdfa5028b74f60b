//! Live sessions that are to be disconnected.

use super::index::Index;
use super::table::{Entry, Slot, Table};
use crate::effect::DisconnectDecided;
use crate::now::Id;
use std::cmp::Ordering;

impl Entry for DisconnectDecided {
    fn order(&self, other: &Self) -> Ordering {
        self.session.cmp(&other.session)
    }
}

/// What was decided last for each of them.
#[derive(Clone, Debug, Default)]
pub(super) struct ToDisconnect {
    all: Table<DisconnectDecided>,
    by_session: Index,
}

impl ToDisconnect {
    /// Loads a checkpoint.
    pub(super) fn load(all: Table<DisconnectDecided>) -> Self {
        let mut by_session = Index::default();
        by_session.reserve(all.len());
        for (slot, decided) in all.iter() {
            by_session.insert(&decided.session, slot);
        }
        Self { all, by_session }
    }

    pub(super) const fn table(&self) -> &Table<DisconnectDecided> {
        &self.all
    }

    fn slot(&self, session: Id) -> Option<Slot> {
        self.by_session.find(&session).find(|slot| self.all.get(*slot).is_some_and(|of| of.session == session))
    }

    pub(super) fn of(&self, session: Id) -> Option<&DisconnectDecided> {
        self.slot(session).and_then(|slot| self.all.get(slot))
    }

    pub(super) fn set(&mut self, decided: DisconnectDecided) {
        match self.slot(decided.session).and_then(|slot| self.all.get_mut(slot)) {
            Some(of) => *of = decided,
            None => {
                let session = decided.session;
                let slot = self.all.insert(decided);
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
