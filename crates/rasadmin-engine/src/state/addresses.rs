//! Addresses that nobody holds: in the order of their release, and whose they were last.

use crate::Identity;
use rasadmin_policy::addresses::{Address, Family};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many of a user's last addresses of each family are remembered.
const LAST_OF: usize = 8;

/// A free address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Free {
    /// Its place in the order of release.
    pub sequence: u64,
    /// Which.
    pub address: Address,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Addresses {
    sequence: u64,
    free: BTreeMap<u64, Address>,
    free_at: HashMap<Address, u64>,
    /// A user's last addresses, the latest last.
    last: HashMap<Identity, Vec<Free>>,
    /// Whose last address it is.
    of: HashMap<Address, Identity>,
    /// Users in the order of their last release.
    users: BTreeSet<(u64, Identity)>,
    /// Of each pool: its shape, and the first number that was not tried.
    cursors: BTreeMap<String, (String, Option<u64>)>,
}

/// What the derived indexes must hear of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Changed {
    pub freed: Option<Free>,
    pub forgotten: Option<Free>,
}

impl Addresses {
    /// It is given to somebody: where it stood, if it was free.
    pub(super) fn give(&mut self, address: Address) -> Option<Free> {
        if let Some(user) = self.of.remove(&address) {
            self.unlist(&user, address);
        }
        let sequence = self.free_at.remove(&address)?;
        self.free.remove(&sequence);
        Some(Free { sequence, address })
    }

    /// It is given back by a user.
    pub(super) fn free_up(&mut self, address: Address, user: Option<&Identity>) -> Changed {
        self.sequence += 1;
        let free = Free { sequence: self.sequence, address };
        self.free.insert(free.sequence, address);
        self.free_at.insert(address, free.sequence);
        if let Some(user) = user {
            self.list(user, free);
        }
        let mut changed = Changed { freed: Some(free), forgotten: None };
        if self.free.len() > super::MOST_FREE
            && let Some((sequence, address)) = self.free.pop_first()
        {
            self.free_at.remove(&address);
            changed.forgotten = Some(Free { sequence, address });
        }
        changed
    }

    fn list(&mut self, user: &Identity, free: Free) {
        let last = self.last.entry(user.clone()).or_default();
        if let Some(before) = last.last() {
            self.users.remove(&(before.sequence, user.clone()));
        }
        last.push(free);
        self.of.insert(free.address, user.clone());
        self.users.insert((free.sequence, user.clone()));
        let family = |other: &Free| other.address.family == free.address.family;
        if last.iter().filter(|other| family(other)).count() > LAST_OF
            && let Some(first) = last.iter().position(family)
        {
            let gone = last.remove(first);
            self.of.remove(&gone.address);
        }
        if self.last.len() > super::MOST_USERS
            && let Some((_, user)) = self.users.pop_first()
        {
            for free in self.last.remove(&user).into_iter().flatten() {
                self.of.remove(&free.address);
            }
        }
    }

    fn unlist(&mut self, user: &Identity, address: Address) {
        let Some(last) = self.last.get_mut(user) else { return };
        let latest = last.last().map(|free| free.sequence);
        last.retain(|free| free.address != address);
        let now = last.last().map(|free| free.sequence);
        if now != latest {
            if let Some(latest) = latest {
                self.users.remove(&(latest, user.clone()));
            }
            match now {
                Some(now) => drop(self.users.insert((now, user.clone()))),
                None => drop(self.last.remove(user)),
            }
        }
    }

    /// What a user had last, or what everybody had, up to a place in the order, is nobody's from now on.
    pub(super) fn forget(&mut self, user: Option<&Identity>) {
        let gone: Vec<_> = match user {
            Some(user) => self.last.remove_entry(user).into_iter().collect(),
            None => std::mem::take(&mut self.last).into_iter().collect(),
        };
        for (user, last) in gone {
            if let Some(latest) = last.last() {
                self.users.remove(&(latest.sequence, user));
            }
            for free in last {
                self.of.remove(&free.address);
            }
        }
    }

    pub(super) fn last_of(&self, user: &Identity, family: Family) -> impl Iterator<Item = u64> {
        let last = self.last.get(user).into_iter().flatten().rev();
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

    pub(super) fn parts(&self) -> Parts {
        let mut last: Vec<_> = self.last.iter().map(|(user, last)| (user.clone(), last.clone())).collect();
        last.sort_by(|a, b| a.0.cmp(&b.0));
        Parts { sequence: self.sequence, free: self.free().collect(), last, cursors: self.cursors.clone() }
    }

    pub(super) fn load(parts: Parts) -> Self {
        let mut all = Self { sequence: parts.sequence, cursors: parts.cursors, ..Self::default() };
        for free in parts.free {
            all.free.insert(free.sequence, free.address);
            all.free_at.insert(free.address, free.sequence);
        }
        for (user, last) in parts.last {
            if let Some(latest) = last.last() {
                all.users.insert((latest.sequence, user.clone()));
            }
            all.of.extend(last.iter().map(|free| (free.address, user.clone())));
            all.last.insert(user, last);
        }
        all
    }
}

/// What stands in a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parts {
    pub sequence: u64,
    pub free: Vec<Free>,
    pub last: Vec<(Identity, Vec<Free>)>,
    pub cursors: BTreeMap<String, (String, Option<u64>)>,
}
