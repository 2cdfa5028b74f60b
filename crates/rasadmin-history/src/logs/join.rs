//! Joins records to sessions.
//!
//! A session is identified by its server, its Class, and its Acct-Multi-Session-Id (or, without one, its
//! Acct-Session-Id). RRAS writes a record for each link, so a session is over when none of its links is open. Only
//! sessions that may still change are kept in memory, and of those no more than there is [room](ROOM) for.

mod refusal;

use super::classes::Classes;
use super::counts::LogCounts;
use super::detect::Format;
use super::item::{LogItem, LogRestart, describe, name, new_session};
use super::key::digest;
use super::open::{Open, Taken, closer, millis};
use super::record::Record;
use super::remembered::Remembered;
use super::restarts::Restarts;
use super::usage;
use rasadmin_policy::Millis;
use std::collections::{HashMap, HashSet, VecDeque};

/// How long a session that has ended may still change: by its Stop after Accounting-On or -Off has ended it, by a Stop
/// that says more, by a Start that comes late.
const GRACE: Millis = 5 * 60_000;
/// How many bytes the sessions in memory may take: some 13,000 sessions. Beyond it, those that were seen longest ago are
/// passed on without their end. If that comes after all, the ledger adds it, because the session has the same key.
const ROOM: usize = 14 << 20;
/// The most servers that are remembered.
const MOST_SERVERS: usize = 10_000;
/// The most sessions that have ended and may still change.
const MOST_WAITING: usize = 100_000;

/// Joins records to sessions.
pub struct Joiner {
    format: Format,
    /// Boxed, because a map has room for many more than it holds.
    open: HashMap<u128, Box<Open>>,
    /// Maps a link's own key to its session's.
    alias: HashMap<u128, u128>,
    /// Maps server and id to the latest session's key.
    by_id: HashMap<u128, u128>,
    /// Sessions that have ended, and until when they may still change.
    waiting: VecDeque<(Millis, u128)>,
    remembered: Remembered,
    /// Servers that have restarted and have sent no record of a session since.
    idle: HashSet<String>,
    restarts: Restarts,
    /// What all sessions in memory take of the [`ROOM`].
    weight: usize,
    classes: Classes,
    counts: LogCounts,
}

impl Default for Joiner {
    fn default() -> Self {
        Self {
            format: Format::Odbc,
            open: HashMap::new(),
            alias: HashMap::new(),
            by_id: HashMap::new(),
            waiting: VecDeque::new(),
            remembered: Remembered::default(),
            idle: HashSet::new(),
            restarts: Restarts::default(),
            weight: 0,
            classes: Classes::default(),
            counts: LogCounts::default(),
        }
    }
}

impl Joiner {
    /// Makes a new joiner.
    pub fn new() -> Self {
        Self::default()
    }

    /// The counts so far.
    pub fn counts(&self) -> LogCounts {
        self.counts
    }

    /// Takes a record. Sessions that are over, and refused attempts, are added to `out`. The error is a fault in the
    /// record.
    pub fn push(&mut self, record: &Record, format: Format, out: &mut Vec<LogItem>) -> Result<(), String> {
        self.format = format;
        self.counts.records += 1;
        self.counts.twice += u64::from(record.again.is_some());
        self.counts.never += u64::from(record.never);
        while self.waiting.len() > MOST_WAITING
            || self.waiting.front().is_some_and(|&(until, _)| record.time.is_some_and(|time| until < time))
        {
            self.pass_on_waiting(out);
        }
        match record.packet_type {
            Some(4) => {
                let Some(time) = record.time else { return Err("accounting without a time".to_owned()) };
                return self.accounting(record, time, out);
            }
            Some(3) => return self.refusal(record, out),
            Some(1) => {
                self.counts.others += 1;
                let mut request = new_session(record, record.time.unwrap_or(0), format);
                describe(&mut request, record, None);
                self.classes.asked(record, request);
            }
            Some(2) => {
                self.counts.accepts += 1;
                self.classes.answered(record);
            }
            Some(11) => {
                self.counts.others += 1;
                self.classes.answered(record);
            }
            _ => self.counts.others += 1,
        }
        Ok(())
    }

