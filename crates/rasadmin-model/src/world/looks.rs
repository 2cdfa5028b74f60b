//! The service beside RRAS looks at RRAS's connections, and records what follows.

use super::{Subject, World, identifier};
use crate::product::Engine;
use crate::rras::{Number, Phase};
use crate::traffic::{Readings, Traffic};
use rasadmin_engine::counters::Counted;
use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::{ConnectionEvent, Look, NotListed, Reading};
use rasadmin_engine::state::Session;
use rasadmin_engine::{Answer, Event, Id, Mono, Stamp};
use std::collections::{BTreeMap, BTreeSet};

/// How much of a session's counters must be recorded at the latest: octets, and frames.
const RECORD: (u64, u64) = (1 << 30, 1 << 20);

/// What the service remembers of its looks.
#[derive(Debug, Default)]
pub struct Looks {
    sessions: BTreeMap<Id, Watched>,
    /// Sessions that the list lacked, since when.
    missing: BTreeMap<Id, Stamp>,
    /// Connections that no session had.
    strangers: BTreeSet<Number>,
    /// What is still to be recorded.
    due: Option<Due>,
}

/// A session that a look has seen.
#[derive(Clone, Copy, Debug)]
struct Watched {
    listed: Stamp,
    counted: Counted,
    readings: Readings,
}

/// What a look calls for, each with the connection that it is about in truth.
#[derive(Clone, Debug, Default)]
pub struct Due {
    /// When the look began.
    pub begun: Stamp,
    /// Counters to record.
    pub read: Vec<(Number, Reading, Readings)>,
    /// Connections to adopt.
    pub found: Vec<(Number, ConnectionEvent, Readings)>,
    /// Sessions to close.
    pub not_listed: Vec<(NotListed, Option<Number>)>,
}

