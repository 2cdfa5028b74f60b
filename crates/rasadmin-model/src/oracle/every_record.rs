//! Checks what must hold after every record.

use super::{FAMILIES, LEASE_WAIT, LINK_WAIT};
use crate::product::Engine;
use crate::reported::{Lives, ReportedLease};
use crate::rras::{Connection, Number, Phase};
use crate::world::World;
use rasadmin_engine::Stamp;
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::state::Holding;

impl<E: Engine + ?Sized> World<'_, E> {
    /// Checks what must hold after every record.
    pub fn check_every_record(&mut self, at: Stamp) {
        if self.finding.is_some() {
            return;
        }
        for index in 0..self.active.len() {
            let of = self.active[index];
            self.check_session(of, at);
            for family in FAMILIES {
                self.check_lease(of, family, at);
            }
        }
    }

    /// Expires what a call makes expire, before the call is decided.
    pub fn time_passes(&mut self, at: Stamp, late: bool) {
        for index in 0..self.active.len() {
            self.lapse(self.active[index], at, late);
        }
    }

    pub(super) fn lapse(&mut self, of: Number, at: Stamp, late: bool) {
        let c = &self.connections[of];
        let may_have_none = (self.is_flagged(c) && !c.reported.established) || c.reported.may_have_no_link();
        let shows_nothing = self.shows_nothing(c);
        let reported = &mut self.connections[of].reported;
        if reported.session.is_some() && reported.links.is_empty() && !may_have_none && !late {
            let lapses = at.mono.since(reported.unlinked.mono) >= LINK_WAIT;
            if lapses && !reported.lapsed {
                reported.lapsed = true;
                reported.seen_is_uncertain();
            }
        }
        for lease in reported.leases.iter_mut().flatten() {
            // While its connection is not on record, a lease waits no longer than the limit.
            let waits = reported.session.is_none() || shows_nothing;
            lease.overdue |= waits && at.mono.since(lease.at.mono) >= LEASE_WAIT;
        }
    }

    pub(super) fn check_session(&mut self, of: Number, at: Stamp) {
        let c = &self.connections[of];
        let Some(id) = c.reported.session else { return };
        let session = self.product.recorded.session(id);
        let online = c.phase != Phase::Gone && !c.dropped;
        match (c.reported.lives(), session) {
            (Lives::Must, None) if online => {
                let what = format!("the session of #{of}, which is online, is closed");
                self.found("always: no event of another connection closes a live session", what);
            }
            (Lives::Must, None) if !self.switches.unavailable => {
                let what = format!("the session of #{of} is closed, but its end was not reported");
                self.found("as reported: a session lives until its end is reported", what);
            }
            (Lives::No, Some(_)) => {
                let what = format!("the session of #{of} lives, but its end was reported");
                self.found("as reported: a session ends when its end is reported", what);
            }
            (_, Some(session)) => {
                let replaced = session.replaced.is_some();
                if replaced != c.reported.replaced {
                    // A failed attempt replaces no session.
                    let failed = c.reported.replaced_by.is_some_and(|by| {
                        let by = &self.connections[by].reported;
                        by.refused || (!by.established && by.lives() != Lives::Must)
                    });
                    if self.switches.unavailable || c.reported.lives() == Lives::May || failed {
                        self.connections[of].reported.replaced = replaced;
                    } else {
                        let what =
                            format!("the session of #{of} should be replaced: {}, and is: {replaced}", !replaced);
                        self.found("as reported: a replaced session stays replaced until it proves to be live", what);
                    }
                }
                self.connections[of].reported.closed = None;
            }
            (_, None) => {
                let reported = &mut self.connections[of].reported;
                reported.closed.get_or_insert(at.mono);
                reported.readings = None;
            }
        }
    }

    pub(super) fn check_lease(&mut self, of: Number, family: Family, at: Stamp) {
        let c = &self.connections[of];
        let Some(reported) = c.reported.leases[family.index()] else { return };
        let address = Address { family, number: reported.number };
        let state = &self.product.recorded;
        let stamp = self.product.stamp(reported.at);
        let held = state.lease_at(address);
        // The accept shows what was given before it. What comes up later is known by its port, from the first link on.
        let shown = c.reported.session.is_some() && self.is_projected() && !self.came_late(of, family);
        let tied = (c.reported.established || shown) && !self.shows_nothing(c);
        if let Some(own) = held.filter(|lease| lease.session().is_some() && lease.session() == c.reported.session) {
            // The lease that a connection shows may be recorded again, and replace the one of its address call.
            let began = own.began;
            let anothers = self.active.iter().filter(|&&other| other != of).any(|&other| {
                let lease = self.connections[other].reported.leases[family.index()];
                lease.is_some_and(|lease| lease.number == reported.number && self.product.stamp(lease.at) == began)
            });
            // While the process with the address calls could not write, it is left over from an earlier lease.
            if began != stamp && (!anothers || self.switches.unavailable) {
                self.known.1.insert((address, began.mono));
                self.connections[of].reported.leases[family.index()] =
                    Some(ReportedLease { at: began, alive: true, ..reported });
                return;
            }
        }
        let Some(lease) = held.filter(|lease| lease.began == stamp) else {
            let online = c.phase != Phase::Gone && !c.dropped && !c.reported.refused;
            // Until the calls of the connection show the address, it is enough that no other user can get it.
            let safe = held.is_some() && !tied;
            if online && !safe && !reported.overdue && !c.reported.superseded && !reported.released {
                let what = format!("#{of} has {:#x}, but its lease has ended", reported.number);
                return self.found("always: every connected client has a lease", what);
            }
            if reported.alive {
                self.lease_ended(of, family, at);
            }
            return;
        };
        let gone = self.product.recorded.session(c.reported.session.unwrap_or(lease.id)).is_none();
        if matches!(lease.holding, Holding::Session(_)) {
            let reported = &mut self.connections[of].reported.leases[family.index()];
            reported.iter_mut().for_each(|lease| lease.taken = at.mono);
        }
        let c = &self.connections[of];
        if lease.session().is_some() && lease.session() == c.reported.session {
            let reported = &mut self.connections[of].reported.leases[family.index()];
            reported.iter_mut().for_each(|lease| lease.had = true);
        } else if lease.session().is_some() {
            // The session that has it now counts as its last user.
            let reported = &mut self.connections[of].reported.leases[family.index()];
            reported.iter_mut().for_each(|lease| lease.had = false);
        }
        let c = &self.connections[of];
        // Before the calls of the connection have shown which lease it has, the product can only guess. Without a
        // projection, the lease's owner is uncertain if the port belongs to another connection too, or did so before
        // and that connection's calls came late.
        let tied = tied && (self.is_projected() || !(reported.shared || self.switches.unavailable));
        // The other process does not know what happened in the meantime in a process that could not write. It may have
        // given the address again, on the port of a link that had ended. The same user's next connection on the port
        // may take over the lease of a client that has disconnected.
        let certain = tied && c.phase != Phase::Gone && !self.is_unseen(c, lease.began);
        if certain && lease.session().is_some() && lease.session() != c.reported.session {
            let what = format!("the lease of #{of} on {:#x} belongs to another session", reported.number);
            return self.found("as reported: a lease belongs to its own session", what);
        }
        if tied && c.reported.lives() == Lives::Must && !self.switches.unavailable {
            let user = self.identity(of);
            if lease.session().is_none() && !self.came_late(of, family) {
                let what = format!("the lease of #{of} on {:#x} belongs to no session", reported.number);
                return self.found("as reported: a lease belongs to its own session", what);
            }
            if lease.session().is_some() && lease.user.as_ref() != Some(&user) && !self.may_belong_to_next(of, family) {
                let what =
                    format!("the lease on {:#x} names {:?}, but #{of} has it: {user}", reported.number, lease.user);
                return self.found("as reported: the user of an address is the user who connected with it", what);
            }
        }
        // A session of the same user on the same port may treat it as the lease of its other protocol.
        let others = lease.session() != c.reported.session && lease.session().is_some();
        if reported.released
            && c.reported.hung
            && gone
            // What a look took for it has no port by which a release could name it.
            && !c.reported.adopted
            && (c.reported.session.is_none() || lease.session() == c.reported.session)
            && !others
            && !self.switches.disorder
            && !self.switches.unavailable
            && !self.switches.overlap
        {
            let what =
                format!("the lease of #{of} on {:#x} lives, but its hangup and release were reported", reported.number);
            return self.found("as reported: a lease ends with its release", what);
        }
        // Nothing else may hold it forever. If notifications come from another process, one must have come since,
        // because they may be late.
        let heard = self.notified_before.since(reported.at.mono) > LEASE_WAIT;
        // A session that got it by mistake may have handed it back. Then it waits again, or waits for its release.
        let waits_again = match lease.holding {
            Holding::Waiting(until) | Holding::Ended(_, until) => {
                until.is_none_or(|until| until.after(LEASE_WAIT) > at.mono)
            }
            Holding::Session(_) => false,
        };
        let ended = heard
            && !others
            && !waits_again
            && c.reported.lives() == Lives::No
            && (c.reported.session.is_some() || c.phase == Phase::Gone);
        let since = c.reported.closed.max(c.reported.ended).map_or(reported.taken, |ended| ended.max(reported.taken));
        let hung = c.reported.hung || c.reported.session.is_none();
        if ended && hung && at.mono.since(since) > 2 * LEASE_WAIT && !self.switches.unavailable {
            let what = format!("the lease of #{of} on {:#x} is held ten minutes after its end", reported.number);
            self.found("as reported: no lease waits forever", what);
        }
    }

    /// A connection that a look found does not show its addresses either. Then nothing tells which leases are its own.
    fn shows_nothing(&self, c: &Connection) -> bool {
        c.reported.adopted && !self.is_projected()
    }

    /// Has it lost its links, as far as was reported, and did the next connection on the port ask with the same name?
    /// Without a projection, nothing tells which of them had an address that came late.
    fn may_belong_to_next(&self, of: Number, family: Family) -> bool {
        let c = &self.connections[of];
        let at = family.index();
        let next = |other: &Connection| {
            other.port == c.asked_on[at]
                && other.dialled >= c.dialled
                && other.spelling.early.folded() == c.spelling.early.folded()
        };
        !self.is_projected()
            && self.came_late(of, family)
            && c.reported.links.is_empty()
            && self.active.iter().any(|&other| other != of && next(&self.connections[other]))
    }

    pub fn is_projected(&self) -> bool {
        self.switches.projection != crate::switches::Projection::Empty
    }

    /// Was the address given after the connection was accepted?
    pub(super) fn came_late(&self, of: Number, family: Family) -> bool {
        let reported = &self.connections[of].reported;
        reported.leases[family.index()].is_some_and(|lease| lease.at.mono >= reported.began.mono)
    }

    pub(super) fn lease_ended(&mut self, of: Number, family: Family, now: Stamp) {
        let tied = self.connections[of].reported.established
            || (self.connections[of].reported.session.is_some() && self.is_projected());
        let asker = self.connections[of].spelling.asker.clone();
        let user = if tied { self.identity(of) } else { asker };
        // A failed attempt had nothing.
        let sure = tied && self.connections[of].reported.leases[family.index()].is_some_and(|lease| lease.had);
        let at = family.index();
        let Some(lease) = &mut self.connections[of].reported.leases[at] else { return };
        lease.alive = false;
        let (number, shared, never_had) = (lease.number, lease.shared, !lease.had);
        let anothers = lease.taken > lease.at.mono;
        let stood = self.connections[of].reported.session.is_some();
        if never_had && (shared || stood || anothers) {
            // Nothing showed whether it belonged to a failed attempt, or whether the session on the port negotiated
            // its address again and so had it last. A lease that a connection's own session was not seen with may
            // count as the asker's, or as another user's of the same name.
            let name = &self.connections[of].spelling.asker.name;
            let others = self.last_had.iter_mut().filter(|(key, _)| key.0.name == *name && key.1 == family);
            others.for_each(|(_, had)| had.0 = None);
        }
        let given_again = self.active.iter().any(|&other| {
            let lease = self.connections[other].reported.leases[at];
            other != of && lease.is_some_and(|lease| lease.number == number && lease.alive)
        });
        // If several end at the same moment, it is unknown which ends last.
        let at_once = self.last_had.get(&(user.clone(), family)).is_some_and(|&(_, since)| since == now.mono);
        let had = (!given_again && sure && !at_once).then_some(number);
        self.last_had.insert((self.identity(of), family), (None, now.mono));
        self.last_had.insert((user, family), (had, now.mono));
    }
}
