//! Free addresses, in the order of their release, and the users who had them last.

use super::index::Index;
use super::table::{Entry, Slot, Table};
use crate::Identity;
use rasadmin_policy::addresses::{Address, Family};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

/// How many of a user's last addresses of each family are remembered.
const LAST_OF: usize = 8;

/// A free address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Free {
    /// Its position in the order of release.
    pub sequence: u64,
    /// The address.
    pub address: Address,
}

/// A user's last addresses, the latest last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LastOf {
    user: Identity,
    last: Vec<Free>,
}

impl Entry for LastOf {
    fn order(&self, other: &Self) -> Ordering {
        self.user.cmp(&other.user)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Addresses {
    sequence: u64,
    free: BTreeMap<u64, Address>,
    free_at: HashMap<Address, u64>,
    last: Table<LastOf>,
    by_user: Index,
    /// The user who had the address last.
    of: HashMap<Address, Slot>,
    /// Users by the position of their last release.
    users: BTreeMap<u64, Slot>,
    /// For each pool, the hash of its ranges, and the first number that was not tried.
    cursors: BTreeMap<String, (String, Option<u64>)>,
}

/// What the derived indexes must learn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Changed {
    pub freed: Option<Free>,
    pub forgotten: Option<Free>,
}

impl Addresses {
    /// Loads a checkpoint.
    pub(super) fn load(parts: Parts) -> Self {
        let mut all = Self { sequence: parts.sequence, cursors: parts.cursors, last: parts.last, ..Self::default() };
        all.reserve(parts.free.len());
        all.free_at.extend(parts.free.iter().map(|free| (free.address, free.sequence)));
        all.free = parts.free.into_iter().map(|free| (free.sequence, free.address)).collect();
        let mut users = Vec::with_capacity(all.last.len());
        for (slot, LastOf { user, last }) in all.last.iter() {
            all.by_user.insert(user, slot);
            all.of.extend(last.iter().map(|free| (free.address, slot)));
            users.extend(last.last().map(|latest| (latest.sequence, slot)));
        }
        all.users = users.into_iter().collect();
        all
    }

    pub(super) fn parts(&self) -> Parts {
        let (free, last, cursors) = (self.free().collect(), self.last.clone(), self.cursors.clone());
        Parts { sequence: self.sequence, cursors, free, last }
    }

    /// Reserves room for so many freed addresses, each of another user.
    pub(super) fn reserve(&mut self, addresses: usize) {
        self.free_at.reserve(addresses);
        self.of.reserve(addresses);
        self.by_user.reserve(addresses);
    }

    /// Takes an address out, because it was given to a user. Returns its entry if it was free.
    pub(super) fn give(&mut self, address: Address) -> Option<Free> {
        if let Some(slot) = self.of.remove(&address) {
            self.unlist(slot, address);
        }
        let sequence = self.free_at.remove(&address)?;
        self.free.remove(&sequence);
        Some(Free { sequence, address })
    }

    /// Adds an address that a user has released.
    pub(super) fn free_up(&mut self, address: Address, user: Option<&Identity>) -> Changed {
        self.sequence += 1;
        let free = Free { sequence: self.sequence, address };
        self.free.insert(free.sequence, address);
        self.free_at.insert(address, free.sequence);
        if let Some(user) = user {
            self.list(user, free);
        }
        let mut changed = Changed { freed: Some(free), forgotten: None };
        if self.free.len() > super::MAX_FREE
            && let Some((sequence, address)) = self.free.pop_first()
        {
            self.free_at.remove(&address);
            changed.forgotten = Some(Free { sequence, address });
        }
        changed
    }

    fn slot(&self, user: &Identity) -> Option<Slot> {
        self.by_user.find(user).find(|slot| self.last.get(*slot).is_some_and(|of| of.user == *user))
    }

    fn list(&mut self, user: &Identity, free: Free) {
        let slot = self.slot(user).unwrap_or_else(|| {
            let slot = self.last.insert(LastOf { user: user.clone(), last: Vec::new() });
            self.by_user.insert(user, slot);
            slot
        });
        let Some(LastOf { last, .. }) = self.last.get_mut(slot) else { return };
        if let Some(before) = last.last() {
            self.users.remove(&before.sequence);
        }
        // Usually there is one.
        last.reserve_exact(1);
        last.push(free);
        self.of.insert(free.address, slot);
        self.users.insert(free.sequence, slot);
        let family = |other: &Free| other.address.family == free.address.family;
        if last.iter().filter(|other| family(other)).count() > LAST_OF
            && let Some(first) = last.iter().position(family)
        {
            let gone = last.remove(first);
            self.of.remove(&gone.address);
        }
        if self.last.len() > super::MAX_USERS
            && let Some((_, slot)) = self.users.pop_first()
        {
            self.remove(slot);
        }
    }

    fn unlist(&mut self, slot: Slot, address: Address) {
        let Some(LastOf { last, .. }) = self.last.get_mut(slot) else { return };
        let latest = last.last().map(|free| free.sequence);
        last.retain(|free| free.address != address);
        let now = last.last().map(|free| free.sequence);
        if now == latest {
            return;
        }
        if let Some(latest) = latest {
            self.users.remove(&latest);
        }
        match now {
            Some(now) => drop(self.users.insert(now, slot)),
            None => self.remove(slot),
        }
    }

    /// Forgets a user.
    fn remove(&mut self, slot: Slot) {
        let Some(LastOf { user, last }) = self.last.remove(slot) else { return };
        self.by_user.remove(&user, slot);
        if let Some(latest) = last.last() {
            self.users.remove(&latest.sequence);
        }
        for free in last {
            self.of.remove(&free.address);
        }
    }

    /// Forgets the last addresses of one user or of all.
    pub(super) fn forget(&mut self, user: Option<&Identity>) {
        if let Some(user) = user {
            if let Some(slot) = self.slot(user) {
                self.remove(slot);
            }
        } else {
            self.last = Table::default();
            self.by_user = Index::default();
            self.of.clear();
            self.users.clear();
        }
    }

    pub(super) fn last_of(&self, user: &Identity, family: Family) -> impl Iterator<Item = u64> {
        let last = self.slot(user).and_then(|slot| self.last.get(slot)).map(|of| &of.last);
        let last = last.into_iter().flatten().rev();
        last.filter(move |free| free.address.family == family).map(|free| free.address.number)
    }

    pub(super) fn is_free(&self, address: Address) -> bool {
        self.free_at.contains_key(&address)
    }

    pub(super) fn free(&self) -> impl Iterator<Item = Free> {
        self.free.iter().map(|(&sequence, &address)| Free { sequence, address })
    }

    pub(super) fn cursor(&self, pool: &str, shape: &str) -> Option<Option<u64>> {
        self.cursors.get(pool).filter(|(of, _)| of == shape).map(|(_, next)| *next)
    }

    pub(super) fn move_cursor(&mut self, pool: &str, shape: &str, next: Option<u64>) {
        self.cursors.insert(pool.to_owned(), (shape.to_owned(), next));
    }
}

/// The part of a checkpoint that holds the addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parts {
    pub sequence: u64,
    pub cursors: BTreeMap<String, (String, Option<u64>)>,
    pub free: Vec<Free>,
    pub last: Table<LastOf>,
}
