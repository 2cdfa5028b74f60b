//! Simulates what a configuration would decide about sessions that took place elsewhere. It runs the code that
//! decides.

use crate::addresses::{Address, Family};
use crate::config::Config;
use crate::config::file::Reconnect;
use crate::decide::{Asking, decide_asking};
use crate::decision::{Answer, Decision, Given};
use crate::effect::{DayUse, Effect, RemoteSession, Usage};
use crate::event::{AddressEvent, ConnectionEvent, Event, LinkEvent, Offer, ReleaseEvent};
use crate::now::{Id, Mono, Now, Process, Stamp};
use crate::{Context, Fact, Identity, InterfaceType, Lacking, Millis, Name, Quarantine, Record, State, Tunnel, decide};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

/// A session that begins. A fact that its source lacks is [`Fact::NotYetKnown`]; the rules see it as unknown.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Begin {
    /// The caller's number for it; unique among the live sessions.
    pub handle: u64,
    pub time: Millis,
    pub server: Name,
    pub user: Name,
    /// The logon domain; empty if unknown.
    pub domain: Name,
    pub port: Fact<Name>,
    pub tunnel: Fact<Tunnel>,
    pub source: Fact<IpAddr>,
    pub computer: Fact<Name>,
    pub quarantine: Fact<Quarantine>,
    pub interface: Fact<InterfaceType>,
    /// Does it also ask for an IPv6 interface identifier?
    pub ipv6: bool,
}

/// What would happen to a session.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// Would the session be accepted? Then it is live until [`Simulation::end`].
    pub accepted: bool,
    /// The decision that rejected it, or the last one.
    pub decision: Decision,
    /// Pools that had no address left for it.
    pub exhausted: Vec<String>,
    /// The addresses it was given.
    pub given: Vec<Given>,
    /// Sessions that this one ended, because it came up on their port.
    pub ended: Vec<u64>,
    /// The facts that the answer depends on and that the source lacks, as fields of the rules' conditions.
    pub lacking: Vec<&'static str>,
}

/// A session that is live in the simulation.
#[derive(Debug)]
struct LiveSession {
    server: Name,
    user: Name,
    domain: Name,
    port: Name,
    addresses: Vec<Address>,
}

/// A simulation. Times must not go backwards.
#[derive(Debug)]
pub struct Simulation {
    config: Arc<Config>,
    states: BTreeMap<Name, State>,
    live: HashMap<u64, LiveSession>,
    /// The caller's numbers for the states' sessions.
    handles: HashMap<Id, u64>,
    /// Each user's use, for servers that appear later.
    used: HashMap<Identity, Vec<DayUse>>,
    chance: u128,
    first: Option<Millis>,
    lacking: Lacking,
    offers: u64,
}

/// The first of RRAS's own offers in a simulation: a range of IPv4 that no host has (240.0.0.0/4), so no pool contains
/// them.
const OFFERS: u64 = 0xf000_0000;

/// A quota looks back this many days at most.
pub const LONGEST_PERIOD: i32 = 31;

const INSTANCE: Id = Id(1);

