//! Failures, and the pauses that they make.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// How failures are counted.
pub(super) struct Rule {
    /// So many cost nothing.
    pub(super) free: u32,
    /// The first pause.
    pub(super) first: Duration,
    /// The longest pause.
    pub(super) longest: Duration,
}

/// Without another failure in this time, they are forgotten.
pub(super) const FORGOTTEN: Duration = Duration::from_secs(15 * 60);

/// So many counts of each kind are remembered.
pub(super) const MOST: usize = 2_048;

/// A count of failures.
#[derive(Clone, Copy, Default)]
pub(super) struct Failures {
    pub(super) count: u32,
    last: Option<Instant>,
}

impl Failures {
    /// How long the next attempt must wait after the last failure.
    pub(super) fn pause(&self, rule: &Rule) -> Duration {
        match self.count.checked_sub(rule.free) {
            None | Some(0) => Duration::ZERO,
            Some(over) => rule.longest.min(rule.first * 2_u32.pow((over - 1).min(16))),
        }
    }

    /// How long the next attempt must still wait.
    pub(super) fn wait(&self, rule: &Rule, now: Instant) -> Duration {
        let Some(last) = self.last else { return Duration::ZERO };
        self.pause(rule).saturating_sub(now.saturating_duration_since(last))
    }

    pub(super) fn add(&mut self, now: Instant) {
        if self.is_forgotten(now) {
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.last = Some(now);
    }

    /// Takes back the failure of an attempt that was good in the end.
    pub(super) fn take_back(&mut self) {
        self.count = self.count.saturating_sub(1);
    }

    fn is_forgotten(&self, now: Instant) -> bool {
        self.last.is_none_or(|last| now.saturating_duration_since(last) >= FORGOTTEN)
    }
}

/// How long the next attempt for a key must still wait.
pub(super) fn wait<K: Eq + Hash>(all: &HashMap<K, Failures>, key: &K, rule: &Rule, now: Instant) -> Duration {
    all.get(key).map_or(Duration::ZERO, |of| of.wait(rule, now))
}

/// Counts a failure. If the memory is full, the entry with the fewest failures is forgotten, the oldest of them: made-up
/// names do not push out the account that is under attack.
pub(super) fn add<K: Copy + Eq + Hash>(all: &mut HashMap<K, Failures>, key: K, now: Instant) -> Failures {
    if all.len() >= MOST && !all.contains_key(&key) {
        all.retain(|_, of| !of.is_forgotten(now));
        if all.len() >= MOST {
            let least = all.iter().min_by_key(|(_, of)| (of.count, of.last)).map(|(key, _)| *key);
            least.map(|key| all.remove(&key));
        }
    }
    let of = all.entry(key).or_default();
    of.add(now);
    *of
}
