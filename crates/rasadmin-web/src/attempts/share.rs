//! How many attempts all strangers together have with one name.

use super::Name;
use super::failures::MOST;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// So many failures cost nothing.
const FREE: u32 = 100;

/// In this time, one failure is forgotten. It is also the longest wait.
const EACH: Duration = Duration::from_secs(60);

/// For each name, when all its failures will be forgotten. Unlike a count that is forgotten after a quiet time, it gives
/// nothing to those who rest between bursts; and one network with a minute between its attempts never uses it up.
#[derive(Default)]
pub(super) struct Shares(HashMap<Name, Instant>);

impl Shares {
    /// How long the next attempt must wait.
    pub(super) fn wait(&self, name: &Name, now: Instant) -> Duration {
        let failures = self.0.get(name).map_or(Duration::ZERO, |end| end.saturating_duration_since(now));
        failures.saturating_sub(EACH * (FREE - 1))
    }

    /// Counts a failure. If the memory is full, the name with the fewest is forgotten.
    pub(super) fn add(&mut self, name: Name, now: Instant) {
        if self.0.len() >= MOST && !self.0.contains_key(&name) {
            self.0.retain(|_, end| *end > now);
            if self.0.len() >= MOST {
                let least = self.0.iter().min_by_key(|(_, end)| **end).map(|(name, _)| *name);
                least.map(|name| self.0.remove(&name));
            }
        }
        let end = self.0.entry(name).or_insert(now);
        *end = (*end).max(now) + EACH;
    }

    /// Takes back the failure of an attempt that was good in the end.
    pub(super) fn take_back(&mut self, name: &Name) {
        if let Some(end) = self.0.get_mut(name) {
            *end = end.checked_sub(EACH).unwrap_or(*end);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
