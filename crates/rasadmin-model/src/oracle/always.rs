//! What must hold after every record.

use super::{FAMILIES, LEASE_WAIT, LINK_WAIT};
use crate::product::Engine;
use crate::rras::{Number, Phase};
use crate::told::{Lives, ToldLease};
use crate::world::World;
use rasadmin_engine::Stamp;
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::state::Holding;

impl<E: Engine + ?Sized> World<'_, E> {
    /// What must hold after every record.
    pub fn always(&mut self, member: usize, at: Stamp) {
        if self.finding.is_some() {
            return;
        }
        for index in 0..self.active.len() {
            let of = self.active[index];
            self.session_is_there(member, of, at);
            for family in FAMILIES {
                self.lease_is_there(member, of, family, at);
            }
        }
    }

    /// What a call expires before it is decided.
    pub fn time_passes(&mut self, at: Stamp, late: bool) {
        for index in 0..self.active.len() {
            self.lapse(self.active[index], at, late);
        }
    }

    pub(super) fn lapse(&mut self, of: Number, at: Stamp, late: bool) {
        let c = &mut self.connections[of];
        let may_have_none = c.is_ikev2() && !c.told.established;
        let told = &mut c.told;
        if told.session.is_some() && told.links.is_empty() && !may_have_none && !late {
            told.lapsed |= at.mono.since(told.unlinked.mono) >= LINK_WAIT;
        }
        for lease in told.leases.iter_mut().flatten() {
            // While its connection is not on record, a lease waits no longer than it must.
            lease.overdue |= told.session.is_none() && at.mono.since(lease.at.mono) >= LEASE_WAIT;
        }
    }

    pub(super) fn session_is_there(&mut self, member: usize, of: Number, at: Stamp) {
        let c = &self.connections[of];
        let Some(id) = c.told.session else { return };
        let session = self.product.members[member].state.session(id);
        let online = c.phase != Phase::Gone && !c.dropped;
        match (c.told.lives(), session) {
            (Lives::Must, None) if online => {
                let what = format!("the session of #{of}, which is online, is closed");
                self.found("always: no live session is closed by another's event", what);
            }
            (Lives::Must, None) if !self.switches.away => {
                let what = format!("the session of #{of} is closed, and nothing told its end");
                self.found("as told: a session lives until its end is told", what);
            }
            (Lives::No, Some(_)) => {
                let what = format!("the session of #{of} lives, and its end was told");
                self.found("as told: a session ends when its end is told", what);
            }
            (_, Some(session)) => {
                let replaced = session.replaced.is_some();
                if replaced != c.told.replaced {
                    // An attempt that failed replaces nobody.
                    let failed = c.told.replaced_by.is_some_and(|by| {
                        let by = &self.connections[by].told;
                        by.refused || (!by.established && by.lives() != Lives::Must)
                    });
                    if self.switches.away || c.told.lives() == Lives::May || failed {
                        self.connections[of].told.replaced = replaced;
                    } else {
                        let what = format!("the session of #{of} is replaced: {replaced}, and was told otherwise");
                        self.found("as told: what was replaced stays so until it shows life", what);
                    }
                }
                self.connections[of].told.closed = None;
            }
            (_, None) => {
                self.connections[of].told.closed.get_or_insert(at.mono);
            }
        }
    }

    pub(super) fn lease_is_there(&mut self, member: usize, of: Number, family: Family, at: Stamp) {
        let c = &self.connections[of];
        let Some(told) = c.told.leases[family.index()] else { return };
        let address = Address { family, number: told.number };
        let state = &self.product.members[member].state;
        let stamp = self.product.stamp(told.at);
        let held = state.lease_at(address);
        let tied = c.told.established || (c.told.session.is_some() && self.is_projected());
        if let Some(own) = held.filter(|lease| lease.session().is_some() && lease.session() == c.told.session) {
            // What a connection shows may be written down anew, instead of what was written at its address call.
            let began = own.began;
            let anothers = self.active.iter().filter(|&&other| other != of).any(|&other| {
                let lease = self.connections[other].told.leases[family.index()];
                lease.is_some_and(|lease| lease.number == told.number && self.product.stamp(lease.at) == began)
            });
            if began != stamp && !anothers {
                self.known.1.insert((address, began.mono));
                self.connections[of].told.leases[family.index()] = Some(ToldLease { at: began, alive: true, ..told });
                return;
            }
        }
        let Some(lease) = held.filter(|lease| lease.began == stamp) else {
            let online = c.phase != Phase::Gone && !c.dropped && !c.told.refused;
            // Until its own calls show the address, it is enough that nobody else can get it.
            let safe = held.is_some() && !tied;
            if online && !safe && !told.overdue && !c.told.ghost && !told.released {
                let what = format!("#{of} has {:#x}, and its lease is over", told.number);
                return self.found("always: whoever is online has a lease", what);
            }
            if told.alive {
                self.lease_ended(of, family, at);
            }
            return;
        };
        let gone = self.product.members[member].state.session(c.told.session.unwrap_or(lease.id)).is_none();
        if matches!(lease.holding, Holding::Session(_)) {
            let told = &mut self.connections[of].told.leases[family.index()];
            told.iter_mut().for_each(|lease| lease.taken = at.mono);
        }
        let c = &self.connections[of];
        if lease.session().is_some() && lease.session() == c.told.session {
            let told = &mut self.connections[of].told.leases[family.index()];
            told.iter_mut().for_each(|lease| lease.had = true);
        }
        let c = &self.connections[of];
        // Before its own calls have shown which it is, only a guess is possible.
        // Without a projection nobody can tell whose it is where its port is another's too, or where one was before whose
        // calls came late.
        let tied = tied && (self.is_projected() || !(told.shared || self.switches.away));
        // What happened meanwhile in a process that could not write is not known to the other.
        // The same user's next connection on the port may take over the lease of a client that has gone.
        let certain = tied && c.phase != Phase::Gone;
        if certain && lease.session().is_some() && lease.session() != c.told.session {
            let what = format!("the lease of #{of} on {:#x} is another session's", told.number);
            return self.found("as told: a lease is its own session's", what);
        }
        if tied && c.told.lives() == Lives::Must && !self.switches.away {
            let who = self.identity(of);
            if lease.session().is_none() && !self.came_late(of, family) {
                let what = format!("the lease of #{of} on {:#x} is no session's", told.number);
                return self.found("as told: a lease is its own session's", what);
            }
            if lease.session().is_some() && lease.user.as_ref() != Some(&who) {
                let what = format!("who had {:#x}: {:?}, but it is #{of}, {who}", told.number, lease.user);
                return self.found("as told: who had an address is who connected with it", what);
            }
        }
        // A session of the same user on the same port may take it for its own other protocol's.
        let others = lease.session() != c.told.session && lease.session().is_some();
        if told.released
            && c.told.hung
            && gone
            && (c.told.session.is_none() || lease.session() == c.told.session)
            && !others
            && !self.switches.disorder
            && !self.switches.away
            && !self.switches.overlap
        {
            let what = format!("the lease of #{of} on {:#x} lives, and hangup and release were told", told.number);
            return self.found("as told: a lease ends with its release", what);
        }
        // Nothing else may hold it for ever.
        // Where notifications come from another process, one must have come since: they may be late.
        let heard = self.heard_before.since(told.at.mono) > LEASE_WAIT;
        // It may have been handed back by a session that had taken it by mistake, and wait anew, or for its release.
        let anew = match lease.holding {
            Holding::Waiting(until) | Holding::Ended(_, until) => {
                until.is_none_or(|until| until.after(LEASE_WAIT) > at.mono)
            }
            Holding::Session(_) => false,
        };
        let ended = heard
            && !others
            && !anew
            && c.told.lives() == Lives::No
            && (c.told.session.is_some() || c.phase == Phase::Gone);
        let since = c.told.closed.max(c.told.ended).map_or(told.taken, |ended| ended.max(told.taken));
        let hung = c.told.hung || c.told.session.is_none();
        if ended && hung && at.mono.since(since) > 2 * LEASE_WAIT && !self.switches.away {
            let what = format!("the lease of #{of} on {:#x} is held ten minutes after its end", told.number);
            self.found("as told: no lease waits for ever", what);
        }
    }

    pub(super) fn is_projected(&self) -> bool {
        self.switches.projection != crate::switches::Projection::Empty
    }

    /// Was the address given after the connection was accepted?
    pub(super) fn came_late(&self, of: Number, family: Family) -> bool {
        let told = &self.connections[of].told;
        told.leases[family.index()].is_some_and(|lease| lease.at.mono >= told.began.mono)
    }

    pub(super) fn lease_ended(&mut self, of: Number, family: Family, now: Stamp) {
        let tied = self.connections[of].told.established
            || (self.connections[of].told.session.is_some() && self.is_projected());
        let asker = self.connections[of].spelling.asker.clone();
        let who = if tied { self.identity(of) } else { asker };
        // An attempt that failed had nothing.
        let sure = tied && self.connections[of].told.leases[family.index()].is_some_and(|lease| lease.had);
        let at = family.index();
        let Some(lease) = &mut self.connections[of].told.leases[at] else { return };
        lease.alive = false;
        let (number, shared, never_had) = (lease.number, lease.shared, !lease.had);
        if shared && never_had {
            // Nothing told whether it was an attempt's that failed, or whether the session that was on the port negotiated
            // its address again: then that is what its user had last.
            let name = &self.connections[of].spelling.asker.name;
            let others = self.last_had.iter_mut().filter(|(key, _)| key.0.name == *name && key.1 == family);
            others.for_each(|(_, had)| had.0 = None);
        }
        let given_again = self.active.iter().any(|&other| {
            let lease = self.connections[other].told.leases[at];
            other != of && lease.is_some_and(|lease| lease.number == number && lease.alive)
        });
        // Of several that end at once, it is not told which ends last.
        let at_once = self.last_had.get(&(who.clone(), family)).is_some_and(|&(_, since)| since == now.mono);
        let had = (!given_again && sure && !at_once).then_some(number);
        self.last_had.insert((self.identity(of), family), (None, now.mono));
        self.last_had.insert((who, family), (had, now.mono));
    }
}