    /// Passes on the sessions that are still in memory at the end of the logs. The end of those that are open is unknown.
    pub fn finish(&mut self, out: &mut Vec<LogItem>) -> LogCounts {
        while !self.waiting.is_empty() {
            self.pass_on_waiting(out);
        }
        let mut open: Vec<Box<Open>> = self.open.drain().map(|(_, open)| open).collect();
        open.sort_by(|a, b| {
            (a.session.past.start, &a.session.past.key).cmp(&(b.session.past.start, &b.session.past.key))
        });
        for one in open {
            self.emit(one, out);
        }
        self.counts
    }

    fn accounting(&mut self, record: &Record, time: Millis, out: &mut Vec<LogItem>) -> Result<(), String> {
        if !record.is_of_rras() {
            self.counts.elsewhere += 1;
            return Ok(());
        }
        let Some(status) = record.status else { return Err("accounting without Acct-Status-Type".to_owned()) };
        let server = name(record, record.server()).folded().as_str().to_owned();
        if server.is_empty() {
            return Err(
                "it names no server: it has neither a NAS-Identifier nor an address nor a computer name".to_owned()
            );
        }
        match status {
            1..=3 => {}
            7 | 8 => {
                self.restart(record, time, server, out);
                return Ok(());
            }
            _ => {
                self.counts.others += 1;
                return Ok(());
            }
        }
        if record.id().is_empty() {
            return Err("accounting without Acct-Session-Id".to_owned());
        }
        if self.classes.of(record).is_some_and(|asked| asked.rejected && !asked.accepted) {
            self.counts.not_admitted += 1;
            return Ok(());
        }
        self.idle.remove(&server);
        let own = digest(&[&server, record.unique_class(), record.id()]);
        let time = if status == 1 { time } else { self.placed(record, time, own) };
        if self.remembered.is_repeated(own, record, time) {
            self.counts.repeated += 1;
            return Ok(());
        }
        let by_id = digest(&[&server, record.id()]);
        let mut known = self.session_of(record, own, by_id);
        if let Some(old) = known
            && self.open.get(&old).is_some_and(|open| !open.has(record, time))
        {
            self.pass_on(old, out);
            known = None;
        }
        if known.is_none() && !self.begin(record, time, own, by_id) {
            self.counts.repeated += 1;
            return Ok(());
        }
        let key = known.unwrap_or(own);
        let taken = self.add(record, time, own, key)?;
        if taken == Taken::Repeated {
            self.counts.repeated += 1;
        }
        if self.weight > ROOM {
            self.make_room(out);
        }
        Ok(())
    }

    /// The key of the session in memory that a record belongs to.
    fn session_of(&self, record: &Record, own: u128, by_id: u128) -> Option<u128> {
        if self.open.contains_key(&own) {
            return Some(own);
        }
        if let Some(&key) = self.alias.get(&own) {
            return Some(key);
        }
        // Another link was authenticated separately, and has a Class of its own.
        let further = record.link_count.is_some_and(|count| count > 1) && !record.multi_session_id.is_empty();
        let key = *self.by_id.get(&by_id).filter(|_| further)?;
        self.open.get(&key)?.can_have(record).then_some(key)
    }

    /// The time of a record whose local time comes twice: the one that is closer to the session's start and the seconds
    /// since. Without these, the first that is not before the start.
    fn placed(&self, record: &Record, time: Millis, own: u128) -> Millis {
        let key = self.alias.get(&own).unwrap_or(&own);
        let open = self.open.get(key).filter(|open| open.links() == 1);
        let (Some(again), Some(open)) = (record.again, open) else { return time };
        let start = open.session.past.start;
        match usage::connect_time(record) {
            Some(seconds) => closer(start.saturating_add(millis(seconds)), time, again),
            None if time < start => again,
            None => time,
        }
    }

    /// Begins a session, or continues one that was passed on without its end. False if the record says nothing about it.
    fn begin(&mut self, record: &Record, time: Millis, own: u128, by_id: u128) -> bool {
        let mut open = Open::new(record, time, self.format, own, by_id);
        if let Some(before) = self.remembered.find_unended(own).filter(|before| before.has(record, time)) {
            if record.status == Some(1) {
                return false;
            }
            open = open.continued(before.key(), before.start());
        }
        self.open.insert(own, Box::new(open));
        self.by_id.insert(by_id, own);
        true
    }

