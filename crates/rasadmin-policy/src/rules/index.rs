//! Finds the groups, or the lists of rules, that name a user, with a few look-ups however many there are.

use super::name_table::NameTable;
use super::{Fault, UserPattern};
use crate::{Identity, Name};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The numbers of groups, or of the lists of rules, by the users whom they name.
#[derive(Debug, Default)]
pub(super) struct UserIndex {
    domains: HashMap<Name, OfDomain>,
    /// For all computers, in any domain.
    computers: Box<[u32]>,
    anyone: Box<[u32]>,
    /// Sets of numbers. Ten thousand users of the same group share one set.
    sets: Vec<Box<[u32]>>,
}

/// The users of one domain. Each number is the index of a set.
#[derive(Debug, Default)]
struct OfDomain {
    exact: NameTable,
    all: Option<u32>,
    computers: Option<u32>,
    prefixes: Prefixes,
}

impl UserIndex {
    /// The numbers of the groups or lists that name a user, in several ascending lists. A number may be in more than one
    /// of them.
    pub(super) fn of<'a>(&'a self, user: &'a Identity) -> impl Iterator<Item = &'a [u32]> {
        let computer = user.is_computer();
        let of_domain = self.domains.get(&user.domain).into_iter().flat_map(move |domain| {
            let exact = domain.exact.get(&user.name);
            let computers = domain.computers.filter(|_| computer);
            [exact, domain.all, computers].into_iter().flatten().chain(domain.prefixes.of(user.name.as_str()))
        });
        let of_domain = of_domain.filter_map(|set| self.sets.get(set as usize)).map(|set| &set[..]);
        of_domain.chain([if computer { &self.computers[..] } else { &[] }, &self.anyone])
    }
}

/// Prefixes of names.
#[derive(Debug, Default)]
struct Prefixes {
    /// Sorted.
    sorted: Box<[Prefix]>,
}

#[derive(Debug)]
struct Prefix {
    text: Name,
    set: u32,
    /// The longest other prefix that this one begins with.
    shorter: Option<u32>,
}

impl Prefixes {
    fn new(mut prefixes: Vec<(Name, u32)>) -> Self {
        prefixes.sort_unstable();
        let mut sorted = Vec::<Prefix>::with_capacity(prefixes.len());
        // The earlier prefixes that this prefix begins with. Each begins with the one before.
        let mut open = Vec::<u32>::new();
        for (at, (text, set)) in (0..).zip(prefixes) {
            while open.last().is_some_and(|&last| !text.as_str().starts_with(sorted[last as usize].text.as_str())) {
                open.pop();
            }
            sorted.push(Prefix { text, set, shorter: open.last().copied() });
            open.push(at);
        }
        Self { sorted: sorted.into() }
    }

    /// The sets of the prefixes of a name. They are the last prefix that is not greater than the name, and its own
    /// prefixes, as far as the name begins with them.
    fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = u32> + 'a {
        let after = self.sorted.partition_point(|prefix| prefix.text.as_str() <= name);
        let last = after.checked_sub(1).and_then(|at| self.sorted.get(at));
        let shorter = |prefix: &&'a Prefix| prefix.shorter.and_then(|at| self.sorted.get(at as usize));
        std::iter::successors(last, shorter).filter(|prefix| name.starts_with(prefix.text.as_str())).map(|p| p.set)
    }
}

/// The limit for domains and for prefixes. A longer list would cost RRAS too much memory, and too much time to load.
const MAX: usize = 10_000;

/// An index being built.
#[derive(Debug, Default)]
pub(super) struct Builder {
    domains: HashMap<Name, OfDomain>,
    prefixes: HashMap<Name, HashMap<Name, u32>>,
    prefix_count: usize,
    anyone: Vec<u32>,
    computers: Vec<u32>,
    sets: Sets,
}

