//! A ledger in memory, for rehearsals: what is live, free addresses, and use; nothing of the past but what decisions ask
//! for.
//!
//! It does what the SQLite one does, and one set of tests holds both to it.

use super::{
    Away, AwayKind, Closing, Decision, EndedBy, Id, Lease, Ledger, LiveSession, Load, Millis, NewLease, NewLink,
    NewSession, Transaction, Usage, Used,
};
use crate::addresses::{Address, Family};
use crate::{Identity, Name, Tunnel};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

/// A thing of a server.
type On<T> = (Name, T);

#[derive(Clone, Debug)]
struct SessionRow {
    live: LiveSession,
    server: Name,
    handle: u64,
    links_changed: Millis,
}

#[derive(Clone, Debug)]
struct LeaseRow {
    lease: Lease,
    server: Name,
    idle_since: Option<Millis>,
    release_due: bool,
}

#[derive(Clone, Debug, Default)]
struct AddressRow {
    tag: Option<Id>,
    user: Option<Identity>,
    lease: Option<Id>,
    free_since: Millis,
}

#[derive(Clone, Debug)]
struct PoolRow {
    id: Id,
    cursor: Option<u64>,
}

/// Seconds and octets of a day.
type DayUse = (u64, u64);

/// The ledger.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    last: Id,
    sessions: HashMap<Id, SessionRow>,
    by_handle: HashMap<On<u64>, Vec<Id>>,
    by_guid: HashMap<On<String>, Vec<Id>>,
    by_port: HashMap<On<Name>, Vec<Id>>,
    by_user: HashMap<Identity, Vec<Id>>,
    /// Live links: their session.
    links: HashMap<On<Name>, Option<Id>>,
    links_of: HashMap<Id, Vec<On<Name>>>,
    leases: HashMap<Id, LeaseRow>,
    held: HashMap<On<Address>, Id>,
    leases_on: HashMap<On<Name>, Vec<Id>>,
    leases_of: HashMap<On<Identity>, Vec<Id>>,
    leases_of_session: HashMap<Id, Vec<Id>>,
    due: HashMap<(Name, Name, Address), Vec<Id>>,
    addresses: HashMap<On<Address>, AddressRow>,
    /// Free addresses by tag, those released first in front.
    free: HashMap<Id, BTreeSet<(Millis, i64, On<Address>)>>,
    /// Free addresses by the user who had them last.
    free_of: HashMap<(Name, Family, Identity), BTreeSet<(Millis, u64)>>,
    pools: HashMap<(Name, String, String), PoolRow>,
    usage: HashMap<Identity, BTreeMap<String, DayUse>>,
    spools: HashMap<String, u64>,
    instances: HashMap<On<String>, Id>,
    activity: HashMap<Name, Millis>,
}

/// SQLite's order of numbers.
fn signed(number: u64) -> i64 {
    number.cast_signed()
}

