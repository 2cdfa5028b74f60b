//! Joins records to sessions.
//!
//! A session is identified by its server, its Class, and its Acct-Multi-Session-Id (or, without one, its
//! Acct-Session-Id). RRAS writes a record for each link, so a session is over when none of its links is open. Only
//! open sessions are kept in memory.

use super::classes::{Asked, Classes};
use super::detect::Format;
use super::key::{digest, key};
use super::record::{Record, TUNNELS};
use super::xml_names::unescape;
use crate::{Ended, PastSession};
use rasadmin_engine::effect::Usage;
use rasadmin_policy::Millis;
use rasadmin_policy::{Fact, Name, Tunnel};
use std::collections::{HashMap, HashSet, VecDeque};

/// Acct-Terminate-Cause of sessions that ended because the server restarted.
const NAS_REBOOT: u32 = 11;
/// How long the Stop of a session may come after Accounting-On or -Off has ended it.
const GRACE: Millis = 5 * 60_000;
/// How many ended sessions are remembered. RADIUS repeats records whose answer was lost.
const REMEMBERED: usize = 200_000;
/// Without a Class, a Start within this time of the first is a repetition.
const SAME_START: Millis = 2_000;

/// A session from a log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogSession {
    /// What all sources of past sessions have.
    pub past: PastSession,
    /// The format of the log.
    pub format: Format,
    /// Tunnel-Type, if it is an unknown number.
    pub tunnel_number: Option<u32>,
    /// The usage until `last_seen`; `None` if the log does not say.
    pub usage: Option<Usage>,
    /// The connect time in seconds, from the log or from its times.
    pub seconds: u64,
    /// Does the log have Gigawords? If so, no counter can have wrapped unnoticed.
    pub gigawords: bool,
    /// The IPv6 interface identifier, as the ledger writes it.
    pub interface_id: Option<String>,
    /// The IPv6 prefix.
    pub prefix: Option<String>,
}

/// An attempt that NPS refused.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRefusal {
    /// What request and answer say, with the time of the answer as its start. It has no end.
    pub session: LogSession,
    /// Reason-Code: why NPS refused.
    pub reason_code: Option<u32>,
}

/// What a log has for the ledger.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum LogItem {
    Session(LogSession),
    Refusal(LogRefusal),
}

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
    usage: Option<Usage>,
}

struct Open {
    session: LogSession,
    /// The keys of the session in `by_id` and `open`, and of those links that have a Class of their own.
    keys: Vec<u128>,
    by_id: u128,
    links: Vec<Link>,
    /// When Accounting-On or -Off ended it.
    restarted: Option<Millis>,
}

