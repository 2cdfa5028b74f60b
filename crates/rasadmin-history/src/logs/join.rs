//! Joins records to sessions.
//!
//! A session is identified by its server, its Class, and its Acct-Multi-Session-Id (or, without one, its
//! Acct-Session-Id). RRAS writes a record for each link, so a session is over when none of its links is open. Only
//! open sessions are kept in memory, and of those no more than there is [room](ROOM) for.

use super::classes::Classes;
use super::detect::Format;
use super::item::{LogItem, LogRefusal, LogSession, describe, first, name, new_session};
use super::key::{digest, key};
use super::record::Record;
use super::usage;
use crate::Ended;
use rasadmin_engine::effect::Usage;
use rasadmin_ledger::imported::ImportedUsage;
use rasadmin_policy::Millis;
use std::collections::{HashMap, HashSet, VecDeque};

/// Acct-Terminate-Cause of sessions that ended because the server restarted.
const NAS_REBOOT: u32 = 11;
/// How long the Stop of a session may come after Accounting-On or -Off has ended it.
const GRACE: Millis = 5 * 60_000;
/// How many ended sessions are remembered. RADIUS repeats records whose answer was lost.
const REMEMBERED: usize = 200_000;
/// Without a Class, a Start within this time of the first is a repetition.
const SAME_START: Millis = 2_000;

/// How many bytes the open sessions may take: some 13,000 sessions. Beyond it, those that were seen longest ago are
/// passed on without their end. If that comes after all, the ledger adds it, because the session has the same key.
const ROOM: usize = 14 << 20;
/// What an open session takes beside its texts: its own fields and its entries in the maps.
const OPEN: usize = size_of::<Open>() + 256;
/// The most links of a session that are distinguished. RRAS bundles a few; only a damaged log has more.
const MOST_LINKS: usize = 1_000;
/// The most servers whose latest time is remembered.
const MOST_SERVERS: usize = 10_000;
/// The most sessions that wait for a late Stop after a restart.
const MOST_RESTARTED: usize = 100_000;

/// Counts of the records and sessions in logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Records read.
    pub records: u64,
    /// Sessions found.
    pub sessions: u64,
    /// Sessions whose end is not in the log.
    pub without_end: u64,
    /// Access-Accept.
    pub accepts: u64,
    /// Access-Reject: attempts that NPS refused.
    pub rejects: u64,
    /// Records that had already been read, in another file or because RADIUS repeated them.
    pub repeated: u64,
    /// Accounting records and Access-Rejects of switches and wireless networks, which an NPS also serves.
    pub elsewhere: u64,
    /// Accounting records whose Class was rejected, according to the log.
    pub not_admitted: u64,
    /// Requests, challenges and other records that say nothing about sessions.
    pub others: u64,
}

struct Link {
    id: String,
    open: bool,
    usage: ImportedUsage,
    /// The Acct-Session-Time of the record that `usage` is from.
    seconds: u64,
}

struct Open {
    session: LogSession,
    /// The keys of the session in `by_id` and `open`, and of those links that have a Class of their own.
    keys: Vec<u128>,
    by_id: u128,
    links: Vec<Link>,
    /// When it began, if the local time of its Start came twice and the second is meant.
    start_again: Option<Millis>,
    /// When Accounting-On or -Off ended it.
    restarted: Option<Millis>,
    /// What it takes of the [`ROOM`].
    weight: usize,
}

impl Open {
    /// What it takes of the [`ROOM`] now.
    fn weigh(&self) -> usize {
        let links: usize = self.links.iter().map(|link| size_of::<Link>() + link.id.len()).sum();
        // Each further key is here and in `alias`.
        OPEN + self.session.text_bytes() + links + self.keys.len() * 64
    }
}

/// What is remembered of a server.
struct Server {
    /// The latest time of its records.
    latest: Millis,
    /// Whether no record of a session has come since it restarted.
    restarted: bool,
}

