//! Decides connections, and which leases belong to them.

use super::LEASE_TIMEOUT;
use super::admission::{Served, ask, pool_that_serves};
use super::counts::{Replacement, replacement};
use super::draft::Draft;
use super::facts::{nothing, of_connection};
use super::requester::requester;
use super::revive::revive;
use crate::addresses::Address;
use crate::decision::{Answer, Decision, Refusal, address_stage};
use crate::effect::{ClosedBy, Effect, Origin, SessionBegan};
use crate::event::ConnectionEvent;
use crate::now::{Id, Stamp};
use crate::state::{Holding, Lease, Session};
use crate::{Fact, Facts, Identity, Name, Stage, Tunnel};

/// What is known when a connection arrives.
pub(super) struct Arrival<'a> {
    user: Option<Identity>,
    /// The leases that it takes: those of its projection, and those that wait with them.
    leases: Vec<&'a Lease>,
    /// Their port.
    port: Option<Name>,
    /// The session that it already has: a look found the connection before its accept was recorded.
    adopted: Option<&'a Session>,
}

/// Decides AcceptNewConnection.
pub(super) fn connection(draft: &mut Draft<'_>, event: &ConnectionEvent) -> (Decision, Answer) {
    let arrival = arrive(draft, event);
    let facts = facts(draft, event, &arrival);
    let mut asked = ask(draft, Stage::Connection, facts, arrival.adopted.map(|session| session.id));
    let shown: Vec<&Lease> = among_projected(&arrival.leases, &event.addresses);
    if asked.decision.allow
        && let Some(refusal) = address_of_another_user(draft, &shown, arrival.user.as_ref(), arrival.port.as_ref())
    {
        asked.decision.rule = None;
        asked.refuse(refusal);
    }
    if asked.decision.facts.is_last(Stage::Connection) {
        asked.mark_replaced(draft, None);
    }
    let answer = if asked.decision.allow { Answer::Accept } else { Answer::Reject };
    if asked.decision.allow {
        conclude(draft, event, &arrival, &asked.decision.facts);
    } else {
        reject(draft, event, &arrival);
    }
    (asked.decision, answer)
}

/// Records an AcceptNewConnection late, with the answer that was given.
pub(super) fn connection_late(draft: &mut Draft<'_>, event: &ConnectionEvent, answer: &Answer) {
    let arrival = arrive(draft, event);
    if *answer == Answer::Accept {
        let facts = facts(draft, event, &arrival);
        conclude(draft, event, &arrival, &facts);
    } else {
        reject(draft, event, &arrival);
    }
}

/// RRAS may report a hangup even of a rejected connection. That hangup does not concern the session that had the
/// handle before and was closed without a hangup. A session that a look began for this connection is over.
fn reject<'a>(draft: &mut Draft<'a>, event: &ConnectionEvent, arrival: &Arrival<'a>) {
    if let Some(adopted) = arrival.adopted {
        draft.close(adopted, draft.at(), ClosedBy::GuidStartedAgain, None);
    }
    for closed in draft.state.closed_by_handle(event.handle) {
        if closed.by != ClosedBy::HandleStartedAgain && draft.touches(closed.session.began) {
            draft.close_as(closed, ClosedBy::HandleStartedAgain);
        }
    }
}

/// The event's facts, with the port of its lease.
fn facts(draft: &Draft<'_>, event: &ConnectionEvent, arrival: &Arrival<'_>) -> Facts {
    let mut facts = of_connection(&draft.context, event, None, draft.at().time);
    if let Some(port) = arrival.port.clone().filter(|port| !port.is_empty() && !draft.context.lacking.port) {
        facts.port = Fact::Known(port);
    }
    facts
}

/// Finds the user and the leases of a new connection. Earlier sessions of the same handle, GUID or port are over.
fn arrive<'a>(draft: &mut Draft<'a>, event: &ConnectionEvent) -> Arrival<'a> {
    let user = draft.context.config.domains.identity(&event.user, &event.domain);
    let by_guid = event.guid.as_ref().and_then(|guid| draft.by_guid(guid));
    // RRAS counts whole seconds, so an adopted session may seem to have begun after an accept that is recorded late.
    let adopted = by_guid.filter(|session| session.adopted && session.user == user);
    let adopted = adopted.or_else(|| adopted_before(draft, event, user.as_ref()));
    let by_guid = by_guid.filter(|earlier| draft.touches(earlier.began));
    let not_adopted = |earlier: &&Session| adopted.is_none_or(|adopted| adopted.id != earlier.id);
    let by_handle = draft.by_handle(event.handle).filter(|earlier| draft.touches(earlier.began));
    if let Some(earlier) = by_handle.filter(not_adopted) {
        draft.close(earlier, draft.at(), ClosedBy::HandleStartedAgain, None);
    }
    if let Some(earlier) = by_guid.filter(not_adopted) {
        draft.close(earlier, draft.at(), ClosedBy::GuidStartedAgain, None);
    }
    let projected = projected_leases(draft, event);
    draft.keep(&projected);
    let Some(port) = projected.iter().find(|lease| given_to(draft, lease)).map(|lease| lease.port.clone()) else {
        // The first link's port will decide.
        return Arrival { user, leases: projected, port: None, adopted };
    };
    let leases = waiting_on(draft, &port, user.as_ref(), projected);
    draft.keep(&leases);
    // A session that has a link there ends when this connection's link arrives: the lease may belong to an earlier
    // attempt.
    end_unlinked_on_port(draft, &port, adopted.map(|session| session.id), event.ikev2);
    Arrival { user, leases, port: Some(port), adopted }
}

