//! Leases: those that have not ended, and those that have ended and whose release is still to come.

use super::index::Index;
use super::table::{Entry, Slot, Table};
use crate::effect::{LeaseBegan, Origin};
use crate::now::{Id, Mono, Process, Stamp};
use crate::{Identity, Name};
use rasadmin_policy::addresses::{Address, Family};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::vec;

/// A lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Its identifier.
    pub id: Id,
    /// The address.
    pub address: Address,
    /// The user.
    pub user: Option<Identity>,
    /// The user's name as the address call passed it.
    pub user_name: Name,
    /// The port that it was given on.
    pub port: Name,
    /// Where the address came from.
    pub origin: Origin,
    /// When it began.
    pub began: Stamp,
    /// The process that gave it.
    pub process: Process,
    /// Who holds it.
    pub holding: Holding,
    /// It was released while its session is live.
    pub released: bool,
}

/// Who holds a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holding {
    /// It waits for a connection, at most until this time; `None` until its release or its port's next use.
    Waiting(Option<Mono>),
    /// A live session has it.
    Session(Id),
    /// Its session has ended. It waits for its release or its port's next use, at most until this time.
    Ended(Id, Option<Mono>),
}

impl Lease {
    pub(super) fn new(began: &LeaseBegan) -> Self {
        Self {
            id: began.lease,
            address: began.address,
            user: began.user.clone(),
            user_name: began.user_name.clone(),
            port: began.port.clone(),
            origin: began.origin,
            began: began.at,
            process: began.process,
            holding: Holding::Waiting(began.until),
            released: false,
        }
    }

    /// The session that has or had it.
    pub const fn session(&self) -> Option<Id> {
        match self.holding {
            Holding::Waiting(_) => None,
            Holding::Session(id) | Holding::Ended(id, _) => Some(id),
        }
    }

    /// Does it wait for a connection?
    pub const fn waits(&self) -> bool {
        matches!(self.holding, Holding::Waiting(_))
    }

    /// When it ends if nothing happens.
    pub(super) const fn until(&self) -> Option<Mono> {
        match self.holding {
            Holding::Waiting(until) | Holding::Ended(_, until) => until,
            Holding::Session(_) => None,
        }
    }
}

impl Entry for Lease {
    fn order(&self, other: &Self) -> Ordering {
        (self.began.mono, self.id).cmp(&(other.began.mono, other.id))
    }
}

/// All leases, with their indexes.
#[derive(Clone, Debug, Default)]
pub(super) struct Leases {
    all: Table<Lease>,
    by_id: Index,
    at: HashMap<Address, Slot>,
    on: Index,
    of_session: Index,
    /// At most one for each port and family.
    owed: Table<Lease>,
    owed_on: Index,
}

impl Leases {
    /// Loads a checkpoint.
    pub(super) fn load(leases: Table<Lease>, owed: Table<Lease>) -> Self {
        let mut all = Self { all: leases, owed, ..Self::default() };
        let Self { all: leases, by_id, at, on, of_session, owed, owed_on } = &mut all;
        let many = leases.len();
        for index in [&mut *by_id, &mut *on, &mut *of_session] {
            index.reserve(many);
        }
        at.reserve(many);
        for (slot, lease) in leases.iter() {
            by_id.insert(&lease.id, slot);
            if at.get(&lease.address).and_then(|at| leases.get(*at)).is_none_or(|other| other.order(lease).is_lt()) {
                at.insert(lease.address, slot);
            }
            // Ports without a name do not count as one port.
            if !lease.port.is_empty() {
                on.insert(&lease.port, slot);
            }
            if let Some(session) = lease.session() {
                of_session.insert(&session, slot);
            }
        }
        for (slot, lease) in owed.iter() {
            owed_on.insert(&(&lease.port, lease.address.family), slot);
        }
        all
    }

    pub(super) const fn tables(&self) -> (&Table<Lease>, &Table<Lease>) {
        (&self.all, &self.owed)
    }

    fn slot(&self, id: Id) -> Option<Slot> {
        self.by_id.find(&id).find(|slot| self.all.get(*slot).is_some_and(|lease| lease.id == id))
    }

