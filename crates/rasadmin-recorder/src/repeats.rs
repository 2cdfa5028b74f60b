//! Counts repeated refusals. When the same rule refuses the same user several times within a minute, the first refusal
//! is recorded at once; for the others, only their number is recorded.
//!
//! A badly configured client, or an attacker, can try thousands of times per second. Refusals that change nothing must
//! not fill the disk or hide other users' refusals in the logs.

use rasadmin_engine::event::Repeated;
use rasadmin_engine::{Answer, Decision, Id, Identity, Name, Record, Refusal, Stage, Stamp};
use std::collections::HashMap;
use std::mem::Discriminant;

/// How long refusals after the first are only counted, in milliseconds.
const MINUTE: u64 = 60_000;

/// The most keys that are counted at once. The computer name is not part of the key, because the client chooses it.
const MOST: usize = 1_024;

/// The most counts of removed entries that wait to be recorded: together they must fit into a segment.
const MOST_LEFT: usize = 4_096;

/// What identical refusals have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    user: Result<Identity, Name>,
    stage: Stage,
    rule: Option<String>,
    refusal: Option<Discriminant<Refusal>>,
}

/// The count for a key.
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
    /// Counts of removed entries that are not recorded yet.
    left: Vec<Repeated>,
    /// The number of refusals in counts that were dropped for lack of room.
    lost: u64,
}

/// The key of a refusal that changes nothing; None for any other record.
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
    /// Counts a repetition within a minute. Returns true if it is one; the record must then not be recorded.
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

    /// Begins counting repetitions if this record is a refusal. Returns the number of refusals whose counts were
    /// dropped since the last time.
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

    /// Keeps the counts of removed entries until they are recorded.
    fn leave(&mut self, gone: impl IntoIterator<Item = Entry>) {
        for entry in gone.into_iter().filter(|entry| entry.times > 0) {
            if self.left.len() < MOST_LEFT {
                self.left.push(entry.repeated());
            } else {
                self.lost = self.lost.saturating_add(entry.times);
            }
        }
    }

    /// Returns the counts to record now: those whose minute is over, or all of them.
    pub fn due(&mut self, now: Stamp, all: bool) -> Vec<Repeated> {
        if !self.all.is_empty() {
            let over = |_: &Key, entry: &mut Entry| all || now.mono.since(entry.since.mono) >= MINUTE;
            let gone: Vec<Entry> = self.all.extract_if(over).map(|(_, entry)| entry).collect();
            self.leave(gone);
        }
        self.left.clone()
    }

    /// Notes that the due counts have been recorded.
    pub fn are_recorded(&mut self) {
        self.left.clear();
    }
}
