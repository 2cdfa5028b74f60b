//! Leases that have not ended, and those that have and whose release is still to come.

use super::session::{add, remove};
use crate::effect::{LeaseBegan, Origin};
use crate::now::{Id, Mono, Process, Stamp};
use crate::{Identity, Name};
use rasadmin_policy::addresses::{Address, Family};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Its identifier.
    pub id: Id,
    /// Which address.
    pub address: Address,
    /// Whose.
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
    /// It was released while its session lives.
    pub released: bool,
}

/// Who holds a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holding {
    /// It waits for a connection, until then; None: until its release or its port's next use.
    Waiting(Option<Mono>),
    /// A live session has it.
    Session(Id),
    /// Its session has ended; it waits for its release, or its port's next use, or until then.
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

    /// The session that has it, or had it.
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

/// All of them, with their indexes.
#[derive(Clone, Debug, Default)]
pub(super) struct Leases {
    all: HashMap<Id, Lease>,
    at: HashMap<Address, Id>,
    on: HashMap<Name, Vec<Id>>,
    of_session: HashMap<Id, Vec<Id>>,
    /// At most one a port and family.
    owed: HashMap<(Name, Family), Lease>,
}

impl Leases {
    /// The index's own order is that of their beginning.
    fn some<'a>(&'a self, ids: Option<&'a Vec<Id>>) -> impl Iterator<Item = &'a Lease> {
        ids.into_iter().flatten().filter_map(|id| self.all.get(id))
    }

    pub(super) fn get(&self, id: Id) -> Option<&Lease> {
        self.all.get(&id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Lease> {
        self.all.values()
    }

    pub(super) fn at(&self, address: Address) -> Option<&Lease> {
        self.at.get(&address).and_then(|id| self.all.get(id))
    }

    pub(super) fn on(&self, port: &Name) -> impl Iterator<Item = &Lease> {
        self.some(self.on.get(port))
    }

    pub(super) fn of_session(&self, session: Id) -> impl Iterator<Item = &Lease> {
        self.some(self.of_session.get(&session))
    }

    pub(super) fn owed(&self, port: &Name, family: Family) -> Option<&Lease> {
        self.owed.get(&(port.clone(), family))
    }

    pub(super) fn all_owed(&self) -> impl Iterator<Item = &Lease> {
        self.owed.values()
    }

    pub(super) fn held_addresses(&self) -> impl Iterator<Item = Address> {
        self.at.keys().copied()
    }

    /// So many leases will be inserted.
    pub(super) fn reserve(&mut self, leases: usize) {
        self.all.reserve(leases);
        self.at.reserve(leases);
        self.on.reserve(leases);
        self.of_session.reserve(leases);
    }

    pub(super) fn insert(&mut self, lease: Lease) {
        let (id, port) = (lease.id, lease.port.clone());
        self.at.insert(lease.address, id);
        self.index(lease);
        // Ports without a name are not one port.
        if !port.is_empty() {
            add(&mut self.on, port, id, |id| self.all.get(&id).map(|lease| lease.began.mono));
        }
    }

    fn index(&mut self, lease: Lease) {
        let (id, session) = (lease.id, lease.session());
        self.all.insert(id, lease);
        if let Some(session) = session {
            add(&mut self.of_session, session, id, |id| self.all.get(&id).map(|lease| lease.began.mono));
        }
    }

    fn unindex(&mut self, lease: &Lease) {
        if let Some(session) = lease.session() {
            remove(&mut self.of_session, &session, lease.id);
        }
    }

    /// Address and port stay.
    pub(super) fn change(&mut self, id: Id, change: impl FnOnce(&mut Lease)) {
        let Some(mut lease) = self.all.remove(&id) else { return };
        self.unindex(&lease);
        change(&mut lease);
        self.index(lease);
    }

    pub(super) fn take(&mut self, id: Id) -> Option<Lease> {
        let lease = self.all.remove(&id)?;
        self.unindex(&lease);
        remove(&mut self.on, &lease.port, id);
        if self.at.get(&lease.address) == Some(&id) {
            self.at.remove(&lease.address);
        }
        Some(lease)
    }

    /// Of two leases on a port, the later one's release is awaited: it is the one that could be mistaken for a newer lease's.
    pub(super) fn owe(&mut self, lease: Lease) {
        let key = (lease.port.clone(), lease.address.family);
        if self.owed.get(&key).is_none_or(|other| other.began.mono <= lease.began.mono) {
            self.owed.insert(key, lease);
        }
    }

    pub(super) fn settle(&mut self, port: &Name, family: Family, lease: Id) {
        let key = (port.clone(), family);
        if self.owed.get(&key).is_some_and(|owed| owed.id == lease) {
            self.owed.remove(&key);
        }
    }

    pub(super) fn settle_all(&mut self) {
        self.owed.clear();
    }
}
