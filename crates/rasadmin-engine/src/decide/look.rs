//! The rasadmin service has looked at RRAS's connections.

use super::connection::{began, projected_leases};
use super::draft::{Draft, seen};
use super::find_session::{any_closed, find_session};
use super::revive::revive;
use crate::calendar::labels_at;
use crate::counters::Counted;
use crate::effect::{ClosedBy, DayUse, Effect, LeaseBegan, Origin, SessionBegan};
use crate::event::{ConnectionEvent, Look, NotListed, Seen};
use crate::now::{Id, Mono, Stamp};
use crate::state::Session;
use crate::{Identity, InterfaceType, Millis};

/// A session that is younger may not be in RRAS's list yet, in milliseconds.
pub const SURELY_LISTED: u64 = 60_000;

/// Counts what the listed sessions have used, adopts connections that are not on record, and closes sessions that RRAS
/// does not list any more.
pub(super) fn look(draft: &mut Draft<'_>, look: &Look) {
    for seen in &look.seen {
        match find_session(draft, &seen.connection) {
            Some(session) => listed(draft, session, seen),
            None => unknown(draft, look.begun, &seen.connection),
        }
    }
    for not_listed in &look.not_listed {
        close(draft, not_listed);
    }
}

/// Confirms a session, and adds its traffic so far.
fn listed(draft: &mut Draft<'_>, session: &Session, seen: &Seen) {
    let (id, at) = (session.id, draft.at());
    draft.add(Effect::SessionConfirmed { session: id, at });
    if let Some((replaced, alive)) = session.replaced.zip(seen.alive)
        && replaced.at.mono <= alive.mono
    {
        draft.add(Effect::SessionAlive { session: id });
    }
    count(draft, id, &session.used, session.user.as_ref(), &seen.connection);
}

/// Adds what the counters show.
fn count(draft: &mut Draft<'_>, session: Id, used: &[DayUse], user: Option<&Identity>, connection: &ConnectionEvent) {
    let at = draft.at();
    let before = draft.state.counted(session);
    let counted = match before {
        Some(before) => before.then(&connection.usage, at.mono),
        None => Counted::first(&connection.usage, at.mono),
    };
    draft.add(Effect::Counted { session, at, counted });
    let Some(user) = user else { return };
    let sum = seen(used);
    let more = (counted.octets[0].saturating_sub(sum.0), counted.octets[1].saturating_sub(sum.1));
    if more == (0, 0) {
        return;
    }
    let mut days = used.to_vec();
    let labels = labels_at(at.time, &draft.context.config.zone);
    match days.iter_mut().find(|day| day.labels == labels) {
        Some(day) => (day.input_octets, day.output_octets) = (day.input_octets + more.0, day.output_octets + more.1),
        None => days.push(DayUse { labels, seconds: 0, input_octets: more.0, output_octets: more.1 }),
    }
    draft.add(Effect::InterimUse { session, user: user.clone(), at, days });
}

/// RRAS lists a connection that no live session has.
fn unknown(draft: &mut Draft<'_>, begun: Stamp, event: &ConnectionEvent) {
    if event.interface != InterfaceType::Client {
        return; // A demand-dial router is no user's session.
    }
    match any_closed(draft, event.handle, event.guid.as_deref(), Some(&event.user)) {
        // The look does not show what was recorded after it began.
        Some(closed) if closed.closed.mono >= begun.mono => {}
        Some(closed) if closed.by.may_be_live() => revive(draft, closed),
        // Another connection has its port or handle, although RRAS still lists this one: the next hangup will tell.
        Some(_) => {}
        None => adopt(draft, event),
    }
}

/// Begins a session for a connection that RRAS has and that no call announced. The session takes the addresses that the
/// connection shows.
fn adopt(draft: &mut Draft<'_>, event: &ConnectionEvent) {
    // One look may adopt several connections, so each identifier is made from the look's random bytes and the
    // connection's handle.
    let session = Id(draft.now.session_id().0 ^ u128::from(event.handle));
    let user = draft.context.config.domains.identity(&event.user, &event.domain);
    let at = start(draft.at(), event.usage.seconds);
    let began = SessionBegan { adopted: true, at, ..began(draft, event, session, user.clone(), None) };
    draft.add(Effect::SessionBegan(Box::new(began)));
    for lease in projected_leases(draft, event) {
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
    count(draft, session, &[], user.as_ref(), event);
}

/// When a connection began that has lasted so many seconds. It cannot be older than the machine's clock.
fn start(now: Stamp, seconds: u64) -> Stamp {
    let millis = seconds.saturating_mul(1000).min(now.mono.0);
    Stamp {
        time: now.time.saturating_sub(Millis::try_from(millis).unwrap_or(0)),
        mono: Mono(now.mono.0.saturating_sub(millis)),
    }
}

/// Closes a session that RRAS does not list, unless something has happened to it since.
fn close(draft: &mut Draft<'_>, &NotListed { session, since }: &NotListed) {
    let Some(session) = draft.state.session(session).filter(|session| draft.lives(session.id)) else { return };
    let links = session.links.iter().map(|link| link.began);
    let last = links.chain(session.confirmed).chain([session.began]).map(|at| at.mono).max().unwrap_or_default();
    if last.after(SURELY_LISTED) <= since.mono {
        draft.close(session, since, ClosedBy::NotListed, None);
    }
}
