//! The oracles: what must always hold, what must be concluded from what was reported, and what must be left at the
//! end.

mod every_record;
mod looks;
mod periodic;
mod usage;

use crate::product::Engine;
use crate::reported::{Lives, ReportedLease};
use crate::rras::{Connection, Number, Phase};
use crate::world::{Subject, World};
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::{Answer, Id, Stamp};

/// How long a session may have no link before it is closed, in milliseconds.
const LINK_WAIT: u64 = 60_000;

/// How long a lease may have no connection before it ends, in milliseconds.
const LEASE_WAIT: u64 = 300_000;

const FAMILIES: [Family; 2] = [Family::Ipv4, Family::Ipv6];

impl<E: Engine + ?Sized> World<'_, E> {
    /// Updates what was reported, after an event was recorded.
    pub fn after_record(&mut self, subject: &Subject, answer: &Answer, at: Stamp, late: bool) {
        self.time_passes(at, late);
        self.notified_before = self.notified_at;
        if !matches!(subject, Subject::Address(..) | Subject::Release(..) | Subject::Other) {
            self.notified_at = at.mono;
        }
        if let Subject::Accept(of) | Subject::Hangup(of, ..) | Subject::Reauthenticate(of, _) | Subject::Move(of, _) =
            subject
        {
            let heard = &mut self.connections[*of].reported.heard;
            *heard = (*heard).max(Some(at.mono));
        }
        match *subject {
            Subject::Address(of, family, offer) => {
                let port = self.connections[of].asked_on[family.index()];
                self.early_leases_end(of, port);
                self.port_starts(of, port, at, false);
                self.after_address(of, family, offer, answer, at);
            }
            Subject::Accept(of) => self.after_accept(of, answer, at, late),
            Subject::Link(of, port) => {
                self.after_link(of, port, answer, at);
                self.port_starts(of, port, at, true);
            }
            Subject::LinkHangup(of, port) => {
                let reported = &mut self.connections[of].reported;
                let before = reported.links.len();
                reported.links.retain(|(other, _)| *other != port);
                if reported.links.is_empty() && before > 0 {
                    reported.unlinked = at;
                }
            }
            Subject::Hangup(of, seconds, traffic) => {
                let reported = &self.connections[of].reported;
                if reported.session.is_some() && reported.lives() != Lives::No {
                    self.connections[of].reported.hung = true;
                    self.connections[of].reported.ended = Some(at.mono);
                    self.count_hangup(of, seconds, traffic, at);
                }
            }
            Subject::Release(of, address) => {
                if let Some(lease) = &mut self.connections[of].reported.leases[address.family.index()]
                    && lease.number == address.number
                {
                    lease.released = true;
                }
            }
            Subject::Reauthenticate(of, _) => self.after_recheck(of, answer),
            Subject::Move(of, ref source) => {
                self.connections[of].reported.source.clone_from(source);
                self.after_recheck(of, answer);
            }
            Subject::Other => {}
        }
    }

    fn after_address(&mut self, of: Number, family: Family, offer: Option<u64>, answer: &Answer, at: Stamp) {
        let Answer::Address(given) = answer else { return };
        let number = given.number;
        self.check_given_once(of, family, number, offer, at);
        let kept = offer == Some(number);
        let port = self.connections[of].asked_on[family.index()];
        let shared = self.active.iter().any(|&other| {
            let c = &self.connections[other];
            let there =
                c.reported.links.iter().any(|(on, _)| *on == port) || (!c.reported.established && c.port == port);
            other != of && c.reported.session.is_some() && there
        });
        let lease = ReportedLease {
            number,
            at,
            kept,
            alive: true,
            shared,
            released: false,
            had: false,
            taken: at.mono,
            overdue: false,
        };
        self.connections[of].reported.leases[family.index()] = Some(lease);
        self.known.1.insert((Address { family, number }, self.product.stamp(at).mono));
        // No other user had it last any more.
        self.last_had.retain(|key, had| key.1 != family || had.0 != Some(number));
    }

    /// Did the connection have a link that was not on record when an address was given? The process with the address
    /// functions sees only links on record. If their ports start again while a further link waits in the other
    /// process, it must conclude that the session is over.
    fn is_unseen(&self, c: &Connection, given: Stamp) -> bool {
        self.product.members.len() > 1 && c.reported.link_waited_at(given.mono)
    }

    /// Checks that no address is given to two connections.
    fn check_given_once(&mut self, of: Number, family: Family, number: u64, offer: Option<u64>, at: Stamp) {
        let holds = |other: &&Number| {
            let c = &self.connections[**other];
            let lease = c.reported.leases[family.index()].filter(|lease| lease.number == number && !lease.overdue);
            **other != of
                && c.phase != Phase::Gone
                && !c.dropped
                && lease.is_some()
                && !c.reported.superseded
                && !self.is_unseen(c, at)
        };
        // RRAS does not offer an address that one of its clients has.
        if offer != Some(number)
            && let Some(&other) = self.active.iter().find(holds)
        {
            let what = format!("{number:#x} is given to #{of}, and #{other} has it");
            self.found("always: no address is given to two users", what);
        }
    }

    fn after_accept(&mut self, of: Number, answer: &Answer, at: Stamp, late: bool) {
        let c = &self.connections[of];
        let (handle, guid) = (c.handle, c.guid.clone());
        for &other in self.active.iter().filter(|&&other| other != of) {
            let c = &mut self.connections[other];
            if c.handle == handle || (guid.is_some() && c.guid == guid) {
                c.reported.superseded = true;
            }
        }
        // Through its leases, the connection may show that its port has started again.
        let port = self.connections[of].port;
        self.port_starts(of, port, at, false);
        let reported = &mut self.connections[of].reported;
        if *answer != Answer::Accept {
            // What a look began for it is over.
            reported.superseded |= reported.adopted;
            return;
        }
        let adopted = reported.session.filter(|_| reported.adopted);
        let candidates = self.candidates(&self.product.recorded, of);
        let state = &self.product.recorded;
        let stamp = self.product.stamp(at);
        let mine = |handle_of: u64, began: Stamp| handle_of == handle && began == stamp;
        let session = state.live().find(|session| mine(session.handle, session.began)).map(|session| session.id);
        let closed = || state.closed().find(|c| mine(c.session.handle, c.session.began)).map(|c| c.session.id);
        let joined = || adopted.filter(|id| state.session(*id).is_some());
        let Some(id) = session.or_else(closed).or_else(joined) else {
            if !late {
                self.found("always: every accepted connection has a session", format!("#{of} has none"));
            }
            return;
        };
        let expected_user = self.identity(of);
        let user = state.session(id).map(|session| session.user.clone());
        let replaced: Vec<Number> = candidates
            .iter()
            .map(|&(other, _)| other)
            .filter(|&other| {
                let other = self.connections[other].reported.session.and_then(|id| state.session(id));
                other.is_some_and(|other| other.replaced.is_some_and(|replaced| replaced.by == id))
            })
            .collect();
        if adopted == Some(id) {
            // If it was closed meanwhile, it lives again.
            let reported = &mut self.connections[of].reported;
            (reported.missed, reported.lapsed) = (false, false);
        } else {
            self.begins(of, id, at);
        }
        let source = self.connections[of].device.source.clone();
        self.connections[of].reported.source = source;
        for &other in &replaced {
            self.connections[other].reported.replaced = true;
            self.connections[other].reported.replaced_by = Some(of);
            self.connections[other].reported.replaced_at = at.mono;
        }
        if user.is_some_and(|user| user.as_ref() != Some(&expected_user)) {
            self.found(
                "as reported: a session belongs to its user",
                format!("the session of #{of} does not belong to {expected_user}"),
            );
        }
        let sure = candidates.iter().any(|&(_, sure)| sure);
        if (replaced.len() > 1 || (replaced.is_empty() && sure)) && !late && !self.switches.unavailable {
            let what = format!("#{of} replaces {replaced:?} of {candidates:?}");
            self.found("as reported: a new connection replaces one session", what);
        }
    }

    /// A session is on record for a connection.
    fn begins(&mut self, of: Number, id: Id, at: Stamp) {
        // What looks began for it before has ended.
        self.count_estimate(of, at);
        let reported = &mut self.connections[of].reported;
        (reported.session, reported.began, reported.unlinked) = (Some(id), at, at);
        (reported.adopted, reported.counted, reported.octets) = (false, false, (0, 0));
        self.known.0.insert(id);
    }

    fn after_link(&mut self, of: Number, port: usize, answer: &Answer, at: Stamp) {
        let c = &mut self.connections[of];
        let reported = &mut c.reported;
        if reported.session.is_none() || reported.lives() == Lives::No {
            return;
        }
        if *answer == Answer::Accept {
            reported.links.retain(|(other, _)| *other != port);
            reported.links.push((port, at));
            reported.lapsed = false;
            // A further link proves that the client is connected; whether the first link does is left open.
            let session = reported.session.and_then(|id| self.product.recorded.session(id));
            reported.replaced &= !reported.established && session.is_none_or(|session| session.replaced.is_some());
            reported.established = true;
        } else if !reported.established && !reported.adopted {
            reported.refused = true;
            reported.seen_is_uncertain();
        }
    }

    /// Updates what was reported after a reauthentication or an endpoint change, which proves that the client is
    /// connected.
    fn after_recheck(&mut self, of: Number, answer: &Answer) {
        let state = &self.product.recorded;
        let reported = &mut self.connections[of].reported;
        if *answer == Answer::Accept {
            reported.lapsed = false;
            reported.replaced = false;
        } else if let Some(session) = reported.session.and_then(|id| state.session(id)) {
            reported.replaced = session.replaced.is_some();
        }
    }

    /// Handles a port that starts again: a connection that was reported to have a link there is over, as far as the
    /// product can know. Only a link proves it: an address call may be for a protocol that comes up late.
    fn port_starts(&mut self, of: Number, port: usize, at: Stamp, proven: bool) {
        for &other in self.active.iter().filter(|&&other| other != of) {
            let c = &mut self.connections[other];
            let linked = c.reported.links.iter().any(|&(on, since)| on == port && since.mono <= at.mono);
            if linked && c.reported.links.len() > 1 && proven {
                // Its other links remain; only this one is over.
                c.reported.links.retain(|(on, _)| *on != port);
                continue;
            }
            // Without a link, only the port of its address is known.
            let never = !c.reported.established && c.port == port && c.reported.began.mono <= at.mono;
            c.reported.superseded |= c.reported.session.is_some() && (linked || never);
        }
    }

    /// A lease whose connection is not on record ends when its port starts again.
    fn early_leases_end(&mut self, of: Number, port: usize) {
        for &other in self.active.iter().filter(|&&other| other != of) {
            let c = &mut self.connections[other];
            if c.port == port && c.reported.session.is_none() {
                c.reported.leases.iter_mut().flatten().for_each(|lease| lease.overdue = true);
            }
        }
    }
}
