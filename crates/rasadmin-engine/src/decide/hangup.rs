//! The end of a connection or of a link.

use super::draft::Draft;
use super::find_session::{any_closed, find_session};
use crate::effect::{Anomaly, ClosedBy};
use crate::event::{ConnectionEvent, LinkEvent};

/// Ends a connection. A hangup of a connection that is unknown or was rejected changes nothing.
pub(super) fn hangup(draft: &mut Draft<'_>, event: &ConnectionEvent) {
    if let Some(session) = find_session(draft, event) {
        draft.session = Some(session.id);
        // The hangup may come long after the last link ended, and without a duration. Then the session ended with that
        // link.
        let unlinked = session.established.is_some() && session.links.is_empty() && event.usage.seconds == 0;
        let stop = if unlinked { session.unlinked } else { draft.at() };
        return draft.close_with(session, stop, ClosedBy::Hangup, event.usage, None);
    }
    if let Some(closed) = any_closed(draft, event.handle, event.guid.as_deref(), Some(&event.user)) {
        draft.session = Some(closed.session.id);
        return draft.close_again(closed, event.usage);
    }
    draft.anomaly(Anomaly::HangupOfUnknownConnection { user: event.user.clone(), handle: event.handle });
}

/// Ends this connection's link on this port. A late hangup of an earlier connection does not touch a newer link.
pub(super) fn link_hangup(draft: &mut Draft<'_>, event: &LinkEvent) {
    let on_port = if event.port.is_empty() {
        draft.link_of(draft.by_handle(event.handle), &event.port)
    } else {
        draft.on_port(&event.port)
    };
    if let Some((session, link)) = on_port
        && session.handle == event.handle
        && draft.touches(link.began)
    {
        draft.session = Some(session.id);
        return draft.end_link(session.id, &event.port, event.usage);
    }
    let (port, device, handle) = (event.port.clone(), event.device.clone(), event.handle);
    draft.anomaly(Anomaly::HangupOfUnknownLink { port, device, handle });
}