impl Builder {
    /// Adds the users that a group or list names. Numbers must ascend.
    ///
    /// # Errors
    ///
    /// If there are too many domains or prefixes.
    pub(super) fn add(&mut self, pattern: UserPattern, number: u32) -> Result<(), Fault> {
        match pattern {
            UserPattern::Anyone => self.anyone.push(number),
            UserPattern::AnyComputer => self.computers.push(number),
            UserPattern::Exact(user) => return self.add_exact(&user, number),
            UserPattern::Domain(domain) => {
                let all = &mut of_domain(&mut self.domains, &domain)?.all;
                *all = Some(self.sets.wider(*all, number));
            }
            UserPattern::Computers(domain) => {
                let computers = &mut of_domain(&mut self.domains, &domain)?.computers;
                *computers = Some(self.sets.wider(*computers, number));
            }
            UserPattern::Prefix(domain, prefix) => {
                of_domain(&mut self.domains, &domain)?;
                match self.prefixes.entry(domain).or_default().entry(prefix) {
                    Entry::Occupied(mut known) => *known.get_mut() = self.sets.wider(Some(*known.get()), number),
                    Entry::Vacant(_) if self.prefix_count >= MAX => return Err(too_many("prefixes of names")),
                    Entry::Vacant(new) => {
                        new.insert(self.sets.wider(None, number));
                        self.prefix_count += 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds a single user.
    pub(super) fn add_exact(&mut self, user: &Identity, number: u32) -> Result<(), Fault> {
        let sets = &mut self.sets;
        of_domain(&mut self.domains, &user.domain)?.exact.set(&user.name, |set| sets.wider(set, number));
        Ok(())
    }

    pub(super) fn build(self) -> UserIndex {
        let mut domains = self.domains;
        for (domain, prefixes) in self.prefixes {
            domains.entry(domain).or_default().prefixes = Prefixes::new(prefixes.into_iter().collect());
        }
        let sets = self.sets.sets;
        UserIndex { domains, computers: self.computers.into(), anyone: self.anyone.into(), sets }
    }
}

fn of_domain<'a>(domains: &'a mut HashMap<Name, OfDomain>, domain: &Name) -> Result<&'a mut OfDomain, Fault> {
    if !domains.contains_key(domain) {
        if domains.len() >= MAX {
            return Err(too_many("domains"));
        }
        domains.insert(domain.clone(), OfDomain::default());
    }
    domains.get_mut(domain).ok_or_else(|| too_many("domains"))
}

fn too_many(what: &str) -> Fault {
    let help = "list users of a few domains, and patterns for the few groups of names that need one";
    (format!("there are more than {MAX} {what}"), help.to_owned())
}

/// Sets of numbers, each stored once.
#[derive(Debug, Default)]
struct Sets {
    sets: Vec<Box<[u32]>>,
    /// The set that another set becomes with a further number. Numbers ascend, so there is only one way to each set.
    wider: HashMap<(Option<u32>, u32), u32>,
}

impl Sets {
    /// The set with a further number.
    fn wider(&mut self, set: Option<u32>, number: u32) -> u32 {
        let numbers = set.and_then(|set| self.sets.get(set as usize)).map_or(&[][..], |set| set);
        if let Some(set) = set.filter(|_| numbers.last() == Some(&number)) {
            return set;
        }
        if let Some(&known) = self.wider.get(&(set, number)) {
            return known;
        }
        let numbers = [numbers, &[number]].concat().into();
        self.sets.push(numbers);
        let new = self.sets.len() as u32 - 1;
        self.wider.insert((set, number), new);
        new
    }
}

/// A set of small numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// The numbers of several lists, all below `end`.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// However prefixes are nested, all prefixes of a name are found, and no others.
        #[test]
        fn every_prefix_of_a_name_is_found(
            prefixes in prop::collection::btree_set("[ab]{1,4}", 0..12),
            name in "[ab]{0,6}",
        ) {
            let numbered: Vec<_> = (0..).zip(&prefixes).map(|(at, text)| (Name::new(text), at)).collect();
            let mut found: Vec<u32> = Prefixes::new(numbered).of(&name).collect();
            found.sort_unstable();
            let expected: Vec<u32> =
                (0..).zip(&prefixes).filter(|(_, prefix)| name.starts_with(prefix.as_str())).map(|(at, _)| at).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
