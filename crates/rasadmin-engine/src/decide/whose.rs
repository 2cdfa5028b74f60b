//! Whose is it? An address call carries no domain, and the form of its name may differ from the connection's.

use super::draft::Draft;
use crate::state::{Lease, Session};
use crate::{Identity, Name};

/// May an address call by this name be of this session's user? `user` is who is meant as far as the call can tell.
pub(super) fn may_be(draft: &Draft<'_>, session: &Session, name: &Name, user: Option<&Identity>) -> bool {
    let folded = name.folded();
    session.user.as_ref() == user
        || session.user_name.folded() == folded
        // A certificate's UPN may resemble the account's name in nothing: what the session has was asked for by it.
        || draft.leases_of(session.id).iter().any(|lease| lease.user_name.folded() == folded)
        || match (&session.user, user) {
            (Some(of), Some(asks)) => of.name == asks.name && !has_domain(name),
            _ => false,
        }
}

/// Who asked for a lease, as far as the name in the address call tells. Its user may be another by now: whoever has it.
pub(super) fn asked_for(draft: &Draft<'_>, lease: &Lease) -> Option<Identity> {
    draft.context.config.domains.identity(&lease.user_name, &Name::default())
}

/// May this user have asked for the lease?
pub(super) fn asked_by(draft: &Draft<'_>, lease: &Lease, name: &Name, user: Option<&Identity>) -> bool {
    lease.user_name.folded() == name.folded()
        || asked_for(draft, lease).as_ref().zip(user).is_some_and(|(asked, user)| asked.name == user.name)
}

fn has_domain(name: &Name) -> bool {
    name.as_str().contains(['\\', '/', '@'])
}
