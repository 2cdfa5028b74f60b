//! The latest restarts of each server, for records that come after them but are older.

use rasadmin_policy::Millis;
use std::collections::{HashMap, VecDeque};

/// The most servers whose restarts are remembered.
const SERVERS: usize = 10_000;
/// The most restarts of a server. A record comes minutes late, not months.
const EACH: usize = 8;

/// The latest restarts of each server.
#[derive(Default)]
pub struct Restarts(HashMap<String, VecDeque<Millis>>);

impl Restarts {
    /// Adds a restart of a server.
    pub fn add(&mut self, server: &str, time: Millis) {
        if self.0.len() >= SERVERS && !self.0.contains_key(server) {
            self.0.clear();
        }
        let times = self.0.entry(server.to_owned()).or_default();
        if times.len() == EACH {
            times.pop_front();
        }
        times.push_back(time);
    }

    /// The first restart of a server after a time.
    pub fn first_after(&self, server: &str, time: Millis) -> Option<Millis> {
        self.0.get(server)?.iter().copied().filter(|&restart| restart > time).min()
    }
}