/// Joins records to sessions.
pub struct Joiner {
    format: Format,
    open: HashMap<u128, Open>,
    /// Maps a link's own key to its session's.
    alias: HashMap<u128, u128>,
    /// Maps server and id to the latest session's key.
    by_id: HashMap<u128, u128>,
    ended: HashSet<u128>,
    ended_order: VecDeque<u128>,
    /// Sessions that a restart ended, and until when their Stop may still come.
    restarted: VecDeque<(Millis, u128)>,
    /// The latest time of each server's records.
    latest: HashMap<String, Millis>,
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
            latest: HashMap::new(),
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
        while self.restarted.front().is_some_and(|&(until, _)| record.time.is_some_and(|time| until < time)) {
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
        let request = self.classes.answered(record);
        if !record.is_of_rras() || self.classes.of(record).is_some_and(|asked| asked.elsewhere) {
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
        if self.ended.contains(&own) {
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
        let mut open: Vec<Open> = self.open.drain().map(|(_, open)| open).collect();
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
        let latest = self.latest.entry(server.clone()).or_insert(time);
        *latest = time.max(*latest);
        let own = digest(&[&server, &record.class, record.id()]);
        if self.ended.contains(&own) {
            // Without a Class, an id may come again for another session.
            if !(record.class.is_empty() && status == 1) {
                self.counts.repeated += 1;
                return Ok(());
            }
            self.ended.remove(&own);
        }
        let by_id = digest(&[&server, record.id()]);
        let mut known = self.session_of(record, own, by_id);
        if let Some(old) = known.filter(|&known| status == 1 && self.starts_new_session(record, time, known)) {
            if let Some(open) = self.open.remove(&old) {
                self.emit(open, out);
            }
            // The session that begins is not the one that is remembered as ended.
            self.ended.remove(&own);
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
        if !open.keys.contains(&own) {
            open.keys.push(own);
            self.alias.insert(own, key);
        }
        open.session.past.last_seen = open.session.past.last_seen.max(time);
        describe(&mut open.session, record, self.classes.of(record));
        let link = if record.session_id.is_empty() { record.id() } else { &record.session_id };
        let known_link = open.links.iter().position(|one| one.id == link);
        let at = known_link.unwrap_or_else(|| {
            open.links.push(Link { id: link.to_owned(), open: true, usage: None });
            open.links.len() - 1
        });
        let repeated = known_link.is_some() && (!open.links[at].open || (status == 1 && known.is_some()));
        if repeated {
            self.counts.repeated += 1;
            return Ok(());
        }
        if status != 1
            && let Some(usage) = usage(record)
        {
            open.links[at].usage = Some(usage);
        }
        if status == 2 {
            open.links[at].open = false;
            if !open.links.iter().any(|one| one.open)
                && let Some(open) = self.open.remove(&key)
            {
                self.end(open, record, time, out);
            }
        }
        Ok(())
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
        let seconds = if record.status == Some(1) { 0 } else { record.session_time.unwrap_or(0) };
        let start = time.saturating_sub(i64::try_from(seconds).unwrap_or(0).saturating_mul(1000));
        let mut session = new_session(record, start, self.format);
        session.past.last_seen = time;
        session.past.key = key(&session.past.server, &record.class, record.id(), start);
        let open = Open { session, keys: vec![own], by_id, links: Vec::new(), restarted: None };
        self.open.insert(own, open);
        self.by_id.insert(by_id, own);
    }

    /// Handles Accounting-On and -Off, which end all sessions of the server. Accounting-On does not say when: the
    /// server was running when it last wrote a record.
    fn restart(&mut self, time: Millis, server: &str, on: bool) {
        self.counts.others += 1;
        let latest = self.latest.get(server).copied().unwrap_or(time);
        let stop = if on { latest.min(time) } else { time };
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
    fn end(&mut self, mut open: Open, record: &Record, time: Millis, out: &mut Vec<LogItem>) {
        let past = &open.session.past;
        let stop = time.max(past.start);
        let span = u64::try_from((stop - past.start) / 1000).unwrap_or(0);
        open.session.seconds = if open.links.len() > 1 { span } else { record.session_time.unwrap_or(span) };
        open.session.past.last_seen = stop;
        let (seconds, cause) = (open.session.seconds, record.terminate_cause);
        open.session.past.ended =
            Some(Ended { stop, usage: Usage { seconds, ..Usage::default() }, cause, estimated: false });
        self.emit(open, out);
    }

    /// Adds a session to `out`, ended or not, and forgets it.
    fn emit(&mut self, open: Open, out: &mut Vec<LogItem>) {
        let Open { mut session, keys, by_id, links, restarted } = open;
        for key in &keys {
            self.alias.remove(key);
        }
        if keys.first().is_some_and(|key| self.by_id.get(&by_id) == Some(key)) {
            self.by_id.remove(&by_id);
        }
        for usage in links.iter().filter_map(|link| link.usage) {
            let sum = session.usage.get_or_insert_default();
            sum.input_octets = sum.input_octets.saturating_add(usage.input_octets);
            sum.output_octets = sum.output_octets.saturating_add(usage.output_octets);
            sum.input_packets = sum.input_packets.saturating_add(usage.input_packets);
            sum.output_packets = sum.output_packets.saturating_add(usage.output_packets);
        }
        session.past.links = session.past.links.max(u32::try_from(links.len()).unwrap_or(u32::MAX));
        if session.past.ended.is_none() {
            if let Some(stop) = restarted {
                session.past.last_seen = stop;
                let (usage, cause) = (Usage::default(), Some(NAS_REBOOT));
                session.past.ended = Some(Ended { stop, usage, cause, estimated: true });
            }
            session.seconds = u64::try_from((session.past.last_seen - session.past.start) / 1000).unwrap_or(0);
        }
        if let Some(usage) = &mut session.usage {
            usage.seconds = session.seconds;
        }
        if let Some(ended) = &mut session.past.ended {
            ended.usage = session.usage.unwrap_or(Usage { seconds: session.seconds, ..Usage::default() });
        }
        self.counts.sessions += 1;
        match session.past.ended {
            Some(_) => self.remember(&keys),
            None => self.counts.without_end += 1,
        }
        out.push(LogItem::Session(session));
    }

    fn remember(&mut self, keys: &[u128]) {
        for &key in keys {
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

/// A name in a record, with the escapes for XML undone.
fn name(record: &Record, text: &str) -> Name {
    if record.escaped { unescape(text) } else { Name::new(text) }
}

/// A session or an attempt of which only the server is known.
fn new_session(record: &Record, start: Millis, format: Format) -> LogSession {
    let past = PastSession {
        key: String::new(),
        server: name(record, record.server()),
        user: Name::default(),
        domain: Name::default(),
        start,
        ended: None,
        last_seen: start,
        tunnel: Fact::NotYetKnown,
        port: Fact::NotYetKnown,
        source: Fact::NotYetKnown,
        computer: Fact::NotYetKnown,
        quarantine: Fact::NotYetKnown,
        interface: Fact::NotYetKnown,
        address: Fact::NotYetKnown,
        links: 1,
    };
    LogSession {
        past,
        format,
        tunnel_number: None,
        usage: None,
        seconds: 0,
        gigawords: false,
        interface_id: None,
        prefix: None,
    }
}

/// The first text that is not empty.
fn first(texts: [&str; 3]) -> &str {
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or("")
}

/// Fills in what the record says and was not known before.
fn describe(session: &mut LogSession, record: &Record, asked: Option<&Asked>) {
    let past = &mut session.past;
    past.links = past.links.max(record.link_count.unwrap_or(1).min(1_000));
    if past.server.is_empty() {
        past.server = name(record, record.server());
    }
    let qualified = record.fully_qualified_name.as_str();
    // `DOMAIN\user`: the account that NPS found for the name.
    let account = if qualified.contains('\\') { qualified } else { "" };
    let sam = first([&record.sam_account, asked.map_or("", |asked| &asked.sam_account), account]);
    if past.user.is_empty() {
        // `domain/folder/user`: without a domain controller's name for it.
        let canonical = qualified.rsplit_once('/').map_or("", |(_, user)| user);
        let user = first([&record.user_name, asked.map_or("", |asked| &asked.user), sam]);
        past.user = name(record, first([user, canonical, ""]));
    }
    if past.domain.is_empty() {
        let of_account = sam.split_once('\\').map_or("", |(domain, _)| domain);
        let domain = first([of_account, &record.chap_domain, asked.map_or("", |asked| &asked.chap_domain)]);
        past.domain = name(record, domain);
    }
    if past.tunnel.known().is_none() {
        match record.tunnel_type {
            Some(number) => match TUNNELS.iter().find(|&&(known, _)| known == number) {
                Some(&(_, tunnel)) => past.tunnel = Fact::Known(tunnel),
                None => session.tunnel_number = Some(number),
            },
            None => {
                let named = record.connect_info.parse::<Tunnel>();
                past.tunnel = named.map_or(Fact::NotYetKnown, Fact::Known);
            }
        }
    }
    if past.source.known().is_none() {
        let source =
            [&record.calling_station, &record.tunnel_client].into_iter().find_map(|text| text.trim().parse().ok());
        past.source = source.map_or(Fact::NotYetKnown, Fact::Known);
    }
    if past.address.known().is_none() {
        past.address = record.framed_ip_address.trim().parse().map_or(Fact::NotYetKnown, Fact::Known);
    }
    if past.port.known().is_none() && !record.nas_port_id.is_empty() {
        past.port = Fact::Known(name(record, &record.nas_port_id));
    }
    if past.computer.known().is_none() && !record.ras_client_name.is_empty() {
        past.computer = Fact::Known(name(record, client_name(&record.ras_client_name)));
    }
    let set = |field: &mut Option<String>, text: &str| {
        if field.is_none() && is_ipv6(text) {
            *field = Some(text.to_owned());
        }
    };
    set(&mut session.interface_id, &record.framed_interface_id);
    set(&mut session.prefix, &record.framed_ipv6_prefix);
    session.gigawords |= record.input_gigawords.is_some() || record.output_gigawords.is_some();
}

/// Is it an IPv6 address, with or without a prefix length?
fn is_ipv6(text: &str) -> bool {
    let (address, length) = text.split_once('/').unwrap_or((text, "0"));
    address.parse::<std::net::Ipv6Addr>().is_ok() && length.parse::<u8>().is_ok_and(|length| length <= 128)
}

/// Extracts the computer's name from MS-RAS-Client-Name, after `MSRAS-0-`.
fn client_name(text: &str) -> &str {
    let rest = text.strip_prefix("MSRAS-").and_then(|rest| rest.split_once('-'));
    rest.filter(|(digit, _)| digit.len() == 1 && digit.as_bytes()[0].is_ascii_digit()).map_or(text, |(_, name)| name)
}

/// The usage in a record; `None` if it has none.
fn usage(record: &Record) -> Option<Usage> {
    let octets =
        |low: Option<u64>, high: Option<u32>| low.unwrap_or(0).saturating_add(u64::from(high.unwrap_or(0)) << 32);
    let said = record.input_octets.is_some() || record.output_octets.is_some();
    said.then(|| Usage {
        seconds: record.session_time.unwrap_or(0),
        input_octets: octets(record.input_octets, record.input_gigawords),
        output_octets: octets(record.output_octets, record.output_gigawords),
        input_packets: record.input_packets.unwrap_or(0),
        output_packets: record.output_packets.unwrap_or(0),
    })
}
