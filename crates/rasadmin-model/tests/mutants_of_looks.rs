//! The engine with defects in what follows from looks at RRAS's connections: the bounded run must find each.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::effect::{ClosedBy, Effect, SessionEnded};
use rasadmin_engine::event::{Look, NotListed};
use rasadmin_engine::{Context, Event, Mono, Now, Record, Stamp, State};
use rasadmin_model::Engine;
use support::{decided, found_in};

const OCTETS: [&str; 2] =
    ["as reported: octets are what the counters make certain", "as reported: use is what the hangups report"];

/// A session that is listed counts again, though its client may be gone.
struct ListedIsAlive;

impl Engine for ListedIsAlive {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        if let Event::Look(look) = event {
            let read = look.read.iter().map(|reading| reading.session);
            let replaced = read.filter(|id| state.session(*id).is_some_and(|session| session.replaced.is_some()));
            record.effects.extend(replaced.map(|session| Effect::SessionAlive { session }));
        }
        record
    }
}

#[test]
fn a_listed_session_that_counts_again_is_found() {
    found_in(&ListedIsAlive, &["as reported: a replaced session stays replaced until it proves to be live"]);
}

/// A session whose client shows that it is there does not count again.
struct NoSignOfLife;

impl Engine for NoSignOfLife {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        if let Event::Look(_) = event {
            record.effects.retain(|effect| !matches!(effect, Effect::SessionAlive { .. }));
        }
        record
    }
}

#[test]
fn a_live_session_that_stays_replaced_is_found() {
    found_in(&NoSignOfLife, &["as reported: a replaced session stays replaced until it proves to be live"]);
}

/// A session is closed that RRAS may not list yet.
struct ClosesYoungSessions;

impl Engine for ClosesYoungSessions {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let Event::Look(look) = event else { return decided(state, context, event, now) };
        let later = |since: Stamp| Stamp { mono: Mono(since.mono.0 + 60_000), ..since };
        let not_listed = look.not_listed.iter().map(|one| NotListed { since: later(one.since), ..*one });
        let bent = Event::Look(Look { not_listed: not_listed.collect(), ..look.clone() });
        decided(state, context, &bent, now)
    }
}

#[test]
fn a_young_session_that_is_closed_is_found() {
    found_in(
        &ClosesYoungSessions,
        &[
            "always: no look closes a session whose connection RRAS has",
            "as reported: no look closes a session that may not be listed yet",
        ],
    );
}

/// No session is closed because RRAS does not list it.
struct ClosesNone;

impl Engine for ClosesNone {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let Event::Look(look) = event else { return decided(state, context, event, now) };
        decided(state, context, &Event::Look(Look { not_listed: Vec::new(), ..look.clone() }), now)
    }
}

#[test]
fn a_session_that_stays_though_nobody_lists_it_is_found() {
    found_in(&ClosesNone, &["as reported: a session that RRAS does not list is closed"]);
}

/// The lease of a session that RRAS does not list ends with it.
struct FreesLeases;

impl Engine for FreesLeases {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        let closed: Vec<_> =
            record.ended().filter(|ended| ended.by == ClosedBy::NotListed).map(|ended| ended.session).collect();
        for lease in closed.into_iter().flat_map(|session| state.leases_of(session)) {
            let by = rasadmin_engine::effect::EndedBy::SessionClosed;
            record.effects.push(Effect::LeaseEnded { lease: lease.id, by, at: now.at });
        }
        record
    }
}

#[test]
fn a_lease_that_ends_with_a_session_that_is_not_listed_is_found() {
    found_in(
        &FreesLeases,
        &["as reported: a lease is held while its client may be connected", "always: no address is given to two users"],
    );
}

/// What looks have counted is added to what the hangup reports.
struct AddsOctets;

impl Engine for AddsOctets {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let Event::Hangup(hangup) = event else { return decided(state, context, event, now) };
        bend_hangup(decided(state, context, event, now), |ended| {
            let counted = state.counted(ended.session).map_or([0; 2], |counted| counted.octets);
            ended.usage.input_octets = counted[0] + hangup.usage.input_octets;
            ended.usage.output_octets = counted[1] + hangup.usage.output_octets;
        })
    }
}

#[test]
fn octets_that_are_added_instead_of_carried_over_are_found() {
    found_in(&AddsOctets, &OCTETS);
}

/// The octets are those that the hangup reports: that its counters have wrapped is forgotten.
struct ForgetsWraps;

impl Engine for ForgetsWraps {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let Event::Hangup(hangup) = event else { return decided(state, context, event, now) };
        bend_hangup(decided(state, context, event, now), |ended| {
            ended.usage.input_octets = hangup.usage.input_octets;
            ended.usage.output_octets = hangup.usage.output_octets;
        })
    }
}

#[test]
fn counters_whose_wrap_is_forgotten_are_found() {
    found_in(&ForgetsWraps, &OCTETS);
}

/// Changes how a hangup ends a session.
fn bend_hangup(mut record: Record, bend: impl Fn(&mut SessionEnded)) -> Record {
    for effect in &mut record.effects {
        if let Effect::SessionEnded(ended) = effect
            && ended.by == ClosedBy::Hangup
        {
            bend(ended);
        }
    }
    record
}

/// Octets that looks have seen are counted again at the hangup.
struct BillsTwice;

impl Engine for BillsTwice {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        let Event::Hangup(_) = event else { return record };
        for effect in &mut record.effects {
            if let Effect::Used { session, days, .. } = effect
                && let Some(counted) = state.counted(*session)
                && let Some(day) = days.last_mut()
            {
                day.input_octets += counted.octets[0];
            }
        }
        record
    }
}

#[test]
fn octets_that_are_billed_twice_are_found() {
    found_in(
        &BillsTwice,
        &["as reported: use is what the hangups report", "as reported: a user who may connect is not refused"],
    );
}

/// Nobody is adopted.
struct AdoptsNobody;

impl Engine for AdoptsNobody {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let Event::Look(look) = event else { return decided(state, context, event, now) };
        decided(state, context, &Event::Look(Look { found: Vec::new(), ..look.clone() }), now)
    }
}

#[test]
fn a_connection_that_stays_unknown_is_found() {
    found_in(&AdoptsNobody, &["as reported: a connection that RRAS lists twice has a session"]);
}
