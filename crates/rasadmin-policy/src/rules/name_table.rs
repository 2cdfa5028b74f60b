//! A map from names to numbers for lists of a million users. All names are in one text, and the table grows without
//! looking at them again. So a line needs no allocation of its own, and a large list is dropped at once.

use crate::Name;
use hashbrown::HashTable;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// Names, each with a number.
#[derive(Debug, Default)]
pub(super) struct NameTable {
    text: String,
    table: HashTable<Entry>,
    state: RandomState,
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    start: usize,
    len: usize,
    number: u32,
}

impl Entry {
    fn is(&self, hash: u64, name: &str, text: &str) -> bool {
        self.hash == hash && text.get(self.start..self.start + self.len) == Some(name)
    }
}

impl NameTable {
    /// The number of a name.
    pub(super) fn get(&self, name: &Name) -> Option<u32> {
        let (hash, name) = (self.state.hash_one(name.as_str()), name.as_str());
        self.table.find(hash, |entry| entry.is(hash, name, &self.text)).map(|entry| entry.number)
    }

    /// Sets the number of a name, given the number it had.
    pub(super) fn set(&mut self, name: &Name, number: impl FnOnce(Option<u32>) -> u32) {
        let (hash, name) = (self.state.hash_one(name.as_str()), name.as_str());
        if let Some(known) = self.table.find_mut(hash, |entry| entry.is(hash, name, &self.text)) {
            known.number = number(Some(known.number));
            return;
        }
        let entry = Entry { hash, start: self.text.len(), len: name.len(), number: number(None) };
        self.text.push_str(name);
        self.table.insert_unique(hash, entry, |entry| entry.hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn it_is_a_map() {
        let (mut table, mut map) = (NameTable::default(), HashMap::<Name, u32>::new());
        for number in 0..5_000_u32 {
            let name = Name::new(&format!("USER{}", number.wrapping_mul(7_919) % 1_999));
            table.set(&name, |before| before.unwrap_or(0) + number);
            *map.entry(name).or_default() += number;
        }
        assert_eq!(table.table.len(), map.len());
        assert!(map.iter().all(|(name, number)| table.get(name) == Some(*number)));
        assert_eq!(table.get(&Name::new("USER2000")), None);
        assert_eq!(NameTable::default().get(&Name::default()), None);
    }
}
