//! The rasadmin service reports the connections that RRAS has now.

use super::connection::{began, projected_leases};
use super::draft::Draft;
use super::find_session::find_session;
use crate::Name;
use crate::calendar::labels_at;
use crate::effect::{DayUse, Effect, LeaseBegan, Origin, SessionBegan};
use crate::event::{ConnectionEvent, Seen};
use crate::now::Id;

/// Confirms each reported session, adds its traffic so far, and adopts connections that are not on record.
pub(super) fn look(draft: &mut Draft<'_>, seen: &[Seen]) {
    for Seen { connection } in seen {
        let Some(session) = find_session(draft, connection) else {
            adopt(draft, connection);
            continue;
        };
        let (id, at) = (session.id, draft.at());
        draft.add(Effect::SessionConfirmed { session: id, at });
        let before: (u64, u64) =
            session.used.iter().fold((0, 0), |sum, day| (sum.0 + day.input_octets, sum.1 + day.output_octets));
        let usage = connection.usage;
        let more = (usage.input_octets.saturating_sub(before.0), usage.output_octets.saturating_sub(before.1));
        if more == (0, 0) {
            continue;
        }
        // RRAS also lists connections whose client is gone. Only growing counters prove that a client is connected.
        if session.replaced.is_some() {
            draft.add(Effect::SessionAlive { session: id });
        }
        if let Some(user) = &session.user {
            let mut days = session.used.clone();
            let labels = labels_at(at.time, &draft.context.config.zone);
            match days.iter_mut().find(|day| day.labels == labels) {
                Some(day) => {
                    (day.input_octets, day.output_octets) = (day.input_octets + more.0, day.output_octets + more.1)
                }
                None => days.push(DayUse { labels, seconds: 0, input_octets: more.0, output_octets: more.1 }),
            }
            draft.add(Effect::InterimUse { session: id, user: user.clone(), at, days });
        }
    }
}

/// Begins a session for a connection that RRAS has and that no call announced. The session takes the addresses that the
/// connection shows.
fn adopt(draft: &mut Draft<'_>, event: &ConnectionEvent) {
    // One report may adopt several connections, so each identifier is made from the report's random bytes and the
    // connection's handle.
    let session = Id(draft.now.session_id().0 ^ u128::from(event.handle));
    let user = draft.context.config.domains.identity(&event.user, &event.domain);
    let began = SessionBegan { adopted: true, ..began(draft, event, session, user.clone(), None) };
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
            port: Name::default(),
            origin: Origin::Offer,
            pool: None,
            at: draft.at(),
            until: None,
            process: draft.context.process,
        });
        let (user, at, prefix) = (user.clone(), draft.at(), event.prefix.clone());
        draft.add(Effect::LeaseTaken { lease, session, user, at, prefix });
    }
}
