//! A session that is put together from its records.

use super::classes::Asked;
use super::detect::Format;
use super::item::{LogSession, describe, new_session};
use super::key::key;
use super::owner::Owner;
use super::record::Record;
use super::usage;
use crate::Ended;
use rasadmin_engine::effect::Usage;
use rasadmin_ledger::imported::ImportedUsage;
use rasadmin_policy::Millis;

/// Acct-Terminate-Cause of sessions that ended because the server restarted.
const NAS_REBOOT: u32 = 11;
/// Times this close to each other are the same time: a record that was sent again may have another one.
pub const SAME: Millis = 2_000;
/// The most links of a session that are distinguished. RRAS bundles a few; only a damaged log has more.
pub const MOST_LINKS: usize = 1_000;
/// What an open session takes beside its texts: its own fields and its entries in the joiner's maps.
const OPEN: usize = size_of::<Open>() + 256;

struct Link {
    id: String,
    /// When it began, as far as the log says.
    began: Millis,
    /// Whether its Start is known.
    started: bool,
    open: bool,
    usage: ImportedUsage,
    /// The Acct-Session-Time of the record that `usage` is from.
    seconds: u64,
}

/// The last Stop of a session.
struct Stop {
    time: Millis,
    /// Acct-Session-Time.
    seconds: Option<u64>,
    cause: Option<u32>,
    /// Was the end estimated?
    estimated: bool,
}

/// What a record was for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    New,
    Repeated,
}

/// A session that may still change.
pub struct Open {
    pub session: LogSession,
    /// The keys of the session in the joiner's maps: the first, and those of links that have a Class of their own.
    pub keys: Vec<u128>,
    pub by_id: u128,
    /// Until when a repeated Stop, or a late Start, may still change the session that has ended.
    pub until: Option<Millis>,
    /// What it takes of the joiner's room.
    pub weight: usize,
    /// When Accounting-On or -Off ended it.
    pub restarted: Option<Millis>,
    pub owner: Owner,
    links: Vec<Link>,
    /// Does its Class or id identify it? If not, the id may come again for another session.
    unique: bool,
    /// Whether the start is that of a Start.
    started: bool,
    /// When it began, if the local time of its Start came twice and the second is meant.
    start_again: Option<Millis>,
    stop: Option<Stop>,
}

impl Open {
    /// A session that begins with this record.
    pub fn new(record: &Record, time: Millis, format: Format, own: u128, by_id: u128) -> Self {
        let start = began(record, time);
        let mut session = new_session(record, start, format);
        session.past.key = key(&session.past.server, record.unique_class(), record.id(), start);
        session.past.last_seen = time;
        Self {
            session,
            keys: vec![own],
            by_id,
            until: None,
            weight: 0,
            restarted: None,
            owner: Owner::default(),
            links: Vec::new(),
            unique: record.is_unique(),
            started: false,
            start_again: None,
            stop: None,
        }
    }

    /// The same session again, after it had to be passed on without its end.
    pub fn continued(mut self, key: String, start: Millis) -> Self {
        self.session.past.key = key;
        self.session.past.start = start.min(self.session.past.last_seen);
        self.session.continued = true;
        self.started = true;
        self
    }

    /// What it takes of the joiner's room now.
    pub fn weigh(&self) -> usize {
        let links: usize = self.links.iter().map(|link| size_of::<Link>() + link.id.len()).sum();
        // Each further key is here and in the joiner's map.
        OPEN + self.session.text_bytes() + links + self.keys.len() * 64
    }

    /// Is it over? Acct-Link-Count also counts links that are not in this log, or not yet.
    pub fn is_over(&self) -> bool {
        self.has_stopped() && self.links.len() >= self.session.past.links as usize
    }

    /// Has every link that is known stopped?
    fn has_stopped(&self) -> bool {
        self.stop.is_some() && self.links.iter().all(|link| !link.open)
    }

    /// How many links are known.
    pub fn links(&self) -> usize {
        self.links.len()
    }

    /// Can a record of another link, with a Class of its own, belong to it?
    pub fn can_have(&self, record: &Record) -> bool {
        self.restarted.is_none()
            && !self.owner.contradicts(Owner::of(record))
            && self.links.iter().all(|link| link.id != link_id(record))
    }

    /// Does a record with the key of this session belong to it? Not if it is of another session with the same id, which
    /// began after a restart, or, if nothing identifies the session, of another user or at another time.
    pub fn has(&self, record: &Record, time: Millis) -> bool {
        if self.unique {
            return true;
        }
        if self.owner.contradicts(Owner::of(record)) {
            return false;
        }
        let is_start = record.status == Some(1);
        if is_start && self.restarted.is_some_and(|stop| time > stop) {
            return false;
        }
        let Some(link) = self.links.iter().find(|link| link.id == link_id(record)) else { return true };
        if is_start && link.started {
            return (time - link.began).abs() <= SAME;
        }
        if is_start {
            return time <= self.session.past.last_seen + SAME && usage::fits(link.began, time);
        }
        let began = usage::connect_time(record).map(|seconds| time.saturating_sub(millis(seconds)));
        match self.stop.as_ref().filter(|stop| !link.open && time > stop.time + SAME) {
            Some(stop) => began.is_some_and(|began| began < stop.time - SAME && usage::fits(link.began, began)),
            None => began.is_none_or(|began| usage::fits(link.began, began)),
        }
    }