/// Joins records to sessions.
pub struct Joiner {
    format: Format,
    /// Boxed, because a map has room for many more than it holds.
    open: HashMap<u128, Box<Open>>,
    /// Maps a link's own key to its session's.
    alias: HashMap<u128, u128>,
    /// Maps server and id to the latest session's key.
    by_id: HashMap<u128, u128>,
    /// The keys of sessions that have ended, shortened: there are many.
    ended: HashSet<u64>,
    ended_order: VecDeque<u64>,
    /// Sessions that a restart ended, and until when their Stop may still come.
    restarted: VecDeque<(Millis, u128)>,
    servers: HashMap<String, Server>,
    /// What all open sessions take of the [`ROOM`].
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
            ended: HashSet::new(),
            ended_order: VecDeque::new(),
            restarted: VecDeque::new(),
            servers: HashMap::new(),
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
        while self.restarted.len() > MOST_RESTARTED
            || self.restarted.front().is_some_and(|&(until, _)| record.time.is_some_and(|time| until < time))
        {
            if let Some((_, key)) = self.restarted.pop_front() {
                self.end_restarted(key, out);
            }
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

    /// Handles an Access-Reject. Most of what is known about the attempt is in its request.
    fn refusal(&mut self, record: &Record, out: &mut Vec<LogItem>) -> Result<(), String> {
        let (request, elsewhere) = self.classes.answered(record);
        if elsewhere {
            self.counts.elsewhere += 1;
            return Ok(());
        }
        let time = record.time.ok_or("an Access-Reject without a time")?;
        let mut session = request.map_or_else(|| new_session(record, time, self.format), |request| *request);
        describe(&mut session, record, self.classes.of(record));
        let past = &mut session.past;
        (past.start, past.last_seen) = (time, time);
        // Made of the answer alone: a log may lack the request.
        let user = first([&record.user_name, &record.sam_account, &record.fully_qualified_name]);
        past.key = key(&name(record, &record.computer), &record.class, &format!("refused {user}"), time);
        let own = digest(&["refused", &past.key]);
        if self.ended.contains(&short(own)) {
            self.counts.repeated += 1;
            return Ok(());
        }
        self.remember(&[own]);
        self.counts.rejects += 1;
        out.push(LogItem::Refusal(LogRefusal { session, reason_code: record.reason_code }));
        Ok(())
    }

    /// Ends the sessions that are still open at the end of the logs; their end is unknown.
    pub fn finish(&mut self, out: &mut Vec<LogItem>) -> LogCounts {
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
                self.restart(time, &server, status == 7);
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
        let own = digest(&[&server, &record.class, record.id()]);
        let time = if status == 1 { time } else { self.placed(record, time, own) };
        if self.servers.len() > MOST_SERVERS {
            self.servers.clear();
        }
        let of_server = self.servers.entry(server.clone()).or_insert(Server { latest: time, restarted: false });
        *of_server = Server { latest: time.max(of_server.latest), restarted: false };
        if self.ended.contains(&short(own)) {
            // Without a Class, an id may come again for another session.
            if !(record.class.is_empty() && status == 1) {
                self.counts.repeated += 1;
                return Ok(());
            }
            self.ended.remove(&short(own));
        }
        let by_id = digest(&[&server, record.id()]);
        let mut known = self.session_of(record, own, by_id);
        if let Some(old) = known.filter(|&known| status == 1 && self.starts_new_session(record, time, known)) {
            if let Some(open) = self.open.remove(&old) {
                self.emit(open, out);
            }
            // The session that begins is not the one that is remembered as ended.
            self.ended.remove(&short(own));
            known = None;
        }
        let key = match known {
            Some(known) => known,
            None => {
                self.begin(record, time, own, by_id);
                own
            }
        };
        let Some(open) = self.open.get_mut(&key) else { return Ok(()) };
        if !open.keys.contains(&own) && open.keys.len() < MOST_LINKS {
            open.keys.push(own);
            self.alias.insert(own, key);
        }
        open.session.past.last_seen = open.session.past.last_seen.max(time);
        describe(&mut open.session, record, self.classes.of(record));
        let link = if record.session_id.is_empty() { record.id() } else { &record.session_id };
        let known_link = open.links.iter().position(|one| one.id == link);
        if known_link.is_none() && open.links.len() == MOST_LINKS {
            return Err(format!("its session has more than {MOST_LINKS} links"));
        }
        let at = known_link.unwrap_or_else(|| {
            open.links.push(Link { id: link.to_owned(), open: true, usage: ImportedUsage::default(), seconds: 0 });
            open.links.len() - 1
        });
        let weight = open.weigh();
        self.weight = self.weight - open.weight + weight;
        open.weight = weight;
        let repeated = known_link.is_some() && (!open.links[at].open || (status == 1 && known.is_some()));
        if repeated {
            self.counts.repeated += 1;
            return Ok(());
        }
        if status != 1 {
            let link = &mut open.links[at];
            usage::keep_later(&mut link.usage, &mut link.seconds, record);
        }
        if status == 2 {
            open.links[at].open = false;
            if !open.links.iter().any(|one| one.open)
                && let Some(open) = self.open.remove(&key)
            {
                self.end(open, record, time, out);
            }
        }
        if self.weight > ROOM {
            self.make_room(out);
        }
        Ok(())
    }

    /// Passes on the sixteenth of the open sessions that was seen longest ago.
    fn make_room(&mut self, out: &mut Vec<LogItem>) {
        let mut seen: Vec<_> = self.open.iter().map(|(&key, open)| (open.session.past.last_seen, key)).collect();
        seen.sort_unstable();
        seen.truncate(seen.len().div_ceil(16));
        for (_, key) in seen {
            if let Some(open) = self.open.remove(&key) {
                self.emit(open, out);
            }
        }
    }

    /// The key of the open session that a record belongs to.
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
        let open = self.open.get(&key)?;
        (open.restarted.is_none() && open.links.iter().all(|one| one.id != record.session_id)).then_some(key)
    }

