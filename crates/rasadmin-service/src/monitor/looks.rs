//! What follows from looks at RRAS's connections. Pure: it asks nobody, and writes nothing.

use super::connection::{Matching, event, usage};
use jiff::tz::TimeZone;
use rasadmin_engine::calendar::labels_at;
use rasadmin_engine::counters::Counted;
use rasadmin_engine::decide::SURELY_LISTED;
use rasadmin_engine::effect::DayUse;
use rasadmin_engine::event::{ConnectionEvent, Event, Look, NotListed, Reading};
use rasadmin_engine::{Id, InterfaceType, Mono, Record, Stamp, State};
use rasadmin_rras::{Connection, Instance};
use std::collections::{HashMap, HashSet};

/// Counters that have changed are recorded at least this often, in milliseconds.
const RECORD_EVERY: u64 = 60 * 60 * 1000;

/// They are also recorded after this many octets, long before a 32-bit counter can wrap.
const RECORD_OCTETS: u64 = 1 << 30;

/// They are also recorded after this many frames, which carry fewer octets than a wrap has. So the counters of the hangup
/// are certain too.
const RECORD_FRAMES: u64 = 1 << 20;

/// At most this many sessions are closed at once, or a fifth of all if that is more. A list that lacks more is not trusted.
const CLOSED_AT_ONCE: usize = 10;

/// How long a GUID's last record is remembered, in milliseconds.
const REMEMBERED: u64 = 10 * 60 * 1000;

/// Above this number, older ones are forgotten.
const MOST_REMEMBERED: usize = 100_000;

/// A complete list of RRAS's connections.
#[derive(Debug)]
pub struct Listed {
    /// When the look began.
    pub begun: Stamp,
    /// The instance of RRAS, which was the same before and after.
    pub instance: Instance,
    /// The connections.
    pub connections: Vec<Connection>,
}

/// A live session as looks have seen it.
#[derive(Clone, Copy, Debug)]
pub struct Watched {
    /// When the last look began that listed it.
    pub listed: Stamp,
    /// What it has sent and received.
    pub counted: Counted,
    /// When its received octets last grew; None if they have not grown since the first look.
    pub heard: Option<Stamp>,
}

/// What a look calls for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What the last look of the day before has counted, if this is the first of a day.
    pub day_before: Option<(Stamp, Vec<Reading>)>,
    /// Counters to record.
    pub read: Vec<Reading>,
    /// Connections to adopt.
    pub found: Vec<ConnectionEvent>,
    /// Sessions to close.
    pub not_listed: Vec<NotListed>,
    /// Sessions that would be closed if they were fewer.
    pub withheld: Vec<NotListed>,
}

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections in RRAS's list.
    pub connections: usize,
    /// Of these, demand-dial routers and others that are no clients.
    pub routers: usize,
    /// Of these, clients whose session is not on record yet.
    pub unknown: usize,
    /// Live sessions that are not in the list.
    pub not_listed: usize,
}

/// What earlier looks have seen.
#[derive(Debug, Default)]
pub struct Looks {
    instance: Option<Instance>,
    sessions: HashMap<Id, Watched>,
    /// Sessions that the list lacks, since when.
    missing: HashMap<Id, Stamp>,
    /// GUIDs that no session has.
    strangers: HashSet<String>,
    /// When each GUID was last on record.
    recorded: HashMap<String, Mono>,
    /// GUIDs of listed connections that had a session. If it has ended for good, it is not begun again.
    known: HashSet<String>,
    /// When the last look began.
    last: Option<Stamp>,
    counts: Counts,
}

impl Looks {
    /// Notes a record that somebody else has appended.
    pub fn hear(&mut self, record: &Record) {
        if let Event::Connection(of) | Event::Reauthentication(of) | Event::EndpointChange(of) | Event::Hangup(of) =
            &record.event
            && let Some(guid) = &of.guid
        {
            if self.recorded.len() >= MOST_REMEMBERED {
                // RRAS has not been listed for long.
                self.recorded.retain(|_, at| record.at.mono.since(*at) < REMEMBERED);
            }
            self.recorded.insert(guid.clone(), record.at.mono);
        }
    }

