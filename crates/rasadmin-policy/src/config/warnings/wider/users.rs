//! Lists of users that are compared with each other, each entry with a few look-ups.

use crate::rules::UserPattern;
use crate::{Identity, Name};
use std::collections::{HashMap, HashSet};

/// The users of a list.
#[derive(Default)]
pub(in crate::config::warnings) struct Users {
    all: Vec<UserPattern>,
    exact: HashSet<Identity>,
    domains: HashSet<Name>,
    computers: HashSet<Name>,
    /// By domain, sorted. No prefix is a prefix of another.
    prefixes: HashMap<Name, Vec<String>>,
    any_computer: bool,
    anyone: bool,
}

impl Users {
    pub fn new(patterns: impl IntoIterator<Item = UserPattern>) -> Self {
        let mut users = Self { all: patterns.into_iter().collect(), ..Self::default() };
        for pattern in users.all.clone() {
            match pattern {
                UserPattern::Anyone => users.anyone = true,
                UserPattern::AnyComputer => users.any_computer = true,
                UserPattern::Domain(domain) => drop(users.domains.insert(domain)),
                UserPattern::Computers(domain) => drop(users.computers.insert(domain)),
                UserPattern::Exact(user) => drop(users.exact.insert(user)),
                UserPattern::Prefix(domain, prefix) => {
                    users.prefixes.entry(domain).or_default().push(prefix.as_str().to_owned());
                }
            }
        }
        for prefixes in users.prefixes.values_mut() {
            prefixes.sort_unstable();
            prefixes.dedup_by(|longer, shorter| longer.starts_with(shorter.as_str()));
        }
        users
    }

    /// Are all users of the other list in this one?
    pub fn cover(&self, other: &Self) -> bool {
        other.all.iter().all(|pattern| self.covers(pattern))
    }

    fn covers(&self, narrow: &UserPattern) -> bool {
        let of_computers = |domain: &Name| self.any_computer || self.computers.contains(domain);
        self.anyone
            || match narrow {
                UserPattern::Anyone => false,
                UserPattern::AnyComputer => self.any_computer,
                UserPattern::Domain(domain) => self.domains.contains(domain),
                UserPattern::Computers(domain) => self.domains.contains(domain) || of_computers(domain),
                UserPattern::Prefix(domain, prefix) => {
                    self.domains.contains(domain) || self.begins(domain, prefix.as_str())
                }
                UserPattern::Exact(user) => {
                    self.exact.contains(user)
                        || self.domains.contains(&user.domain)
                        || (user.is_computer() && of_computers(&user.domain))
                        || self.begins(&user.domain, user.name.as_str())
                }
            }
    }

    /// Does a name of a domain begin with one of the prefixes? Only the last one that is not greater can be one.
    fn begins(&self, domain: &Name, name: &str) -> bool {
        let Some(prefixes) = self.prefixes.get(domain) else { return false };
        let after = prefixes.partition_point(|prefix| prefix.as_str() <= name);
        after.checked_sub(1).and_then(|at| prefixes.get(at)).is_some_and(|prefix| name.starts_with(prefix))
    }
}