    /// The time of a record whose local time comes twice: the one that is closer to the session's start and the seconds
    /// since. Without these, the first that is not before the start.
    fn placed(&self, record: &Record, time: Millis, own: u128) -> Millis {
        let key = self.alias.get(&own).unwrap_or(&own);
        let open = self.open.get(key).filter(|open| open.links.len() == 1);
        let (Some(again), Some(open)) = (record.again, open) else { return time };
        let start = open.session.past.start;
        match usage::connect_time(record, None) {
            Some(seconds) => closer(start.saturating_add(millis(seconds)), time, again),
            None if time < start => again,
            None => time,
        }
    }

    /// Does a Start with a known key begin another session? It does after a restart of the server, and, without a
    /// Class, if its time differs.
    fn starts_new_session(&self, record: &Record, time: Millis, known: u128) -> bool {
        let Some(open) = self.open.get(&known) else { return false };
        if open.restarted.is_some_and(|stop| time > stop) {
            return true;
        }
        let same_link = open.links.iter().any(|one| one.id == record.session_id);
        record.class.is_empty() && same_link && (time - open.session.past.start).abs() > SAME_START
    }

    fn begin(&mut self, record: &Record, time: Millis, own: u128, by_id: u128) {
        let seconds = if record.status == Some(1) { 0 } else { usage::connect_time(record, None).unwrap_or(0) };
        let start = time.saturating_sub(millis(seconds));
        let mut session = new_session(record, start, self.format);
        session.past.last_seen = time;
        session.past.key = key(&session.past.server, &record.class, record.id(), start);
        let start_again = record.again.filter(|_| record.status == Some(1));
        let open = Open { session, keys: vec![own], by_id, links: Vec::new(), start_again, restarted: None, weight: 0 };
        self.open.insert(own, Box::new(open));
        self.by_id.insert(by_id, own);
    }

