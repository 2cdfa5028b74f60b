//! Decides which address a user gets.

use super::LEASE_TIMEOUT;
use super::admission::{Asked, ask};
use super::draft::Draft;
use super::facts::of_address;
use super::owner::may_be_same_user;
use super::requester::may_have_requested;
use super::search::search;
use crate::addresses::Address;
use crate::decision::{Answer, Decision, Given, OfferBecause, OfferFault, Refusal, address_stage};
use crate::effect::{Anomaly, Effect, EndedBy, LeaseBegan, Origin};
use crate::event::{AddressEvent, Offer};
use crate::now::Id;
use crate::state::{Holding, Lease, Session};
use crate::{Family, Identity, Name};
use rasadmin_policy::addresses::{PoolId, is_reserved_identifier};
use rasadmin_policy::config::file::{ReservationHeld, WhenExhausted};

/// Decides GetIpAddressForUser and GetIpv6AddressForUser.
pub(super) fn address(draft: &mut Draft<'_>, event: &AddressEvent) -> (Decision, Answer) {
    let own = arrive(draft, event);
    let facts = of_address(&draft.context, event, draft.at().time);
    let mut asked = ask(draft, address_stage(event.family), facts, own);
    let mut answer = Answer::Reject;
    if asked.decision.allow {
        match choose(draft, event, &mut asked) {
            Ok(Chosen::Address(given)) => answer = Answer::Address(given),
            Ok(Chosen::AsOffered) => answer = Answer::AsOffered,
            Err(refusal) => asked.refuse(refusal),
        }
    }
    conclude(draft, event, own, &answer);
    (asked.decision, answer)
}

/// Records an address call late, with the answer that was given.
pub(super) fn address_late(draft: &mut Draft<'_>, event: &AddressEvent, answer: &Answer) {
    let own = arrive(draft, event);
    conclude(draft, event, own, answer);
}

/// Ends what the call contradicts. Returns the live session on this port if it may belong to the same user: then one
/// of its protocols comes up late, or negotiates its address again.
fn arrive(draft: &mut Draft<'_>, event: &AddressEvent) -> Option<Id> {
    let port = &event.port;
    let user = draft.context.config.domains.identity(&event.user, &Name::default());
    let mut own = None;
    if let Some((session, link)) = draft.on_port(port)
        && draft.touches(link.began)
    {
        if may_be_same_user(draft, session, &event.user, user.as_ref()) {
            own = Some(session);
        } else {
            draft.port_reused(session, port);
        }
    }
    for lease in draft.leases_on(port) {
        if !draft.touches(lease.began) {
            continue;
        }
        match lease.holding {
            // The lease of the other family belongs to the same attempt.
            Holding::Waiting(_) if other_protocol(lease, event) => {}
            Holding::Waiting(_) => match negotiated_again(draft, lease) {
                Some(session) => draft.take_lease(lease, session.id, session.user.as_ref(), None),
                None => draft.end_lease(lease, EndedBy::PortStartedAgain),
            },
            // Its session was closed without a hangup, but may be live, and this call may be for its other protocol.
            Holding::Ended(_, None) if other_protocol(lease, event) => {}
            Holding::Ended(..) => draft.end_lease(lease, EndedBy::PortStartedAgain),
            Holding::Session(id) => {
                let Some(session) = draft.state.session(id).filter(|_| draft.lives(id)) else {
                    // This record has ended the session.
                    if !other_protocol(lease, event) {
                        draft.end_lease(lease, EndedBy::PortStartedAgain);
                    }
                    continue;
                };
                if !draft.touches(session.began) || !session.links.iter().all(|link| draft.touches(link.began)) {
                    continue;
                }
                // A session that has a link on another port keeps its address.
                if !draft.is_alone_on_port_of(session, lease) {
                    continue;
                }
                if !may_be_same_user(draft, session, &event.user, user.as_ref()) {
                    draft.port_reused(session, port);
                    continue;
                }
                own = own.or(Some(session));
                // Either the session negotiates its address again, or this is another connection. In both cases the
                // earlier address is not in use.
                if lease.address.family == event.family {
                    draft.end_lease(lease, EndedBy::PortStartedAgain);
                }
            }
        }
    }
    let own = own.filter(|session| draft.lives(session.id)).map(|session| session.id);
    draft.session = own;
    own
}

