//! Indexes that depend on the configuration: how many sessions count in each group, and each pool's addresses.

use super::addresses::Free;
use super::session::Session;
use crate::Identity;
use crate::config::Config;
use crate::rules::GroupId;
use rasadmin_policy::addresses::{Address, Family, Pool};
use std::collections::BTreeSet;
use std::sync::Arc;

#[derive(Clone, Debug, Default)]
pub(super) struct Derived {
    config: Option<Arc<Config>>,
    /// For each group, how many sessions count.
    groups: Vec<u32>,
    pools: Vec<PoolIndex>,
    /// Every range of every pool, in order: no two overlap.
    ranges: Vec<(Family, u64, u64, usize)>,
}

#[derive(Clone, Debug, Default)]
struct PoolIndex {
    shape: String,
    held: u64,
    /// By their position in the order of release.
    free: BTreeSet<(u64, u64)>,
}

impl Derived {
    pub(super) fn new(config: &Arc<Config>) -> Self {
        let plan = &config.addresses;
        let mut ranges = Vec::new();
        for (index, pool) in plan.pools.iter().enumerate() {
            ranges.extend(pool.ranges.iter().map(|&(first, last)| (pool.family, first, last, index)));
        }
        ranges.sort_unstable();
        let pools = plan.pools.iter().map(|pool| PoolIndex { shape: shape(pool), ..PoolIndex::default() });
        Self {
            config: Some(config.clone()),
            groups: vec![0; config.groups.names().count()],
            pools: pools.collect(),
            ranges,
        }
    }

    pub(super) fn serves(&self, config: &Arc<Config>) -> bool {
        self.config.as_ref().is_some_and(|own| Arc::ptr_eq(own, config))
    }

    fn which(&self, address: Address) -> Option<usize> {
        let Address { family, number } = address;
        let after = self.ranges.partition_point(|&(of, first, ..)| (of, first) <= (family, number));
        let &(of, _, last, index) = self.ranges.get(after.checked_sub(1)?)?;
        (of == family && number <= last).then_some(index)
    }

    fn pool_of(&mut self, address: Address) -> Option<&mut PoolIndex> {
        self.which(address).and_then(|index| self.pools.get_mut(index))
    }

    /// Counts a session in (or out).
    pub(super) fn count(&mut self, session: &Session, change: i32) {
        if let Some(user) = session.user.as_ref().filter(|_| session.counts()) {
            self.count_user(user, change);
        }
    }

    pub(super) fn count_user(&mut self, user: &Identity, change: i32) {
        let Some(config) = &self.config else { return };
        for group in config.groups.of(user).iter() {
            if let Some(count) = self.groups.get_mut(group.0 as usize) {
                *count = count.saturating_add_signed(change);
            }
        }
    }

    /// Resets the counts: no session counts, and no address is held.
    pub(super) fn all_have_ended(&mut self) {
        self.groups.fill(0);
        self.pools.iter_mut().for_each(|pool| pool.held = 0);
    }

    pub(super) fn counted(&self, group: GroupId) -> u32 {
        self.groups.get(group.0 as usize).copied().unwrap_or(0)
    }

    pub(super) fn hold(&mut self, address: Address) {
        if let Some(pool) = self.pool_of(address) {
            pool.held += 1;
        }
    }

    pub(super) fn release(&mut self, address: Address) {
        if let Some(pool) = self.pool_of(address) {
            pool.held = pool.held.saturating_sub(1);
        }
    }

    pub(super) fn free(&mut self, sequence: u64, address: Address) {
        if let Some(pool) = self.pool_of(address) {
            pool.free.insert((sequence, address.number));
        }
    }

    /// Sets the free addresses; no others are free.
    pub(super) fn free_all(&mut self, all: impl Iterator<Item = Free>) {
        let mut free = vec![Vec::new(); self.pools.len()];
        for Free { sequence, address } in all {
            if let Some(index) = self.which(address) {
                free[index].push((sequence, address.number));
            }
        }
        // All at once: one by one takes ten times as long.
        for (pool, free) in self.pools.iter_mut().zip(free) {
            pool.free = free.into_iter().collect();
        }
    }

    pub(super) fn not_free(&mut self, sequence: u64, address: Address) {
        if let Some(pool) = self.pool_of(address) {
            pool.free.remove(&(sequence, address.number));
        }
    }

    pub(super) fn released_first(&self, pool: usize) -> Option<u64> {
        self.pools.get(pool)?.free.first().map(|&(_, number)| number)
    }

    pub(super) fn held_of(&self, pool: usize) -> u64 {
        self.pools.get(pool).map_or(0, |pool| pool.held)
    }

    pub(super) fn free_of(&self, pool: usize) -> u64 {
        self.pools.get(pool).map_or(0, |pool| pool.free.len() as u64)
    }

    pub(super) fn shape(&self, pool: usize) -> Option<&str> {
        self.pools.get(pool).map(|pool| pool.shape.as_str())
    }
}

/// The hash of the ranges: pools with the same hash share a cursor.
fn shape(pool: &Pool) -> String {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    for (first, last) in &pool.ranges {
        hasher.update(first.to_le_bytes());
        hasher.update(last.to_le_bytes());
    }
    hasher.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
