//! Sessions that were closed without a hangup, and show that they live.

use super::draft::Draft;
use crate::Name;
use crate::effect::{ClosedBy, DayUse, Effect};
use crate::state::{Closed, Session};

/// The last session of a handle that was closed without a hangup, and may live: it never got a link, or lost its last.
pub(super) fn closed_by_handle<'a>(draft: &Draft<'a>, handle: u64, guid: Option<&str>) -> Option<&'a Closed> {
    let closed = any_closed(draft, handle, guid, None)?;
    matches!(closed.by, ClosedBy::NeverEstablished | ClosedBy::LinksGone | ClosedBy::ProcessEnded).then_some(closed)
}

/// The last session of a handle that was closed without a hangup, for whatever reason.
pub(super) fn any_closed<'a>(
    draft: &Draft<'a>,
    handle: u64,
    guid: Option<&str>,
    user: Option<&Name>,
) -> Option<&'a Closed> {
    draft.state.closed_by_handle(handle).find(|closed| {
        let session = &closed.session;
        // A session with another GUID is another connection. Once its handle was another's, only the GUID tells.
        let same = match (guid, &session.guid) {
            (Some(guid), Some(of)) => guid == of,
            _ => closed.by != ClosedBy::HandleStartedAgain && user.is_none_or(|user| is_of(session, user)),
        };
        same && draft.touches(session.began)
    })
}

/// Each event of a connection passes the same name.
fn is_of(session: &Session, user: &Name) -> bool {
    session.user_name.folded() == user.folded()
}

/// It lives after all: its time goes on, and only the octets that a look has seen were its use.
pub(super) fn revive(draft: &mut Draft<'_>, closed: &Closed) {
    let session = &closed.session;
    if let Some(user) = session.user.as_ref().filter(|_| !session.used.is_empty()) {
        let days = session.used.iter().map(|day| DayUse { seconds: 0, ..*day });
        let days = days.filter(|day| day.input_octets > 0 || day.output_octets > 0).collect();
        draft.add(Effect::Used { session: session.id, user: user.clone(), days });
    }
    let at = draft.at();
    draft.add(Effect::SessionRevived { session: session.id, at });
}
