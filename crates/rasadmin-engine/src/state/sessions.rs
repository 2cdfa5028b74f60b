//! All live sessions and their indexes, and the sessions that were closed without a hangup.

use super::index::Index;
use super::live::Live;
use super::session::{Closed, Link, Session};
use super::table::{Entry, Slot, Table};
use crate::effect::ClosedBy;
use crate::now::{Id, Mono, Stamp};
use crate::{Identity, Name, Tunnel};
use rasadmin_policy::addresses::Address;
use std::collections::{BTreeSet, HashMap};
use std::vec;

/// All sessions, with their indexes.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions {
    live: Live,
    indexes: Indexes,
    closed: Table<Closed>,
    closed_by_id: Index,
    closed_by_handle: Index,
    /// In the order in which they were closed.
    closed_at: BTreeSet<(Mono, Id)>,
}

/// Finds live sessions.
#[derive(Clone, Debug, Default)]
struct Indexes {
    by_id: Index,
    by_handle: Index,
    by_guid: Index,
    by_user: Index,
    /// The session whose link came up last.
    on_port: HashMap<Name, Slot>,
    /// By the port of the first link, or of the projection's lease.
    by_first_port: Index,
    /// By the addresses that the projection named. It names the server's own address in every session, so many
    /// sessions share one entry: never go through them one by one.
    by_projected: BTreeSet<(Address, Slot)>,
    /// How many sessions may have any address.
    may_have_any: usize,
}

/// Ports without a name do not count as one port.
fn named(port: Option<&Name>) -> Option<&Name> {
    port.filter(|port| !port.is_empty())
}

impl Indexes {
    /// Adds a session to all indexes except those of its projected addresses and of its links' ports.
    fn insert(&mut self, slot: Slot, session: &Session) {
        self.may_have_any += usize::from(session.may_have_any_address());
        self.by_id.insert(&session.id, slot);
        self.by_handle.insert(&session.handle, slot);
        if let Some(guid) = &session.guid {
            self.by_guid.insert(guid, slot);
        }
        if let Some(user) = &session.user {
            self.by_user.insert(user, slot);
        }
        if let Some(port) = named(session.port.as_ref()) {
            self.by_first_port.insert(port, slot);
        }
    }

    fn remove(&mut self, slot: Slot, session: &Session) {
        self.may_have_any -= usize::from(session.may_have_any_address());
        self.by_id.remove(&session.id, slot);
        self.by_handle.remove(&session.handle, slot);
        if let Some(guid) = &session.guid {
            self.by_guid.remove(guid, slot);
        }
        if let Some(user) = &session.user {
            self.by_user.remove(user, slot);
        }
        if let Some(port) = named(session.port.as_ref()) {
            self.by_first_port.remove(port, slot);
        }
        for address in &session.projected {
            self.by_projected.remove(&(*address, slot));
        }
        for link in &session.links {
            self.is_off_port(&link.port, slot);
        }
    }

    fn is_on_port(&mut self, port: &Name, slot: Slot) {
        if !port.is_empty() {
            self.on_port.insert(port.clone(), slot);
        }
    }

    fn is_off_port(&mut self, port: &Name, slot: Slot) {
        if self.on_port.get(port) == Some(&slot) {
            self.on_port.remove(port);
        }
    }
}

impl Sessions {
    /// Loads a checkpoint.
    pub(super) fn load(live: Table<Session>, closed: Table<Closed>) -> Self {
        let mut all = Self { live: Live(live), ..Self::default() };
        let Self { live, indexes, .. } = &mut all;
        let many = live.0.len();
        for index in [&mut indexes.by_id, &mut indexes.by_handle, &mut indexes.by_guid, &mut indexes.by_user] {
            index.reserve(many);
        }
        indexes.by_first_port.reserve(many);
        indexes.on_port.reserve(many);
        let mut projected = Vec::with_capacity(2 * many);
        for (slot, session) in live.iter() {
            indexes.insert(slot, session);
            projected.extend(session.projected.iter().map(|address| (*address, slot)));
            for link in &session.links {
                let other = indexes.on_port.get(&link.port).and_then(|other| live.0.get(*other));
                if other.is_none_or(|other| other.order(session).is_lt()) {
                    indexes.is_on_port(&link.port, slot);
                }
            }
        }
        // All at once: one by one takes ten times as long.
        indexes.by_projected = projected.into_iter().collect();
        all.closed = closed;
        for (slot, closed) in all.closed.iter() {
            let Session { id, handle, .. } = closed.session;
            all.closed_at.insert((closed.closed.mono, id));
            all.closed_by_id.insert(&id, slot);
            all.closed_by_handle.insert(&handle, slot);
        }
        all
    }

