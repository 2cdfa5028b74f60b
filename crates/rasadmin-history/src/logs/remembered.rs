//! What is remembered of sessions that have been passed on.

use super::open::{SAME, millis};
use super::owner::Owner;
use super::record::Record;
use super::usage;
use rasadmin_policy::Millis;
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

/// How many ended sessions are remembered. RADIUS repeats records whose answer was lost.
const ENDED: usize = 200_000;
/// How many sessions whose end is not known are remembered.
const UNENDED: usize = 50_000;

/// A session whose end is not known.
#[derive(Clone, Copy)]
pub struct Unended {
    key: Uuid,
    start: Millis,
    owner: Owner,
    /// Was it counted as a session without an end?
    pub counted: bool,
}

impl Unended {
    /// Its key, as text.
    pub fn key(&self) -> String {
        self.key.to_string()
    }

    /// When it began.
    pub fn start(&self) -> Millis {
        self.start
    }

    /// Does a record with its id belong to it?
    pub fn has(&self, record: &Record, time: Millis) -> bool {
        let began = usage::connect_time(record).map(|seconds| time.saturating_sub(millis(seconds)));
        match record.status {
            _ if record.is_unique() => true,
            _ if self.owner.contradicts(Owner::of(record)) => false,
            Some(1) => (time - self.start).abs() <= SAME,
            _ => began.is_none_or(|began| usage::fits(self.start, began)),
        }
    }
}

/// The latest sessions that have been passed on.
#[derive(Default)]
pub struct Remembered {
    /// When those ended whose end is known, by their keys, shortened: there are many.
    ended: HashMap<u64, Millis>,
    ended_order: VecDeque<u64>,
    unended: HashMap<u128, Unended>,
    unended_order: VecDeque<u128>,
}

impl Remembered {
    /// Remembers that the session, or the attempt, of a key is over.
    pub fn ended(&mut self, key: u128, stop: Millis) {
        if self.ended.insert(short(key), stop).is_none() {
            self.ended_order.push_back(short(key));
        }
        if self.ended_order.len() > ENDED
            && let Some(oldest) = self.ended_order.pop_front()
        {
            self.ended.remove(&oldest);
        }
    }

    /// Has the session, or the attempt, of this key ended?
    pub fn has_ended(&self, key: u128) -> bool {
        self.ended.contains_key(&short(key))
    }

    /// Does a record with this key belong to a session that has ended? If nothing identifies a session, its id may come
    /// again later.
    pub fn is_repeated(&self, key: u128, record: &Record, time: Millis) -> bool {
        self.ended.get(&short(key)).is_some_and(|&stop| record.is_unique() || time <= stop + SAME)
    }

    /// Remembers a session whose end may still come.
    pub fn unended(&mut self, own: u128, key: &str, start: Millis, owner: Owner, counted: bool) {
        let Ok(key) = Uuid::parse_str(key) else { return };
        if self.unended.insert(own, Unended { key, start, owner, counted }).is_none() {
            self.unended_order.push_back(own);
        }
        if self.unended_order.len() > UNENDED
            && let Some(oldest) = self.unended_order.pop_front()
        {
            self.unended.remove(&oldest);
        }
    }

    /// Forgets the session of this key, because its end has come. Its place in the order stays, so that nothing is
    /// searched for; a later session of this key may be forgotten earlier for it.
    pub fn forget_unended(&mut self, own: u128) {
        self.unended.remove(&own);
    }

    /// The session of this key whose end may still come.
    pub fn find_unended(&self, own: u128) -> Option<Unended> {
        self.unended.get(&own).copied()
    }
}

/// Enough of a digest to distinguish as many as are remembered.
const fn short(digest: u128) -> u64 {
    digest as u64
}