    /// Adds a record to the session with this key.
    fn add(&mut self, record: &Record, time: Millis, own: u128, key: u128) -> Result<Taken, String> {
        let Some(open) = self.open.get_mut(&key) else { return Ok(Taken::Repeated) };
        if !open.keys.contains(&own) && open.keys.len() < super::open::MOST_LINKS {
            open.keys.push(own);
            self.alias.insert(own, key);
        }
        let taken = open.take(record, time, self.classes.of(record));
        let weight = open.weigh();
        self.weight = self.weight - open.weight + weight;
        open.weight = weight;
        if open.until.is_none() && open.is_over() {
            open.until = Some(time + GRACE);
            self.waiting.push_back((time + GRACE, key));
        }
        taken
    }

    /// Passes on the sessions that have ended, and, if that is not enough, the sixteenth of the others that was seen
    /// longest ago. Those of several links come last, because their links would be lost.
    fn make_room(&mut self, out: &mut Vec<LogItem>) {
        while !self.waiting.is_empty() {
            self.pass_on_waiting(out);
        }
        if self.weight <= ROOM / 16 * 15 {
            return;
        }
        let seen = self.open.iter().map(|(&key, open)| (open.links() > 1, open.session.past.last_seen, key));
        let mut seen: Vec<_> = seen.collect();
        seen.sort_unstable();
        seen.truncate(seen.len().div_ceil(16));
        for (_, _, key) in seen {
            self.pass_on(key, out);
        }
    }

    /// Handles Accounting-On and -Off, which end all sessions of the server, at the latest now.
    fn restart(&mut self, record: &Record, time: Millis, server: String, out: &mut Vec<LogItem>) {
        self.counts.others += 1;
        if self.idle.contains(&server) {
            return;
        }
        let mut ended = Vec::new();
        for (&key, open) in &mut self.open {
            if open.until.is_none()
                && open.session.past.start <= time
                && open.session.past.server.folded().as_str() == server
            {
                open.restarted = Some(time.max(open.session.past.last_seen));
                open.until = Some(time + GRACE);
                ended.push((open.session.past.start, key));
            }
        }
        out.push(LogItem::Restart(LogRestart { server: name(record, record.server()), time }));
        ended.sort_unstable();
        self.waiting.extend(ended.into_iter().map(|(_, key)| (time + GRACE, key)));
        self.restarts.add(&server, time);
        if self.idle.len() > MOST_SERVERS {
            self.idle.clear();
        }
        self.idle.insert(server);
    }

    /// Passes on the session that ended first of those that may still change.
    fn pass_on_waiting(&mut self, out: &mut Vec<LogItem>) {
        // Another session may have its key by now.
        if let Some((until, key)) = self.waiting.pop_front()
            && self.open.get(&key).is_some_and(|open| open.until == Some(until))
        {
            self.pass_on(key, out);
        }
    }

    fn pass_on(&mut self, key: u128, out: &mut Vec<LogItem>) {
        if let Some(open) = self.open.remove(&key) {
            self.emit(open, out);
        }
    }

    /// Adds a session to `out`, ended or not, and forgets it.
    fn emit(&mut self, mut open: Box<Open>, out: &mut Vec<LogItem>) {
        self.weight -= open.weight;
        // Its records may have come after that of the restart that ended it.
        let first = self.restarts.first_after(open.session.past.server.folded().as_str(), open.session.past.last_seen);
        let known = open.restarted.filter(|&restart| restart >= open.session.past.last_seen);
        open.restarted = [known, first].into_iter().flatten().min();
        let own = open.keys.first().copied().unwrap_or(0);
        for key in &open.keys {
            self.alias.remove(key);
        }
        if self.by_id.get(&open.by_id) == Some(&own) {
            self.by_id.remove(&open.by_id);
        }
        let owner = open.owner;
        let (keys, session) = open.finish();
        let past = &session.past;
        let before = self.remembered.find_unended(own).filter(|_| session.continued);
        self.counts.sessions += u64::from(!session.continued);
        self.counts.without_end += u64::from(past.ended.is_none());
        self.counts.without_end -= u64::from(before.is_some_and(|before| before.counted));
        match past.ended {
            Some(ended) if !ended.estimated => {
                // The id may be remembered for another session, whose end is still to come.
                if session.continued {
                    self.remembered.forget_unended(own);
                }
                keys.into_iter().for_each(|key| self.remembered.ended(key, ended.stop));
            }
            _ => self.remembered.unended(own, &past.key, past.start, owner, past.ended.is_none()),
        }
        out.push(LogItem::Session(session));
    }
}
