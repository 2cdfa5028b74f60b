//! Finds the entries of a table by one of their properties.

use super::table::Slot;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hash, RandomState};

/// Slots by the hash of a key. Only the table holds the keys themselves: with 100,000 sessions and eight indexes,
/// copies would take most of the memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    slots: HashTable<HashedSlot>,
    keys: RandomState,
}

#[derive(Clone, Copy, Debug)]
struct HashedSlot {
    /// Half of the key's hash, so that a growing index need not look up the keys.
    hash: u32,
    slot: Slot,
}

impl HashedSlot {
    /// The hash for the table, spread over all bits that it looks at.
    const fn spread(hash: u32) -> u64 {
        (hash as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl Index {
    fn hash(&self, key: &impl Hash) -> u32 {
        self.keys.hash_one(key) as u32
    }

    /// Adds an entry. Several entries may have the same key.
    pub(super) fn insert(&mut self, key: &impl Hash, slot: Slot) {
        let hash = self.hash(key);
        self.slots
            .insert_unique(HashedSlot::spread(hash), HashedSlot { hash, slot }, |entry| HashedSlot::spread(entry.hash));
    }

    pub(super) fn remove(&mut self, key: &impl Hash, slot: Slot) {
        let hash = self.hash(key);
        let own = |entry: &HashedSlot| entry.slot == slot && entry.hash == hash;
        if let Ok(found) = self.slots.find_entry(HashedSlot::spread(hash), own) {
            found.remove();
        }
    }

    /// The slots of the entries with this key, in no order. Rarely another entry is among them, so the caller must
    /// compare.
    pub(super) fn find<K: Hash>(&self, key: &K) -> impl Iterator<Item = Slot> + use<'_, K> {
        let hash = self.hash(key);
        self.slots.iter_hash(HashedSlot::spread(hash)).filter(move |entry| entry.hash == hash).map(|entry| entry.slot)
    }

    /// Reserves room for so many more entries.
    pub(super) fn reserve(&mut self, entries: usize) {
        self.slots.reserve(entries, |entry| HashedSlot::spread(entry.hash));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_entries_however_many_there_are() {
        let mut index = Index::default();
        for slot in 0..10_000 {
            index.insert(&(slot / 10), slot);
        }
        for slot in (0..10_000).step_by(10) {
            index.remove(&(slot / 10), slot);
            index.remove(&(slot / 10), slot);
        }
        for key in 0..1_000 {
            // Half a hash may belong to another key too.
            let mut found: Vec<Slot> = index.find(&key).filter(|slot| slot / 10 == key).collect();
            found.sort_unstable();
            assert_eq!(found, (key * 10 + 1..key * 10 + 10).collect::<Vec<_>>());
        }
        assert_eq!(index.find(&1_000).filter(|slot| slot / 10 == 1_000).count(), 0);
    }
}