impl Simulation {
    /// Simulates this configuration.
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            config,
            states: BTreeMap::new(),
            live: HashMap::new(),
            handles: HashMap::new(),
            used: HashMap::new(),
            chance: 0,
            first: None,
            lacking: Lacking::default(),
            offers: 0,
        }
    }

    /// How many sessions are live.
    pub fn live_count(&self) -> usize {
        self.live.len()
    }

    /// Begins a session: addresses, connection, first link. A rejected attempt is ended as RRAS would end it.
    pub fn begin(&mut self, begin: &Begin) -> Simulated {
        self.lacking = Lacking {
            port: begin.port == Fact::NotYetKnown,
            tunnel: begin.tunnel == Fact::NotYetKnown,
            source: begin.source == Fact::NotYetKnown,
            computer: begin.computer == Fact::NotYetKnown,
            quarantine: begin.quarantine == Fact::NotYetKnown,
            interface: begin.interface == Fact::NotYetKnown,
        };
        let mut ended = Vec::new();
        let mut simulated = self.try_begin(begin, &mut ended);
        simulated.ended = ended;
        simulated
    }

    fn try_begin(&mut self, begin: &Begin, ended: &mut Vec<u64>) -> Simulated {
        // If the source does not name the port, the session gets a port of its own.
        let port = begin.port.known().cloned().unwrap_or_else(|| Name::from_stored(format!("?{}", begin.handle)));
        let mut session = LiveSession {
            server: begin.server.clone(),
            user: begin.user.clone(),
            domain: begin.domain.clone(),
            port,
            addresses: Vec::new(),
        };
        let (mut exhausted, mut given) = (Vec::new(), Vec::new());
        let answered = |accepted, decision, exhausted, given| Simulated {
            accepted,
            decision,
            exhausted,
            given,
            ended: Vec::new(),
            lacking: Vec::new(),
        };
        for family in [Some(Family::Ipv4), begin.ipv6.then_some(Family::Ipv6)].into_iter().flatten() {
            let event = self.address_event(&session, family);
            let (record, decision) = self.ask(&begin.server, begin.time, Asking::Address(&event), ended);
            exhausted.extend(decision.exhausted.clone());
            match record.answer {
                Answer::Address(address) => {
                    session.addresses.push(Address { family, number: address.number });
                    given.push(address);
                }
                Answer::AsOffered => {}
                _ => return self.refused(begin, &session, answered(false, decision, exhausted, given)),
            }
        }
        let event = connection_event(begin, &session);
        let (record, decision) = self.ask(&begin.server, begin.time, Asking::Connection(&event), ended);
        if record.answer != Answer::Accept {
            return self.refused(begin, &session, answered(false, decision, exhausted, given));
        }
        if let Some(session) = record.session {
            self.handles.insert(session, begin.handle);
        }
        let event = link_event(begin.handle, &session.port, begin.tunnel.known().copied(), Usage::default());
        let (record, decision) = self.ask(&begin.server, begin.time, Asking::Link(&event), ended);
        if record.answer != Answer::Accept {
            return self.refused(begin, &session, answered(false, decision, exhausted, given));
        }
        self.live.insert(begin.handle, session);
        let lacking = self.rests_on(&decision);
        Simulated { lacking, ..answered(true, decision, exhausted, given) }
    }

    /// Ends a session. Does nothing if it is not live.
    pub fn end(&mut self, handle: u64, time: Millis, usage: Usage) {
        let Some(session) = self.live.remove(&handle) else { return };
        let link = Event::LinkHangup(link_event(handle, &session.port, None, usage));
        let hangup = Event::Hangup(ConnectionEvent { usage, ..bare_event(handle, &session) });
        for event in [link, hangup].into_iter().chain(releases(&session)) {
            self.apply_event(&session.server, time, &event);
        }
    }

    /// Releases the addresses of a rejected attempt, as RRAS does.
    fn refused(&mut self, begin: &Begin, session: &LiveSession, simulated: Simulated) -> Simulated {
        let lacking = self.rests_on(&simulated.decision);
        for event in releases(session) {
            self.apply_event(&session.server, begin.time, &event);
        }
        Simulated { lacking, ..simulated }
    }

    /// Decides a question on one server, and reports the effects to the other servers. `ended` collects the sessions
    /// that ended.
    fn ask(&mut self, server: &Name, time: Millis, asking: Asking<'_>, ended: &mut Vec<u64>) -> (Record, Decision) {
        let now = self.now(server, time);
        let config = self.config.clone();
        let context = Context { lacking: self.lacking, ..Context::new(&config, server, INSTANCE, Process::default()) };
        let empty = State::new();
        let (record, decision) = decide_asking(self.states.get(server).unwrap_or(&empty), &context, asking, &now);
        self.carry_out(&context, &record, &now, ended);
        (record, decision)
    }

    /// Decides an event on one server, and reports the effects to the other servers.
    fn apply_event(&mut self, server: &Name, time: Millis, event: &Event) {
        let now = self.now(server, time);
        let config = self.config.clone();
        let context = Context::new(&config, server, INSTANCE, Process::default());
        let empty = State::new();
        let record = decide(self.states.get(server).unwrap_or(&empty), &context, event, &now);
        self.carry_out(&context, &record, &now, &mut Vec::new());
    }

    fn now(&mut self, server: &Name, time: Millis) -> Now {
        self.add_server(server);
        self.chance += 1;
        let first = *self.first.get_or_insert(time);
        let mono = Mono(u64::try_from(time.saturating_sub(first)).unwrap_or(0));
        Now { at: Stamp { time, mono }, random: self.chance.wrapping_mul(SPREAD).to_be_bytes() }
    }

    fn carry_out(&mut self, context: &Context<'_>, record: &Record, now: &Now, ended: &mut Vec<u64>) {
        let remote = self.remote_sessions(context.server, record, ended);
        if let Some(state) = self.states.get_mut(context.server) {
            state.apply(record);
        }
        if self.states.len() > 1 && !remote.is_empty() {
            let event = Event::RemoteSessions(remote);
            for (_, state) in self.states.iter_mut().filter(|(name, _)| *name != context.server) {
                let record = decide(state, context, &event, now);
                state.apply(&record);
            }
        }
    }

    /// Adds a server, which learns what the other servers have.
    fn add_server(&mut self, server: &Name) {
        if self.states.contains_key(server) {
            return;
        }
        let mut state = State::new();
        state.derive(&self.config);
        let mut all = Vec::new();
        for (other, state) in &self.states {
            all.extend(state.live().filter_map(|session| of_session(other, session, true, Vec::new())));
        }
        for (number, (user, days)) in (0..).zip(&self.used) {
            let (session, days) = (Id(u128::MAX - number), days.clone());
            let (computer, source) = (Name::default(), String::new());
            let server = Name::default();
            all.push(RemoteSession {
                server,
                session,
                user: user.clone(),
                computer,
                source,
                start: 0,
                live: false,
                days,
            });
        }
        let server_name = server.clone();
        let context = Context::new(&self.config, &server_name, INSTANCE, Process::default());
        let now = Now { at: Stamp::default(), random: [0; 16] };
        let record = decide(&state, &context, &Event::RemoteSessions(all), &now);
        state.apply(&record);
        self.states.insert(server_name.clone(), state);
    }

    /// What a record means for the other servers.
    fn remote_sessions(&mut self, server: &Name, record: &Record, ended: &mut Vec<u64>) -> Vec<RemoteSession> {
        let mut all = Vec::new();
        for effect in &record.effects {
            match effect {
                Effect::SessionBegan(began) => {
                    if let Some(user) = began.user.clone() {
                        all.push(RemoteSession {
                            server: server.clone(),
                            session: began.session,
                            user,
                            computer: began.computer.clone(),
                            source: began.source.clone(),
                            start: began.at.time,
                            live: true,
                            days: Vec::new(),
                        });
                    }
                }
                Effect::Used { session, user, days } => {
                    self.add_use(user, days);
                    let known = self.states.get(server).and_then(|state| state.session(*session));
                    all.extend(known.and_then(|known| of_session(server, known, false, days.clone())));
                }
                Effect::SessionEnded(end) => {
                    let known = self.states.get(server).and_then(|state| state.session(end.session));
                    let known_to_end = all.iter().any(|other| other.session == end.session && !other.live);
                    all.extend(
                        known.filter(|_| !known_to_end).and_then(|known| of_session(server, known, false, Vec::new())),
                    );
                    let handle = self.handles.remove(&end.session);
                    // If the session was hung up, it is no longer in `live`.
                    if let Some(handle) = handle.filter(|handle| self.live.remove(handle).is_some()) {
                        ended.push(handle);
                    }
                }
                _ => {}
            }
        }
        all
    }

    fn add_use(&mut self, user: &Identity, days: &[DayUse]) {
        let all = self.used.entry(user.clone()).or_default();
        for day in days {
            match all.iter_mut().find(|other| other.labels == day.labels) {
                Some(other) => {
                    other.seconds = other.seconds.saturating_add(day.seconds);
                    other.input_octets = other.input_octets.saturating_add(day.input_octets);
                    other.output_octets = other.output_octets.saturating_add(day.output_octets);
                }
                None => all.push(*day),
            }
        }
        let newest = all.iter().map(|day| day.labels.day).max().unwrap_or(0);
        all.retain(|day| day.labels.day + LONGEST_PERIOD >= newest);
    }

    fn address_event(&mut self, session: &LiveSession, family: Family) -> AddressEvent {
        self.offers += 1;
        let number = match family {
            Family::Ipv4 => OFFERS + self.offers % 0x0fff_ffff,
            Family::Ipv6 => u64::MAX / 2 + self.offers,
        };
        AddressEvent { user: session.user.clone(), port: session.port.clone(), family, offer: Offer::Number(number) }
    }

    fn rests_on(&self, decision: &Decision) -> Vec<&'static str> {
        let lacking = self.lacking;
        let computer = lacking.computer.then_some("remote_computers");
        let source = lacking.source.then_some("source_networks");
        // If the source lacks nothing, an unknown fact is due to the stage.
        if lacking == Lacking::default() {
            return Vec::new();
        }
        let counted = &decision.counted;
        let counts_lack = match self.config.reconnect {
            Reconnect::SameComputer => computer,
            Reconnect::SameEndpoint => source,
            Reconnect::Strict => None,
        };
        // If no other session is connected, there is nothing to replace.
        let others = counted.user_sessions.is_some_and(|count| count.max > 0)
            || counted.group_sessions.values().any(|count| count.max > 0);
        let facts = &decision.facts;
        let groups = facts.user.known().map(|user| self.config.groups.of(user)).unwrap_or_default();
        let counts = counted.counts(&self.config.groups);
        self.config.rules.rests_on(decision.stage, facts, &groups, &counts, counts_lack.filter(|_| others))
    }
}