    /// What the last look has counted.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// The live sessions that looks have seen.
    pub const fn sessions(&self) -> &HashMap<Id, Watched> {
        &self.sessions
    }

    /// Was nothing recorded of the connection since the look began? An accept or a hangup knows more.
    pub fn still_unknown(&self, guid: Option<&str>, begun: Stamp) -> bool {
        guid.and_then(|guid| self.recorded.get(guid)).is_none_or(|at| *at < begun.mono)
    }

    /// Takes a look. `state` is the state after it.
    pub fn take(&mut self, look: &Listed, state: &State, zone: &TimeZone) -> Plan {
        if self.instance != Some(look.instance) {
            // What was missed in another instance proves nothing in this one.
            (self.missing, self.strangers) = Default::default();
            self.instance = Some(look.instance);
        }
        let (mut plan, mut strangers) = (Plan::default(), HashSet::new());
        let day = |at: Stamp| labels_at(at.time, zone);
        plan.day_before =
            self.last.filter(|last| day(*last) != day(look.begun)).map(|last| (last, self.unrecorded(state)));
        self.last = Some(look.begun);
        let mut listed: HashSet<Id> = HashSet::with_capacity(look.connections.len());
        self.counts = Counts { connections: look.connections.len(), ..Counts::default() };
        let closed_without_hangup: HashSet<&str> =
            state.closed().filter_map(|closed| closed.session.guid.as_deref()).collect();
        let matching = Matching::new(state);
        for connection in &look.connections {
            self.counts.routers += usize::from(connection.interface != InterfaceType::Client);
            if let Some(session) = matching.find(connection) {
                // A session that is listed twice counts once.
                self.known.extend(connection.guid.clone());
                if listed.insert(session.id) {
                    let seen = (session.id, session.began, session.replaced.is_some());
                    plan.read.extend(self.see(look.begun, connection, seen, state));
                }
            } else if connection.interface == InterfaceType::Client {
                self.counts.unknown += 1;
                // Without a GUID, it cannot be distinguished from the next connection with its handle.
                let Some(guid) = connection.guid.clone() else { continue };
                let again = self.strangers.contains(&guid) && self.still_unknown(Some(&guid), look.begun);
                // The engine revives a session that was closed without a hangup. If a hangup or an administrator has ended
                // it, a new one would count its time and its octets twice.
                let ended = self.known.contains(&guid) || self.recorded.contains_key(&guid);
                if again && (!ended || closed_without_hangup.contains(guid.as_str())) {
                    plan.found.push(event(connection));
                }
                strangers.insert(guid);
            }
        }
        self.strangers = strangers;
        let guids: HashSet<&str> =
            look.connections.iter().filter_map(|connection| connection.guid.as_deref()).collect();
        self.known.retain(|guid| guids.contains(guid.as_str()));
        self.sessions.retain(|id, _| state.session(*id).is_some());
        self.recorded.retain(|_, at| look.begun.mono.since(*at) < REMEMBERED);
        self.miss(look.begun, state, &listed, &mut plan);
        plan
    }

    /// Notes a listed session, and says whether its counters have to be recorded.
    fn see(
        &mut self,
        begun: Stamp,
        connection: &Connection,
        (session, began, replaced): (Id, Stamp, bool),
        state: &State,
    ) -> Option<Reading> {
        let (usage, recorded) = (usage(connection), state.counted(session));
        let before = self.sessions.get(&session).copied();
        let used = state.session(session).map(|session| DayUse::octets(&session.used)).unwrap_or_default();
        let resumed = || (used != [0, 0]).then(|| Counted::resumed(used, began.mono));
        let last = before.map(|before| before.counted).or(recorded).or_else(resumed);
        let counted = last.map_or_else(|| Counted::first(&usage, begun.mono), |last| last.then(&usage, begun.mono));
        let grew = before.filter(|before| counted.octets[0] > before.counted.octets[0]);
        let heard = grew.map(|_| begun).or_else(|| before.and_then(|before| before.heard));
        self.sessions.insert(session, Watched { listed: begun, counted, heard });
        // Since the earlier of the two looks.
        let alive = grew.filter(|_| replaced).map(|before| before.listed);
        let (octets, frames) = recorded.map_or_else(
            || (counted.octets[0].max(counted.octets[1]), counted.frames[0].max(counted.frames[1])),
            |recorded| counted.since(&recorded),
        );
        let last = recorded.map_or(began.mono, |recorded| recorded.read_at());
        let due = (octets, frames) != (0, 0) && begun.mono.since(last) >= RECORD_EVERY;
        let much = octets >= RECORD_OCTETS || frames >= RECORD_FRAMES;
        let hidden =
            recorded.or(before.map(|before| before.counted)).is_some_and(|last| counted.must_be_recorded_since(&last));
        (alive.is_some() || due || much || hidden).then_some(Reading { session, counted, alive })
    }

