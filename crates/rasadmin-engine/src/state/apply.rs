//! Applies records to the state.

use super::State;
use super::expiry::{Due, Expiry};
use super::instance::{Open, closing_of};
use super::lease::{Holding, Lease};
use super::session::{Closed, Link, Replaced, Session};
use super::usage::with_octets;
use crate::Identity;
use crate::counters::Counted;
use crate::effect::{CountedSession, CountedSessions, DayUse, Effect, EndedBy, InstanceBegan, SessionEnded};
use crate::now::{Id, Mono, Stamp};
use crate::record::Record;

impl State {
    /// Carries out a record's effects. It depends on nothing else.
    pub fn apply(&mut self, record: &Record) {
        self.number += 1;
        if !self.accepts(record) {
            return;
        }
        // A late record also proves that the instance was running at its time.
        if record.event.is_of_rras() && self.last.is_none_or(|last| last.mono <= record.at.mono) {
            self.last = Some(record.at);
        }
        if record.event.is_notification() && !record.late {
            self.heard = Some((record.process, record.at.mono));
        }
        for effect in &record.effects {
            self.carry_out(effect, record.at);
        }
        // The record may be about a session that was remembered until now.
        self.sessions.forget_before(Mono(record.at.mono.0.saturating_sub(super::CLOSED_FOR)));
    }

    /// Does the state accept this record? It ignores records of an instance that has ended: that instance's sessions
    /// are already closed.
    pub fn accepts(&self, record: &Record) -> bool {
        self.instance.is_none_or(|instance| instance == record.instance)
            || record.effects.iter().any(|effect| matches!(effect, Effect::InstanceBegan(_)))
    }

    fn carry_out(&mut self, effect: &Effect, at: Stamp) {
        match effect {
            Effect::InstanceBegan(began) => self.begin_instance(began),
            Effect::SessionBegan(began) => {
                // An earlier session of this handle is over, even if RRAS did not report its end.
                self.sessions.handle_reused(began.handle);
                self.begin_session(Session::new(began));
            }
            Effect::SessionEstablished { session, at, port, tunnel } => {
                self.sessions.establish(*session, *at, port, *tunnel);
                self.wait_for_link(*session);
            }
            Effect::SessionReplaced { session, by, at } => {
                let replaced = Some(Replaced { by: *by, at: *at });
                self.recount(*session, |s| s.replaced = replaced);
            }
            Effect::SessionAlive { session } => self.recount(*session, |s| s.replaced = None),
            Effect::DisconnectDecided(decided) => {
                if self.sessions.get(decided.session).is_some() {
                    self.to_disconnect.set((**decided).clone());
                }
            }
            Effect::SessionConfirmed { session, at } => {
                self.sessions.change(*session, |s| s.confirmed = Some(*at));
                self.wait_for_link(*session);
            }
            Effect::SourceChanged { session, source } => {
                self.sessions.change(*session, |s| source.clone_into(&mut s.source));
            }
            Effect::QuarantineChanged { session, quarantine } => {
                self.sessions.change(*session, |s| s.quarantine = *quarantine);
            }
            Effect::SessionEnded(ended) => self.end_session(ended, at),
            Effect::SessionRevived { session, at } => self.revive(*session, *at),
            Effect::LinkBegan(link) => {
                self.sessions.link(link.session, Link { port: link.port.clone(), began: link.at });
                self.wait_for_link(link.session);
            }
            Effect::LinkEnded { session, port, at, .. } => {
                self.sessions.unlink(*session, port, *at);
                self.wait_for_link(*session);
            }
            Effect::LeaseBegan(began) => self.begin_lease(Lease::new(began)),
            Effect::LeaseTaken { lease, session, user, .. } => {
                self.change_lease(*lease, |l| {
                    l.holding = Holding::Session(*session);
                    l.user.clone_from(user);
                });
            }
            Effect::LeaseHeld { lease, until } => {
                self.change_lease(*lease, |l| {
                    if let Some(session) = l.session() {
                        l.holding = Holding::Ended(session, *until);
                    } else {
                        l.holding = Holding::Waiting(*until);
                    }
                });
            }
            Effect::LeaseWaits { lease, until } => {
                self.change_lease(*lease, |l| l.holding = Holding::Waiting(*until));
            }
            Effect::LeaseReleaseSeen { lease } => self.change_lease(*lease, |l| l.released = true),
            Effect::LeaseEnded { lease, by, .. } => self.end_lease(*lease, *by),
            Effect::LateRelease { port, family, lease } => self.leases.settle(port, *family, *lease),
            Effect::Used { session, user, days } | Effect::InterimUse { session, user, days, .. } => {
                self.use_is(*session, user, days);
            }
            Effect::Counted(counted) => counted.sessions.iter().for_each(|one| self.count(counted, one)),
            Effect::UseCarried(carried) => self.uses.carry(&carried.user, carried.sums),
            Effect::Blocked(block) => self.blocks.apply_earlier(block, at.time),
            Effect::BlockBegan(block) => self.blocks.begin(block.clone(), at.time),
            Effect::BlockEnded { subject } => self.blocks.end(subject),
            Effect::RemoteSession(remote) => self.set_remote_session(remote),
            Effect::CursorMoved { pool, shape, next } => self.addresses.move_cursor(pool, shape, *next),
            Effect::ConfigRead(read) => self.config = Some(read.hash.clone()),
            Effect::Forgotten { before, first_day, user, .. } => {
                self.uses.forget(*first_day, user.as_ref());
                self.forget(*before, user.as_ref());
            }
            Effect::Anomaly(_) | Effect::Lost { .. } | Effect::RefusalRepeated(_) => {}
        }
    }