/// An odd number, so that no two calls have the same random bytes.
const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

fn of_session(server: &Name, session: &crate::state::Session, live: bool, days: Vec<DayUse>) -> Option<RemoteSession> {
    Some(RemoteSession {
        server: server.clone(),
        session: session.id,
        user: session.user.clone()?,
        computer: session.computer.clone(),
        source: session.source.clone(),
        start: session.began.time,
        live,
        days,
    })
}

fn releases(session: &LiveSession) -> Vec<Event> {
    let release = |address: &Address| ReleaseEvent {
        user: session.user.clone(),
        port: session.port.clone(),
        address: Some(*address),
    };
    session.addresses.iter().map(release).map(Event::Release).collect()
}

fn bare_event(handle: u64, session: &LiveSession) -> ConnectionEvent {
    ConnectionEvent {
        handle,
        guid: None,
        user: session.user.clone(),
        domain: session.domain.clone(),
        computer: Name::default(),
        source: String::new(),
        interface: InterfaceType::Client,
        ikev2: None,
        quarantine: None,
        usage: Usage::default(),
        addresses: Vec::new(),
        prefix: None,
    }
}

fn connection_event(begin: &Begin, session: &LiveSession) -> ConnectionEvent {
    ConnectionEvent {
        addresses: session.addresses.clone(),
        source: begin.source.known().map(ToString::to_string).unwrap_or_default(),
        computer: begin.computer.known().cloned().unwrap_or_default(),
        quarantine: begin.quarantine.known().copied(),
        interface: begin.interface.known().copied().unwrap_or(InterfaceType::Client),
        ikev2: Some(begin.tunnel == Fact::Known(Tunnel::Ikev2)),
        ..bare_event(begin.handle, session)
    }
}

fn link_event(handle: u64, port: &Name, tunnel: Option<Tunnel>, usage: Usage) -> LinkEvent {
    LinkEvent { handle, port: port.clone(), device: Name::default(), tunnel, usage }
}
