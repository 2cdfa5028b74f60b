//! May a connection, a link, a reauthentication, an endpoint change stand?

use super::{Decided, Inner, Now, RECENT, Verdict, refusal, verdict};
use crate::event::{ConnectionEvent, LinkEvent, Record, What};
use crate::ledger::{Away, Decision, LiveSession};
use crate::record::{Arrival, Book};
use crate::rules::GroupSet;
use crate::{Fact, Facts, Identity, Stage, Tunnel};
use rasadmin_policy::timestamp;
use std::time::Instant;

impl Inner {
    /// What a connection event tells.
    fn connection_facts(&self, event: &ConnectionEvent, now: Now) -> (Facts, GroupSet) {
        let user = self.config.domains.identity(&event.user, &event.domain);
        let groups = self.groups(user.as_ref());
        let facts = Facts {
            time: timestamp(now.time),
            server: self.server.clone(),
            user: Fact::arrived(user),
            port: Fact::NotYetKnown,
            tunnel: if event.ikev2 == Some(true) { Fact::Known(Tunnel::Ikev2) } else { Fact::NotYetKnown },
            source: Fact::arrived(event.source.parse().ok()),
            computer: Fact::arrived(Some(event.computer.clone()).filter(|computer| !computer.is_empty())),
            quarantine: Fact::arrived(event.quarantine),
            interface: Fact::Known(event.interface),
        };
        (facts, groups)
    }

    fn groups(&self, user: Option<&Identity>) -> GroupSet {
        user.map(|user| self.config.groups.of(user)).unwrap_or_default()
    }

    pub(super) fn accept_connection(&mut self, event: &ConnectionEvent, now: Now, deadline: Instant) -> Verdict {
        let (mut facts, groups) = self.connection_facts(event, now);
        let key = session_key(now);
        let mut refused = None;
        let done = self.transact(now, deadline, true, &mut |book| {
            let arrival = book.connection_arrives(event)?;
            facts.port = arrival.port.clone().map_or(Fact::NotYetKnown, Fact::Known);
            refused = refusal(&connect(book, event, &arrival, &key, facts.clone(), &groups)?);
            Ok(())
        });
        if done.is_err() {
            facts.port = Fact::NotYetKnown;
            let decided = self.decide_alone(Stage::Connection, facts.clone(), &groups, now);
            refused = refusal(&decided.decision);
            self.spool(&Record {
                time: now.time,
                what: What::Connection { event: event.clone(), key, decision: decided.decision },
            });
        }
        if refused.is_none() {
            self.recent.retain(|(handle, _)| *handle != event.handle);
            self.recent.truncate(RECENT - 1);
            self.recent.push_front((event.handle, facts));
        }
        verdict(refused.as_ref(), &event.user)
    }

    pub(super) fn accept_link(&mut self, event: &LinkEvent, now: Now, deadline: Instant) -> Verdict {
        let mut refused = None;
        let scene = self.scene(now);
        let done = self.transact(now, deadline, false, &mut |book| {
            let session = book.link_arrives(event)?;
            let facts = link_facts(session.as_ref().map(|session| scene.facts_of(session)), event, &scene);
            refused = refusal(&link(book, event, session.as_ref(), facts)?);
            Ok(())
        });
        if done.is_err() {
            let known = self.recent.iter().find(|(handle, _)| *handle == event.handle).map(|(_, facts)| facts.clone());
            let facts = link_facts(known, event, &scene);
            let groups = self.groups(facts.user.known());
            let decided = self.decide_alone(Stage::Link, facts, &groups, now);
            refused = refusal(&decided.decision);
            self.spool(&Record {
                time: now.time,
                what: What::Link { event: event.clone(), decision: decided.decision },
            });
        }
        verdict(refused.as_ref(), &crate::Name::default())
    }

    /// A reauthentication, or an endpoint change.
    pub(super) fn again(&mut self, event: &ConnectionEvent, stage: Stage, now: Now, deadline: Instant) -> Verdict {
        let (facts, groups) = self.connection_facts(event, now);
        let mut refused = None;
        let done = self.transact(now, deadline, false, &mut |book| {
            let session = book.find(event)?;
            let mut facts = facts.clone();
            if let Some(session) = &session {
                // What the first link told is still so.
                facts.port = session.port.clone().map_or(Fact::NotYetKnown, Fact::Known);
                facts.tunnel = session.tunnel.map_or(facts.tunnel, Fact::Known);
            }
            let decision = decide(book, stage, facts, session.as_ref())?;
            book.again_concluded(event, session.as_ref(), &decision)?;
            refused = refusal(&decision);
            Ok(())
        });
        if done.is_err() {
            let mut facts = facts;
            if let Some((_, known)) = self.recent.iter().find(|(handle, _)| *handle == event.handle) {
                (facts.port, facts.tunnel) = (known.port.clone(), known.tunnel.clone());
            }
            let decided = self.decide_alone(stage, facts, &groups, now);
            refused = refusal(&decided.decision);
            self.spool(&Record {
                time: now.time,
                what: What::Again { event: event.clone(), decision: decided.decision },
            });
        }
        verdict(refused.as_ref(), &event.user)
    }