    /// In the order of their beginning.
    fn some(&self, slots: impl Iterator<Item = Slot>, is: impl Fn(&Lease) -> bool) -> vec::IntoIter<&Lease> {
        let mut some: Vec<_> = slots.filter_map(|slot| self.all.get(slot)).filter(|lease| is(lease)).collect();
        some.sort_unstable_by(|one, other| one.order(other));
        some.into_iter()
    }

    pub(super) fn get(&self, id: Id) -> Option<&Lease> {
        self.all.get(self.slot(id)?)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Lease> {
        self.all.iter().map(|(_, lease)| lease)
    }

    pub(super) fn at(&self, address: Address) -> Option<&Lease> {
        self.at.get(&address).and_then(|slot| self.all.get(*slot))
    }

    pub(super) fn on(&self, port: &Name) -> impl Iterator<Item = &Lease> {
        self.some(self.on.find(port), |lease| lease.port == *port)
    }

    pub(super) fn of_session(&self, session: Id) -> impl Iterator<Item = &Lease> {
        self.some(self.of_session.find(&session), |lease| lease.session() == Some(session))
    }

    fn owed_slot(&self, port: &Name, family: Family) -> Option<Slot> {
        let is = |lease: &Lease| lease.port == *port && lease.address.family == family;
        self.owed_on.find(&(port, family)).find(|slot| self.owed.get(*slot).is_some_and(is))
    }

    pub(super) fn owed(&self, port: &Name, family: Family) -> Option<&Lease> {
        self.owed.get(self.owed_slot(port, family)?)
    }

    pub(super) fn held_addresses(&self) -> impl Iterator<Item = Address> {
        self.at.keys().copied()
    }

    /// Inserts a lease, in place of one with the same identifier.
    pub(super) fn insert(&mut self, lease: Lease) {
        self.take(lease.id);
        let (id, address, session) = (lease.id, lease.address, lease.session());
        let port = Some(lease.port.clone()).filter(|port| !port.is_empty());
        let slot = self.all.insert(lease);
        self.by_id.insert(&id, slot);
        self.at.insert(address, slot);
        if let Some(port) = port {
            self.on.insert(&port, slot);
        }
        if let Some(session) = session {
            self.of_session.insert(&session, slot);
        }
    }

    /// Changes a lease, except its address and port. Returns the changed lease.
    pub(super) fn change(&mut self, id: Id, change: impl FnOnce(&mut Lease)) -> Option<&Lease> {
        let slot = self.slot(id)?;
        let lease = self.all.get_mut(slot)?;
        let before = lease.session();
        change(lease);
        let after = lease.session();
        if before != after {
            if let Some(before) = before {
                self.of_session.remove(&before, slot);
            }
            if let Some(after) = after {
                self.of_session.insert(&after, slot);
            }
        }
        self.all.get(slot)
    }

    pub(super) fn take(&mut self, id: Id) -> Option<Lease> {
        let slot = self.slot(id)?;
        let lease = self.all.remove(slot)?;
        self.by_id.remove(&id, slot);
        if let Some(session) = lease.session() {
            self.of_session.remove(&session, slot);
        }
        self.on.remove(&lease.port, slot);
        if self.at.get(&lease.address) == Some(&slot) {
            self.at.remove(&lease.address);
        }
        Some(lease)
    }

    /// Takes all leases out, and expects no more releases.
    pub(super) fn take_all(&mut self) -> Table<Lease> {
        std::mem::take(self).all
    }

    /// Expects the release of a lease that has ended. Of two leases on a port, only the later one's is expected: it is
    /// the one that could be mistaken for a newer lease's.
    pub(super) fn owe(&mut self, lease: Lease) {
        let family = lease.address.family;
        if let Some(other) = self.owed_slot(&lease.port, family).and_then(|slot| self.owed.get_mut(slot)) {
            if other.began.mono <= lease.began.mono {
                *other = lease;
            }
        } else {
            let port = lease.port.clone();
            let slot = self.owed.insert(lease);
            self.owed_on.insert(&(&port, family), slot);
        }
    }

    pub(super) fn settle(&mut self, port: &Name, family: Family, lease: Id) {
        let Some(slot) = self.owed_slot(port, family) else { return };
        if self.owed.get(slot).is_some_and(|owed| owed.id == lease) {
            self.owed.remove(slot);
            self.owed_on.remove(&(port, family), slot);
        }
    }
}