    pub(super) const fn tables(&self) -> (&Table<Session>, &Table<Closed>) {
        (&self.live.0, &self.closed)
    }

    fn slot(&self, id: Id) -> Option<Slot> {
        self.indexes.by_id.find(&id).find(|slot| self.live.0.get(*slot).is_some_and(|session| session.id == id))
    }

    /// In the order of their beginning.
    fn some(&self, slots: impl Iterator<Item = Slot>, is: impl Fn(&Session) -> bool) -> vec::IntoIter<&Session> {
        let mut some: Vec<_> = self.live.some(slots, is).map(|(_, session)| session).collect();
        some.sort_unstable_by(|one, other| one.order(other));
        some.into_iter()
    }

    fn last(&self, slots: impl Iterator<Item = Slot>, is: impl Fn(&Session) -> bool) -> Option<&Session> {
        self.live.some(slots, is).map(|(_, session)| session).max_by(|one, other| one.order(other))
    }

    pub(super) fn get(&self, id: Id) -> Option<&Session> {
        self.live.get(self.slot(id)?)
    }

    pub(super) fn live(&self) -> impl Iterator<Item = &Session> {
        self.live.iter().map(|(_, session)| session)
    }

    pub(super) const fn len(&self) -> usize {
        self.live.0.len()
    }

    pub(super) fn by_handle(&self, handle: u64) -> Option<&Session> {
        self.last(self.indexes.by_handle.find(&handle), |session| session.handle == handle)
    }

    pub(super) fn by_guid(&self, guid: &str) -> Option<&Session> {
        self.last(self.indexes.by_guid.find(&guid), |session| session.guid.as_deref() == Some(guid))
    }

    pub(super) fn on_port(&self, port: &Name) -> Option<&Session> {
        self.indexes.on_port.get(port).and_then(|slot| self.live.get(*slot))
    }

    pub(super) fn of_user(&self, user: &Identity) -> impl Iterator<Item = &Session> {
        self.some(self.indexes.by_user.find(user), |session| session.user.as_ref() == Some(user))
    }

    /// The sessions whose first link was on a port, even if that link has ended.
    pub(super) fn of_first_port(&self, port: &Name) -> impl Iterator<Item = &Session> {
        self.some(self.indexes.by_first_port.find(port), |session| session.port.as_ref() == Some(port))
    }

    /// The sessions whose projection has named an address, in no order.
    pub(super) fn with_projected(&self, address: Address) -> impl Iterator<Item = &Session> {
        let projected = self.indexes.by_projected.range((address, Slot::MIN)..=(address, Slot::MAX));
        projected.filter_map(|(_, slot)| self.live.get(*slot))
    }

    /// Is there a live session whose addresses are unknown?
    pub(super) const fn some_may_have_any_address(&self) -> bool {
        self.indexes.may_have_any > 0
    }

    /// Inserts a session, in place of one with the same identifier.
    pub(super) fn insert(&mut self, session: Session) {
        self.take(session.id);
        let projected = session.projected.clone();
        let slot = self.live.0.insert(session);
        if let Some(session) = self.live.0.get(slot) {
            self.indexes.insert(slot, session);
        }
        self.indexes.by_projected.extend(projected.into_iter().map(|address| (address, slot)));
    }

    pub(super) fn take(&mut self, id: Id) -> Option<Session> {
        let slot = self.slot(id)?;
        let session = self.live.0.remove(slot)?;
        self.indexes.remove(slot, &session);
        Some(session)
    }

    /// Takes all live sessions out, and forgets the closed ones.
    pub(super) fn take_all(&mut self) -> Table<Session> {
        std::mem::take(self).live.0
    }

    /// Changes a session. No index may depend on what is changed.
    pub(super) fn change(&mut self, id: Id, change: impl FnOnce(&mut Session)) {
        if let Some(session) = self.slot(id).and_then(|slot| self.live.get_mut(slot)) {
            change(session);
        }
    }

