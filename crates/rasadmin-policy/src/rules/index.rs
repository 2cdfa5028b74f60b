//! Which groups, or rules, name a user: found by three look-ups, however many there are.

use super::UserPattern;
use crate::{Identity, Name};
use std::collections::HashMap;

/// Numbers (of groups, of rules) by the users whom they name.
#[derive(Debug, Default)]
pub(super) struct UserIndex {
    exact: HashMap<Identity, u32>,
    domains: HashMap<Name, u32>,
    anyone: Box<[u32]>,
    /// Ten thousand users of one group share one set.
    sets: Vec<Box<[u32]>>,
}

impl UserIndex {
    /// The numbers that name a user, each list ascending; one may be in several lists.
    pub(super) fn of(&self, user: &Identity) -> [&[u32]; 3] {
        let set = |at: Option<&u32>| at.and_then(|&at| self.sets.get(at as usize)).map_or(&[][..], |set| set);
        [set(self.exact.get(user)), set(self.domains.get(&user.domain)), &self.anyone]
    }
}

/// An index being built.
#[derive(Debug, Default)]
pub(super) struct Builder {
    exact: HashMap<Identity, Vec<u32>>,
    domains: HashMap<Name, Vec<u32>>,
    anyone: Vec<u32>,
}

impl Builder {
    /// A number names these users. Numbers come in ascending order.
    pub(super) fn add(&mut self, pattern: UserPattern, number: u32) {
        let numbers = match pattern {
            UserPattern::Anyone => &mut self.anyone,
            UserPattern::Domain(domain) => self.domains.entry(domain).or_default(),
            UserPattern::Exact(user) => self.exact.entry(user).or_default(),
        };
        if numbers.last() != Some(&number) {
            numbers.push(number);
        }
    }

    pub(super) fn build(self) -> UserIndex {
        let mut known: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut sets = Vec::new();
        let mut intern = |numbers: Vec<u32>| {
            *known.entry(numbers).or_insert_with_key(|numbers| {
                sets.push(numbers.clone().into_boxed_slice());
                sets.len() as u32 - 1
            })
        };
        let exact = self.exact.into_iter().map(|(user, numbers)| (user, intern(numbers))).collect();
        let domains = self.domains.into_iter().map(|(domain, numbers)| (domain, intern(numbers))).collect();
        UserIndex { exact, domains, anyone: self.anyone.into(), sets }
    }
}

/// A set of small numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// Those of several lists, all below `end`.
    pub(super) fn of<'a>(end: usize, lists: impl IntoIterator<Item = &'a [u32]>) -> Self {
        let mut words = vec![0_u64; end.div_ceil(64)];
        for &number in lists.into_iter().flatten() {
            if let Some(word) = words.get_mut(number as usize / 64) {
                *word |= 1 << (number % 64);
            }
        }
        Self(words)
    }

    pub(super) fn contains(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }
}
