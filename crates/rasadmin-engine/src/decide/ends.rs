//! Hangups and releases.

use super::again::find;
use super::draft::Draft;
use super::revive::any_closed;
use crate::addresses::Address;
use crate::effect::{Anomaly, ClosedBy, Effect, EndedBy};
use crate::event::{ConnectionEvent, LinkEvent, ReleaseEvent};
use crate::state::{Holding, Lease};

/// The end of a connection; one that is unknown or was rejected changes nothing.
pub(super) fn hangup(draft: &mut Draft<'_>, event: &ConnectionEvent) {
    if let Some(session) = find(draft, event) {
        draft.session = Some(session.id);
        // A hangup that comes long after its last link, and tells no duration: the link's end is what was seen.
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

/// The end of a link: of this connection, on this port. A late one of an earlier connection touches no newer link.
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

/// RRAS gives an address back. Each lease is given back once; where one release was lost, and where one comes late, it is
/// taken for the lease for which it does no harm.
pub(super) fn release(draft: &mut Draft<'_>, event: &ReleaseEvent) {
    let (user, port) = (event.user.clone(), event.port.clone());
    let Some(address) = event.address else {
        return draft.anomaly(Anomaly::ReleaseOfNoAddress { user, port });
    };
    let same = |lease: &&Lease| {
        lease.port == event.port && lease.address == address && lease.user_name.folded() == event.user.folded()
    };
    let lease = draft.lease_at(address).filter(same).filter(|lease| draft.touches(lease.began));
    let owed = draft.state.owed(&event.port, address.family).filter(same);
    draft.session = lease.or(owed).and_then(Lease::session);
    match (lease, owed) {
        // Its session was hung up: nobody is online with it, whosever release this is.
        (Some(lease), owed) if matches!(lease.holding, Holding::Ended(_, Some(_))) => {
            draft.end_lease(lease, EndedBy::Release);
            if let Some(owed) = owed {
                settle(draft, owed, address);
            }
        }
        // It may be the earlier one's, come late: the newer one is in use.
        (_, Some(owed)) => settle(draft, owed, address),
        (Some(lease), None) if !matches!(lease.holding, Holding::Session(_)) => {
            draft.end_lease(lease, EndedBy::Release)
        }
        // The release had waited, and the session has begun since: the lease was taken for its own by mistake.
        (Some(lease), None) if began_since(draft, lease) => draft.end_lease(lease, EndedBy::Release),
        // Its session lives, as far as was told: the address is free when that ends.
        (Some(lease), None) => draft.add(Effect::LeaseReleaseSeen { lease: lease.id }),
        (None, None) => draft.anomaly(Anomaly::ReleaseWithoutLease { user, port, address }),
    }
}

/// Did the session that has a lease begin only after this event?
fn began_since(draft: &Draft<'_>, lease: &Lease) -> bool {
    lease.session().and_then(|id| draft.state.session(id)).is_some_and(|session| !draft.touches(session.began))
}

fn settle(draft: &mut Draft<'_>, owed: &Lease, address: Address) {
    draft.add(Effect::LateRelease { port: owed.port.clone(), family: address.family, lease: owed.id });
}