    /// Handles Accounting-On and -Off, which end all sessions of the server. Accounting-On does not say when: the
    /// server was running when it last wrote a record.
    fn restart(&mut self, time: Millis, server: &str, on: bool) {
        self.counts.others += 1;
        let Some(of_server) = self.servers.get_mut(server) else { return };
        if std::mem::replace(&mut of_server.restarted, true) {
            return;
        }
        let stop = if on { of_server.latest.min(time) } else { time };
        let mut ended = Vec::new();
        for (&key, open) in &mut self.open {
            if open.restarted.is_none() && open.session.past.server.folded().as_str() == server {
                open.restarted = Some(stop.max(open.session.past.last_seen));
                ended.push((open.session.past.start, key));
            }
        }
        ended.sort_unstable();
        self.restarted.extend(ended.into_iter().map(|(_, key)| (time + GRACE, key)));
    }

    fn end_restarted(&mut self, key: u128, out: &mut Vec<LogItem>) {
        if self.open.get(&key).is_some_and(|open| open.restarted.is_some())
            && let Some(open) = self.open.remove(&key)
        {
            self.emit(open, out);
        }
    }

    /// Ends a session whose last link has stopped.
    fn end(&mut self, mut open: Box<Open>, record: &Record, time: Millis, out: &mut Vec<LogItem>) {
        let past = &mut open.session.past;
        if let (Some(again), Some(seconds), 1) = (open.start_again, usage::connect_time(record, None), open.links.len())
        {
            past.start = closer(time.saturating_sub(millis(seconds)), past.start, again);
        }
        let stop = time.max(past.start);
        let span = u64::try_from((stop - past.start) / 1000).unwrap_or(0);
        open.session.seconds =
            if open.links.len() > 1 { span } else { usage::connect_time(record, Some(span)).unwrap_or(span) };
        open.session.past.last_seen = stop;
        let (seconds, cause) = (open.session.seconds, record.terminate_cause);
        open.session.past.ended =
            Some(Ended { stop, usage: Usage { seconds, ..Usage::default() }, cause, estimated: record.estimated });
        self.emit(open, out);
    }

    /// Adds a session to `out`, ended or not, and forgets it.
    fn emit(&mut self, open: Box<Open>, out: &mut Vec<LogItem>) {
        let Open { mut session, keys, by_id, links, restarted, weight, .. } = *open;
        self.weight -= weight;
        for key in &keys {
            self.alias.remove(key);
        }
        if keys.first().is_some_and(|key| self.by_id.get(&by_id) == Some(key)) {
            self.by_id.remove(&by_id);
        }
        links.iter().for_each(|link| usage::add(&mut session.usage, &link.usage));
        session.past.links = session.past.links.max(u32::try_from(links.len()).unwrap_or(u32::MAX));
        if session.past.ended.is_none() {
            if let Some(stop) = restarted {
                session.past.last_seen = stop;
                let (usage, cause) = (Usage::default(), Some(NAS_REBOOT));
                session.past.ended = Some(Ended { stop, usage, cause, estimated: true });
            }
            session.seconds = u64::try_from((session.past.last_seen - session.past.start) / 1000).unwrap_or(0);
        }
        if let Some(ended) = &mut session.past.ended {
            ended.usage = usage::known(&session.usage, session.seconds);
        }
        self.counts.sessions += 1;
        match session.past.ended {
            Some(_) => self.remember(&keys),
            None => self.counts.without_end += 1,
        }
        out.push(LogItem::Session(session));
    }

    fn remember(&mut self, keys: &[u128]) {
        for key in keys.iter().copied().map(short) {
            if self.ended.insert(key) {
                self.ended_order.push_back(key);
            }
        }
        while self.ended_order.len() > REMEMBERED {
            if let Some(oldest) = self.ended_order.pop_front() {
                self.ended.remove(&oldest);
            }
        }
    }
}

/// The one of two times that is closer to what is expected.
const fn closer(expected: Millis, first: Millis, second: Millis) -> Millis {
    if second.abs_diff(expected) < first.abs_diff(expected) { second } else { first }
}

fn millis(seconds: u64) -> Millis {
    i64::try_from(seconds).unwrap_or(0).saturating_mul(1000)
}

/// Enough of a digest to distinguish as many as are remembered.
const fn short(digest: u128) -> u64 {
    digest as u64
}