/// The session that a look began for the connection, if it was closed before the accept was recorded. It lives again: the
/// connection's hangup has not been recorded yet.
fn adopted_before<'a>(draft: &mut Draft<'a>, event: &ConnectionEvent, user: Option<&Identity>) -> Option<&'a Session> {
    let same = |session: &Session| session.adopted && session.guid == event.guid && session.user.as_ref() == user;
    let mut all = draft.state.closed_by_handle(event.handle);
    let closed = all.find(|closed| event.guid.is_some() && closed.by.may_be_live() && same(&closed.session))?;
    revive(draft, closed);
    Some(&closed.session)
}

/// The leases of the addresses that the projection names, even if another session has them. RRAS never gives one
/// address to two clients, so the earlier session is over.
pub(super) fn projected_leases<'a>(draft: &Draft<'a>, event: &ConnectionEvent) -> Vec<&'a Lease> {
    let projected = event.addresses.iter().filter_map(|&address| draft.lease_at(address));
    let projected = projected.filter(|lease| draft.touches(lease.began));
    // If this accept is recorded late, a session that began after it may rightly have the lease.
    let earlier =
        |lease: &Lease| lease.session().and_then(|id| draft.state.session(id)).is_none_or(|s| draft.touches(s.began));
    projected.filter(|lease| earlier(lease)).collect()
}

/// Was the lease given to this connection, so that its port is the connection's port?
fn given_to(draft: &Draft<'_>, lease: &Lease) -> bool {
    match lease.holding {
        Holding::Waiting(_) => is_recent(draft, lease),
        // It was assigned to the earlier session on the port, as a protocol that came up late.
        Holding::Session(id) => draft.state.session(id).is_some_and(|other| other.began.mono < lease.began.mono),
        Holding::Ended(..) => false,
    }
}

/// Is the lease recent enough to belong to this connection? An older lease was given to an earlier attempt, and RRAS
/// may have reused its address.
fn is_recent(draft: &Draft<'_>, lease: &Lease) -> bool {
    draft.at().mono <= lease.began.mono.after(LEASE_TIMEOUT)
}

/// Adds the user's other waiting lease on the port (of the other family): it belongs to the same connection. A lease
/// of another identity, or one given long ago, may be left over from an earlier attempt.
fn waiting_on<'a>(
    draft: &Draft<'a>,
    port: &Name,
    user: Option<&Identity>,
    mut leases: Vec<&'a Lease>,
) -> Vec<&'a Lease> {
    for lease in draft.leases_on(port) {
        let same = lease.waits() && lease.user.as_ref() == user && draft.touches(lease.began);
        if same && is_recent(draft, lease) && !leases.iter().any(|known| known.id == lease.id) {
            leases.push(lease);
        }
    }
    leases
}

/// Ends what was on a port, now that another connection's link is there. `own` is that connection's session.
pub(super) fn end_others_on_port(draft: &mut Draft<'_>, port: &Name, own: Option<Id>, tunnel: Option<Tunnel>) {
    if let Some((session, link)) = draft.on_port(port)
        && Some(session.id) != own
        && draft.touches(link.began)
    {
        draft.port_reused(session, port);
    }
    end_unlinked_on_port(draft, port, own, tunnel.map(|tunnel| tunnel == Tunnel::Ikev2));
}

/// Closes the sessions without a link (IKEv2 may have none) whose lease is on a port that another connection now uses.
/// A port of another tunnel type was never theirs: their lease on it was given to an earlier attempt.
fn end_unlinked_on_port(draft: &mut Draft<'_>, port: &Name, own: Option<Id>, ikev2: Option<bool>) {
    for lease in draft.leases_on(port) {
        let Holding::Session(id) = lease.holding else { continue };
        let Some(session) = draft.state.session(id).filter(|_| Some(id) != own && draft.lives(id)) else { continue };
        let unlinked = session.links.is_empty() && draft.is_alone_on_port_of(session, lease);
        let elsewhere = ikev2 == Some(false) && session.tunnel == Some(Tunnel::Ikev2);
        if unlinked && !elsewhere && draft.touches(session.began) {
            draft.port_reused(session, port);
        }
    }
}