    fn begin_instance(&mut self, began: &InstanceBegan) {
        self.expiry = Expiry::default();
        self.derived.all_have_ended();
        for remote in self.remote.live() {
            self.derived.count_user(&remote.user, 1);
        }
        let sessions = self.sessions.take_all();
        self.counted.clear();
        self.to_disconnect.clear();
        self.uses.reserve(sessions.len());
        // In the order of their beginning: the use that was written last is kept.
        for session in sessions.sorted() {
            if let Some(user) = &session.user {
                let closing = closing_of(&Open::from(session), began);
                self.uses.replace(user, &session.used, &closing.days);
            }
        }
        drop(sessions);
        let leases = self.leases.take_all();
        self.addresses.reserve(leases.len());
        // In the order of their beginning, which becomes the order of their release.
        for lease in leases.sorted() {
            self.addresses.free_up(lease.address, lease.user.as_ref());
        }
        self.derived.free_all(self.addresses.free());
        self.server.clone_from(&began.server);
        self.instance = Some(began.instance);
        self.last = Some(began.at);
        self.heard = None;
    }

    fn begin_session(&mut self, session: Session) {
        let id = session.id;
        self.derived.count(&session, 1);
        self.sessions.insert(session);
        self.wait_for_link(id);
    }

    /// Makes a change that may affect whether the session counts.
    fn recount(&mut self, id: Id, change: impl FnOnce(&mut Session)) {
        let Some(before) = self.sessions.get(id) else {
            // A session that was closed without a hangup may have been replaced too.
            self.sessions.closed_change(id, |closed| change(&mut closed.session));
            return;
        };
        self.derived.count(before, -1);
        self.sessions.change(id, change);
        if let Some(after) = self.sessions.get(id) {
            self.derived.count(after, 1);
        }
    }

    fn wait_for_link(&mut self, id: Id) {
        let waits = self.sessions.get(id).filter(|session| session.waits_for_link());
        let due = waits.map(|session| session.unlinked.mono.after(super::LINK_TIMEOUT));
        self.expiry.set(Due::Session(id), due);
    }

