//! What an administrator, the rasadmin service, and the start of an instance do.

use super::connection::{began, told};
use super::draft::Draft;
use crate::addresses::Address;
use crate::calendar::{day_starts, labels_at};
use crate::effect::{ClosedBy, DayUse, Effect, EndedBy, Forgetting, InstanceBegan, LeaseBegan, Origin, SessionBegan};
use crate::event::{ConfigRead, ConnectionEvent, Seen};
use crate::now::{Id, Process};
use crate::state::Holding;
use crate::{Identity, Millis, Name};

/// Whatever an earlier instance had is over. One that has begun already does not begin again: it would close its own.
pub(super) fn instance_started(draft: &mut Draft<'_>, instance: Id) {
    let (state, at) = (draft.state, draft.at());
    if state.instance() == Some(instance) {
        return;
    }
    let last = state.last();
    let end = last.map_or(at.time, |last| last.time).min(at.time);
    let lived = |began| last.map_or(0, |last| last.seconds_since(began));
    let longest = state.live().map(|session| lived(session.began)).max().unwrap_or(0);
    let from = end.saturating_sub(Millis::try_from(longest).unwrap_or(0).saturating_mul(1000));
    let live = state.live_count() > 0;
    let days = if live { day_starts(from, end, &draft.context.config.zone) } else { Vec::new() };
    let server = draft.context.server.clone();
    draft.add(Effect::InstanceBegan(InstanceBegan { server, instance, at, last, days }));
}

/// Of a process that ended, the sessions are over, at the latest by now; so many a record, which has to fit into a segment.
/// Nobody has released their addresses: the clients may be online.
pub(super) fn process_ended(draft: &mut Draft<'_>, process: Process) {
    const SESSIONS: usize = 1_000;
    let (state, at) = (draft.state, draft.at());
    for session in state.live().filter(|session| session.process == process).take(SESSIONS) {
        if draft.lives(session.id) {
            draft.close(session, at, ClosedBy::ProcessEnded, None);
        }
    }
}

/// The texts of a configuration are recorded once.
pub(super) fn config_read(draft: &mut Draft<'_>, read: &ConfigRead) {
    let mut read = read.clone();
    if draft.state.config_on_record() == Some(read.hash.as_str()) {
        read.texts = None;
    }
    draft.add(Effect::ConfigRead(read));
}

/// What ended before a time is nobody's from now on.
pub(super) fn forget(draft: &mut Draft<'_>, before: Millis, user: Option<&Identity>, how: Forgetting) {
    let first_day = labels_at(before, &draft.context.config.zone);
    draft.add(Effect::Forgotten { before, first_day, user: user.cloned(), how });
}

/// An administrator gives an address free.
pub(super) fn release_address(draft: &mut Draft<'_>, address: Address, force: bool) {
    let Some(lease) = draft.lease_at(address) else { return };
    if force || !matches!(lease.holding, Holding::Session(_)) {
        draft.session = lease.session();
        draft.end_lease(lease, EndedBy::Administrator);
    }
}

/// An administrator closes a session.
pub(super) fn close_session(draft: &mut Draft<'_>, id: Id) {
    if let Some(session) = draft.state.session(id).filter(|_| draft.lives(id)) {
        draft.session = Some(id);
        draft.close(session, draft.at(), ClosedBy::Administrator, None);
    }
}

/// The service has looked: who is there lives, and has used what the counters say.
pub(super) fn look(draft: &mut Draft<'_>, seen: &[Seen]) {
    for Seen { connection } in seen {
        let Some(session) = super::again::find(draft, connection) else {
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
        // RRAS lists the dead too; octets that grew are life.
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

/// Takes over a connection that RRAS has and that no call announced. The addresses that it shows are its own from now on.
fn adopt(draft: &mut Draft<'_>, event: &ConnectionEvent) {
    // One look may adopt several: each identifier is made of the look's random bytes and the connection's handle.
    let session = Id(draft.now.session_id().0 ^ u128::from(event.handle));
    let user = draft.context.config.domains.identity(&event.user, &event.domain);
    let began = SessionBegan { adopted: true, ..began(draft, event, session, user.clone(), None) };
    draft.add(Effect::SessionBegan(Box::new(began)));
    for lease in told(draft, event) {
        draft.take_lease(lease, session, user.as_ref(), event.prefix.as_deref());
    }
    let plan = &draft.context.config.addresses;
    for (number, &address) in event.addresses.iter().enumerate() {
        // RRAS's own addresses, the server's among them, need no lease.
        let ours = plan.is_pooled(address) && !plan.is_servers(address);
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
