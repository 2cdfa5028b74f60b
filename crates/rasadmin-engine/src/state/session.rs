//! Live sessions, and those that were closed without a hangup.

use super::live::Live;
use crate::effect::{ClosedBy, DayUse, SessionBegan};
use crate::now::{Id, Mono, Process, Stamp};
use crate::{Identity, InterfaceType, Name, Quarantine, Tunnel};
use rasadmin_policy::addresses::Address;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

/// A live session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its identifier.
    pub id: Id,
    /// Who; None if the name was empty.
    pub user: Option<Identity>,
    /// The user's name as RRAS passed it.
    pub user_name: Name,
    /// hConnection.
    pub handle: u64,
    /// The connection's GUID.
    pub guid: Option<String>,
    /// The client's computer, as the client claims.
    pub computer: Name,
    /// The client's public address.
    pub source: String,
    /// As what.
    pub interface: InterfaceType,
    /// In which quarantine state.
    pub quarantine: Option<Quarantine>,
    /// Through which tunnel.
    pub tunnel: Option<Tunnel>,
    /// The port of its first link, or of its lease.
    pub port: Option<Name>,
    /// The client's addresses as the projection shows them.
    pub told: Vec<Address>,
    /// When it began.
    pub began: Stamp,
    /// When its first link stood.
    pub established: Option<Stamp>,
    /// Its live links.
    pub links: Vec<Link>,
    /// Since when it has had no link.
    pub unlinked: Stamp,
    /// A returning client took its place in the counts.
    pub replaced: Option<Replaced>,
    /// When the service saw it last among RRAS's connections.
    pub confirmed: Option<Stamp>,
    /// The process that accepted it.
    pub process: Process,
    /// It was not accepted by us: the service found it.
    pub adopted: bool,
    /// What was told of its use so far.
    pub used: Vec<DayUse>,
}

/// A live link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its port.
    pub port: Name,
    /// When it began.
    pub began: Stamp,
}

/// Who took a session's place in the counts, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// The newer session.
    pub by: Id,
    /// When.
    pub at: Stamp,
}

/// A session that was closed, and whose hangup may still come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// As it was.
    pub session: Session,
    /// When it was closed: the moment of the record.
    pub closed: Stamp,
    /// As of when.
    pub stop: Stamp,
    /// Why.
    pub by: ClosedBy,
}

impl Session {
    pub(crate) fn new(began: &SessionBegan) -> Self {
        Self {
            id: began.session,
            user: began.user.clone(),
            user_name: began.user_name.clone(),
            handle: began.handle,
            guid: began.guid.clone(),
            computer: began.computer.clone(),
            source: began.source.clone(),
            interface: began.interface,
            quarantine: began.quarantine,
            tunnel: began.tunnel,
            port: began.port.clone(),
            told: began.told.clone(),
            began: began.at,
            established: None,
            links: Vec::new(),
            unlinked: began.at,
            replaced: None,
            confirmed: None,
            process: began.process,
            adopted: began.adopted,
            used: Vec::new(),
        }
    }

    /// Does it count in a limit?
    pub const fn counts(&self) -> bool {
        self.replaced.is_none()
    }

    /// Has it a live link on this port?
    pub fn has_link_on(&self, port: &Name) -> bool {
        self.links.iter().any(|link| link.port == *port)
    }

    /// Does it wait for a link, so that it is closed if none comes? IKEv2 may have none.
    pub fn waits_for_link(&self) -> bool {
        let may_have_none = self.tunnel == Some(Tunnel::Ikev2) || self.adopted;
        self.links.is_empty() && !(may_have_none && self.established.is_none())
    }

    /// Does nothing tell which addresses it has? IKEv2 may have no link, and may show none.
    fn may_have_any_address(&self) -> bool {
        self.tunnel == Some(Tunnel::Ikev2) && self.established.is_none() && self.told.is_empty()
    }
}

/// All of them, with their indexes.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions {
    live: Live,
    by_handle: HashMap<u64, Vec<Id>>,
    by_guid: HashMap<String, Vec<Id>>,
    by_user: HashMap<Identity, Vec<Id>>,
    on_port: HashMap<Name, Id>,
    /// By the port of the first link, or of its projection's lease.
    by_first_port: HashMap<Name, Vec<Id>>,
    /// By the addresses that the projection named, in the order of their beginning. The server's own is among them, so
    /// that all sessions stand under one: none may be looked for there one by one.
    by_told: HashMap<Address, BTreeSet<(Mono, Id)>>,
    /// How many live ones may have any address.
    may_have_any: usize,
    closed: HashMap<Id, Closed>,
    closed_by_handle: HashMap<u64, Vec<Id>>,
    /// In the order in which they were closed.
    closed_at: BTreeSet<(Mono, Id)>,
}

