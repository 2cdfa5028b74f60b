//! The expensive checks, made every thousand steps and at the end.

use crate::product::Engine;
use crate::reported::Lives;
use crate::rras::{Number, Phase};
use crate::world::{GivenAddress, World};
use rasadmin_engine::Stamp;
use rasadmin_engine::config::file::Period;
use rasadmin_engine::state::Holding;
use std::collections::HashSet;

impl<E: Engine + ?Sized> World<'_, E> {
    /// Makes the expensive checks.
    pub fn check_periodically(&mut self) {
        if self.finding.is_some() {
            return;
        }
        if let Some(what) = self.product.differs() {
            return self.found("state: all processes agree with the records", what);
        }
        if let Some(what) = self.product.carried_differs(self.stamp()) {
            return self.found("state: another journal gets what memory has", what);
        }
        self.check_all_known();
        self.check_usage();
        self.retire();
    }

    /// Checks that every session and lease of the product belongs to a connection.
    pub(super) fn check_all_known(&mut self) {
        let state = &self.product.recorded;
        let (sessions, leases) = &self.known;
        let session =
            state.live().find(|session| !sessions.contains(&session.id)).map(|session| format!("{session:?}"));
        let own = |lease: &&rasadmin_engine::state::Lease| {
            // If an address was given while nothing could be written, the connection itself shows it.
            let by_session = self.switches.unavailable && lease.session().is_some_and(|id| sessions.contains(&id));
            !by_session && !leases.contains(&(lease.address, lease.began.mono))
        };
        let lease = state.leases().find(own).map(|lease| format!("{lease:?}"));
        if let Some(what) = session.or(lease) {
            self.found("as reported: every session and lease belongs to a connection", what);
        }
    }

    /// Checks what each user has used today.
    pub(super) fn check_usage(&mut self) {
        let now = self.stamp();
        let label = i32::try_from(now.time.div_euclid(crate::expect::DAY)).unwrap_or(0);
        for person in crate::people::PEOPLE {
            let user = person.identity();
            let state = &self.product.recorded;
            let used = state.used(&user, Period::Day, label);
            let [seconds, octets] = self.used_today(&user, None, now);
            // Sessions whose end is an estimate count too.
            let estimates: u64 = self
                .active
                .iter()
                .filter(|&&of| self.identity(of) == user && !self.connections[of].reported.counted)
                .filter(|&&of| {
                    self.connections[of].reported.session.is_some()
                        && self.connections[of].reported.lives() != Lives::Must
                })
                .map(|&of| now.seconds_since(self.connections[of].reported.began) + 1)
                .sum();
            let fits = |used: u64, (least, most): (u64, u64)| (least..=most).contains(&used);
            if !fits(used.seconds, (seconds.0, seconds.1 + estimates)) || !fits(used.octets, octets) {
                let what = format!(
                    "{user} used {used:?} today, but the hangups report {seconds:?} (+{estimates}) and {octets:?}"
                );
                return self.found("as reported: use is what the hangups report", what);
            }
        }
    }

    /// Drops the connections from which nothing more can come.
    pub fn retire(&mut self) {
        let now = self.stamp();
        for of in std::mem::take(&mut self.active) {
            let c = &self.connections[of];
            let state = &self.product.recorded;
            let held = c.reported.leases.iter().flatten().any(|lease| lease.alive);
            let due = self.pending.iter().any(|due| due.of == of) || c.busy > 0;
            let waits = self.product.members.iter().any(|member| !member.waiting.is_empty());
            let live = c.reported.session.is_some_and(|id| state.session(id).is_some());
            let over = c.phase == Phase::Gone && !due && !waits && !live && !held;
            if over {
                let closed = c.reported.closed.map_or(now, |closed| Stamp { time: now.time, mono: closed });
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

    /// Checks that nothing is left when no client is connected and everything that was not lost has been reported.
    pub fn check_all_over(&mut self) {
        self.check_periodically();
        if self.finding.is_some() {
            return;
        }
        let strict = !self.switches.losses && !self.switches.another_dll && !self.switches.unavailable;
        let state = &self.product.recorded;
        let lost = |of: Number| self.connections[of].reported.lost && !strict;
        let excused: HashSet<_> = self
            .active
            .iter()
            .filter(|&&of| lost(of))
            .filter_map(|&of| self.connections[of].reported.session)
            .collect();
        let session = state.live().find(|session| !excused.contains(&session.id)).map(|s| format!("{s:?}"));
        // A lease that was given while nothing could be written, or may belong to another connection, waits for its
        // release.
        let lost_release = |lease: &rasadmin_engine::state::Lease| {
            let own = |of: Number| {
                self.connections[of].reported.leases[lease.address.family.index()].map(|reported| reported.at)
            };
            (self.switches.unavailable || self.switches.losses)
                && self
                    .active
                    .iter()
                    .any(|&of| lost(of) && own(of).map(|at| self.product.stamp(at)) == Some(lease.began))
        };
        // Its release may have counted for an earlier lease of the port whose release was lost.
        let taken_for_another = |lease: &rasadmin_engine::state::Lease| {
            let given = self
                .given_on
                .iter()
                .filter(|((port, family), _)| self.port_names[*port] == lease.port && *family == lease.address.family);
            let earlier = |one: &GivenAddress| {
                one.number == lease.address.number
                    && self.product.stamp(Stamp { time: 0, mono: one.at }).mono < lease.began.mono
                    && self.connections[one.of].reported.lost
            };
            self.switches.losses
                && lease.holding == Holding::Waiting(None)
                && given.flat_map(|(_, all)| all).any(earlier)
        };
        let excused = |lease: &&rasadmin_engine::state::Lease| {
            lease.session().is_some_and(|id| excused.contains(&id)) || lost_release(lease) || taken_for_another(lease)
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

    /// Checks that a new instance has nothing of the old one.
    pub fn check_nothing_left(&mut self, after: &str) {
        let state = &self.product.recorded;
        let (sessions, leases) = (state.live_count(), state.leases().count());
        if sessions + leases > 0 {
            let what = format!("{sessions} sessions and {leases} leases are left after {after}");
            self.found("restart: a new instance has nothing of the old one", what);
        }
    }
}
