//! Decides links.

use super::LEASE_TIMEOUT;
use super::admission::ask;
use super::connection::{address_of_another_user, among_projected, end_others_on_port};
use super::draft::Draft;
use super::facts::{of_link, of_session};
use super::find_session::{any_closed, closed_by_handle};
use super::owner::may_be_same_user;
use super::revive::revive;
use crate::Stage;
use crate::decision::{Answer, Decision};
use crate::effect::{Anomaly, ClosedBy, Effect, Usage};
use crate::event::LinkEvent;
use crate::state::{Closed, Holding, Lease, Session};

/// The connection that a link belongs to.
#[derive(Clone, Copy)]
enum LinkOwner<'a> {
    Live(&'a Session),
    /// It was closed without a hangup, and turns out to be live.
    Closed(&'a Closed),
    Unknown,
}

impl<'a> LinkOwner<'a> {
    const fn session(self) -> Option<&'a Session> {
        match self {
            Self::Live(session) => Some(session),
            Self::Closed(closed) => Some(&closed.session),
            Self::Unknown => None,
        }
    }
}

/// Decides AcceptNewLink.
pub(super) fn link(draft: &mut Draft<'_>, event: &LinkEvent) -> (Decision, Answer) {
    let of = arrive(draft, event);
    let known = of.session().map(|session| of_session(&draft.context, session, draft.at().time));
    let facts = of_link(&draft.context, event, known, draft.at().time);
    let mut asked = ask(draft, Stage::Link, facts, of.session().map(|session| session.id));
    if asked.decision.allow
        && let Some(session) = of.session()
        && let Some(refusal) = address_of_another_user(
            draft,
            &among_projected(&waiting(draft, session, event), &session.projected),
            session.user.as_ref(),
            Some(&event.port),
        )
    {
        asked.decision.rule = None;
        asked.refuse(refusal);
    }
    // A further link is not a newcomer's, and of an IKEv2 connection the last stage is over.
    let over = asked.decision.facts.is_last(Stage::Connection);
    if let Some(session) = of.session().filter(|session| session.established.is_none() && !over) {
        asked.mark_replaced(draft, Some(session.id));
    }
    let answer = if asked.decision.allow { Answer::Accept } else { Answer::Reject };
    conclude(draft, event, of, &answer);
    (asked.decision, answer)
}

/// Records an AcceptNewLink late, with the answer that was given.
pub(super) fn link_late(draft: &mut Draft<'_>, event: &LinkEvent, answer: &Answer) {
    let mut of = arrive(draft, event);
    if *answer == Answer::Reject && of.session().is_none() {
        // Another connection on the port may have closed its session in the meantime.
        let closed = any_closed(draft, event.handle, None, None);
        let on_this_port = |closed: &&Closed| closed.session.port.as_ref().is_none_or(|port| *port == event.port);
        of = closed.filter(on_this_port).map_or(LinkOwner::Unknown, LinkOwner::Closed);
    }
    conclude(draft, event, of, answer);
}

/// Finds the link's connection, and ends what else was on the port.
fn arrive<'a>(draft: &mut Draft<'a>, event: &LinkEvent) -> LinkOwner<'a> {
    let live = draft.by_handle(event.handle).filter(|session| draft.touches(session.began));
    let of = match live {
        Some(session) => LinkOwner::Live(session),
        None => closed_by_handle(draft, event.handle, None).map_or(LinkOwner::Unknown, LinkOwner::Closed),
    };
    draft.session = of.session().map(|session| session.id);
    if let Some(session) = of.session() {
        let its_own = waiting(draft, session, event);
        draft.keep(&its_own);
    }
    end_others_on_port(draft, &event.port, draft.session, event.tunnel);
    of
}

