//! How long the calls of a run took.

use mprapi::FunctionId;
use std::collections::BTreeMap;

/// How long the calls of each function took.
#[derive(Clone, Debug, Default)]
pub struct Statistics(BTreeMap<FunctionId, Vec<u64>>);

/// The times of one function's calls, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// The number of calls.
    pub calls: usize,
    /// The median.
    pub p50: u64,
    /// 99 of 100 calls took no longer than this.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

impl Statistics {
    pub(crate) fn add(&mut self, function: FunctionId, took_ns: u64) {
        self.0.entry(function).or_default().push(took_ns);
    }

    /// The time of every call in nanoseconds, by function, in the order of the calls.
    pub fn each(&self) -> impl Iterator<Item = (FunctionId, &[u64])> {
        self.0.iter().map(|(&function, all)| (function, &all[..]))
    }

    /// The times of every function that was called, in the contract's order.
    pub fn times(&self) -> Vec<(FunctionId, Times)> {
        let of = |all: &Vec<u64>| {
            let mut sorted = all.clone();
            sorted.sort_unstable();
            // The nearest rank: the smallest value that this share of the calls did not exceed.
            let rank = |percent: usize| sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1];
            Times { calls: sorted.len(), p50: rank(50), p99: rank(99), max: rank(100) }
        };
        self.0.iter().map(|(&function, all)| (function, of(all))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut statistics = Statistics::default();
        for took in (1..=200).rev() {
            statistics.add(FunctionId::AcceptNewLink, took);
        }
        statistics.add(FunctionId::InitializeDll, 7);
        assert_eq!(
            statistics.times(),
            [
                (FunctionId::InitializeDll, Times { calls: 1, p50: 7, p99: 7, max: 7 }),
                (FunctionId::AcceptNewLink, Times { calls: 200, p50: 100, p99: 198, max: 200 }),
            ]
        );
    }
}
