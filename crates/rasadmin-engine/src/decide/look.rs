//! The rasadmin service has looked at RRAS's connections.

use super::connection::{began, projected_leases};
use super::draft::Draft;
use super::find_session::{any_closed, find_session};
use super::revive::revive;
use crate::calendar::labels_at;
use crate::counters::Counted;
use crate::effect::{ClosedBy, CountedSession, CountedSessions, Effect, Enforcement, LeaseBegan, Origin, SessionBegan};
use crate::event::{ConnectionEvent, Look, NotListed};
use crate::now::{Id, Mono, Stamp};
use crate::state::Session;
use crate::{InterfaceType, Millis};

/// A session that is younger may not be in RRAS's list yet, in milliseconds.
pub const SURELY_LISTED: u64 = 60_000;

/// Counts what sessions have used, adopts connections that are not on record, and closes sessions that RRAS does not list
/// any more.
pub(super) fn look(draft: &mut Draft<'_>, look: &Look) {
    let mut counted: Vec<CountedSession> = Vec::new();
    for reading in &look.read {
        // The counters of a session that has ended meanwhile are in its hangup.
        if let Some(session) = draft.state.session(reading.session).filter(|session| draft.lives(session.id)) {
            show_life(draft, session, reading.alive);
            counted.push(reading.counted.of(session.id));
        }
    }
    for connection in &look.found {
        if find_session(draft, connection).is_none() {
            counted.extend(unknown(draft, look.begun, connection));
        }
    }
    if !counted.is_empty() {
        let labels = labels_at(look.begun.time, &draft.context.config.zone);
        draft.add(Effect::Counted(CountedSessions { at: look.begun, labels, sessions: counted }));
    }
    for not_listed in &look.not_listed {
        close(draft, not_listed);
    }
}

/// Only octets that a session received after it was replaced prove that its client is still there.
fn show_life(draft: &mut Draft<'_>, session: &Session, alive: Option<Stamp>) {
    // Its octets end soon if it is about to be disconnected.
    let ends = draft.state.to_disconnect(session.id).is_some_and(|decided| decided.how != Enforcement::Reported);
    if let Some((replaced, alive)) = session.replaced.zip(alive)
        && replaced.at.mono <= alive.mono
        && !ends
    {
        draft.add(Effect::SessionAlive { session: session.id });
    }
}

/// RRAS lists a connection that no live session has. Returns what it has counted, if a session begins for it.
fn unknown(draft: &mut Draft<'_>, begun: Stamp, event: &ConnectionEvent) -> Option<CountedSession> {
    if event.interface != InterfaceType::Client {
        return None; // Demand-dial routers are not users.
    }
    // Its handle may have lost its upper half on the way (R-OUT-13).
    let by_guid = event.guid.as_ref().and_then(|guid| {
        draft.state.closed().filter(|closed| closed.session.guid.as_ref() == Some(guid)).max_by_key(|c| c.closed.mono)
    });
    match by_guid.or_else(|| any_closed(draft, event.handle, event.guid.as_deref(), Some(&event.user))) {
        // The look does not show what was recorded after it began.
        Some(closed) if closed.closed.mono >= begun.mono => None,
        Some(closed) if closed.by.may_be_live() => {
            revive(draft, closed);
            // Otherwise a session without a link on record would be closed again.
            let (session, at) = (closed.session.id, draft.at());
            draft.add(Effect::SessionConfirmed { session, at });
            None
        }
        // Another connection has its port or handle, although RRAS still lists this one. The next hangup shows which of
        // them is live.
        Some(_) => None,
        None => {
            let session = adopt(draft, begun, event);
            Some(Counted::first(&event.usage, begun.mono).of(session))
        }
    }
}

/// Begins a session for a connection that RRAS has and that no call announced. The session takes the addresses that the
/// connection shows.
fn adopt(draft: &mut Draft<'_>, begun: Stamp, event: &ConnectionEvent) -> Id {
    // One look may adopt several connections, so each identifier is made from the look's random bytes and the
    // connection's handle.
    let session = Id(draft.now.session_id().0 ^ u128::from(event.handle));
    let user = draft.context.config.domains.identity(&event.user, &event.domain);
    let at = start(begun, event.usage.seconds);
    let began = SessionBegan { adopted: true, at, ..began(draft, event, session, user.clone(), None) };
    draft.add(Effect::SessionBegan(Box::new(began)));
    // The look does not show who has been given an address since it began.
    for lease in projected_leases(draft, event).into_iter().filter(|lease| lease.began.mono <= begun.mono) {
        draft.take_lease(lease, session, user.as_ref(), event.prefix.as_deref());
    }
    let plan = &draft.context.config.addresses;
    for (number, &address) in event.addresses.iter().enumerate() {
        // RRAS's own addresses, including the server's, need no lease.
        let ours = plan.is_pooled(address) && !plan.is_server_address(address);
        let begun = |effect: &Effect| matches!(effect, Effect::LeaseBegan(began) if began.address == address);
        if !ours || draft.lease_at(address).is_some() || draft.effects.iter().any(begun) {
            continue;
        }
        let lease = Id(session.0 ^ (u128::from(u64::MAX) + 1 + number as u128));
        draft.begin_lease(LeaseBegan {
            lease,
            address,
            user: user.clone(),
            user_name: event.user.clone(),
            port: Default::default(),
            origin: Origin::Offer,
            pool: None,
            at,
            until: None,
            process: draft.context.process,
        });
        let (user, prefix) = (user.clone(), event.prefix.clone());
        draft.add(Effect::LeaseTaken { lease, session, user, at, prefix });
    }
    session
}

/// When a connection began that had lasted so many seconds when it was seen. It cannot be older than the machine's clock.
fn start(seen: Stamp, seconds: u64) -> Stamp {
    let millis = seconds.saturating_mul(1000).min(seen.mono.0);
    Stamp {
        time: seen.time.saturating_sub(Millis::try_from(millis).unwrap_or(0)),
        mono: Mono(seen.mono.0.saturating_sub(millis)),
    }
}

/// Closes a session that RRAS does not list, unless something has happened to it since.
fn close(draft: &mut Draft<'_>, &NotListed { session, since }: &NotListed) {
    let Some(session) = draft.state.session(session).filter(|session| draft.lives(session.id)) else { return };
    let links = session.links.iter().map(|link| link.began);
    let last = links.chain([session.began]).map(|at| at.mono).max().unwrap_or_default();
    if last.after(SURELY_LISTED) <= since.mono {
        draft.close(session, since, ClosedBy::NotListed, None);
    }
}
