//! Matches address calls to users. An address call carries no domain, and may spell the user's name differently from
//! the connection.

use super::draft::Draft;
use crate::state::Session;
use crate::{Identity, Name};

/// May an address call with this name belong to the session's user? `user` is the user that the name means, as far as
/// the call can tell.
pub(super) fn may_be_same_user(draft: &Draft<'_>, session: &Session, name: &Name, user: Option<&Identity>) -> bool {
    let folded = name.folded();
    session.user.as_ref() == user
        || session.user_name.folded() == folded
        // A certificate's UPN may differ entirely from the account name. Then the names in the session's own address
        // calls decide.
        || draft.leases_of(session.id).iter().any(|lease| lease.user_name.folded() == folded)
        || match (&session.user, user) {
            (Some(of), Some(asks)) => of.name == asks.name && !has_domain(name),
            _ => false,
        }
}

fn has_domain(name: &Name) -> bool {
    name.as_str().contains(['\\', '/', '@'])
}