    fn end_session(&mut self, ended: &SessionEnded, at: Stamp) {
        let id = ended.session;
        let Some(mut session) = self.sessions.take(id) else {
            // More is known about its end.
            if ended.by.hangup_may_come() {
                self.sessions.closed_change(id, |closed| closed.by = ended.by);
            } else {
                self.sessions.forget(id);
            }
            return;
        };
        self.derived.count(&session, -1);
        self.counted.forget(id);
        self.to_disconnect.forget(id);
        self.expiry.set(Due::Session(id), None);
        session.links.clear();
        if ended.by.hangup_may_come() {
            self.sessions.remember(Closed { session, closed: at, stop: ended.at, by: ended.by });
        }
    }

    fn revive(&mut self, id: Id, at: Stamp) {
        let Some(Closed { mut session, .. }) = self.sessions.forget(id) else { return };
        session.unlinked = at;
        let leases: Vec<Id> = self.leases.of_session(id).map(|lease| lease.id).collect();
        for lease in leases {
            self.change_lease(lease, |l| l.holding = Holding::Session(id));
        }
        self.begin_session(session);
    }

    fn begin_lease(&mut self, lease: Lease) {
        let (id, address, until) = (lease.id, lease.address, lease.until());
        if let Some(free) = self.addresses.give(address) {
            self.derived.not_free(free.sequence, address);
        }
        self.derived.hold(address);
        self.leases.insert(lease);
        self.expiry.set(Due::Lease(id), until);
    }

    fn change_lease(&mut self, id: Id, change: impl FnOnce(&mut Lease)) {
        let until = self.leases.change(id, change).and_then(Lease::until);
        self.expiry.set(Due::Lease(id), until);
    }

    fn end_lease(&mut self, id: Id, by: EndedBy) {
        let Some(lease) = self.leases.take(id) else { return };
        self.expiry.set(Due::Lease(id), None);
        self.derived.release(lease.address);
        let changed = self.addresses.free_up(lease.address, lease.user.as_ref());
        if let Some(free) = changed.freed {
            self.derived.free(free.sequence, free.address);
        }
        if let Some(gone) = changed.forgotten {
            self.derived.not_free(gone.sequence, gone.address);
        }
        // No release is expected for a lease that was released while its session was live.
        if by.release_may_come() && !lease.released {
            self.leases.owe(lease);
        }
    }

    /// Counts what a live session's counters show. Octets that were not counted before go to the present day.
    fn count(&mut self, all: &CountedSessions, one: &CountedSession) {
        let Some(session) = self.sessions.get(one.session) else { return };
        if let Some(user) = session.user.clone() {
            let days = with_octets(&session.used, one.octets, all.labels);
            self.use_is(one.session, &user, &days);
        }
        self.counted.set(one.session, Counted::from_effect(one, all.at.mono));
    }

    fn use_is(&mut self, id: Id, user: &Identity, days: &[DayUse]) {
        let before = self.sessions.get(id).or_else(|| self.sessions.closed_session(id).map(|closed| &closed.session));
        let before = before.map(|session| session.used.clone()).unwrap_or_default();
        self.uses.replace(user, &before, days);
        let now = days.to_vec();
        if self.sessions.get(id).is_some() {
            self.sessions.change(id, |session| session.used = now);
        } else {
            self.sessions.closed_change(id, |closed| closed.session.used = now);
        }
    }

    fn set_remote_session(&mut self, remote: &crate::effect::RemoteSession) {
        let Some(before) = self.remote.set(remote) else { return };
        if let Some(before) = before {
            self.uses.replace(&before.user, &before.days, &[]);
            if before.live {
                self.derived.count_user(&before.user, -1);
            }
        }
        self.uses.replace(&remote.user, &[], &remote.days);
        if remote.live {
            self.derived.count_user(&remote.user, 1);
        }
    }

    fn forget(&mut self, before: crate::Millis, user: Option<&Identity>) {
        self.addresses.forget(user);
        self.blocks.forget(before, user);
        let mut gone: Vec<Id> = Vec::new();
        for closed in self.sessions.closed() {
            let whose = user.is_none_or(|user| closed.session.user.as_ref() == Some(user));
            if whose && closed.stop.time < before {
                gone.push(closed.session.id);
            }
        }
        for id in gone {
            self.sessions.forget(id);
        }
    }
}
