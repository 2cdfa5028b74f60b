//! RRAS releases an address.

use super::draft::Draft;
use crate::addresses::Address;
use crate::effect::{Anomaly, Effect, EndedBy};
use crate::event::ReleaseEvent;
use crate::state::{Holding, Lease};

/// Releases an address. RRAS releases each lease once. If a release was lost, and another one comes late, it counts for
/// the lease for which that does no harm.
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
        // Its session was hung up, so no client uses the address, whichever lease this release is for.
        (Some(lease), owed) if matches!(lease.holding, Holding::Ended(_, Some(_))) => {
            draft.end_lease(lease, EndedBy::Release);
            if let Some(owed) = owed {
                settle(draft, owed, address);
            }
        }
        // It may be the late release of the earlier lease. The newer lease is in use.
        (_, Some(owed)) => settle(draft, owed, address),
        (Some(lease), None) if !matches!(lease.holding, Holding::Session(_)) => {
            draft.end_lease(lease, EndedBy::Release)
        }
        // The release was recorded late, and the session began after it: the session got this lease by mistake.
        (Some(lease), None) if began_since(draft, lease) => draft.end_lease(lease, EndedBy::Release),
        // As far as we know, the session is live. The address becomes free when the session ends.
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
