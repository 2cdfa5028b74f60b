//! The search for an address, at a cost that does not grow with the pool, nor with what is held.
//!
//! A pool is tried in order once: the state remembers how far, so the next address never used is one step away. Addresses
//! that were given back stand in the order of their release.

use super::draft::Draft;
use crate::effect::{Effect, Origin};
use crate::{Family, Identity};
use rasadmin_policy::addresses::{Address, Pool, PoolId};

/// An address that was found.
pub(crate) struct Found {
    pub(crate) number: u64,
    pub(crate) origin: Origin,
    pub(crate) pool: String,
}

/// Searches a pool and those chained to it: the user's previous address, then one never used, then the one released
/// first.
pub(crate) fn search(draft: &mut Draft<'_>, first: PoolId, family: Family, user: Option<&Identity>) -> Option<Found> {
    let plan = &draft.context.config.addresses;
    let chain = plan.chain(first);
    if plan.sticky
        && let Some(user) = user
    {
        let now =
            draft.freed().iter().rev().filter(|(address, of)| address.family == family && of.as_ref() == Some(user));
        let now = now.map(|(address, _)| address.number);
        for number in now.chain(draft.state.last_addresses(user, family)) {
            let serves = chain.iter().find(|&&index| plan.pools[index].contains(number));
            if let Some(&index) = serves.filter(|_| draft.lease_at(Address { family, number }).is_none()) {
                return Some(Found { number, origin: Origin::Sticky, pool: plan.pools[index].name.clone() });
            }
        }
    }
    for index in chain {
        let pool = &plan.pools[index];
        let number = never_used(draft, index, pool).or_else(|| released_first(draft, index, pool));
        if let Some(number) = number {
            return Some(Found { number, origin: Origin::Pool, pool: pool.name.clone() });
        }
    }
    None
}

/// The next address that this shape of the pool has not tried. What was given back so long ago that it is forgotten counts
/// as never used: then the cursor goes round.
fn never_used(draft: &mut Draft<'_>, index: usize, pool: &Pool) -> Option<u64> {
    let first = pool.ranges.first()?.0;
    let shape = draft.state.shape(index).unwrap_or_default().to_owned();
    let cursor = draft.state.cursor(&pool.name, &shape).unwrap_or(Some(first));
    let mut found = from(draft, pool, cursor);
    let known = draft.state.held_of(index).saturating_add(draft.state.free_of(index));
    if found.0.is_none() && u128::from(known) < pool.size() {
        found = from(draft, pool, Some(first));
    }
    let (number, next) = found;
    if next != cursor {
        draft.add(Effect::CursorMoved { pool: pool.name.clone(), shape, next });
    }
    number
}

/// The first address from a number on that nobody holds and that does not stand in the order of release; and from where
/// to go on. One that is passed here is passed once and for all.
fn from(draft: &Draft<'_>, pool: &Pool, cursor: Option<u64>) -> (Option<u64>, Option<u64>) {
    let mut next = cursor.and_then(|number| pool.at_or_after(number));
    while let Some(number) = next {
        next = number.checked_add(1).and_then(|number| pool.at_or_after(number));
        let address = Address { family: pool.family, number };
        if draft.state.lease_at(address).is_none() && !draft.state.is_free(address) {
            return (Some(number), next);
        }
    }
    (None, None)
}

/// The free address that was released first; what this very event gives back comes last.
fn released_first(draft: &Draft<'_>, index: usize, pool: &Pool) -> Option<u64> {
    let now = || {
        let freed = draft.freed().iter().filter(|(address, _)| address.family == pool.family);
        freed.map(|(address, _)| address.number).find(|&number| pool.contains(number))
    };
    draft.state.released_first(index).or_else(now)
}
