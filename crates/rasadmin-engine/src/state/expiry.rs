//! Sessions and leases that end if nothing happens, in the order in which they are due.

use crate::now::{Id, Mono};
use std::collections::{BTreeSet, HashMap};

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Due {
    /// A session that has had no link for too long.
    Session(Id),
    /// A lease that no connection took, or whose release does not come.
    Lease(Id),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Expiry {
    queue: BTreeSet<(Mono, Due)>,
    at: HashMap<Due, Mono>,
}

impl Expiry {
    /// Sets when something is due, in place of an earlier time; `None` means never.
    pub(super) fn set(&mut self, what: Due, at: Option<Mono>) {
        if let Some(before) = self.at.remove(&what) {
            self.queue.remove(&(before, what));
        }
        if let Some(at) = at {
            self.at.insert(what, at);
            self.queue.insert((at, what));
        }
    }

    pub(super) fn due(&self, by: Mono) -> impl Iterator<Item = Due> + '_ {
        self.queue.iter().take_while(move |(at, _)| *at <= by).map(|&(_, what)| what)
    }
}
