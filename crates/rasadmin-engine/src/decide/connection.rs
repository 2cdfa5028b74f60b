//! May a connection stand, and which addresses are its own?

use super::LEASE_WAITS;
use super::admission::{Served, ask, pool_that_serves};
use super::counts::{Place, takes_place_of};
use super::draft::Draft;
use super::facts::{nothing, of_connection};
use super::whose::asked_for;
use crate::addresses::Address;
use crate::decision::{Answer, Decision, Refusal, address_stage};
use crate::effect::{ClosedBy, Effect, Origin, SessionBegan};
use crate::event::ConnectionEvent;
use crate::now::{Id, Stamp};
use crate::state::{Holding, Lease, Session};
use crate::{Fact, Facts, Identity, Name, Stage, Tunnel};

/// What is known of a connection when it arrives.
pub(super) struct Arrival<'a> {
    user: Option<Identity>,
    /// The leases that it takes: those of its projection.
    leases: Vec<&'a Lease>,
    /// Their port.
    port: Option<Name>,
}

/// AcceptNewConnection.
pub(super) fn connection(draft: &mut Draft<'_>, event: &ConnectionEvent) -> (Decision, Answer) {
    let arrival = arrive(draft, event);
    let facts = facts(draft, event, &arrival);
    let mut asked = ask(draft, Stage::Connection, facts, None);
    let shown: Vec<&Lease> = shown(&arrival.leases, &event.addresses);
    if asked.decision.allow
        && let Some(refusal) = anothers_address(draft, &shown, arrival.user.as_ref(), arrival.port.as_ref())
    {
        asked.decision.rule = None;
        asked.refuse(refusal);
    }
    let answer = if asked.decision.allow { Answer::Accept } else { Answer::Reject };
    if asked.decision.allow {
        conclude(draft, event, &arrival, &asked.decision.facts);
    } else {
        handle_is_anothers(draft, event);
    }
    (asked.decision, answer)
}

/// The same, with the answer that was given.
pub(super) fn connection_late(draft: &mut Draft<'_>, event: &ConnectionEvent, answer: &Answer) {
    let arrival = arrive(draft, event);
    if *answer == Answer::Accept {
        let facts = facts(draft, event, &arrival);
        conclude(draft, event, &arrival, &facts);
    } else {
        handle_is_anothers(draft, event);
    }
}

/// A connection that was rejected may be hung up all the same. Whoever had its handle before, and was closed without a
/// hangup, is not meant by that.
fn handle_is_anothers(draft: &mut Draft<'_>, event: &ConnectionEvent) {
    for closed in draft.state.closed_by_handle(event.handle) {
        if closed.by != ClosedBy::HandleStartedAgain && draft.touches(closed.session.began) {
            draft.close_as(closed, ClosedBy::HandleStartedAgain);
        }
    }
}

/// What the event tells, and its lease's port.
fn facts(draft: &Draft<'_>, event: &ConnectionEvent, arrival: &Arrival<'_>) -> Facts {
    let mut facts = of_connection(&draft.context, event, None, draft.at().time);
    if let Some(port) = arrival.port.clone().filter(|port| !port.is_empty() && !draft.context.lacking.port) {
        facts.port = Fact::Known(port);
    }
    facts
}

/// Who connects, with which leases. Earlier sessions of the same handle, GUID or port are over.
fn arrive<'a>(draft: &mut Draft<'a>, event: &ConnectionEvent) -> Arrival<'a> {
    let user = draft.context.config.domains.identity(&event.user, &event.domain);
    if let Some(ghost) = draft.by_handle(event.handle).filter(|ghost| draft.touches(ghost.began)) {
        draft.close(ghost, draft.at(), ClosedBy::HandleStartedAgain, None);
    }
    let by_guid = event.guid.as_ref().and_then(|guid| draft.by_guid(guid));
    if let Some(ghost) = by_guid.filter(|ghost| draft.touches(ghost.began)) {
        draft.close(ghost, draft.at(), ClosedBy::GuidStartedAgain, None);
    }
    let told = told(draft, event);
    draft.keep(&told);
    let Some(port) = told.iter().find(|lease| given_to(draft, lease)).map(|lease| lease.port.clone()) else {
        // The first link's port tells.
        return Arrival { user, leases: told, port: None };
    };
    let leases = waiting_on(draft, &port, user.as_ref(), told);
    draft.keep(&leases);
    // What has a link there ends with this one's: the lease may be an earlier attempt's.
    unlinked_of_port(draft, &port, None, event.ikev2);
    Arrival { user, leases, port: Some(port) }
}

/// The leases of the addresses that the projection names, whoever holds them: RRAS gives no address to two clients, so the
/// earlier holder has gone.
pub(super) fn told<'a>(draft: &Draft<'a>, event: &ConnectionEvent) -> Vec<&'a Lease> {
    let told = event.addresses.iter().filter_map(|&address| draft.lease_at(address));
    let told = told.filter(|lease| draft.touches(lease.began));
    // If this accept had waited, a session that began after it may hold the lease by right.
    let earlier =
        |lease: &Lease| lease.session().and_then(|id| draft.state.session(id)).is_none_or(|s| draft.touches(s.began));
    told.filter(|lease| earlier(lease)).collect()
}

