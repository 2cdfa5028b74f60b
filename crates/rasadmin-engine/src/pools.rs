//! The search for an address, at a cost that does not grow with the pool.
//!
//! A pool is tried in order once: its row remembers how far (the cursor), so the next address never used is one step
//! away. Addresses that were given back stand in an index by the time of their release. So each search is a constant
//! number of index look-ups, whether the pool has 200 addresses or 16 million, and however many are held.

use crate::Identity;
use crate::Name;
use crate::addresses::{Address, Plan, Pool, PoolId};
use crate::config::Config;
use crate::ledger::{Away, Id, Millis, Origin, Transaction, Used};

/// The rows of the configuration's pools in the ledger. A pool whose ranges change gets a new row: it is tried anew.
#[derive(Debug, Default)]
pub struct Tags {
    shapes: Vec<String>,
    known: Vec<Option<Id>>,
    /// When its strays were last fetched: that costs as much as the pool is large.
    fetched: Vec<Option<Millis>>,
}

/// Strays are fetched no more often than this: milliseconds.
const FETCH_EVERY: Millis = 60 * 1000;

impl Tags {
    /// For this plan; nothing is known yet.
    pub fn new(plan: &Plan) -> Self {
        let shapes = plan.pools.iter().map(shape).collect::<Vec<_>>();
        Self { known: vec![None; shapes.len()], fetched: vec![None; shapes.len()], shapes }
    }

    /// Forgets the rows: after a transaction that was rolled back they may not be there.
    pub fn forget(&mut self) {
        self.known.fill(None);
    }

    /// The row of the pool that gives this address, if any does.
    pub fn of(
        &mut self,
        ledger: &mut dyn Transaction,
        config: &Config,
        server: &Name,
        address: Address,
    ) -> Result<Option<Id>, Away> {
        let pools = &config.addresses.pools;
        let found = pools.iter().position(|pool| pool.family == address.family && pool.contains(address.number));
        let Some(index) = found else { return Ok(None) };
        if let Some(tag) = self.known[index] {
            return Ok(Some(tag));
        }
        self.row(ledger, &pools[index], index, server).map(|(tag, _)| Some(tag))
    }

    fn may_fetch(&mut self, index: usize, now: Millis) -> bool {
        let may = self.fetched[index].is_none_or(|last| (now - last).abs() >= FETCH_EVERY);
        if may {
            self.fetched[index] = Some(now);
        }
        may
    }

    fn row(
        &mut self,
        ledger: &mut dyn Transaction,
        pool: &Pool,
        index: usize,
        server: &Name,
    ) -> Result<(Id, Option<u64>), Away> {
        let first = pool.ranges.first().map_or(0, |range| range.0);
        let row = ledger.pool(server, &pool.name, pool.family, &self.shapes[index], first)?;
        self.known[index] = Some(row.0);
        Ok(row)
    }
}

/// The ranges, as short text: what makes two pools the same to the cursor.
fn shape(pool: &Pool) -> String {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    for (first, last) in &pool.ranges {
        hasher.update(first.to_be_bytes());
        hasher.update(last.to_be_bytes());
    }
    hasher.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The address.
    pub number: u64,
    /// Sticky or from the pool.
    pub origin: Origin,
    /// The pool's name.
    pub pool: String,
}

/// Searches a pool and those chained to it: the user's previous address, then one never used, then the one released
/// first.
pub fn search(
    ledger: &mut dyn Transaction,
    config: &Config,
    tags: &mut Tags,
    server: &Name,
    first: PoolId,
    user: Option<&Identity>,
    now: Millis,
) -> Result<Option<Found>, Away> {
    let plan = &config.addresses;
    let chain = plan.chain(first);
    let found = |index: usize, number, origin| Some(Found { number, origin, pool: plan.pools[index].name.clone() });
    if plan.sticky
        && let Some(user) = user
        && let Some(&index) = chain.first()
    {
        for number in ledger.previous(server, plan.pools[index].family, user)? {
            if let Some(&index) = chain.iter().find(|&&index| plan.pools[index].contains(number)) {
                return Ok(found(index, number, Origin::Sticky));
            }
        }
    }
    for index in chain {
        let pool = &plan.pools[index];
        let (tag, cursor) = tags.row(ledger, pool, index, server)?;
        if let Some(number) = never_used(ledger, server, pool, tag, cursor)? {
            return Ok(found(index, number, Origin::Pool));
        }
        let mut free = released_first(ledger, server, pool, tag)?;
        if free.is_none() && tags.may_fetch(index, now) && fetch_strays(ledger, server, pool, tag)? > 0 {
            free = released_first(ledger, server, pool, tag)?;
        }
        if let Some(number) = free {
            return Ok(found(index, number, Origin::Pool));
        }
    }
    Ok(None)
}

/// The next address that this shape of the pool has not tried. One that is held (from before the pool had this shape)
/// is passed over once and for all: when it is given back it stands in the index.
fn never_used(
    ledger: &mut dyn Transaction,
    server: &Name,
    pool: &Pool,
    tag: Id,
    cursor: Option<u64>,
) -> Result<Option<u64>, Away> {
    let mut next = cursor.and_then(|number| pool.at_or_after(number));
    let mut passed = cursor != next;
    while let Some(number) = next {
        next = number.checked_add(1).and_then(|number| pool.at_or_after(number));
        passed = true;
        if ledger.address_used(server, Address { family: pool.family, number })? != Used::Held {
            ledger.set_cursor(tag, next)?;
            return Ok(Some(number));
        }
    }
    if passed {
        ledger.set_cursor(tag, None)?;
    }
    Ok(None)
}

/// The free address that was released first.
fn released_first(ledger: &mut dyn Transaction, server: &Name, pool: &Pool, tag: Id) -> Result<Option<u64>, Away> {
    while let Some(number) = ledger.least_recent(tag)? {
        if pool.contains(number) {
            return Ok(Some(number));
        }
        // It left the pool by a reservation or a process with another configuration gave it back.
        ledger.untag(server, Address { family: pool.family, number })?;
    }
    Ok(None)
}

/// Before a pool counts as exhausted, free addresses of its ranges that bear another tag are fetched: those that had
/// another pool, or that a process with an earlier configuration gave back.
fn fetch_strays(ledger: &mut dyn Transaction, server: &Name, pool: &Pool, tag: Id) -> Result<usize, Away> {
    pool.ranges.iter().map(|&range| ledger.retag(server, pool.family, range, tag)).sum()
}
