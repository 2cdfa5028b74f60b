//! The oracles: what must hold always, what must be concluded from what was told, and what must be left at the end.

use crate::product::Engine;
use crate::rras::{Number, Phase};
use crate::told::{Lives, ToldLease, Use};
use crate::world::{Subject, World};
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::config::file::Period;
use rasadmin_engine::state::Holding;
use rasadmin_engine::{Answer, Stamp};
use std::collections::HashSet;

/// A session without a link may be closed after this: milliseconds.
const LINK_WAIT: u64 = 60_000;

/// A lease without a connection may end after this: milliseconds.
const LEASE_WAIT: u64 = 300_000;

const FAMILIES: [Family; 2] = [Family::Ipv4, Family::Ipv6];

impl<E: Engine + ?Sized> World<'_, E> {
    /// An event was recorded: what follows from it.
    pub fn heard(&mut self, member: usize, subject: &Subject, answer: &Answer, at: Stamp, late: bool) {
        self.time_passes(at, late);
        self.heard_before = self.heard_at;
        if !matches!(subject, Subject::Address(..) | Subject::Release(..) | Subject::Other) {
            self.heard_at = at.mono;
        }
        match *subject {
            Subject::Address(of, family, offer) => {
                let port = self.connections[of].asked_on[family.index()];
                self.early_leases_end(of, port);
                self.port_starts(of, port, at, false);
                self.heard_address(of, family, offer, answer, at);
            }
            Subject::Accept(of) => self.heard_accept(member, of, answer, at, late),
            Subject::Link(of, port) => {
                self.heard_link(member, of, port, answer, at);
                self.port_starts(of, port, at, true);
            }
            Subject::LinkHangup(of, port) => {
                let told = &mut self.connections[of].told;
                let before = told.links.len();
                told.links.retain(|(other, _)| *other != port);
                if told.links.is_empty() && before > 0 {
                    told.unlinked = at;
                }
            }
            Subject::Hangup(of, usage) => {
                let told = &self.connections[of].told;
                if told.session.is_some() && told.lives() != Lives::No {
                    self.connections[of].told.hung = true;
                    self.connections[of].told.ended = Some(at.mono);
                    self.count_hangup(of, usage, at);
                }
            }
            Subject::Release(of, address) => {
                if let Some(lease) = &mut self.connections[of].told.leases[address.family.index()]
                    && lease.number == address.number
                {
                    lease.released = true;
                }
            }
            Subject::Reauthenticate(of, _) => self.heard_again(member, of, answer),
            Subject::Move(of, ref source) => {
                self.connections[of].told.source.clone_from(source);
                self.heard_again(member, of, answer);
            }
            Subject::Other => {}
        }
    }

    fn heard_address(&mut self, of: Number, family: Family, offer: Option<u64>, answer: &Answer, at: Stamp) {
        let Answer::Address(given) = answer else { return };
        let number = given.number;
        self.given_twice(of, family, number, offer);
        let kept = offer == Some(number);
        let port = self.connections[of].asked_on[family.index()];
        let shared = self.active.iter().any(|&other| {
            let c = &self.connections[other];
            let there = c.told.links.iter().any(|(on, _)| *on == port) || (!c.told.established && c.port == port);
            other != of && c.told.session.is_some() && there
        });
        let lease = ToldLease {
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
        self.connections[of].told.leases[family.index()] = Some(lease);
        self.given_on.entry((port, family)).or_default().push((at.mono, number));
        self.known.1.insert((Address { family, number }, self.product.stamp(at).mono));
        // Whoever had it last has it no longer.
        self.last_had.retain(|key, had| key.1 != family || had.0 != Some(number));
    }

    /// No address held by two.
    fn given_twice(&mut self, of: Number, family: Family, number: u64, offer: Option<u64>) {
        let holds = |other: &&Number| {
            let c = &self.connections[**other];
            let lease = c.told.leases[family.index()].filter(|lease| lease.number == number && !lease.overdue);
            **other != of && c.phase != Phase::Gone && !c.dropped && lease.is_some() && !c.told.ghost
        };
        // RRAS offers nothing that a client of it has.
        if offer != Some(number)
            && let Some(&other) = self.active.iter().find(holds)
        {
            let what = format!("{number:#x} is given to #{of}, and #{other} has it");
            self.found("always: no address is given to two", what);
        }
    }

    fn heard_accept(&mut self, member: usize, of: Number, answer: &Answer, at: Stamp, late: bool) {
        let c = &self.connections[of];
        let (handle, guid) = (c.handle, c.guid.clone());
        for &other in self.active.iter().filter(|&&other| other != of) {
            let c = &mut self.connections[other];
            if c.handle == handle || (guid.is_some() && c.guid == guid) {
                c.told.ghost = true;
            }
        }
        // With its leases the connection may tell that its port has started again.
        let port = self.connections[of].port;
        self.port_starts(of, port, at, false);
        if *answer != Answer::Accept {
            return;
        }
        let candidates = self.candidates(&self.product.members[member].state, of);
        let state = &self.product.members[member].state;
        let stamp = self.product.stamp(at);
        let mine = |handle_of: u64, began: Stamp| handle_of == handle && began == stamp;
        let session = state.live().find(|session| mine(session.handle, session.began)).map(|session| session.id);
        let closed = || state.closed().find(|c| mine(c.session.handle, c.session.began)).map(|c| c.session.id);
        let Some(id) = session.or_else(closed) else {
            if !late {
                self.found("always: whoever is accepted has a session", format!("#{of} has none"));
            }
            return;
        };
        let who = self.identity(of);
        let user = state.session(id).map(|session| session.user.clone());
        let replaced: Vec<Number> = candidates
            .iter()
            .map(|&(other, _)| other)
            .filter(|&other| {
                let other = self.connections[other].told.session.and_then(|id| state.session(id));
                other.is_some_and(|other| other.replaced.is_some_and(|replaced| replaced.by == id))
            })
            .collect();
        let told = &mut self.connections[of].told;
        told.session = Some(id);
        self.known.0.insert(id);
        told.began = at;
        told.unlinked = at;
        let source = self.connections[of].device.source.clone();
        self.connections[of].told.source = source;
        for &other in &replaced {
            self.connections[other].told.replaced = true;
            self.connections[other].told.replaced_by = Some(of);
        }
        if user.is_some_and(|user| user.as_ref() != Some(&who)) {
            self.found("as told: a session is its user's", format!("the session of #{of} is not {who}'s"));
        }
        let sure = candidates.iter().any(|&(_, sure)| sure);
        if (replaced.len() > 1 || (replaced.is_empty() && sure)) && !late && !self.switches.away {
            let what = format!("#{of} replaces {replaced:?} of {candidates:?}");
            self.found("as told: a newcomer replaces one session", what);
        }
    }

    fn heard_link(&mut self, member: usize, of: Number, port: usize, answer: &Answer, at: Stamp) {
        let c = &mut self.connections[of];
        let told = &mut c.told;
        if told.session.is_none() || told.lives() == Lives::No {
            return;
        }
        if *answer == Answer::Accept {
            told.links.retain(|(other, _)| *other != port);
            told.links.push((port, at));
            told.lapsed = false;
            // A further link is a sign of life; whether the first is one is left open.
            let session = told.session.and_then(|id| self.product.members[member].state.session(id));
            told.replaced &= !told.established && session.is_none_or(|session| session.replaced.is_some());
            told.established = true;
        } else if !told.established {
            told.refused = true;
        }
    }

    /// A sign of life.
    fn heard_again(&mut self, member: usize, of: Number, answer: &Answer) {
        let state = &self.product.members[member].state;
        let told = &mut self.connections[of].told;
        if *answer == Answer::Accept {
            told.lapsed = false;
            told.replaced = false;
        } else if let Some(session) = told.session.and_then(|id| state.session(id)) {
            told.replaced = session.replaced.is_some();
        }
    }

    /// A port that starts again: whoever was told to have a link there is over, as far as the product can know.
    /// Only a link proves it: an address may be asked for by a protocol that comes up late.
    fn port_starts(&mut self, of: Number, port: usize, at: Stamp, proven: bool) {
        for &other in self.active.iter().filter(|&&other| other != of) {
            let c = &mut self.connections[other];
            let linked = c.told.links.iter().any(|&(on, since)| on == port && since.mono <= at.mono);
            if linked && c.told.links.len() > 1 && proven {
                // Its others stand: only this one is over.
                c.told.links.retain(|(on, _)| *on != port);
                continue;
            }
            // Without a link, the port of its address is all that is known of where it is.
            let never = !c.told.established && c.port == port && c.told.began.mono <= at.mono;
            c.told.ghost |= c.told.session.is_some() && (linked || never);
        }
    }

    /// A lease whose connection is not on record ends when its port starts again.
    fn early_leases_end(&mut self, of: Number, port: usize) {
        for &other in self.active.iter().filter(|&&other| other != of) {
            let c = &mut self.connections[other];
            if c.port == port && c.told.session.is_none() {
                c.told.leases.iter_mut().flatten().for_each(|lease| lease.overdue = true);
            }
        }
    }

    // Use.

    fn count_hangup(&mut self, of: Number, usage: rasadmin_engine::effect::Usage, at: Stamp) {
        let told = &mut self.connections[of].told;
        if told.counted {
            return;
        }
        told.counted = true;
        let elapsed = at.seconds_since(told.began);
        let seconds = usage.seconds.min(elapsed);
        // Of one that was closed before, it is not sure how much of its end is believed; nor is a duration of zero.
        let sure = !told.ghost && !told.lapsed && usage.seconds > 0;
        let octets = usage.input_octets + usage.output_octets;
        let least = |all: u64| if sure { all } else { 0 };
        let used = Use {
            seconds: (least(seconds).saturating_sub(1), seconds.max(if sure { 0 } else { elapsed }) + 1),
            octets: (if told.ghost || told.lapsed { 0 } else { octets }, octets),
            stop: at.time,
        };
        let who = self.connections[of].who;
        self.uses[who].push(used);
    }

    /// A session whose end was never told counts at most until now.
    pub fn count_estimate(&mut self, of: Number, at: Stamp) {
        let told = &mut self.connections[of].told;
        if told.session.is_none() || told.counted || told.over || told.refused {
            return;
        }
        told.counted = true;
        let elapsed = at.seconds_since(told.began) + 1;
        let who = self.connections[of].who;
        self.uses[who].push(Use { seconds: (0, elapsed), octets: (0, 0), stop: at.time });
    }

    // Always.

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

    fn lapse(&mut self, of: Number, at: Stamp, late: bool) {
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

    fn session_is_there(&mut self, member: usize, of: Number, at: Stamp) {
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

    fn lease_is_there(&mut self, member: usize, of: Number, family: Family, at: Stamp) {
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
            // Until its own calls show that it has it, it is enough that nobody else can get it.
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
        // And what a client had who has gone, the same user's next connection on its port may take over.
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

    fn is_projected(&self) -> bool {
        self.switches.projection != crate::switches::Projection::Empty
    }

    /// Was the address given after the connection was accepted?
    fn came_late(&self, of: Number, family: Family) -> bool {
        let told = &self.connections[of].told;
        told.leases[family.index()].is_some_and(|lease| lease.at.mono >= told.began.mono)
    }

    fn lease_ended(&mut self, of: Number, family: Family, now: Stamp) {
        let tied = self.connections[of].told.established
            || (self.connections[of].told.session.is_some() && self.is_projected());
        let asker = self.connections[of].spelling.asker.clone();
        let who = if tied { self.identity(of) } else { asker };
        // An attempt that failed had nothing.
        let sure = tied && self.connections[of].told.leases[family.index()].is_some_and(|lease| lease.had);
        let at = family.index();
        let Some(lease) = &mut self.connections[of].told.leases[at] else { return };
        lease.alive = false;
        let number = lease.number;
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

    // Every thousand steps.

    /// What is dear to look at.
    pub fn now_and_then(&mut self) {
        if self.finding.is_some() {
            return;
        }
        if let Some(what) = self.product.differs() {
            return self.found("state: all folds of the records are one", what);
        }
        self.nobody_unknown();
        self.use_is_right();
        self.retire();
    }

    /// Every session and lease of the product is somebody's.
    fn nobody_unknown(&mut self) {
        let state = &self.product.members[0].state;
        let (sessions, leases) = &self.known;
        let session =
            state.live().find(|session| !sessions.contains(&session.id)).map(|session| format!("{session:?}"));
        let own = |lease: &&rasadmin_engine::state::Lease| {
            // Of an address that was given while nothing could be written, the connection itself tells.
            let by_session = self.switches.away && lease.session().is_some_and(|id| sessions.contains(&id));
            !by_session && !leases.contains(&(lease.address, lease.began.mono))
        };
        let lease = state.leases().find(own).map(|lease| format!("{lease:?}"));
        if let Some(what) = session.or(lease) {
            self.found("as told: every session and lease is somebody's", what);
        }
    }

    /// What each user has used today.
    fn use_is_right(&mut self) {
        let now = self.stamp();
        let label = i32::try_from(now.time.div_euclid(crate::expect::DAY)).unwrap_or(0);
        for person in crate::people::PEOPLE {
            let who = person.identity();
            let state = &self.product.members[0].state;
            let used = state.used(&who, Period::Day, label);
            let [seconds, octets] = self.used_today(&who, None, now);
            // What was closed by an estimate counts too.
            let estimates: u64 = self
                .active
                .iter()
                .filter(|&&of| self.identity(of) == who && !self.connections[of].told.counted)
                .filter(|&&of| {
                    self.connections[of].told.session.is_some() && self.connections[of].told.lives() != Lives::Must
                })
                .map(|&of| now.seconds_since(self.connections[of].told.began) + 1)
                .sum();
            let fits = |used: u64, (least, most): (u64, u64)| (least..=most).contains(&used);
            if !fits(used.seconds, (seconds.0, seconds.1 + estimates)) || !fits(used.octets, octets) {
                let what = format!(
                    "{who} used {used:?} today, and by what was told {seconds:?} (+{estimates}) and {octets:?}"
                );
                return self.found("as told: use is what was told", what);
            }
        }
    }

    /// Of whom nothing more can come is not looked at any more.
    pub fn retire(&mut self) {
        let now = self.stamp();
        for of in std::mem::take(&mut self.active) {
            let c = &self.connections[of];
            let state = self.product.latest();
            let held = c.told.leases.iter().flatten().any(|lease| lease.alive);
            let due = self.pending.iter().any(|due| due.of == of) || c.busy > 0;
            let waits = self.product.members.iter().any(|member| !member.waiting.is_empty());
            let live = c.told.session.is_some_and(|id| state.session(id).is_some());
            let over = c.phase == Phase::Gone && !due && !waits && !live && !held;
            if over {
                let closed = c.told.closed.map_or(now, |closed| Stamp { time: now.time, mono: closed });
                self.count_estimate(of, closed);
            } else {
                self.active.push(of);
            }
        }
        let old = now.time - 3 * crate::expect::DAY;
        if !self.switches.clock_steps {
            for uses in &mut self.uses {
                uses.retain(|used| used.stop > old);
            }
        }
    }

    // After quiescence.

    /// Nobody is connected, and everything was told but what was lost.
    pub fn all_is_over(&mut self) {
        self.now_and_then();
        if self.finding.is_some() {
            return;
        }
        let strict = !self.switches.losses && !self.switches.another_dll && !self.switches.away;
        let state = &self.product.members[0].state;
        let lost = |of: Number| self.connections[of].told.lost && !strict;
        let excused: HashSet<_> =
            self.active.iter().filter(|&&of| lost(of)).filter_map(|&of| self.connections[of].told.session).collect();
        let session = state.live().find(|session| !excused.contains(&session.id)).map(|s| format!("{s:?}"));
        // What was given while nothing could be written, or may be another connection's, waits for its release.
        let lost_release = |lease: &rasadmin_engine::state::Lease| {
            let own = |of: Number| self.connections[of].told.leases[lease.address.family.index()].map(|told| told.at);
            (self.switches.away || self.switches.losses)
                && self
                    .active
                    .iter()
                    .any(|&of| lost(of) && own(of).map(|at| self.product.stamp(at)) == Some(lease.began))
        };
        let excused = |lease: &&rasadmin_engine::state::Lease| {
            lease.session().is_some_and(|id| excused.contains(&id)) || lost_release(lease)
        };
        let lease = state.leases().find(|lease| !excused(lease));
        let lease = lease.map(|lease| format!("{lease:?}"));
        if let Some(what) = session.or(lease) {
            self.found("quiescence: no session and no lease is left", what);
        }
        if let Some(what) = self.product.text_differs() {
            self.found("state: a checkpoint and a record come back as they were", what);
        }
    }

    /// A new instance has nothing of the old one.
    pub fn nothing_is_left(&mut self, after: &str) {
        self.product.catch_up(0);
        let state = &self.product.members[0].state;
        let (sessions, leases) = (state.live_count(), state.leases().count());
        if sessions + leases > 0 {
            let what = format!("{sessions} sessions and {leases} leases are left after {after}");
            self.found("restart: a new instance has nothing of the old one", what);
        }
    }
}