/// The live session that may have negotiated its address again on the port of a waiting lease: its first link was on
/// that port, and it is connected by another link. It already has an address of that family, which may come from an
/// earlier attempt. More than one is not held for it.
fn negotiated_again<'a>(draft: &Draft<'a>, lease: &Lease) -> Option<&'a Session> {
    let its_own = |session: &&Session| {
        let family = |other: &&Lease| other.address.family == lease.address.family;
        draft.lives(session.id)
            && session.established.is_some_and(|established| established.mono <= lease.began.mono)
            && draft.touches(session.began)
            && draft.links(session).any(|link| link.port != lease.port)
            && may_be_same_user(draft, session, &lease.user_name, lease.user.as_ref())
            && draft.leases_of(session.id).iter().filter(|other| family(other)).count() < 2
    };
    draft.state.of_first_port(&lease.port).filter(its_own).max_by_key(|session| session.began.mono)
}

/// May the call be for the other protocol of the connection that this lease was given to?
fn other_protocol(lease: &Lease, event: &AddressEvent) -> bool {
    lease.address.family != event.family && lease.user_name.folded() == event.user.folded()
}

pub(super) enum Chosen {
    Address(Given),
    AsOffered,
}

/// Chooses the user's reservation, then an address from the pools, then RRAS's offer.
pub(super) fn choose(draft: &mut Draft<'_>, event: &AddressEvent, asked: &mut Asked) -> Result<Chosen, Refusal> {
    let family = event.family;
    if let Offer::HighHalf(_) = event.offer {
        let (user, port) = (event.user.clone(), event.port.clone());
        draft.anomaly(Anomaly::HighHalfOffer { user, port });
        return Ok(Chosen::AsOffered);
    }
    let plan = &draft.context.config.addresses;
    let user = asked.decision.facts.user.known().cloned();
    if let Some(number) = user.as_ref().and_then(|user| plan.reservation(user, draft.context.server, family)) {
        if draft.lease_at(Address { family, number }).is_none() {
            return Ok(Chosen::Address(Given { number, origin: Origin::Reservation, pool: None }));
        }
        if plan.reservation_held == ReservationHeld::Refuse {
            return Err(Refusal::ReservationHeld);
        }
    }
    let Some(id) = asked.pool(draft, family) else { return keep_offer(draft, event, OfferBecause::NoPool) };
    if let Some(found) = search(draft, id, family, user.as_ref()) {
        let (number, origin, pool) = (found.number, found.origin, Some(found.pool));
        return Ok(Chosen::Address(Given { number, origin, pool }));
    }
    exhausted(draft, event, id, asked)
}

fn exhausted(draft: &Draft<'_>, event: &AddressEvent, id: PoolId, asked: &mut Asked) -> Result<Chosen, Refusal> {
    let pool = &draft.context.config.addresses.pools[id.0 as usize];
    asked.decision.exhausted = Some(pool.name.clone());
    match pool.when_exhausted {
        WhenExhausted::Refuse => Err(Refusal::Exhausted { pool: pool.name.clone() }),
        WhenExhausted::KeepOffer => keep_offer(draft, event, OfferBecause::Exhausted { pool: pool.name.clone() }),
    }
}

/// Keeps RRAS's own offer. RRAS knows which of its addresses are in use, so an old lease of ours is no reason to
/// refuse.
fn keep_offer(draft: &Draft<'_>, event: &AddressEvent, because: OfferBecause) -> Result<Chosen, Refusal> {
    match offer_fault(draft, event) {
        Ok(number) => Ok(Chosen::Address(Given { number, origin: Origin::Offer, pool: None })),
        Err(fault) => Err(Refusal::Offer { because, fault }),
    }
}

