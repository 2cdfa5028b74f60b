//! Where the entries of a table are, by one of their properties.

use super::table::Slot;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hash, RandomState};

/// Places by the hash of a key. The keys themselves stand in the table alone: with 100,000 sessions and eight indexes,
/// copies of them would be most of the memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    places: HashTable<Place>,
    keys: RandomState,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// Half of the key's hash, so that nothing has to be looked up when the index grows.
    hash: u32,
    slot: Slot,
}

impl Place {
    /// What the index sorts by: the bits that it looks at have to differ.
    const fn spread(hash: u32) -> u64 {
        (hash as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl Index {
    fn hash(&self, key: &impl Hash) -> u32 {
        self.keys.hash_one(key) as u32
    }

    /// Several entries may have one key.
    pub(super) fn insert(&mut self, key: &impl Hash, slot: Slot) {
        let hash = self.hash(key);
        self.places.insert_unique(Place::spread(hash), Place { hash, slot }, |place| Place::spread(place.hash));
    }

    pub(super) fn remove(&mut self, key: &impl Hash, slot: Slot) {
        let hash = self.hash(key);
        let own = |place: &Place| place.slot == slot && place.hash == hash;
        if let Ok(found) = self.places.find_entry(Place::spread(hash), own) {
            found.remove();
        }
    }

    /// Where entries with this key are, in no order. Rarely there is another one among them: the caller compares.
    pub(super) fn find<K: Hash>(&self, key: &K) -> impl Iterator<Item = Slot> + use<'_, K> {
        let hash = self.hash(key);
        self.places.iter_hash(Place::spread(hash)).filter(move |place| place.hash == hash).map(|place| place.slot)
    }

    /// So many entries will be inserted.
    pub(super) fn reserve(&mut self, entries: usize) {
        self.places.reserve(entries, |place| Place::spread(place.hash));
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
            // Half a hash may be another's too.
            let mut found: Vec<Slot> = index.find(&key).filter(|slot| slot / 10 == key).collect();
            found.sort_unstable();
            assert_eq!(found, (key * 10 + 1..key * 10 + 10).collect::<Vec<_>>());
        }
        assert_eq!(index.find(&1_000).filter(|slot| slot / 10 == 1_000).count(), 0);
    }
}