    /// Adds what a record says. The error is a fault in the record.
    pub fn take(&mut self, record: &Record, time: Millis, asked: Option<&Asked>) -> Result<Taken, String> {
        self.session.past.last_seen = self.session.past.last_seen.max(time);
        describe(&mut self.session, record, asked);
        self.owner.learn(Owner::of(record));
        let at = match self.links.iter().position(|link| link.id == link_id(record)) {
            Some(at) => at,
            None if self.links.len() == MOST_LINKS => {
                return Err(format!("its session has more than {MOST_LINKS} links"));
            }
            None => {
                let began = began(record, time);
                let (id, usage) = (link_id(record).to_owned(), ImportedUsage::default());
                self.links.push(Link { id, began, started: false, open: true, usage, seconds: 0 });
                self.links.len() - 1
            }
        };
        let link = &mut self.links[at];
        match record.status {
            Some(1) => {
                if std::mem::replace(&mut link.started, true) {
                    return Ok(Taken::Repeated);
                }
                link.began = time;
                self.begins(record, time);
                return Ok(Taken::New);
            }
            // A cut-off Stop may come before the whole one.
            Some(2) if link.open || usage::adds(&link.usage, link.seconds, record) => link.open = false,
            _ if link.open => {}
            _ => return Ok(Taken::Repeated),
        }
        usage::keep_later(&mut link.usage, &mut link.seconds, record);
        let began = began(record, time);
        if !self.started && began < self.session.past.start - SAME {
            self.starts(record, began);
        }
        if record.status == Some(2) {
            let before = self.stop.take();
            let cause = record.terminate_cause.or(before.as_ref().and_then(|stop| stop.cause));
            let stop = Stop { time, seconds: usage::connect_time(record), cause, estimated: record.estimated };
            let later = before.filter(|before| before.time > time && self.links.len() > 1);
            self.stop = Some(later.unwrap_or(stop));
        }
        Ok(Taken::New)
    }

    /// Adds a Start.
    fn begins(&mut self, record: &Record, time: Millis) {
        let before = self.session.past.start;
        let first = !self.started && self.links.len() == 1;
        let fits = self.stop.as_ref().is_none_or(|stop| time <= stop.time);
        if fits && (first || time < before) {
            self.starts(record, time);
            self.start_again = record.again;
        }
        self.started = true;
    }

    /// Sets when it began, which is a part of its key if nothing else identifies it.
    fn starts(&mut self, record: &Record, start: Millis) {
        let past = &mut self.session.past;
        past.start = start;
        if !self.session.continued && self.links.len() == 1 {
            past.key = key(&past.server, record.unique_class(), record.id(), start);
        }
    }

    /// Its keys, and the session as far as it is known.
    pub fn finish(self) -> (Vec<u128>, LogSession) {
        let over = self.has_stopped();
        let Self { mut session, keys, links, restarted, start_again, stop, .. } = self;
        links.iter().for_each(|link| usage::add(&mut session.usage, &link.usage));
        let past = &mut session.past;
        past.links = past.links.max(u32::try_from(links.len()).unwrap_or(u32::MAX));
        let known = usage::known(&session.usage, 0);
        past.ended = match (stop.filter(|_| over), restarted) {
            (Some(Stop { time, seconds, cause, estimated }), _) => {
                if let (Some(again), Some(seconds), 1) = (start_again, seconds, links.len()) {
                    past.start = closer(time.saturating_sub(millis(seconds)), past.start, again);
                }
                let stop = time.max(past.start);
                let span = span(past.start, stop);
                let seconds = seconds.filter(|&seconds| links.len() == 1 && usage::is_believable(seconds, span));
                let usage = Usage { seconds: seconds.unwrap_or(span), ..known };
                Some(Ended { stop, usage, cause, estimated })
            }
            (None, Some(stop)) => {
                let usage = Usage { seconds: span(past.start, stop), ..known };
                Some(Ended { stop, usage, cause: Some(NAS_REBOOT), estimated: true })
            }
            (None, None) => None,
        };
        past.last_seen = past.ended.map_or(past.last_seen, |ended| ended.stop);
        session.seconds = past.ended.map_or_else(|| span(past.start, past.last_seen), |ended| ended.usage.seconds);
        (keys, session)
    }
}

/// The id of a record's link.
fn link_id(record: &Record) -> &str {
    if record.session_id.is_empty() { record.id() } else { &record.session_id }
}

/// When the link of a record began, as far as the record says.
pub fn began(record: &Record, time: Millis) -> Millis {
    let seconds = if record.status == Some(1) { 0 } else { usage::connect_time(record).unwrap_or(0) };
    time.saturating_sub(millis(seconds))
}

/// The seconds between two times.
fn span(from: Millis, to: Millis) -> u64 {
    u64::try_from((to - from) / 1000).unwrap_or(0)
}

/// The one of two times that is closer to what is expected.
pub const fn closer(expected: Millis, first: Millis, second: Millis) -> Millis {
    if second.abs_diff(expected) < first.abs_diff(expected) { second } else { first }
}

pub fn millis(seconds: u64) -> Millis {
    i64::try_from(seconds).unwrap_or(0).saturating_mul(1000)
}