/// The leases that the projection names, or all if it names none. Another lease on the port belongs to an earlier
/// connection, or this user asked for it.
pub(super) fn among_projected<'a>(leases: &[&'a Lease], projected: &[Address]) -> Vec<&'a Lease> {
    leases.iter().copied().filter(|lease| projected.is_empty() || projected.contains(&lease.address)).collect()
}

/// An address call carries no domain, so a bare name may have been matched to the wrong user. The actual user keeps
/// the address, unless it is reserved for another user or comes from a pool that this user would not get.
pub(super) fn address_of_another_user(
    draft: &Draft<'_>,
    leases: &[&Lease],
    user: Option<&Identity>,
    port: Option<&Name>,
) -> Option<Refusal> {
    let plan = &draft.context.config.addresses;
    for lease in leases {
        // Another session may have had the lease since, so its user proves nothing. The name in the address call does.
        let asked = requester(&draft.context.config.domains, lease);
        if asked.as_ref() == user {
            continue;
        }
        let address = lease.address;
        let own = user.and_then(|user| plan.reservation(user, draft.context.server, address.family));
        let refusal = || Some(Refusal::AnothersAddress { given_to: asked.clone() });
        if plan.reserved.contains(&address) {
            if own != Some(address.number) {
                return refusal();
            }
            continue;
        }
        let holds =
            |pool: &rasadmin_policy::addresses::Pool| pool.family == address.family && pool.contains(address.number);
        // RRAS's own offer belongs to none of our pools, even if it lies in one.
        let Some(pool) = plan.pools.iter().position(holds).filter(|_| lease.origin != Origin::Offer) else { continue };
        let stage = address_stage(address.family);
        let facts = Facts {
            user: Fact::arrived(user.cloned()),
            port: Fact::arrived(port.cloned()),
            ..nothing(&draft.context, draft.at().time)
        };
        match pool_that_serves(draft, stage, &facts, address.family) {
            Served::By(Some(first)) if plan.chain(first).contains(&pool) => {}
            Served::Denied => {}
            Served::By(_) => return refusal(),
        }
    }
    None
}

/// The beginning of a session.
pub(super) fn began(
    draft: &Draft<'_>,
    event: &ConnectionEvent,
    session: Id,
    user: Option<Identity>,
    port: Option<Name>,
) -> SessionBegan {
    SessionBegan {
        session,
        user,
        user_name: event.user.clone(),
        handle: event.handle,
        guid: event.guid.clone(),
        computer: event.computer.clone(),
        source: event.source.clone(),
        interface: event.interface,
        quarantine: event.quarantine,
        tunnel: (event.ikev2 == Some(true)).then_some(Tunnel::Ikev2),
        port,
        projected: event.addresses.clone(),
        at: draft.at(),
        process: draft.context.process,
        adopted: false,
    }
}

/// Begins the session. It takes its leases, and may replace an earlier session in the counts.
fn conclude(draft: &mut Draft<'_>, event: &ConnectionEvent, arrival: &Arrival<'_>, facts: &Facts) {
    let others: Vec<&Session> = arrival.user.iter().flat_map(|user| draft.of_user(user)).collect();
    let own = arrival.adopted.map(|session| session.id);
    let others = others.into_iter().filter(|session| draft.touches(session.began) && Some(session.id) != own);
    let others: Vec<&Session> = others.collect();
    let replacement = replacement(draft, &others, facts);
    let session = own.unwrap_or_else(|| draft.now.session_id());
    let at = draft.at();
    let began = began(draft, event, session, arrival.user.clone(), arrival.port.clone());
    if own.is_some() {
        draft.session = own;
    } else {
        draft.begin_session(began.clone());
    }
    for lease in &arrival.leases {
        draft.take_lease(lease, session, arrival.user.as_ref(), event.prefix.as_deref());
    }
    if let Replacement::Session(of) = replacement {
        draft.add(Effect::SessionReplaced { session: of, by: session, at });
    }
    // An accept that is recorded late may be over already: then a newer connection has its handle.
    let newer = draft.state.by_handle(event.handle).filter(|newer| newer.id != session && !draft.touches(newer.began));
    if let Some(newer) = newer {
        superseded(draft, &Session::new(&began), newer.began, &arrival.leases);
    }
}

/// Ends a session that was over before it was recorded.
fn superseded(draft: &mut Draft<'_>, session: &Session, stop: Stamp, leases: &[&Lease]) {
    draft.end_at_once(session, stop, ClosedBy::HandleStartedAgain);
    for lease in leases {
        draft.add(Effect::LeaseHeld { lease: lease.id, until: None });
    }
}