/// The leases that belong to a connection because its first link is on their port. If the projection named the
/// connection's addresses, other leases on the port may be left over from an earlier attempt. If it named none, the
/// lease may have been given to another session, as a protocol that came up late.
fn waiting<'a>(draft: &Draft<'a>, session: &Session, event: &LinkEvent) -> Vec<&'a Lease> {
    if session.established.is_some() {
        return Vec::new();
    }
    let on_port = draft.leases_on(&event.port).into_iter().filter(|lease| draft.touches(lease.began));
    let (waiting, taken): (Vec<&Lease>, Vec<&Lease>) = on_port.partition(|lease| lease.waits());
    let shown = |lease: &&Lease| {
        session.projected.is_empty() || session.projected.contains(&lease.address) || lease.user == session.user
    };
    let (left, mut its_own): (Vec<&Lease>, Vec<&Lease>) =
        waiting.into_iter().filter(shown).partition(|lease| lease.holding == Holding::Waiting(None));
    // A lease left over from an earlier connection belongs to this one only if this one can have asked for it: all its
    // address calls pass the same name, and an attempt does not take longer than a lease waits.
    let asked = its_own.last().map(|lease| lease.user_name.folded());
    let asked_for = |lease: &Lease| match &asked {
        Some(name) => lease.user_name.folded() == *name,
        None => may_be_same_user(draft, session, &lease.user_name, lease.user.as_ref()),
    };
    let in_time = |lease: &Lease| session.began.mono <= lease.began.mono.after(LEASE_TIMEOUT);
    let left: Vec<&Lease> = left.into_iter().filter(|lease| in_time(lease)).collect();
    its_own.extend(left.iter().filter(|lease| asked_for(lease)));
    if session.projected.is_empty() {
        // Every connection has an address. If another lease waits for this session, the other session keeps its own
        // while it is connected by another link.
        let has_none = its_own.is_empty();
        let anothers = |lease: &&Lease| was_assigned_to_earlier_session(draft, session, lease, event, has_none);
        its_own.extend(taken.into_iter().filter(anothers).filter(|lease| in_time(lease) && asked_for(lease)));
    }
    // A certificate's UPN may differ entirely from the account name.
    if its_own.is_empty() { left } else { its_own }
}

/// Was the lease assigned to an earlier session on this port, as if that session's other protocol came up late?
fn was_assigned_to_earlier_session(
    draft: &Draft<'_>,
    session: &Session,
    lease: &Lease,
    event: &LinkEvent,
    has_none: bool,
) -> bool {
    let Holding::Session(other) = lease.holding else { return false };
    !lease.released
        && draft.state.session(other).is_some_and(|other| {
            let gone = has_none || draft.links(other).all(|link| link.port == event.port);
            other.id != session.id && other.began.mono < lease.began.mono && gone
        })
}

fn conclude<'a>(draft: &mut Draft<'a>, event: &LinkEvent, of: LinkOwner<'a>, answer: &Answer) {
    let Some(session) = of.session() else {
        let (port, device, handle) = (event.port.clone(), event.device.clone(), event.handle);
        return draft.anomaly(Anomaly::LinkOfUnknownConnection { port, device, handle });
    };
    if *answer == Answer::Reject {
        // If its first link is rejected, the connection never existed. RRAS lists an adopted one.
        match of {
            LinkOwner::Live(session) if session.established.is_none() && !session.adopted => {
                draft.close(session, draft.at(), ClosedBy::FirstLinkRejected, None);
            }
            LinkOwner::Closed(closed) if session.established.is_none() => draft.discard(closed),
            _ => {}
        }
        return;
    }
    if let LinkOwner::Closed(closed) = of {
        revive(draft, closed);
    }
    // The same port began a link again: RRAS did not report the end of the earlier one.
    if session.has_link_on(&event.port) {
        draft.end_link(session.id, &event.port, Usage::default());
    }
    let at = draft.at();
    // A link that is recorded late may have ended already: then another link is on its port.
    if draft.on_port(&event.port).is_none() {
        draft.begin_link(session.id, &event.port, &event.device, event.tunnel);
    }
    if session.established.is_none() {
        for lease in waiting(draft, session, event) {
            draft.take_lease(lease, session.id, session.user.as_ref(), None);
        }
        let (session, port, tunnel) = (session.id, event.port.clone(), event.tunnel);
        draft.add(Effect::SessionEstablished { session, at, port, tunnel });
    } else if session.replaced.is_some() {
        draft.add(Effect::SessionAlive { session: session.id });
    }
    late_protocols(draft, session, event);
}

/// Takes leases that were given on the port after a late link: a protocol of its connection came up later. The session
/// that has such a lease was on the port before that link, and got the lease by mistake.
fn late_protocols(draft: &mut Draft<'_>, session: &Session, event: &LinkEvent) {
    let others = draft.on_port(&event.port).is_some_and(|(other, _)| other.id != session.id);
    if !draft.late || others {
        return;
    }
    let mut families: Vec<_> = draft.leases_of(session.id).iter().map(|lease| lease.address.family).collect();
    for lease in draft.leases_on(&event.port) {
        let another = lease.session() != Some(session.id) && !lease.released;
        let since = another && !draft.touches(lease.began) && !families.contains(&lease.address.family);
        if since && may_be_same_user(draft, session, &lease.user_name, lease.user.as_ref()) {
            families.push(lease.address.family);
            draft.take_lease(lease, session.id, session.user.as_ref(), None);
        }
    }
}
