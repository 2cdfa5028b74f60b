//! The user who asked for a lease. It may be another user than the one who has it now.

use crate::state::Lease;
use crate::{Domains, Identity, Name};

/// The user who asked for a lease, as far as the name in the address call tells. `lease.user` may be another user by
/// now: the one of the session that has it.
pub(super) fn requester(domains: &Domains, lease: &Lease) -> Option<Identity> {
    domains.identity(&lease.user_name, &Name::default())
}

/// May this user have asked for the lease?
pub(super) fn may_have_requested(domains: &Domains, lease: &Lease, name: &Name, user: Option<&Identity>) -> bool {
    lease.user_name.folded() == name.folded()
        || requester(domains, lease).as_ref().zip(user).is_some_and(|(asked, user)| asked.name == user.name)
}