    /// What looks have counted and nothing has recorded.
    fn unrecorded(&self, state: &State) -> Vec<Reading> {
        let one = |(&session, watched): (&Id, &Watched)| self.reading_if_new(session, watched, state);
        let mut all: Vec<Reading> = self.sessions.iter().filter_map(one).collect();
        all.sort_unstable_by_key(|reading| reading.session);
        all
    }

    fn reading_if_new(&self, session: Id, watched: &Watched, state: &State) -> Option<Reading> {
        let of = state.session(session)?;
        let known = state.counted(session).map_or_else(|| DayUse::octets(&of.used), |counted| counted.octets);
        (watched.counted.octets != known).then_some(Reading { session, counted: watched.counted, alive: None })
    }

    /// Notes the sessions that the list lacks. What two looks in a row have missed is closed.
    fn miss(&mut self, begun: Stamp, state: &State, listed: &HashSet<Id>, plan: &mut Plan) {
        let mut missing = HashMap::new();
        for session in state.live().filter(|session| !listed.contains(&session.id)) {
            // Whatever happened last is on record longer than the list takes to show it.
            let last = session.links.iter().map(|link| link.began.mono).chain([session.began.mono]).max();
            let surely_listed = |at: Stamp| last.unwrap_or_default().after(SURELY_LISTED) <= at.mono;
            match self.missing.get(&session.id) {
                Some(&since) if surely_listed(since) && self.still_unknown(session.guid.as_deref(), since) => {
                    missing.insert(session.id, since);
                    // What looks have seen of it, it has used.
                    let seen = self.sessions.get(&session.id);
                    plan.read.extend(seen.and_then(|seen| self.reading_if_new(session.id, seen, state)));
                    plan.not_listed.push(NotListed { session: session.id, since });
                }
                _ if surely_listed(begun) => {
                    missing.insert(session.id, begun);
                }
                _ => {}
            }
        }
        self.counts.not_listed = missing.len();
        self.missing = missing;
        plan.not_listed.sort_unstable_by_key(|not_listed| not_listed.session);
        let many = plan.not_listed.len();
        if many > CLOSED_AT_ONCE && many * 5 > state.live_count() {
            plan.withheld = std::mem::take(&mut plan.not_listed);
        }
    }
}

impl Plan {
    /// As events, none of which takes long to record.
    pub fn events(self, begun: Stamp) -> Vec<Look> {
        const AT_ONCE: usize = 200;
        let mut all: Vec<Look> = Vec::new();
        for (begun, read) in
            self.day_before.iter().flat_map(|(begun, all)| all.chunks(AT_ONCE).map(|some| (*begun, some)))
        {
            all.push(Look { begun, read: read.to_vec(), ..Look::default() });
        }
        let of = |look: Look| Look { begun, ..look };
        all.extend(self.read.chunks(AT_ONCE).map(|read| of(Look { read: read.to_vec(), ..Look::default() })));
        all.extend(self.found.chunks(AT_ONCE).map(|found| of(Look { found: found.to_vec(), ..Look::default() })));
        let not_listed = self.not_listed.chunks(AT_ONCE);
        all.extend(not_listed.map(|some| of(Look { not_listed: some.to_vec(), ..Look::default() })));
        all
    }
}