/// In the order of their moments, whenever they come: a state that is made of a checkpoint has the same. Most come last.
pub(super) fn add<K: Hash + Eq>(index: &mut HashMap<K, Vec<Id>>, key: K, id: Id, moment: impl Fn(Id) -> Option<Mono>) {
    // Nearly always there is one: a vector that grows by itself has room for four.
    let ids = index.entry(key).or_insert_with(|| Vec::with_capacity(1));
    let order = |id| (moment(id), id);
    let at = ids.iter().rposition(|&other| order(other) < order(id)).map_or(0, |before| before + 1);
    ids.insert(at, id);
}

pub(super) fn remove<K: Hash + Eq>(index: &mut HashMap<K, Vec<Id>>, key: &K, id: Id) {
    if let Some(ids) = index.get_mut(key) {
        ids.retain(|other| *other != id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}

impl Sessions {
    pub(super) fn get(&self, id: Id) -> Option<&Session> {
        self.live.get(&id)
    }

    pub(super) fn live(&self) -> impl Iterator<Item = &Session> {
        self.live.values()
    }

    pub(super) fn len(&self) -> usize {
        self.live.len()
    }

    pub(super) fn by_handle(&self, handle: u64) -> Option<&Session> {
        self.by_handle.get(&handle)?.last().and_then(|id| self.live.get(id))
    }

    pub(super) fn by_guid(&self, guid: &str) -> Option<&Session> {
        self.by_guid.get(guid)?.last().and_then(|id| self.live.get(id))
    }

    pub(super) fn on_port(&self, port: &Name) -> Option<&Session> {
        self.on_port.get(port).and_then(|id| self.live.get(id))
    }

    pub(super) fn of_user(&self, user: &Identity) -> impl Iterator<Item = &Session> {
        self.by_user.get(user).into_iter().flatten().filter_map(|id| self.live.get(id))
    }

    /// Those whose first link was on a port, also if that link has ended.
    pub(super) fn of_first_port(&self, port: &Name) -> impl Iterator<Item = &Session> {
        self.by_first_port.get(port).into_iter().flatten().filter_map(|id| self.live.get(id))
    }

    /// Those whose projection has named an address.
    pub(super) fn telling(&self, address: Address) -> impl Iterator<Item = &Session> {
        self.by_told.get(&address).into_iter().flatten().filter_map(|(_, id)| self.live.get(id))
    }

    /// Does nothing tell of some live session which addresses it has?
    pub(super) const fn some_may_have_any_address(&self) -> bool {
        self.may_have_any > 0
    }

    pub(super) fn closed(&self) -> impl Iterator<Item = &Closed> {
        self.closed.values()
    }

    pub(super) fn closed_session(&self, id: Id) -> Option<&Closed> {
        self.closed.get(&id)
    }

    /// The latest first.
    pub(super) fn closed_by_handle(&self, handle: u64) -> impl Iterator<Item = &Closed> {
        self.closed_by_handle.get(&handle).into_iter().flatten().rev().filter_map(|id| self.closed.get(id))
    }

    /// So many sessions will be inserted.
    pub(super) fn reserve(&mut self, sessions: usize) {
        self.live.reserve(sessions);
        self.by_handle.reserve(sessions);
        self.by_guid.reserve(sessions);
        self.by_user.reserve(sessions);
        self.on_port.reserve(sessions);
        self.by_first_port.reserve(sessions);
        self.by_told.reserve(sessions);
    }

    pub(super) fn insert(&mut self, session: Session) {
        let id = session.id;
        let (handle, guid, user) = (session.handle, session.guid.clone(), session.user.clone());
        let port = session.port.clone();
        for link in &session.links {
            self.is_on_port(&link.port, id);
        }
        for address in &session.told {
            self.by_told.entry(*address).or_default().insert((session.began.mono, id));
        }
        self.may_have_any += usize::from(session.may_have_any_address());
        self.live.insert(session);
        let began = |id: Id| self.live.get(&id).map(|session| session.began.mono);
        add(&mut self.by_handle, handle, id, began);
        if let Some(guid) = guid {
            add(&mut self.by_guid, guid, id, began);
        }
        if let Some(user) = user {
            add(&mut self.by_user, user, id, began);
        }
        if let Some(port) = port.filter(|port| !port.is_empty()) {
            add(&mut self.by_first_port, port, id, began);
        }
    }

    pub(super) fn take(&mut self, id: Id) -> Option<Session> {
        let session = self.live.remove(&id)?;
        self.may_have_any -= usize::from(session.may_have_any_address());
        remove(&mut self.by_handle, &session.handle, id);
        if let Some(guid) = &session.guid {
            remove(&mut self.by_guid, guid, id);
        }
        if let Some(user) = &session.user {
            remove(&mut self.by_user, user, id);
        }
        if let Some(port) = &session.port {
            remove(&mut self.by_first_port, port, id);
        }
        for address in &session.told {
            if let Some(sessions) = self.by_told.get_mut(address) {
                sessions.remove(&(session.began.mono, id));
                if sessions.is_empty() {
                    self.by_told.remove(address);
                }
            }
        }
        for link in &session.links {
            if self.on_port.get(&link.port) == Some(&id) {
                self.on_port.remove(&link.port);
            }
        }
        Some(session)
    }

    /// What no index is made of may be changed.
    pub(super) fn change(&mut self, id: Id, change: impl FnOnce(&mut Session)) {
        if let Some(session) = self.live.get_mut(&id) {
            change(session);
        }
    }

    /// Its first link has come.
    pub(super) fn establish(&mut self, id: Id, at: Stamp, port: &Name, tunnel: Option<Tunnel>) {
        let Some(session) = self.live.get_mut(&id) else { return };
        self.may_have_any -= usize::from(session.may_have_any_address());
        session.established = Some(at);
        session.tunnel = tunnel.or(session.tunnel);
        if let Some(before) = session.port.replace(port.clone()) {
            remove(&mut self.by_first_port, &before, id);
        }
        if !port.is_empty() {
            add(&mut self.by_first_port, port.clone(), id, |id| self.live.get(&id).map(|session| session.began.mono));
        }
    }

    pub(super) fn link(&mut self, id: Id, link: Link) {
        if let Some(session) = self.live.get_mut(&id) {
            session.links.retain(|other| other.port != link.port);
            let port = link.port.clone();
            // One, as a rule.
            session.links.reserve_exact(1);
            session.links.push(link);
            self.is_on_port(&port, id);
        }
    }

    /// Ports without a name are not one port.
    fn is_on_port(&mut self, port: &Name, id: Id) {
        if !port.is_empty() {
            self.on_port.insert(port.clone(), id);
        }
    }

    pub(super) fn unlink(&mut self, id: Id, port: &Name, at: Stamp) {
        let Some(session) = self.live.get_mut(&id) else { return };
        let before = session.links.len();
        session.links.retain(|link| link.port != *port);
        if session.links.len() < before && session.links.is_empty() {
            session.unlinked = at;
        }
        if self.on_port.get(port) == Some(&id) {
            self.on_port.remove(port);
        }
    }

    /// A closed session of this handle lives no more; its hangup may still come.
    pub(super) fn handle_is_anothers(&mut self, handle: u64) {
        for id in self.closed_by_handle.get(&handle).into_iter().flatten() {
            if let Some(closed) = self.closed.get_mut(id) {
                closed.by = ClosedBy::HandleStartedAgain;
            }
        }
    }

    pub(super) fn remember(&mut self, closed: Closed) {
        let (id, handle) = (closed.session.id, closed.session.handle);
        self.closed_at.insert((closed.closed.mono, id));
        self.closed.insert(id, closed);
        add(&mut self.closed_by_handle, handle, id, |id| self.closed.get(&id).map(|closed| closed.closed.mono));
        while self.closed.len() > super::MOST_CLOSED {
            let Some(&(_, first)) = self.closed_at.first() else { break };
            self.forget(first);
        }
    }

    pub(super) fn forget(&mut self, id: Id) -> Option<Closed> {
        let closed = self.closed.remove(&id)?;
        self.closed_at.remove(&(closed.closed.mono, id));
        remove(&mut self.closed_by_handle, &closed.session.handle, id);
        Some(closed)
    }

    /// Those that were closed long enough ago.
    pub(super) fn forget_before(&mut self, mono: Mono) {
        while let Some(&(closed, id)) = self.closed_at.first() {
            if closed >= mono {
                break;
            }
            self.forget(id);
        }
    }

    pub(super) fn forget_all(&mut self) {
        self.closed.clear();
        self.closed_by_handle.clear();
        self.closed_at.clear();
    }

    pub(super) fn closed_change(&mut self, id: Id, change: impl FnOnce(&mut Closed)) {
        if let Some(closed) = self.closed.get_mut(&id) {
            change(closed);
        }
    }

    /// In an order of their own: for a checkpoint.
    pub(super) fn sorted(&self) -> (Vec<&Session>, Vec<&Closed>) {
        let live: BTreeMap<_, _> =
            self.live.values().map(|session| ((session.began.mono, session.id), session)).collect();
        let closed = self.closed_at.iter().filter_map(|(_, id)| self.closed.get(id)).collect();
        (live.into_values().collect(), closed)
    }
}