impl<E: Engine + ?Sized> World<'_, E> {
    /// Looks at RRAS's connections, or records what was seen before.
    pub(super) fn look(&mut self) {
        if self.product.members.iter().any(|member| member.unavailable) {
            // The service cannot write either.
            return;
        }
        self.script.cannot("a look at RRAS's connections");
        if let Some(due) = self.looks.due.take() {
            return self.record_look(due);
        }
        if self.chance.below(50) == 0 {
            self.log(|| "the service starts again".to_owned());
            self.looks = Looks::default();
        }
        let due = self.see();
        self.log(|| format!("a look: {due:?}"));
        // Something may happen before it is recorded.
        if self.switches.overlap && self.chance.below(2) == 0 {
            self.looks.due = Some(due);
        } else {
            self.record_look(due);
        }
    }

    /// At the end no connection is left. Looks that see none close what was not reported as closed.
    pub(super) fn look_at_nothing(&mut self) {
        if !self.switches.looks {
            return;
        }
        self.looks.due = None;
        for _ in 0..2 {
            self.mono += 61_000;
            let due = self.see();
            self.record_look(due);
        }
        let left = self.product.recorded.live().next().map(|session| format!("{session:?}"));
        if let Some(session) = left {
            self.found("quiescence: no session is left that RRAS does not list", session);
        }
    }

    /// Does RRAS list the connection? It may not list one that is less than a minute old.
    pub fn is_listed(&self, of: Number) -> bool {
        let c = &self.connections[of];
        let lag = [0, 0, 0, 20_000, 58_000][of % 5];
        let refuses = |call: &super::Call| call.of == of && call.answer == Some(Answer::Reject);
        let refused = c.reported.refused || self.calls.iter().any(refuses);
        c.phase != Phase::Gone && !refused && c.asked.is_some_and(|asked| asked.after(lag) <= Mono(self.mono))
    }

    /// The list, and what it calls for.
    fn see(&mut self) -> Due {
        self.mono += 1;
        let begun = self.stamp();
        let mut looks = std::mem::take(&mut self.looks);
        let mut due = Due { begun, ..Due::default() };
        let listed: Vec<Number> = self.active.iter().copied().filter(|&of| self.is_listed(of)).collect();
        let (mut sessions, mut strangers) = (BTreeSet::new(), BTreeSet::new());
        for of in listed {
            let seconds = self.connections[of].accepted.map_or(0, |accepted| begun.mono.since(accepted) / 1000);
            let traffic = match self.connections[of].accepted {
                Some(_) => self.traffic(of, seconds),
                None => Traffic::default(),
            };
            let usage = traffic.counters(seconds);
            let known = self.session_of(of).map(|session| session.id);
            match known {
                Some(session) => {
                    let first = sessions.insert(session);
                    let read = first.then(|| self.read(&mut looks, (of, session), begun, traffic, &usage)).flatten();
                    due.read.extend(read.map(|(reading, readings)| (of, reading, readings)));
                }
                None if self.connections[of].guid.is_some() => {
                    if looks.strangers.contains(&of) && self.is_still_unknown(of, begun) {
                        due.found.push((of, self.connection_event(of, usage), Readings::first(traffic)));
                    }
                    strangers.insert(of);
                }
                None => {}
            }
        }
        looks.strangers = strangers;
        let state = &self.product.recorded;
        looks.sessions.retain(|id, _| state.session(*id).is_some());
        let mut missing = BTreeMap::new();
        let mut unlisted: Vec<Id> = state.live().map(|session| session.id).collect();
        unlisted.retain(|id| !sessions.contains(id));
        unlisted.sort_unstable();
        for session in unlisted {
            let before = looks.missing.get(&session);
            if let Some(&since) = before {
                let of = self.active.iter().copied().find(|&of| self.connections[of].reported.session == Some(session));
                due.not_listed.push((NotListed { session, since }, of));
            }
            // What was too young when it was missed first counts from now on.
            let last = |s: &Session| s.links.iter().map(|link| link.began.mono).chain([s.began.mono]).max();
            let last = state.session(session).and_then(last).unwrap_or_default();
            let young = |since: &Stamp| last.after(60_000) > since.mono;
            missing.insert(session, before.copied().filter(|since| !young(since)).unwrap_or(begun));
        }
        looks.missing = missing;
        self.looks = looks;
        due
    }

    /// The live session of a connection in the list: by its GUID, or else by its handle and its user.
    fn session_of(&self, of: Number) -> Option<&Session> {
        let (c, user) = (&self.connections[of], self.identity(of));
        let state = &self.product.recorded;
        match &c.guid {
            Some(guid) => state.by_guid(guid),
            None => state.by_handle(c.handle).filter(|session| session.user.as_ref() == Some(&user)),
        }
    }

    /// Has nothing been recorded of the connection since the look began?
    fn is_still_unknown(&self, of: Number, begun: Stamp) -> bool {
        self.connections[of].reported.heard.is_none_or(|heard| heard < begun.mono)
    }

    /// Notes the counters of a listed session, and says whether they are recorded.
    fn read(
        &mut self,
        looks: &mut Looks,
        (of, session): (Number, Id),
        begun: Stamp,
        traffic: Traffic,
        usage: &Usage,
    ) -> Option<(Reading, Readings)> {
        let recorded = self.product.recorded.counted(session);
        let before = looks.sessions.get(&session).copied();
        let on_record = recorded.zip(self.connections[of].reported.readings);
        let last = before.map(|before| (before.counted, before.readings)).or(on_record);
        let (counted, readings) = match last {
            Some((counted, readings)) => (counted.then(usage, begun.mono), readings.then(traffic)),
            None => (Counted::first(usage, begun.mono), Readings::first(traffic)),
        };
        looks.sessions.insert(session, Watched { listed: begun, counted, readings });
        let grew = before.filter(|before| traffic.octets[0] > before.readings.truth.octets[0]);
        let alive = grew.map(|before| before.listed);
        let (octets, frames) = recorded.map_or_else(
            || (counted.octets[0].max(counted.octets[1]), counted.frames[0].max(counted.frames[1])),
            |recorded| counted.since(&recorded),
        );
        let replaced = self.product.recorded.session(session).is_some_and(|session| session.replaced.is_some());
        let must = octets >= RECORD.0 || frames >= RECORD.1 || (replaced && alive.is_some());
        (must || self.chance.below(2) == 0).then_some((Reading { session, counted, alive }, readings))
    }

    /// Records what a look calls for, without what has changed since.
    fn record_look(&mut self, mut due: Due) {
        let state = &self.product.recorded;
        due.read.retain(|(_, reading, _)| state.session(reading.session).is_some());
        due.not_listed.retain(|(not_listed, _)| state.session(not_listed.session).is_some());
        let (found, begun) = (std::mem::take(&mut due.found), due.begun);
        // RRAS ends a connection at once whose first link is refused.
        let unknown = |of| self.is_still_unknown(of, begun) && !self.connections[of].reported.refused;
        due.found = found.into_iter().filter(|(of, ..)| unknown(*of)).collect();
        if due.read.is_empty() && due.found.is_empty() && due.not_listed.is_empty() {
            return;
        }
        let event = Event::Look(Look {
            begun: due.begun,
            read: due.read.iter().map(|(_, reading, _)| *reading).collect(),
            found: due.found.iter().map(|(_, connection, _)| connection.clone()).collect(),
            not_listed: due.not_listed.iter().map(|(not_listed, _)| *not_listed).collect(),
        });
        self.mono += 1;
        self.events += 1;
        let now = rasadmin_engine::Now { at: self.stamp(), random: identifier(&mut self.chance).to_be_bytes() };
        self.time_passes(now.at, false);
        let leases = self.leases_before(&due);
        self.product.append_by_command(&event, &now);
        // The record keeps it without the readings.
        let kept = self.product.journal.last().map_or(event, |record| record.event.clone());
        self.log_event(&Subject::Other, &kept, &Answer::Nothing, "is written by the service");
        self.after_record(&Subject::Other, &Answer::Nothing, now.at, false);
        self.after_look(&due, &leases, now.at);
        self.check_every_record(now.at);
    }
}