/// The offered number, or why the offer cannot be kept.
pub(super) fn offer_fault(draft: &Draft<'_>, event: &AddressEvent) -> Result<u64, OfferFault> {
    let plan = &draft.context.config.addresses;
    let Offer::Number(number) = event.offer else { return Err(OfferFault::Nothing) };
    let address = Address { family: event.family, number };
    if plan.is_server_address(address) {
        return Err(OfferFault::Server);
    }
    if event.family == Family::Ipv6 && is_reserved_identifier(number) {
        return Err(OfferFault::ReservedIdentifier);
    }
    if plan.reserved.contains(&address) {
        return Err(OfferFault::Reserved);
    }
    Ok(number)
}

fn conclude(draft: &mut Draft<'_>, event: &AddressEvent, own: Option<Id>, answer: &Answer) {
    let Answer::Address(given) = answer else { return };
    let address = Address { family: event.family, number: given.number };
    let (user_name, port) = (event.user.clone(), event.port.clone());
    let user = draft.context.config.domains.identity(&event.user, &Name::default());
    if let Some(earlier) = draft.lease_at(address).filter(|earlier| given_again(draft, earlier, event, user.as_ref())) {
        draft.end_lease(earlier, EndedBy::PortStartedAgain);
    }
    if let Some(earlier) = draft.lease_at(address) {
        if given.origin != Origin::Offer || !draft.touches(earlier.began) {
            draft.anomaly(Anomaly::AddressGivenTwice { user: user_name, port, address });
            return;
        }
        let lease = earlier.id;
        draft.anomaly(Anomaly::OfferHeldByLease { user: user_name.clone(), port: port.clone(), address, lease });
        draft.end_lease(earlier, EndedBy::Moved);
    }
    let lease = draft.now.lease_id(event.family);
    // If the answer is recorded late, a connection may have taken the address in the meantime, so the lease has no
    // time limit.
    let until = (!draft.late).then(|| draft.at().mono.after(LEASE_TIMEOUT));
    draft.begin_lease(LeaseBegan {
        lease,
        address,
        user: user.clone(),
        user_name,
        port,
        origin: given.origin,
        pool: given.pool.clone(),
        at: draft.at(),
        until,
        process: draft.context.process,
    });
    if let Some(session) = taker(draft, event, address, own, user.as_ref()) {
        let (user, at) = (session.user.clone(), draft.at());
        draft.session = Some(session.id);
        draft.add(Effect::LeaseTaken { lease, session: session.id, user, at, prefix: None });
    }
}

/// Does a late answer prove that an earlier lease of its address had ended? The process that gave both answers knew
/// it. What ended the earlier lease may no longer show: a link that was on the port then, or a release that was
/// received before the accept. The earlier lease remains with a session that was connected by another port, unless it
/// was assigned to that session only because nothing else was on its port. It also remains with a session that has
/// begun since, unless this is that session's own call, or nothing proves that the lease is its own.
fn given_again(draft: &Draft<'_>, earlier: &Lease, event: &AddressEvent, user: Option<&Identity>) -> bool {
    let knew = draft.late && earlier.process == draft.context.process && draft.touches(earlier.began);
    let session = match earlier.holding {
        Holding::Session(id) => draft.state.session(id).filter(|_| draft.lives(id)),
        Holding::Waiting(_) | Holding::Ended(..) => None,
    };
    let has_it = session.is_some_and(|session| {
        let asked =
            may_have_requested(&draft.context.config.domains, earlier, &session.user_name, session.user.as_ref());
        if draft.touches(session.began) {
            asked && draft.links(session).any(|link| link.port != event.port)
        } else {
            let its_own =
                session.port.as_ref() == Some(&event.port) || may_be_same_user(draft, session, &event.user, user);
            !its_own && (asked || session.projected.contains(&earlier.address))
        }
    });
    knew && (earlier.released || !has_it)
}