fn remove<K: std::hash::Hash + Eq>(index: &mut HashMap<K, Vec<Id>>, key: &K, id: Id) {
    if let Some(ids) = index.get_mut(key) {
        ids.retain(|other| *other != id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}

impl Memory {
    fn next(&mut self) -> Id {
        self.last += 1;
        self.last
    }

    fn latest(&self, ids: Option<&Vec<Id>>) -> Option<LiveSession> {
        let id = ids?.iter().max()?;
        self.sessions.get(id).map(|row| row.live.clone())
    }

    fn some(&self, ids: Option<&Vec<Id>>) -> Vec<Lease> {
        let ids = ids.into_iter().flatten();
        ids.filter_map(|id| self.leases.get(id)).map(|row| row.lease.clone()).collect()
    }

    /// Takes an address out of the indexes of free ones.
    fn not_free(&mut self, key: &On<Address>) {
        let Some(row) = self.addresses.get(key).filter(|row| row.lease.is_none()) else { return };
        let entry = (row.free_since, signed(key.1.number), key.clone());
        if let Some(free) = row.tag.and_then(|tag| self.free.get_mut(&tag)) {
            free.remove(&entry);
        }
        if let Some(user) = &row.user {
            let of = (key.0.clone(), key.1.family, user.clone());
            if let Some(free) = self.free_of.get_mut(&of) {
                free.remove(&(row.free_since, key.1.number));
            }
        }
    }

    /// Puts it into them.
    fn is_free(&mut self, key: &On<Address>) {
        let Some(row) = self.addresses.get(key).filter(|row| row.lease.is_none()) else { return };
        if let Some(tag) = row.tag {
            let entry = (row.free_since, signed(key.1.number), key.clone());
            self.free.entry(tag).or_default().insert(entry);
        }
        if let Some(user) = &row.user {
            let of = (key.0.clone(), key.1.family, user.clone());
            self.free_of.entry(of).or_default().insert((row.free_since, key.1.number));
        }
    }

    fn forget_lease(&mut self, id: Id) {
        let Some(row) = self.leases.remove(&id) else { return };
        let key = (row.server.clone(), row.lease.port.clone(), row.lease.address);
        remove(&mut self.due, &key, id);
    }

    /// How many of a server's addresses are held now, of all that it ever gave.
    pub fn held(&self) -> usize {
        self.held.len()
    }
}

impl Ledger for Memory {
    /// Rolls back by a copy: this is for tests and questions, a rehearsal works on [`Memory`] itself.
    fn transact(
        &mut self,
        _: Instant,
        _: bool,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), Away>,
    ) -> Result<(), Away> {
        let before = self.clone();
        work(self).inspect_err(|_| *self = before)
    }
}

impl Transaction for Memory {
    fn live_by_handle(&mut self, server: &Name, handle: u64) -> Result<Option<LiveSession>, Away> {
        Ok(self.latest(self.by_handle.get(&(server.clone(), handle))))
    }

    fn live_by_guid(&mut self, server: &Name, guid: &str) -> Result<Option<LiveSession>, Away> {
        Ok(self.latest(self.by_guid.get(&(server.clone(), guid.to_owned()))))
    }

    fn live_by_port(&mut self, server: &Name, port: &Name) -> Result<Option<LiveSession>, Away> {
        let key = (server.clone(), port.clone());
        let by_link = self.links.get(&key).copied().flatten();
        let by_port = self.by_port.get(&key).and_then(|ids| ids.iter().max()).copied();
        let id = by_link.filter(|id| self.sessions.contains_key(id)).max(by_port);
        Ok(id.and_then(|id| self.sessions.get(&id)).map(|row| row.live.clone()))
    }

    fn live_by_id(&mut self, id: Id) -> Result<Option<LiveSession>, Away> {
        Ok(self.sessions.get(&id).map(|row| row.live.clone()))
    }

    fn live_of(&mut self, user: &Identity) -> Result<Vec<LiveSession>, Away> {
        let ids = self.by_user.get(user).into_iter().flatten();
        Ok(ids.filter_map(|id| self.sessions.get(id)).map(|row| row.live.clone()).collect())
    }

    fn live_users(&mut self) -> Result<Vec<(Identity, u32)>, Away> {
        let count = |ids: &Vec<Id>| u32::try_from(ids.len()).unwrap_or(u32::MAX);
        Ok(self.by_user.iter().map(|(user, ids)| (user.clone(), count(ids))).collect())
    }

    fn used(&mut self, user: &Identity, first: &str, last: &str) -> Result<(u64, u64), Away> {
        let Some(days) = self.usage.get(user) else { return Ok((0, 0)) };
        let days = days.range::<str, _>((std::ops::Bound::Included(first), std::ops::Bound::Included(last)));
        Ok(days.fold((0, 0), |sum, (_, day)| (sum.0 + day.0, sum.1 + day.1)))
    }

    fn begin_session(&mut self, s: &NewSession<'_>) -> Result<Id, Away> {
        let id = self.next();
        let server = s.server.clone();
        let live = LiveSession {
            id,
            key: s.key.to_owned(),
            guid: s.guid.map(str::to_owned),
            user: s.user.cloned(),
            user_name: s.user_name.clone(),
            computer: s.computer.clone(),
            source: s.source.to_owned(),
            interface: s.interface.to_owned(),
            quarantine: s.quarantine.to_owned(),
            tunnel: s.tunnel,
            port: s.port.cloned(),
            start: s.start,
            established: None,
            live_links: 0,
        };
        self.by_handle.entry((server.clone(), s.handle)).or_default().push(id);
        if let Some(guid) = s.guid {
            self.by_guid.entry((server.clone(), guid.to_owned())).or_default().push(id);
        }
        if let Some(port) = s.port {
            self.by_port.entry((server.clone(), port.clone())).or_default().push(id);
        }
        if let Some(user) = s.user {
            self.by_user.entry(user.clone()).or_default().push(id);
        }
        self.sessions.insert(id, SessionRow { live, server, handle: s.handle, links_changed: s.start });
        Ok(id)
    }

    fn establish(&mut self, id: Id, now: Millis, port: &Name, tunnel: Option<Tunnel>) -> Result<(), Away> {
        let Some(row) = self.sessions.get_mut(&id) else { return Ok(()) };
        row.live.established = Some(now);
        row.live.tunnel = tunnel.or(row.live.tunnel);
        let before = row.live.port.replace(port.clone());
        let server = row.server.clone();
        if let Some(before) = before {
            remove(&mut self.by_port, &(server.clone(), before), id);
        }
        self.by_port.entry((server, port.clone())).or_default().push(id);
        Ok(())
    }

    fn add_links(&mut self, id: Id, now: Millis, change: i32) -> Result<(), Away> {
        if let Some(row) = self.sessions.get_mut(&id) {
            row.live.live_links = row.live.live_links.saturating_add_signed(change);
            row.links_changed = now;
        }
        Ok(())
    }

    fn set_source(&mut self, id: Id, source: &str) -> Result<(), Away> {
        if let Some(row) = self.sessions.get_mut(&id) {
            source.clone_into(&mut row.live.source);
        }
        Ok(())
    }

    fn set_quarantine(&mut self, id: Id, quarantine: &str) -> Result<(), Away> {
        if let Some(row) = self.sessions.get_mut(&id) {
            quarantine.clone_into(&mut row.live.quarantine);
        }
        Ok(())
    }

    fn set_address(&mut self, _: Id, _: Address, _: Option<&str>) -> Result<(), Away> {
        Ok(())
    }

    fn close_session(&mut self, id: Id, closing: &Closing) -> Result<(), Away> {
        let Some(row) = self.sessions.remove(&id) else { return Ok(()) };
        remove(&mut self.by_handle, &(row.server.clone(), row.handle), id);
        if let Some(guid) = row.live.guid {
            remove(&mut self.by_guid, &(row.server.clone(), guid), id);
        }
        if let Some(port) = row.live.port {
            remove(&mut self.by_port, &(row.server.clone(), port), id);
        }
        if let Some(user) = row.live.user {
            remove(&mut self.by_user, &user, id);
        }
        for lease in self.leases_of_session.get(&id).into_iter().flatten() {
            if let Some(row) = self.leases.get_mut(lease).filter(|row| row.lease.live) {
                row.idle_since = Some(closing.stop);
            }
        }
        Ok(())
    }

    fn add_usage(&mut self, user: &Identity, day: &str, seconds: u64, usage: Option<&Usage>) -> Result<(), Away> {
        let octets = usage.map_or(0, |usage| usage.input_octets + usage.output_octets);
        let days = self.usage.entry(user.clone()).or_default();
        match days.get_mut(day) {
            Some(sum) => *sum = (sum.0 + seconds, sum.1 + octets),
            None => drop(days.insert(day.to_owned(), (seconds, octets))),
        }
        Ok(())
    }

    fn stale_sessions(&mut self, server: &Name, before: Millis) -> Result<Vec<(LiveSession, Millis)>, Away> {
        let stale = |row: &&SessionRow| row.server == *server && row.live.live_links == 0 && row.links_changed < before;
        Ok(self.sessions.values().filter(stale).map(|row| (row.live.clone(), row.links_changed)).collect())
    }

    fn begin_link(&mut self, l: &NewLink<'_>) -> Result<(), Away> {
        self.links.insert((l.server.clone(), l.port.clone()), l.session);
        if let Some(session) = l.session {
            self.links_of.entry(session).or_default().push((l.server.clone(), l.port.clone()));
        }
        Ok(())
    }

    fn end_link(&mut self, server: &Name, port: &Name, _: Millis, _: &Usage) -> Result<Option<Option<Id>>, Away> {
        let ended = self.links.remove(&(server.clone(), port.clone()));
        if let Some(ports) = ended.flatten().and_then(|session| self.links_of.get_mut(&session)) {
            ports.retain(|(_, other)| other != port);
        }
        Ok(ended)
    }

    fn end_links(&mut self, session: Id, _: Millis) -> Result<(), Away> {
        for key in self.links_of.remove(&session).unwrap_or_default() {
            if self.links.get(&key) == Some(&Some(session)) {
                self.links.remove(&key);
            }
        }
        Ok(())
    }

    fn live_lease_at(&mut self, server: &Name, address: Address) -> Result<Option<Lease>, Away> {
        let id = self.held.get(&(server.clone(), address));
        Ok(id.and_then(|id| self.leases.get(id)).map(|row| row.lease.clone()))
    }

    fn live_leases_on(&mut self, server: &Name, port: &Name) -> Result<Vec<Lease>, Away> {
        Ok(self.some(self.leases_on.get(&(server.clone(), port.clone()))))
    }

    fn live_leases_of(&mut self, server: &Name, user: &Identity) -> Result<Vec<Lease>, Away> {
        Ok(self.some(self.leases_of.get(&(server.clone(), user.clone()))))
    }

    fn live_leases_of_session(&mut self, session: Id) -> Result<Vec<Lease>, Away> {
        let mut leases = self.some(self.leases_of_session.get(&session));
        leases.retain(|lease| lease.live);
        Ok(leases)
    }

    fn lease_to_release(&mut self, server: &Name, port: &Name, address: Address) -> Result<Option<Lease>, Away> {
        let ids = self.due.get(&(server.clone(), port.clone(), address));
        let rows = ids.into_iter().flatten().filter_map(|id| self.leases.get(id));
        Ok(rows.filter(|row| row.release_due).map(|row| row.lease.clone()).min_by_key(|lease| lease.id))
    }

    fn begin_lease(&mut self, l: &NewLease<'_>) -> Result<Id, Away> {
        let (server, key) = (l.server.clone(), (l.server.clone(), l.address));
        if self.held.contains_key(&key) {
            let message = "a live lease holds the address already".to_owned();
            return Err(Away { kind: AwayKind::Other, message });
        }
        let id = self.next();
        let lease = Lease {
            id,
            address: l.address,
            user: l.user.cloned(),
            port: l.port.clone(),
            session: None,
            origin: l.origin,
            live: true,
            began: l.began,
        };
        self.not_free(&key);
        let row = AddressRow { tag: l.tag, user: l.user.cloned(), lease: Some(id), free_since: 0 };
        self.addresses.insert(key.clone(), row);
        self.held.insert(key, id);
        self.leases_on.entry((server.clone(), l.port.clone())).or_default().push(id);
        if let Some(user) = l.user {
            self.leases_of.entry((server.clone(), user.clone())).or_default().push(id);
        }
        self.due.entry((server.clone(), l.port.clone(), l.address)).or_default().push(id);
        self.leases.insert(id, LeaseRow { lease, server, idle_since: Some(l.began), release_due: true });
        Ok(id)
    }

    fn accept_lease(&mut self, id: Id, session: Id, _: Millis, _: Option<&str>) -> Result<(), Away> {
        if let Some(row) = self.leases.get_mut(&id) {
            row.lease.session = Some(session);
            row.idle_since = None;
            self.leases_of_session.entry(session).or_default().push(id);
        }
        Ok(())
    }

    fn end_lease(&mut self, l: &Lease, server: &Name, now: Millis, by: EndedBy, tag: Option<Id>) -> Result<(), Away> {
        let key = (server.clone(), l.address);
        let Some(row) = self.leases.get_mut(&l.id) else { return Ok(()) };
        row.lease.live = false;
        row.idle_since = None;
        row.release_due = by.release_may_come();
        let due = row.release_due;
        remove(&mut self.leases_on, &(server.clone(), l.port.clone()), l.id);
        if let Some(user) = &l.user {
            remove(&mut self.leases_of, &(server.clone(), user.clone()), l.id);
        }
        if let Some(session) = l.session {
            remove(&mut self.leases_of_session, &session, l.id);
        }
        if self.held.get(&key) == Some(&l.id) {
            self.held.remove(&key);
        }
        if let Some(address) = self.addresses.get_mut(&key).filter(|address| address.lease == Some(l.id)) {
            address.lease = None;
            address.free_since = now;
            address.tag = tag.or(address.tag);
            self.is_free(&key);
        }
        if !due {
            self.forget_lease(l.id);
        }
        Ok(())
    }

    fn released_late(&mut self, id: Id) -> Result<(), Away> {
        if self.leases.get(&id).is_some_and(|row| !row.lease.live) {
            self.forget_lease(id);
        }
        Ok(())
    }

    fn stale_leases(&mut self, server: &Name, before: Millis) -> Result<Vec<Lease>, Away> {
        let stale = |row: &&LeaseRow| {
            row.server == *server && row.lease.live && row.idle_since.is_some_and(|since| since < before)
        };
        Ok(self.leases.values().filter(stale).map(|row| row.lease.clone()).collect())
    }

    fn previous(&mut self, server: &Name, family: Family, user: &Identity) -> Result<Vec<u64>, Away> {
        let free = self.free_of.get(&(server.clone(), family, user.clone()));
        Ok(free.into_iter().flatten().rev().take(4).map(|(_, number)| *number).collect())
    }

    fn address_used(&mut self, server: &Name, address: Address) -> Result<Used, Away> {
        Ok(match self.addresses.get(&(server.clone(), address)) {
            None => Used::Never,
            Some(row) if row.lease.is_some() => Used::Held,
            Some(_) => Used::Free,
        })
    }

    fn least_recent(&mut self, tag: Id) -> Result<Option<u64>, Away> {
        Ok(self.free.get(&tag).and_then(BTreeSet::first).map(|(_, _, key)| key.1.number))
    }

    fn pool(
        &mut self,
        server: &Name,
        name: &str,
        _: Family,
        shape: &str,
        first: u64,
    ) -> Result<(Id, Option<u64>), Away> {
        let key = (server.clone(), name.to_owned(), shape.to_owned());
        if let Some(row) = self.pools.get(&key) {
            return Ok((row.id, row.cursor));
        }
        let id = self.next();
        self.pools.insert(key, PoolRow { id, cursor: Some(first) });
        Ok((id, Some(first)))
    }

    fn set_cursor(&mut self, tag: Id, next: Option<u64>) -> Result<(), Away> {
        if let Some(row) = self.pools.values_mut().find(|row| row.id == tag) {
            row.cursor = next;
        }
        Ok(())
    }

    fn retag(&mut self, server: &Name, family: Family, range: (u64, u64), tag: Id) -> Result<usize, Away> {
        let inside = |(key, row): (&On<Address>, &AddressRow)| {
            let (on, address) = key;
            let here = on == server && address.family == family && (range.0..=range.1).contains(&address.number);
            (here && row.lease.is_none() && row.tag != Some(tag)).then(|| key.clone())
        };
        let strays: Vec<_> = self.addresses.iter().filter_map(inside).collect();
        for key in &strays {
            self.not_free(key);
            if let Some(row) = self.addresses.get_mut(key) {
                row.tag = Some(tag);
            }
            self.is_free(key);
        }
        Ok(strays.len())
    }

    fn untag(&mut self, server: &Name, address: Address) -> Result<(), Away> {
        let key = (server.clone(), address);
        self.not_free(&key);
        if let Some(row) = self.addresses.get_mut(&key) {
            row.tag = None;
        }
        self.is_free(&key);
        Ok(())
    }

    fn decide(&mut self, _: &Name, _: Id, _: Option<Id>, _: &Name, _: &Decision) -> Result<Id, Away> {
        Ok(self.next())
    }

    fn keep_config(&mut self, _: &str, _: &str, _: Millis) -> Result<(), Away> {
        Ok(())
    }

    fn loaded(&mut self, _: &Name, _: Id, _: &Load) -> Result<(), Away> {
        Ok(())
    }

    fn odd(&mut self, _: &Name, _: Id, _: Millis, _: &str, _: &str) -> Result<(), Away> {
        Ok(())
    }

    fn replaying(&mut self, spool: &str, sequence: u64) -> Result<bool, Away> {
        let last = self.spools.entry(spool.to_owned()).or_default();
        let new = sequence > *last;
        *last = sequence.max(*last);
        Ok(new)
    }

    fn instance(&mut self, server: &Name, token: &str) -> Result<Option<Id>, Away> {
        Ok(self.instances.get(&(server.clone(), token.to_owned())).copied())
    }

    fn begin_instance(&mut self, server: &Name, token: &str, now: Millis) -> Result<Id, Away> {
        let id = self.next();
        self.instances.insert((server.clone(), token.to_owned()), id);
        self.activity.insert(server.clone(), now);
        Ok(id)
    }

    fn touch_instance(&mut self, _: Id, _: Millis) -> Result<(), Away> {
        Ok(())
    }

    fn last_activity(&mut self, server: &Name) -> Result<Option<Millis>, Away> {
        Ok(self.activity.get(server).copied())
    }

    fn all_live(&mut self, server: &Name) -> Result<(Vec<LiveSession>, Vec<Lease>), Away> {
        let sessions = self.sessions.values().filter(|row| row.server == *server).map(|row| row.live.clone());
        let leases = self.leases.values().filter(|row| row.server == *server && row.lease.live);
        Ok((sessions.collect(), leases.map(|row| row.lease.clone()).collect()))
    }
}