    fn scene(&self, now: Now) -> Scene {
        Scene { server: self.server.clone(), now }
    }
}

/// What a transaction needs of the engine, apart from the book.
struct Scene {
    server: crate::Name,
    now: Now,
}

impl Scene {
    /// Facts that the session's row has.
    fn facts_of(&self, session: &LiveSession) -> Facts {
        Facts {
            user: Fact::arrived(session.user.clone()),
            port: session.port.clone().map_or(Fact::NotYetKnown, Fact::Known),
            tunnel: session.tunnel.map_or(Fact::NotYetKnown, Fact::Known),
            source: Fact::arrived(session.source.parse().ok()),
            computer: Fact::arrived(Some(session.computer.clone()).filter(|computer| !computer.is_empty())),
            quarantine: Fact::arrived(crate::Quarantine::from_name(&session.quarantine)),
            interface: Fact::arrived(crate::InterfaceType::from_name(&session.interface)),
            ..self.unknown()
        }
    }

    /// Of a connection that nobody knows.
    fn unknown(&self) -> Facts {
        Facts {
            time: timestamp(self.now.time),
            server: self.server.clone(),
            user: Fact::Absent,
            port: Fact::NotYetKnown,
            tunnel: Fact::NotYetKnown,
            source: Fact::Absent,
            computer: Fact::Absent,
            quarantine: Fact::Absent,
            interface: Fact::Absent,
        }
    }
}

/// A connection, in its transaction: what the rules say, whether its address is its own, and all of it recorded.
pub(super) fn connect(
    book: &mut Book<'_>,
    event: &ConnectionEvent,
    arrival: &Arrival,
    key: &str,
    facts: Facts,
    groups: &GroupSet,
) -> Result<Decision, Away> {
    let mut decision = Decided::ask(book, Stage::Connection, facts, groups, None)?.decision;
    if let Some(reason) = foreign_lease(book, arrival) {
        (decision.allow, decision.rule, decision.reason) = (false, None, Some(reason));
    }
    book.connection_concluded(event, arrival, key, &decision)?;
    Ok(decision)
}

/// A link, in its transaction.
pub(super) fn link(
    book: &mut Book<'_>,
    event: &LinkEvent,
    session: Option<&LiveSession>,
    facts: Facts,
) -> Result<Decision, Away> {
    let decision = decide(book, Stage::Link, facts, session)?;
    book.link_concluded(event, session, &decision)?;
    Ok(decision)
}

/// Of something that belongs to a session, which never counts itself.
fn decide(book: &mut Book<'_>, stage: Stage, facts: Facts, session: Option<&LiveSession>) -> Result<Decision, Away> {
    let groups = facts.user.known().map(|user| book.config.groups.of(user)).unwrap_or_default();
    Ok(Decided::ask(book, stage, facts, &groups, session.map(|session| session.id))?.decision)
}

/// The link's event tells the port and the tunnel, the connection's told the rest. Of a further link the session's
/// first port stays the session's.
fn link_facts(known: Option<Facts>, event: &LinkEvent, scene: &Scene) -> Facts {
    let mut facts = known.unwrap_or_else(|| scene.unknown());
    facts.time = timestamp(scene.now.time);
    facts.port = Fact::arrived(Some(event.port.clone()).filter(|port| !port.is_empty()));
    facts.tunnel = match event.tunnel {
        Some(tunnel) => Fact::Known(tunnel),
        None => Fact::arrived(facts.tunnel.known().copied()),
    };
    facts
}

/// An address call carries no domain: a bare name may have been taken for another user's. Whoever turns out to be
/// somebody else does not keep what is that user's.
fn foreign_lease(book: &Book<'_>, arrival: &Arrival) -> Option<String> {
    let plan = &book.config.addresses;
    for lease in arrival.leases.iter().filter(|lease| lease.user != arrival.user) {
        let own =
            |user: &Identity| plan.reservation(user, book.server, lease.address.family) == Some(lease.address.number);
        let reserved = plan.reserved.contains(&lease.address) && !arrival.user.as_ref().is_some_and(own);
        let groups = |user: &Option<Identity>| user.as_ref().map(|u| book.config.groups.of(u)).unwrap_or_default();
        let pooled = plan.is_pooled(lease.address) && groups(&lease.user) != groups(&arrival.user);
        if reserved || pooled {
            let whose = lease.user.as_ref().map_or_else(|| "somebody else".to_owned(), ToString::to_string);
            return Some(format!("the address was given to {whose}, who turned out to be another user"));
        }
    }
    None
}

/// A UUIDv7: unique, because handles and RADIUS session ids repeat, and in the order of time.
fn session_key(now: Now) -> String {
    let random = crate::ledger::instance::random().unwrap_or_default();
    let mut tail = [0; 10];
    tail.copy_from_slice(&random[..10]);
    let millis = u64::try_from(now.time).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid().to_string()
}
