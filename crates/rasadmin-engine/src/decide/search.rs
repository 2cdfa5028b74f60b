//! Searches a pool for a free address. The cost depends neither on the pool's size nor on how many addresses are held.
//!
//! A pool is first tried in order. The state remembers how far, so the next unused address is one step away. Addresses
//! that were released wait in the order of their release.

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

/// Searches a pool and the pools chained to it: first for the user's previous address, then for one that was never
/// used, then for the one released first.
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

/// The next address that was never tried since the pool got its present ranges. An address released so long ago that
/// it is forgotten counts as never used: then the search starts from the beginning.
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

/// The first address from `cursor` on that is neither held nor waiting in the order of release, and where to continue.
/// An address that is skipped here is skipped for good.
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

/// The free address that was released first. Addresses released by this very event come last.
fn released_first(draft: &Draft<'_>, index: usize, pool: &Pool) -> Option<u64> {
    let now = || {
        let freed = draft.freed().iter().filter(|(address, _)| address.family == pool.family);
        freed.map(|(address, _)| address.number).find(|&number| pool.contains(number))
    };
    draft.state.released_first(index).or_else(now)
}
