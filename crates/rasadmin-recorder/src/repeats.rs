//! Refusals of one user by one rule, over and over: the first is recorded at once, the others of the same minute as a
//! number.
//!
//! A badly configured client, or an attacker, can ask thousands of times a second. Refusals that change nothing must
//! neither fill the disk nor hide other users' refusals in the logs.

use rasadmin_engine::event::Repeated;
use rasadmin_engine::{Answer, Decision, Id, Identity, Name, Record, Refusal, Stage, Stamp};
use std::collections::HashMap;
use std::mem::Discriminant;

/// How long the refusals after the first are only counted: milliseconds.
const MINUTE: u64 = 60_000;

/// For how many users, stages and rules. The claimed computer name is not part of the key, because the client chooses
/// it.
const MOST: usize = 1_024;

/// How many numbers of entries that are gone wait to be recorded: they have to fit into a segment together.
const MOST_LEFT: usize = 4_096;

/// Which refusals are the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    user: Result<Identity, Name>,
    stage: Stage,
    rule: Option<String>,
    refusal: Option<Discriminant<Refusal>>,
}

/// What became of them.
#[derive(Clone, Copy, Debug)]
struct Entry {
    first: Id,
    since: Stamp,
    times: u64,
    last: Stamp,
}

impl Entry {
    const fn repeated(&self) -> Repeated {
        Repeated { of: self.first, first: self.since, times: self.times, last: self.last }
    }
}

/// The refusals of the last minute.
#[derive(Debug, Default)]
pub struct Repeats {
    all: HashMap<Key, Entry>,
    /// Numbers that are not on record yet, of entries that are gone.
    left: Vec<Repeated>,
    /// How many refusals were counted by numbers for which there was no room.
    lost: u64,
}

/// A refusal that changes nothing.
fn key(record: &Record) -> Option<Key> {
    let decision: &Decision = record.decision.as_ref()?;
    let plain = !decision.allow && record.answer == Answer::Reject && record.effects.is_empty();
    plain.then(|| Key {
        user: match decision.facts.user.known() {
            Some(user) => Ok(user.clone()),
            None => Err(record.event.user_name().cloned().unwrap_or_default()),
        },
        stage: decision.stage,
        rule: decision.rule.clone(),
        refusal: decision.refusal.as_ref().map(std::mem::discriminant),
    })
}

impl Repeats {
    /// Is it a repetition within a minute? Then it is counted here, and must not be recorded.
    pub fn counts(&mut self, record: &Record) -> bool {
        if self.all.is_empty() {
            return false;
        }
        let Some(entry) = key(record).and_then(|key| self.all.get_mut(&key)) else { return false };
        if record.at.mono.since(entry.since.mono) >= MINUTE {
            return false;
        }
        entry.times += 1;
        entry.last = record.at;
        true
    }

    /// A record was made. If it is a refusal, those that follow are counted. Returns how many refusals were counted until
    /// now by numbers for which there was no room.
    pub fn begin(&mut self, record: &Record) -> u64 {
        let Some(key) = key(record) else { return 0 };
        if self.all.len() >= MOST
            && let Some(oldest) = self.all.iter().min_by_key(|(_, entry)| entry.since.mono).map(|(key, _)| key.clone())
        {
            self.forget(&oldest);
        }
        self.forget(&key);
        self.all.insert(key, Entry { first: record.id, since: record.at, times: 0, last: record.at });
        std::mem::take(&mut self.lost)
    }

    fn forget(&mut self, key: &Key) {
        let gone = self.all.remove(key);
        self.leave(gone);
    }

    /// Their numbers wait to be recorded.
    fn leave(&mut self, gone: impl IntoIterator<Item = Entry>) {
        for entry in gone.into_iter().filter(|entry| entry.times > 0) {
            if self.left.len() < MOST_LEFT {
                self.left.push(entry.repeated());
            } else {
                self.lost = self.lost.saturating_add(entry.times);
            }
        }
    }

    /// The numbers that are to be recorded now: those origin minute is over. `all`: all of them.
    pub fn due(&mut self, now: Stamp, all: bool) -> Vec<Repeated> {
        if !self.all.is_empty() {
            let over = |_: &Key, entry: &mut Entry| all || now.mono.since(entry.since.mono) >= MINUTE;
            let gone: Vec<Entry> = self.all.extract_if(over).map(|(_, entry)| entry).collect();
            self.leave(gone);
        }
        self.left.clone()
    }

    /// What was due is on record.
    pub fn are_recorded(&mut self) {
        self.left.clear();
    }
}