/// Was this connection given the lease, so that its port is the connection's?
fn given_to(draft: &Draft<'_>, lease: &Lease) -> bool {
    match lease.holding {
        Holding::Waiting(_) => is_recent(draft, lease),
        // It was taken for a late protocol of the session that was on the port before.
        Holding::Session(id) => draft.state.session(id).is_some_and(|other| other.began.mono < lease.began.mono),
        Holding::Ended(..) => false,
    }
}

/// Can the lease be this connection's by its age? What was asked for longer ago than an attempt lasts was another
/// attempt's, and RRAS may have given its address again.
fn is_recent(draft: &Draft<'_>, lease: &Lease) -> bool {
    draft.at().mono <= lease.began.mono.after(LEASE_WAITS)
}

/// What else the user waits for on the port (the other family's) is the same connection's. Under another identity it may be
/// what an earlier attempt has left there; so may be what was asked for long ago.
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

/// What was on a port where another connection's link is now: `own` aside.
pub(super) fn others_of_port(draft: &mut Draft<'_>, port: &Name, own: Option<Id>, tunnel: Option<Tunnel>) {
    if let Some((session, link)) = draft.on_port(port)
        && Some(session.id) != own
        && draft.touches(link.began)
    {
        draft.port_is_anothers(session, port);
    }
    unlinked_of_port(draft, port, own, tunnel.map(|tunnel| tunnel == Tunnel::Ikev2));
}

/// Closes the sessions that may have no link (IKEv2), and whose lease is on a port that another connection uses. A port that
/// is of another tunnel was never theirs: the lease that they have there was an earlier attempt's.
fn unlinked_of_port(draft: &mut Draft<'_>, port: &Name, own: Option<Id>, ikev2: Option<bool>) {
    for lease in draft.leases_on(port) {
        let Holding::Session(id) = lease.holding else { continue };
        let Some(session) = draft.state.session(id).filter(|_| Some(id) != own && draft.lives(id)) else { continue };
        let unlinked = session.links.is_empty() && draft.is_alone_on_port_of(session, lease);
        let elsewhere = ikev2 == Some(false) && session.tunnel == Some(Tunnel::Ikev2);
        if unlinked && !elsewhere && draft.touches(session.began) {
            draft.port_is_anothers(session, port);
        }
    }
}

/// Those of the leases that a projection names, if it names any: what else is on the port is an earlier connection's, or was
/// asked for by this very user.
pub(super) fn shown<'a>(leases: &[&'a Lease], told: &[Address]) -> Vec<&'a Lease> {
    leases.iter().copied().filter(|lease| told.is_empty() || told.contains(&lease.address)).collect()
}

/// An address call carries no domain, so a bare name may have been taken for another user's. Whoever turns out to be
/// somebody else keeps the address, unless it is reserved for another or of a pool that this user would not be given.
pub(super) fn anothers_address(
    draft: &Draft<'_>,
    leases: &[&Lease],
    user: Option<&Identity>,
    port: Option<&Name>,
) -> Option<Refusal> {
    let plan = &draft.context.config.addresses;
    for lease in leases {
        // Another session may have held it since, so its user is no evidence: the name in the address call is.
        let asked = asked_for(draft, lease);
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
        // RRAS's own offer is of no pool of ours, wherever it lies.
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

/// What a session begins with.
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
        told: event.addresses.clone(),
        at: draft.at(),
        process: draft.context.process,
        adopted: false,
    }
}

/// The session begins, and takes its leases and perhaps an earlier session's place.
fn conclude(draft: &mut Draft<'_>, event: &ConnectionEvent, arrival: &Arrival<'_>, facts: &Facts) {
    let others: Vec<&Session> = arrival.user.iter().flat_map(|user| draft.of_user(user)).collect();
    let others: Vec<&Session> = others.into_iter().filter(|session| draft.touches(session.began)).collect();
    let replaced = takes_place_of(draft, &others, facts);
    let session = draft.now.session_id();
    let at = draft.at();
    let began = began(draft, event, session, arrival.user.clone(), arrival.port.clone());
    draft.begin_session(began.clone());
    for lease in &arrival.leases {
        draft.take_lease(lease, session, arrival.user.as_ref(), event.prefix.as_deref());
    }
    if let Place::Of(of) = replaced {
        draft.add(Effect::SessionReplaced { session: of, by: session, at });
    }
    // Of an accept that had waited, the end may be on record already: a newer connection has its handle.
    let newer = draft.state.by_handle(event.handle).filter(|newer| !draft.touches(newer.began));
    if let Some(newer) = newer {
        superseded(draft, &Session::new(&began), newer.began, &arrival.leases);
    }
}

/// It had ended by the time it was recorded.
fn superseded(draft: &mut Draft<'_>, session: &Session, stop: Stamp, leases: &[&Lease]) {
    draft.end_at_once(session, stop, ClosedBy::HandleStartedAgain);
    for lease in leases {
        draft.add(Effect::LeaseHeld { lease: lease.id, until: None });
    }
}