/// The session that takes the address at once: the one on the port, for a protocol that comes up late. If the answer
/// is recorded late, a session that has shown the address in the meantime.
fn taker<'a>(
    draft: &mut Draft<'a>,
    event: &AddressEvent,
    address: Address,
    own: Option<Id>,
    user: Option<&Identity>,
) -> Option<&'a Session> {
    if draft.late
        && let Some(session) = projecting(draft, event, address, user)
            .or_else(|| linked_since(draft, event, user))
            .or_else(|| linked_before(draft, event, user))
    {
        return Some(session);
    }
    // The user's waiting lease on this port belongs to another connection, and so does this one.
    if draft.leases_on(&event.port).iter().any(|lease| lease.waits() && other_protocol(lease, event)) {
        return None;
    }
    // If the session had an address of this family until now, this may be another connection. Its accept or its link
    // will show which. IKEv2 may have no link.
    let lacks = |session: &&Session| {
        session.links.is_empty() || !draft.state.leases_of(session.id).any(|l| l.address.family == address.family)
    };
    own.and_then(|id| draft.state.session(id)).filter(lacks)
}

/// Did the session begin after this call, within the time that an attempt lasts?
fn attempted(draft: &Draft<'_>, session: &Session) -> bool {
    !draft.touches(session.began) && session.began.mono <= draft.at().mono.after(LEASE_TIMEOUT)
}

/// The session whose projection has named the address since the call: RRAS asks for an address before it accepts. The
/// session must belong to this user or be on this port, because the address may have been given to another user later.
fn projecting<'a>(
    draft: &Draft<'a>,
    event: &AddressEvent,
    address: Address,
    user: Option<&Identity>,
) -> Option<&'a Session> {
    let since = |session: &&Session| {
        // The name in a certificate may differ entirely from the account name. Then the port must be the same.
        let its_own = session.port.as_ref() == Some(&event.port) || may_be_same_user(draft, session, &event.user, user);
        draft.lives(session.id) && attempted(draft, session) && its_own
    };
    draft.state.with_projected(address).filter(since).min_by_key(|session| (session.began.mono, session.id))
}

/// The session whose first link came up on the port after the call, and whose projection names no address.
fn linked_since<'a>(draft: &mut Draft<'a>, event: &AddressEvent, user: Option<&Identity>) -> Option<&'a Session> {
    let since =
        |session: &&Session| session.projected.is_empty() && session.established.is_some() && attempted(draft, session);
    let of_port = draft.state.of_first_port(&event.port).filter(|session| draft.lives(session.id));
    let session = of_port.filter(since).min_by_key(|session| session.began.mono)?;
    // Under another name, the address belongs to the session only if the session has none, as when a first link finds
    // one lease on its port.
    let has_one = draft.leases_of(session.id).iter().any(|lease| lease.address.family == event.family);
    if has_one && !may_be_same_user(draft, session, &event.user, user) {
        return None;
    }
    // The session may have taken an earlier attempt's lease on the same port.
    for lease in draft.leases_of(session.id) {
        if lease.address.family == event.family && lease.port == event.port && draft.touches(lease.began) {
            draft.end_lease(lease, EndedBy::PortStartedAgain);
        }
    }
    Some(session)
}

/// The session whose first link was on the port before the call, for a protocol that came up late. The link may have
/// ended since. The session may already have an address of this family, from an earlier attempt on the port or from an
/// earlier negotiation. It then has both, because one of them is in use.
fn linked_before<'a>(draft: &Draft<'a>, event: &AddressEvent, user: Option<&Identity>) -> Option<&'a Session> {
    let before = |session: &&Session| {
        draft.lives(session.id)
            && session.established.is_some_and(|established| draft.touches(established))
            && may_be_same_user(draft, session, &event.user, user)
    };
    draft.state.of_first_port(&event.port).filter(before).max_by_key(|session| session.began.mono)
}
