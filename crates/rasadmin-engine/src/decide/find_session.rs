//! Finds the session that an event refers to.

use super::draft::Draft;
use crate::Name;
use crate::effect::ClosedBy;
use crate::event::ConnectionEvent;
use crate::state::{Closed, Session};

/// The live session of an event: by its GUID, or else by its handle.
pub(super) fn find_session<'a>(draft: &Draft<'a>, event: &ConnectionEvent) -> Option<&'a Session> {
    let by_guid = event.guid.as_ref().and_then(|guid| draft.by_guid(guid));
    // A session with another GUID is another connection, whose end RRAS did not report.
    let by_handle = || draft.by_handle(event.handle).filter(|s| event.guid.is_none() || s.guid.is_none());
    by_guid.or_else(by_handle).filter(|session| draft.touches(session.began))
}

/// The last session of a handle that was closed without a hangup, and may still be live: it never got a link, lost its
/// last one, or was not listed.
pub(super) fn closed_by_handle<'a>(draft: &Draft<'a>, handle: u64, guid: Option<&str>) -> Option<&'a Closed> {
    let closed = any_closed(draft, handle, guid, None)?;
    closed.by.may_be_live().then_some(closed)
}

/// The last session of a handle that was closed without a hangup, for any reason.
pub(super) fn any_closed<'a>(
    draft: &Draft<'a>,
    handle: u64,
    guid: Option<&str>,
    user: Option<&Name>,
) -> Option<&'a Closed> {
    draft.state.closed_by_handle(handle).find(|closed| {
        let session = &closed.session;
        // A session with another GUID is another connection. Once another connection has had its handle, only the GUID
        // identifies it.
        let same = match (guid, &session.guid) {
            (Some(guid), Some(of)) => guid == of,
            _ => closed.by != ClosedBy::HandleStartedAgain && user.is_none_or(|user| has_user_name(session, user)),
        };
        same && draft.touches(session.began)
    })
}

/// RRAS passes the same name in each event of a connection.
fn has_user_name(session: &Session, user: &Name) -> bool {
    session.user_name.folded() == user.folded()
}
