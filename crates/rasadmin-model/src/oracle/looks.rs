//! What follows from a look at RRAS's connections.

use crate::product::Engine;
use crate::reported::Use;
use crate::rras::Number;
use crate::traffic::Readings;
use crate::world::{Due, World};
use rasadmin_engine::effect::{ClosedBy, Effect, SessionEnded};
use rasadmin_engine::event::NotListed;
use rasadmin_engine::{Id, Stamp};

/// A session that is younger may not be listed yet, in milliseconds.
const SURELY_LISTED: u64 = 60_000;

impl<E: Engine + ?Sized> World<'_, E> {
    /// The leases that must stay held if their sessions are closed because RRAS does not list them.
    pub fn leases_before(&self, due: &Due) -> Vec<Id> {
        let state = &self.product.recorded;
        let sessions = due.not_listed.iter().map(|(not_listed, _)| not_listed.session);
        let leases = sessions.flat_map(|session| state.leases_of(session));
        leases.filter(|lease| !lease.released).map(|lease| lease.id).collect()
    }

    /// Updates what was reported, after a look was recorded, and checks what follows from it.
    pub fn after_look(&mut self, due: &Due, leases: &[Id], at: Stamp) {
        let effects = self.product.journal.last().map(|record| record.effects.clone()).unwrap_or_default();
        let is_closed = |effect: &Effect| matches!(effect, Effect::SessionEnded(e) if e.by == ClosedBy::NotListed);
        let closed: Vec<Id> = effects.iter().filter(|effect| is_closed(effect)).filter_map(session_of).collect();
        let ended: Vec<Id> = effects.iter().filter_map(session_of).collect();
        for (of, reading, readings) in &due.read {
            if self.connections[*of].reported.session == Some(reading.session) && !ended.contains(&reading.session) {
                self.count_look(*of, *readings, at);
                let reported = &mut self.connections[*of].reported;
                // Octets that it received after it was replaced prove that its client is there.
                reported.replaced &= reading.alive.is_none_or(|alive| alive.mono < reported.replaced_at);
            }
        }
        for (of, _, readings) in &due.found {
            self.after_found(*of, *readings, due.begun, at);
        }
        for (not_listed, of) in &due.not_listed {
            self.after_not_listed(not_listed, *of, closed.contains(&not_listed.session), at);
        }
        let state = &self.product.recorded;
        if let Some(lease) = leases.iter().find(|lease| state.lease(**lease).is_none()) {
            let what = format!("lease {lease:?} ended with a session that RRAS does not list");
            self.found("as reported: a lease is held while its client may be connected", what);
        }
    }

    /// A connection was found that no live session had.
    fn after_found(&mut self, of: Number, readings: Readings, begun: Stamp, at: Stamp) {
        let Some(guid) = &self.connections[of].guid else { return };
        let state = &self.product.recorded;
        let session = state.by_guid(guid).map(|session| (session.id, session.began));
        let reported = &self.connections[of].reported;
        match session {
            Some((id, _)) if reported.session == Some(id) => {
                let reported = &mut self.connections[of].reported;
                if reported.lapsed || reported.missed {
                    // Until a link of it ends, it is not closed for having none.
                    (reported.confirmed, reported.unlinked) = (Some(at.mono), at);
                }
                (reported.lapsed, reported.missed) = (false, false);
            }
            Some((id, began)) => {
                let source = self.connections[of].device.source.clone();
                let leases: Vec<_> = state.leases_of(id).map(|lease| (lease.address, lease.began.mono)).collect();
                self.count_estimate(of, at);
                self.check_beginning(of, began);
                let reported = &mut self.connections[of].reported;
                (reported.session, reported.began, reported.unlinked) = (Some(id), began, began);
                (reported.adopted, reported.counted, reported.source) = (true, false, source);
                (reported.lapsed, reported.missed, reported.superseded) = (false, false, false);
                (reported.replaced, reported.established) = (false, false);
                (reported.readings, reported.octets) = (None, (0, 0));
                self.known.0.insert(id);
                self.known.1.extend(leases);
                self.count_look(of, readings, at);
            }
            None => {
                let closed_before = reported.closed.is_none_or(|closed| closed < begun.mono);
                if self.is_listed(of) && !reported.superseded && closed_before && !self.switches.unavailable {
                    let what = format!("RRAS has #{of}, and no session has it");
                    self.found("as reported: a connection that RRAS lists twice has a session", what);
                }
            }
        }
    }

    /// RRAS says how long a connection has lasted, in whole seconds.
    fn check_beginning(&mut self, of: Number, began: Stamp) {
        let accepted = self.connections[of].accepted.filter(|accepted| began.mono.since(*accepted) >= 1000);
        if let Some(accepted) = accepted {
            let what = format!("the session of #{of} began at {began:?}, and its connection at {accepted:?}");
            self.found("as reported: an adopted session began with its connection", what);
        }
    }

    /// Two looks did not list a session.
    fn after_not_listed(&mut self, not_listed: &NotListed, of: Option<Number>, closed: bool, at: Stamp) {
        let Some(of) = of.filter(|&of| self.connections[of].reported.session == Some(not_listed.session)) else {
            return;
        };
        let reported = &self.connections[of].reported;
        let links = reported.links.iter().map(|(_, began)| began.mono);
        let last = links.chain([reported.began.mono]).max().unwrap_or_default();
        let young = reported.began.mono.after(SURELY_LISTED) > not_listed.since.mono;
        let old = last.after(SURELY_LISTED) <= not_listed.since.mono;
        if closed && self.is_listed(of) {
            let what = format!("the session of #{of} is closed, but RRAS has the connection");
            self.found("always: no look closes a session whose connection RRAS has", what);
        }
        if closed && young {
            let what = format!("the session of #{of} is closed, but was younger than a minute");
            self.found("as reported: no look closes a session that may not be listed yet", what);
        }
        let lives = self.product.recorded.session(not_listed.session).is_some();
        if lives && old {
            let what = format!("the session of #{of} lives, but two looks did not list it");
            self.found("as reported: a session that RRAS does not list is closed", what);
        }
        if closed {
            let reported = &mut self.connections[of].reported;
            reported.missed = true;
            reported.links.clear();
            reported.unlinked = at;
        }
    }

    /// Counts the octets that a look saw, on the day of the look.
    fn count_look(&mut self, of: Number, readings: Readings, at: Stamp) {
        let reported = &mut self.connections[of].reported;
        reported.readings = Some(readings);
        let seen = reported.octets_counted(readings.least.iter().sum(), readings.truth.octets.iter().sum());
        reported.seen.push(Use { seconds: (0, 0), octets: seen, stop: at.time });
    }

    /// Checks the octets with which a hangup ended a session, and returns the least and the most that it must add to
    /// what looks have counted.
    pub(super) fn check_octets(&mut self, of: Number, readings: Readings) -> (u64, u64) {
        let reported = &self.connections[of].reported;
        // After a session was closed, its hangup is not added to its last reading.
        let lived = reported.closed.is_none() && !self.switches.unavailable;
        let (before, counted) = (reported.readings, reported.octets);
        let known = match before.filter(|_| lived) {
            Some(before) => before.then(readings.truth),
            None => readings,
        };
        let id = reported.session;
        let ended: Option<SessionEnded> =
            self.product.journal.last().and_then(|record| record.ended().find(|e| Some(e.session) == id).cloned());
        let (least, most): (u64, u64) = (known.least.iter().sum(), known.truth.octets.iter().sum());
        if let Some(ended) = ended.filter(|ended| ended.by == ClosedBy::Hangup) {
            let octets = [ended.usage.input_octets, ended.usage.output_octets];
            let sum: u64 = octets.iter().sum();
            let what = format!("#{of} ended with {octets:?}, exact: {}, and {known:?} is true", ended.is_exact());
            let exact = octets == known.truth.octets;
            if sum > most || sum < least.max(counted.0) || (!exact && (ended.is_exact() || (lived && known.certain))) {
                self.found("as reported: octets are what the counters make certain", what);
            } else if lived && known.certain && !ended.is_exact() {
                self.found("as reported: octets that are certain are called exact", what);
            }
        }
        self.connections[of].reported.octets_counted(least, most)
    }

    /// A power cut may take the records of looks with it.
    pub fn looks_may_be_lost(&mut self) {
        for used in self.uses.iter_mut().flatten().filter(|used| used.seconds == (0, 0)) {
            used.octets.0 = 0;
        }
    }
}

fn session_of(effect: &Effect) -> Option<Id> {
    match effect {
        Effect::SessionEnded(ended) => Some(ended.session),
        _ => None,
    }
}