    /// Its first link has come.
    pub(super) fn establish(&mut self, id: Id, at: Stamp, port: &Name, tunnel: Option<Tunnel>) {
        let Some(slot) = self.slot(id) else { return };
        let Some(session) = self.live.get_mut(slot) else { return };
        self.indexes.may_have_any -= usize::from(session.may_have_any_address());
        session.established = Some(at);
        session.tunnel = tunnel.or(session.tunnel);
        let before = session.port.replace(port.clone());
        if let Some(before) = named(before.as_ref()) {
            self.indexes.by_first_port.remove(before, slot);
        }
        if let Some(port) = named(Some(port)) {
            self.indexes.by_first_port.insert(port, slot);
        }
    }

    pub(super) fn link(&mut self, id: Id, link: Link) {
        let Some(slot) = self.slot(id) else { return };
        let Some(session) = self.live.get_mut(slot) else { return };
        session.links.retain(|other| other.port != link.port);
        self.indexes.is_on_port(&link.port, slot);
        // Usually there is one.
        session.links.reserve_exact(1);
        session.links.push(link);
    }

    pub(super) fn unlink(&mut self, id: Id, port: &Name, at: Stamp) {
        let Some(slot) = self.slot(id) else { return };
        let Some(session) = self.live.get_mut(slot) else { return };
        let before = session.links.len();
        session.links.retain(|link| link.port != *port);
        if session.links.len() < before && session.links.is_empty() {
            session.unlinked = at;
        }
        self.indexes.is_off_port(port, slot);
    }

    // Closed sessions.

    fn closed_slot(&self, id: Id) -> Option<Slot> {
        self.closed_by_id.find(&id).find(|slot| self.closed.get(*slot).is_some_and(|closed| closed.session.id == id))
    }

    pub(super) fn closed(&self) -> impl Iterator<Item = &Closed> {
        self.closed.iter().map(|(_, closed)| closed)
    }

    pub(super) fn closed_session(&self, id: Id) -> Option<&Closed> {
        self.closed.get(self.closed_slot(id)?)
    }

    /// The latest first.
    pub(super) fn closed_by_handle(&self, handle: u64) -> impl Iterator<Item = &Closed> {
        let some = self.closed_by_handle.find(&handle).filter_map(|slot| self.closed.get(slot));
        let mut some: Vec<_> = some.filter(|closed| closed.session.handle == handle).collect();
        some.sort_unstable_by(|one, other| other.order(one));
        some.into_iter()
    }

    /// Marks the closed sessions of a handle as over; their hangups may still come.
    pub(super) fn handle_reused(&mut self, handle: u64) {
        for slot in self.closed_by_handle.find(&handle) {
            if self.closed.get(slot).is_some_and(|closed| closed.session.handle == handle)
                && let Some(closed) = self.closed.get_mut(slot)
            {
                closed.by = ClosedBy::HandleStartedAgain;
            }
        }
    }

    pub(super) fn remember(&mut self, closed: Closed) {
        let Session { id, handle, .. } = closed.session;
        self.forget(id);
        self.closed_at.insert((closed.closed.mono, id));
        let slot = self.closed.insert(closed);
        self.closed_by_id.insert(&id, slot);
        self.closed_by_handle.insert(&handle, slot);
        while self.closed.len() > super::MAX_CLOSED {
            let Some(&(_, first)) = self.closed_at.first() else { break };
            self.forget(first);
        }
    }

    pub(super) fn forget(&mut self, id: Id) -> Option<Closed> {
        let slot = self.closed_slot(id)?;
        let closed = self.closed.remove(slot)?;
        self.closed_at.remove(&(closed.closed.mono, id));
        self.closed_by_id.remove(&id, slot);
        self.closed_by_handle.remove(&closed.session.handle, slot);
        Some(closed)
    }

    /// Forgets the sessions that were closed before a time.
    pub(super) fn forget_before(&mut self, mono: Mono) {
        while let Some(&(closed, id)) = self.closed_at.first() {
            if closed >= mono {
                break;
            }
            self.forget(id);
        }
    }

    pub(super) fn closed_change(&mut self, id: Id, change: impl FnOnce(&mut Closed)) {
        if let Some(closed) = self.closed_slot(id).and_then(|slot| self.closed.get_mut(slot)) {
            change(closed);
        }
    }
}
