//! Tables of entries in numbered slots. A clone costs next to nothing.
//!
//! A clone shares the entries with its original. Changing an entry first copies the chunk it is in, so the other table
//! keeps what it had. A checkpoint is written from such a clone while the state goes on.

use super::sink::Sink;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// The number of an entry's slot. It is reused once the entry has been removed.
pub(super) type Slot = u32;

/// How many entries are copied with one that changes.
const CHUNK: usize = 32;

/// An entry of a table. Entries have an order that does not depend on their slots.
pub(super) trait Entry: Clone {
    /// Which of two comes first.
    fn order(&self, other: &Self) -> Ordering;
}

/// Entries in numbered slots.
#[derive(Clone)]
pub(super) struct Table<T> {
    chunks: Vec<Arc<Vec<Option<T>>>>,
    vacant: Vec<Slot>,
    len: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), vacant: Vec::new(), len: 0 }
    }
}

const fn position(slot: Slot) -> (usize, usize) {
    (slot as usize / CHUNK, slot as usize % CHUNK)
}

impl<T: Entry> Table<T> {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&T> {
        let (chunk, at) = position(slot);
        self.chunks.get(chunk)?.get(at)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        self.entry(slot)?.as_mut()
    }

    fn entry(&mut self, slot: Slot) -> Option<&mut Option<T>> {
        let (chunk, at) = position(slot);
        Arc::make_mut(self.chunks.get_mut(chunk)?).get_mut(at)
    }

    pub(super) fn insert(&mut self, value: T) -> Slot {
        self.len += 1;
        if let Some(slot) = self.vacant.pop()
            && let Some(entry) = self.entry(slot)
        {
            *entry = Some(value);
            return slot;
        }
        let full = |chunk: &Arc<Vec<_>>| chunk.len() == CHUNK;
        if self.chunks.last().is_none_or(full) {
            self.chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
        }
        let chunk = self.chunks.len() - 1;
        let entries = Arc::make_mut(&mut self.chunks[chunk]);
        entries.push(Some(value));
        (chunk * CHUNK + entries.len() - 1) as Slot
    }

    pub(super) fn remove(&mut self, slot: Slot) -> Option<T> {
        let gone = self.entry(slot)?.take()?;
        self.len -= 1;
        self.vacant.push(slot);
        Some(gone)
    }

    /// In the order of their slots, which means nothing.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Slot, &T)> {
        let entries = self.chunks.iter().flat_map(|chunk| chunk.iter());
        // A chunk that is not full is the last one.
        entries.enumerate().filter_map(|(slot, entry)| Some((slot as Slot, entry.as_ref()?)))
    }

    /// Writes a slice of the table: the number of entries before the first slice, then the entries of one chunk.
    /// Returns true if it was the last slice.
    pub(super) fn slice<S: Sink>(&self, chunk: usize, to: &mut S) -> Result<bool, S::Error>
    where
        T: Serialize,
    {
        if chunk == 0 {
            to.put(&self.len)?;
        }
        self.chunks
            .get(chunk)
            .into_iter()
            .flat_map(|chunk| chunk.iter().flatten())
            .try_for_each(|entry| to.put(entry))?;
        Ok(chunk + 1 >= self.chunks.len())
    }

    /// In their own order.
    pub(super) fn sorted(&self) -> Vec<&T> {
        let mut all: Vec<&T> = self.iter().map(|(_, entry)| entry).collect();
        all.sort_unstable_by(|one, other| one.order(other));
        all
    }
}

impl<T: Entry + PartialEq> PartialEq for Table<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.sorted() == other.sorted()
    }
}

impl<T: Entry + Eq> Eq for Table<T> {}

impl<T: Entry + fmt::Debug> fmt::Debug for Table<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sorted()).finish()
    }
}

impl<T: Entry + Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.sorted())
    }
}

impl<'de, T: Entry + Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(Entries(PhantomData))
    }
}

/// Reads entries directly into a table.
struct Entries<T>(PhantomData<T>);

impl<'de, T: Entry + Deserialize<'de>> Visitor<'de> for Entries<T> {
    type Value = Table<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut table = Table::default();
        while let Some(entry) = entries.next_element()? {
            table.insert(entry);
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    impl Entry for u64 {
        fn order(&self, other: &Self) -> Ordering {
            self.cmp(other)
        }
    }

    fn filled(many: u64) -> Table<u64> {
        let mut table = Table::default();
        for n in 0..many {
            assert_eq!(u64::from(table.insert(n)), n);
        }
        table
    }

    fn entries(table: &Table<u64>) -> Vec<(Slot, u64)> {
        table.iter().map(|(slot, entry)| (slot, *entry)).collect()
    }

    #[test]
    fn a_vacant_slot_is_reused_and_no_other_entry_moves() {
        let mut table = filled(100);
        assert_eq!((table.remove(40), table.remove(40), table.len()), (Some(40), None, 99));
        assert_eq!((table.get(40), table.get(41)), (None, Some(&41)));
        assert_eq!((table.insert(7), table.insert(8)), (40, 100));
        *table.get_mut(99).unwrap() = 5;
        let expected = (0..100).map(|n| {
            (
                n,
                if n == 40 {
                    7
                } else if n == 99 {
                    5
                } else {
                    n.into()
                },
            )
        });
        assert_eq!(entries(&table), expected.chain([(100, 8)]).collect::<Vec<_>>());
    }

    #[test]
    fn a_clone_keeps_what_it_had_and_shares_what_has_not_changed() {
        let mut table = filled(100);
        let picture = table.clone();
        *table.get_mut(3).unwrap() = 1000;
        table.remove(50);
        table.insert(1001);
        table.insert(1002);
        assert_eq!(entries(&picture), entries(&filled(100)));
        let shared = |chunk: usize| Arc::ptr_eq(&table.chunks[chunk], &picture.chunks[chunk]);
        // 3 is in the first chunk, 50 in the second, the newcomer in the last.
        assert_eq!([0, 1, 2, 3].map(shared), [false, false, true, false]);
    }

    #[test]
    fn two_are_equal_if_their_entries_are_wherever_they_stand() {
        let (mut one, mut other) = (filled(3), filled(2));
        other.remove(0);
        other.insert(2);
        assert_ne!(one, other);
        other.insert(0);
        assert_eq!(one, other);
        assert_ne!(entries(&one), entries(&other));
        assert_eq!(serde_json::to_string(&other).unwrap(), "[0,1,2]");
        one = serde_json::from_str("[2,0,1]").unwrap();
        assert_eq!((one.len(), one), (3, other));
    }
}
