//! Rechecks a connection when it reauthenticates or its endpoint changes.

use super::admission::ask;
use super::draft::Draft;
use super::facts::of_connection;
use super::find_session::{closed_by_handle, find_session};
use super::revive::revive;
use crate::Stage;
use crate::decision::{Answer, Decision};
use crate::effect::{Anomaly, Effect};
use crate::event::ConnectionEvent;
use crate::state::{Closed, Session};

/// Decides AcceptReauthentication and AcceptTunnelEndpointChangeEx.
pub(super) fn recheck(draft: &mut Draft<'_>, event: &ConnectionEvent, stage: Stage) -> (Decision, Answer) {
    let (session, closed) = arrive(draft, event);
    let facts = of_connection(&draft.context, event, session, draft.at().time);
    let asked = ask(draft, stage, facts, session.map(|session| session.id));
    conclude(draft, event, stage, session, closed);
    let answer = if asked.decision.allow { Answer::Accept } else { Answer::Reject };
    (asked.decision, answer)
}

/// Records the same events late, with the answer that was given.
pub(super) fn recheck_late(draft: &mut Draft<'_>, event: &ConnectionEvent, stage: Stage) {
    let (session, closed) = arrive(draft, event);
    conclude(draft, event, stage, session, closed);
}

fn arrive<'a>(draft: &mut Draft<'a>, event: &ConnectionEvent) -> (Option<&'a Session>, Option<&'a Closed>) {
    let live = find_session(draft, event);
    let closed = match live {
        Some(_) => None,
        None => closed_by_handle(draft, event.handle, event.guid.as_deref()),
    };
    let session = live.or(closed.map(|closed| &closed.session));
    draft.session = session.map(|session| session.id);
    (session, closed)
}

fn conclude(
    draft: &mut Draft<'_>,
    event: &ConnectionEvent,
    stage: Stage,
    session: Option<&Session>,
    closed: Option<&Closed>,
) {
    let Some(known) = session else {
        let (user, handle) = (event.user.clone(), event.handle);
        return draft.anomaly(if stage == Stage::EndpointChange {
            Anomaly::EndpointChangeOfUnknownConnection { user, handle }
        } else {
            Anomaly::ReauthenticationOfUnknownConnection { user, handle }
        });
    };
    if let Some(closed) = closed {
        revive(draft, closed);
    }
    let session = known.id;
    if stage == Stage::EndpointChange {
        if known.source != event.source {
            draft.add(Effect::SourceChanged { session, source: event.source.clone() });
        }
    } else if event.quarantine.is_some() && known.quarantine != event.quarantine {
        draft.add(Effect::QuarantineChanged { session, quarantine: event.quarantine });
    }
    if known.replaced.is_some() {
        draft.add(Effect::SessionAlive { session });
    }
}
