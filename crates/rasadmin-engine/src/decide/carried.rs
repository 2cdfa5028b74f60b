//! Records what is in memory but not in the journal, after events were lost or the journal was replaced.
//!
//! Memory belongs to one process, and another process of the instance may have recorded something in the meantime. So
//! only what the lost events touched is made to match memory. If the journal was replaced, only what it lacks is
//! added.

use super::draft::Draft;
use super::{Context, record};
use crate::calendar::labels_at;
use crate::decision::Answer;
use crate::effect::{
    Anomaly, ClosedBy, CountedSessions, Effect, EndedBy, LeaseBegan, LinkBegan, SessionBegan, UseCarried,
};
use crate::event::Event;
use crate::now::{Id, Now, Stamp};
use crate::record::Record;
use crate::state::{Holding, Lease, Session, State};
use std::collections::BTreeSet;

/// What to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything that the journal lacks.
    Lacking,
    /// Only these sessions and leases, whether live or ended.
    Only(BTreeSet<Id>),
}

/// Makes the record after which a state matches `memory` within the scope. Changes nothing.
pub fn decide_carried(state: &State, memory: &State, scope: &Scope, context: &Context<'_>, now: &Now) -> Record {
    let mut draft = Draft::new(state, context, now, false);
    let within = |id: Id| match scope {
        Scope::Lacking => true,
        Scope::Only(ids) => ids.contains(&id),
    };
    if let Scope::Only(ids) = scope {
        ids.iter().for_each(|id| end(&mut draft, memory, *id));
    }
    let mut sessions: Vec<&Session> = memory.live().filter(|session| within(session.id)).collect();
    sessions.sort_unstable_by_key(|session| (session.began.mono, session.id));
    for session in sessions.into_iter().filter(|session| state.session(session.id).is_none()) {
        begin(&mut draft, memory, session);
    }
    let mut leases: Vec<&Lease> = memory.leases().filter(|lease| within(lease.id)).collect();
    leases.sort_unstable_by_key(|lease| (lease.began.mono, lease.id));
    leases.into_iter().for_each(|lease| hold(&mut draft, memory, lease));
    if *scope == Scope::Lacking {
        for block in state.blocks_lacking(memory) {
            draft.add(Effect::BlockBegan(block.clone()));
        }
        let mut uses: Vec<_> = memory.uses().filter(|(user, _)| state.has_used_nothing(user)).collect();
        uses.sort_unstable_by_key(|(user, _)| *user);
        for (user, sums) in uses {
            draft.add(Effect::UseCarried(UseCarried { user: user.clone(), sums: *sums }));
        }
    }
    record(draft, Event::Carried, None, Answer::Nothing)
}

/// Ends what has ended in memory. The reason was in the lost event.
fn end(draft: &mut Draft<'_>, memory: &State, id: Id) {
    if memory.session(id).is_none()
        && let Some(session) = draft.state.session(id).filter(|_| draft.lives(id))
    {
        let closed = memory.closed_session(id);
        let by = closed.map_or(ClosedBy::LinksGone, |closed| closed.by);
        draft.close(session, closed.map_or_else(|| draft.at(), |closed| closed.stop), by, None);
    }
    if memory.lease(id).is_none()
        && let Some(lease) = draft.state.lease(id)
    {
        draft.end_lease(lease, EndedBy::Release);
    }
}

fn begin(draft: &mut Draft<'_>, memory: &State, session: &Session) {
    let Session { id, began: at, .. } = *session;
    draft.add(Effect::SessionBegan(Box::new(SessionBegan {
        session: id,
        user: session.user.clone(),
        user_name: session.user_name.clone(),
        handle: session.handle,
        guid: session.guid.clone(),
        computer: session.computer.clone(),
        source: session.source.clone(),
        interface: session.interface,
        quarantine: session.quarantine,
        tunnel: session.tunnel,
        port: session.port.clone(),
        projected: session.projected.clone(),
        at,
        process: session.process,
        adopted: session.adopted,
    })));
    if let (Some(at), Some(port)) = (session.established, &session.port) {
        draft.add(Effect::SessionEstablished { session: id, at, port: port.clone(), tunnel: session.tunnel });
    }
    for link in &session.links {
        // The state does not keep the device name.
        let (port, device, tunnel, at) = (link.port.clone(), Default::default(), session.tunnel, link.began);
        draft.add(Effect::LinkBegan(LinkBegan { session: id, port, device, tunnel, at }));
    }
    if let Some(replaced) = session.replaced {
        draft.add(Effect::SessionReplaced { session: id, by: replaced.by, at: replaced.at });
    }
    if let Some(at) = session.confirmed {
        draft.add(Effect::SessionConfirmed { session: id, at });
    }
    if let Some(user) = session.user.clone().filter(|_| !session.used.is_empty()) {
        let at = draft.at();
        draft.add(Effect::InterimUse { session: id, user, at, days: session.used.clone() });
    }
    if let Some(counted) = memory.counted(session.id) {
        let labels = labels_at(draft.at().time, &draft.context.config.zone);
        let at = Stamp { mono: counted.read_at(), ..draft.at() };
        draft.add(Effect::Counted(CountedSessions { at, labels, sessions: vec![counted.of(id)] }));
    }
}

fn hold(draft: &mut Draft<'_>, memory: &State, lease: &Lease) {
    let known = draft.state.lease(lease.id);
    if known.is_some_and(|known| known.holding == lease.holding && known.released == lease.released) {
        return;
    }
    if known.is_none() {
        if draft.lease_at(lease.address).is_some() {
            // Another process has given the address in the meantime. Leave it held by that lease: it must not be given
            // a third time.
            let (user, port, address) = (lease.user_name.clone(), lease.port.clone(), lease.address);
            return draft.anomaly(Anomaly::AddressGivenTwice { user, port, address });
        }
        draft.begin_lease(LeaseBegan {
            lease: lease.id,
            address: lease.address,
            user: lease.user.clone(),
            user_name: lease.user_name.clone(),
            port: lease.port.clone(),
            origin: lease.origin,
            pool: None,
            at: lease.began,
            until: match lease.holding {
                Holding::Waiting(until) | Holding::Ended(_, until) => until,
                Holding::Session(_) => None,
            },
            process: lease.process,
        });
    }
    let (id, at) = (lease.id, draft.at());
    match lease.holding {
        Holding::Waiting(until) if known.is_some() => draft.add(Effect::LeaseWaits { lease: id, until }),
        Holding::Waiting(_) => {}
        Holding::Session(session) | Holding::Ended(session, _) => {
            let user = memory.session(session).map_or_else(|| lease.user.clone(), |session| session.user.clone());
            draft.add(Effect::LeaseTaken { lease: id, session, user, at, prefix: None });
        }
    }
    if let Holding::Ended(_, until) = lease.holding {
        draft.add(Effect::LeaseHeld { lease: id, until });
    }
    if lease.released {
        draft.add(Effect::LeaseReleaseSeen { lease: id });
    }
}
