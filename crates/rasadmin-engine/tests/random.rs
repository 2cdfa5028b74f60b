//! Random sequences of calls, some late, lost, delayed or repeated; after each, what the state keeps as sums and indexes
//! is counted again from what it holds, and every connected client must have the address that it was given.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::config::file::Period;
use rasadmin_engine::effect::{DayUse, Origin, RemoteSession, Usage};
use rasadmin_engine::event::{AddressEvent, ConnectionEvent, Event, Look, NotListed, Offer, Reading};
use rasadmin_engine::rules::GroupId;
use rasadmin_engine::state::{Checkpoint, Holding, closing_of, period_label};
use rasadmin_engine::{
    Answer, Effect, Id, Identity, LateEvent, Mono, Now, Process, Record, State, Tunnel, decide, decide_late,
};
use std::collections::HashMap;
use support::{Scene, With, connection, counted, link};

const BASE: &str = r#"
    default_domain = "CORP"
    time_zone = "UTC"
    default.action = "allow"
    [groups.a]
    users = ["CORP\\u0", "CORP\\u1", "CORP\\u2"]
    [groups.all]
    users = ["CORP\\*"]
    [[rules]]
    name = "group"
    action = "deny"
    users = ["*"]
    group_sessions = { group = "a", at_least = 5 }
    [[rules]]
    name = "user"
    action = "deny"
    users = ["*"]
    user_sessions = { at_least = 3 }
"#;

const PLANS: [&str; 3] = [
    "addresses.pool = \"p\"\naddresses.ipv6_pool = \"s\"\n[pools.p]\naddresses = [\"10.8.0.1-10.8.0.7\"]\n[pools.s]\nidentifiers = [\"::a:1-::a:9\"]",
    "addresses.pool = \"p\"\naddresses.ipv6_pool = \"s\"\n[pools.p]\naddresses = [\"10.8.0.1-10.8.0.4\"]\nnext = \"q\"\n[pools.q]\naddresses = [\"10.8.0.5-10.8.0.12\"]\n[pools.s]\nidentifiers = [\"::a:1-::a:9\"]",
    "addresses.pool = \"q\"\naddresses.ipv6_pool = \"s\"\n[pools.q]\naddresses = [\"10.8.0.3-10.8.0.6\", \"10.8.0.9-10.8.0.10\"]\n[pools.s]\nidentifiers = [\"::a:2-::a:5\"]",
];

fn plan(number: usize) -> String {
    // Top-level keys come before the first table.
    let (keys, tables) = PLANS[number].split_at(PLANS[number].find("[pools").unwrap());
    let (base, rest) = BASE.split_at(BASE.find("[groups").unwrap());
    format!("{base}\n{keys}\n{rest}\n{tables}")
}

/// One of RRAS's connections, as it is in truth.
struct Live {
    handle: u64,
    /// Handles repeat; this does not.
    serial: u64,
    user: String,
    ports: Vec<String>,
    addresses: Vec<Address>,
    ikev2: bool,
    computer: String,
    /// The port of the address calls.
    first_port: String,
}

struct Truth {
    scene: Scene,
    seed: u64,
    live: Vec<Live>,
    serial: u64,
    /// The address functions run in a process of their own.
    split: bool,
    /// Reported later, out of order.
    delayed: Vec<Event>,
    /// Not recorded yet.
    waiting: Vec<LateEvent>,
    unavailable: bool,
    /// What each session has used, by what was recorded.
    used: HashMap<(Option<String>, Id), (Identity, Vec<DayUse>)>,
    chance: u128,
    steps: Vec<String>,
}

impl Truth {
    fn new(seed: u64) -> Self {
        Self {
            scene: Scene::new(&plan(0)),
            seed: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            live: Vec::new(),
            serial: 0,
            split: seed.is_multiple_of(2),
            delayed: Vec::new(),
            waiting: Vec::new(),
            unavailable: false,
            used: HashMap::new(),
            chance: u128::from(seed) << 80,
            steps: Vec::new(),
        }
    }

    fn dice(&mut self, sides: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 20) % sides
    }

    fn random(&mut self) -> [u8; 16] {
        self.chance = self.chance.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).wrapping_add(1);
        self.chance.to_be_bytes()
    }

    /// Recorded at once.
    fn handle(&mut self, event: Event) -> Record {
        self.scene.process = match &event {
            Event::Look(_) | Event::RemoteSessions(_) => Process(9),
            Event::Address(_) | Event::Release(_) if self.split => Process(2),
            _ => Process(1),
        };
        let now = Now { at: self.scene.at, random: self.random() };
        let record = decide(&self.scene.state, &self.scene.context(), &event, &now);
        let again = self.rebuilt();
        assert_eq!(record, decide(&again, &self.scene.context(), &event, &now), "of a checkpoint: {}", self.story());
        self.keep(&record, again);
        record
    }

    fn rebuilt(&self) -> State {
        let mut again = Checkpoint::of(&self.scene.state).into_state();
        again.derive(&self.scene.config);
        again
    }

    fn keep(&mut self, record: &Record, mut again: State) {
        self.steps.push(format!("{:?} {:?} -> {:?} {:?}", record.at, record.event, record.answer, record.effects));
        self.count(record);
        self.scene.state.apply(record);
        again.apply(record);
        assert_eq!(Checkpoint::of(&self.scene.state), Checkpoint::of(&again), "{}", self.story());
        self.check(record);
    }

    /// Passes an event to the DLL: if nothing can be recorded now, it waits.
    fn notify(&mut self, event: Event) -> bool {
        if !self.unavailable || self.split && matches!(event, Event::Release(_)) {
            return !matches!(self.handle(event).answer, Answer::Reject);
        }
        let (at, random) = (self.scene.at, self.random());
        let asks = matches!(event, Event::Connection(_) | Event::Link(_));
        let answer = if asks { Answer::Accept } else { Answer::Nothing };
        self.waiting.push(LateEvent { at, random, event, decision: None, answer });
        true
    }

    fn back(&mut self) {
        self.unavailable = false;
        self.scene.process = Process(1);
        for waited in std::mem::take(&mut self.waiting) {
            let record = decide_late(&self.scene.state, &self.scene.context(), &waited);
            let again = self.rebuilt();
            assert_eq!(record, decide_late(&again, &self.scene.context(), &waited), "{}", self.story());
            self.keep(&record, again);
        }
    }

    /// A notification: delivered, lost, late or repeated.
    fn end_of(&mut self, event: Event) {
        match self.dice(10) {
            0 => {}
            1 => self.delayed.push(event),
            2 => {
                self.notify(event.clone());
                self.notify(event);
            }
            _ => drop(self.notify(event)),
        }
    }

    fn story(&self) -> String {
        self.steps.iter().rev().take(40).rev().cloned().collect::<Vec<_>>().join("\n")
    }

    fn step(&mut self) {
        let seconds = [0, 0, 1, 5, 30, 61, 200, 301, 0, 0, 1, 5, 30, 61, 200, 40_000][self.dice(16) as usize];
        // Nothing waits for days: what is kept of the use is what was written last.
        if seconds > 1000 {
            self.back();
        }
        self.scene.wait(seconds);
        match self.dice(20) {
            0..=6 => self.begin(),
            7..=11 => self.finish(),
            12 => self.further_link(),
            13 if !self.delayed.is_empty() => {
                let which = self.dice(self.delayed.len() as u64) as usize;
                let event = self.delayed.remove(which);
                self.notify(event);
            }
            14 if self.unavailable => self.back(),
            14 => self.unavailable = self.dice(3) == 0,
            15 => {
                let number = self.dice(3) as usize;
                self.scene.reload(&plan(number));
            }
            16 if self.dice(6) == 0 => self.restart(),
            17 => self.change_endpoint_or_reauthenticate(),
            18 => self.remote_session(),
            _ => self.look(),
        }
    }

    fn event_of(live: &Live) -> ConnectionEvent {
        connection(live.handle, &live.user).with(|e| {
            e.guid = Some(format!("{:032x}", live.serial));
            e.addresses.clone_from(&live.addresses);
            e.computer = live.computer.as_str().into();
            e.ikev2 = Some(live.ikev2);
        })
    }

    /// A port that no connection uses. Some have no name.
    fn free_port(&mut self) -> Option<String> {
        let number = self.dice(9);
        if number == 8 {
            return Some(String::new());
        }
        let port = format!("VPN2-{number}");
        let used = self.live.iter().any(|live| live.ports.contains(&port) || live.first_port == port);
        (!used).then_some(port)
    }

    /// A handle that no connection has, and with no pending notification, which would be ambiguous.
    fn free_handle(&self) -> u64 {
        let pending = |event: &Event, handle| match event {
            Event::Hangup(event) | Event::Connection(event) => event.handle == handle,
            Event::LinkHangup(event) | Event::Link(event) => event.handle == handle,
            _ => false,
        };
        let used = |handle: &u64| {
            self.live.iter().any(|live| live.handle == *handle)
                || self.delayed.iter().any(|event| pending(event, *handle))
        };
        (1..).find(|handle| !used(handle)).unwrap()
    }

    fn begin(&mut self) {
        if self.unavailable && !self.split {
            // Address calls without a journal give nothing of ours.
            return;
        }
        let Some(port) = self.free_port() else { return };
        let user = format!("u{}", self.dice(5));
        let mut live = Live {
            handle: self.free_handle(),
            serial: self.serial,
            user: user.clone(),
            ports: Vec::new(),
            addresses: Vec::new(),
            ikev2: self.dice(3) == 0,
            computer: ["", "PC-1", "PC-2"][self.dice(3) as usize].to_owned(),
            first_port: port.clone(),
        };
        self.serial += 1;
        let families: &[Family] =
            [&[Family::Ipv4][..], &[Family::Ipv4, Family::Ipv6], &[Family::Ipv6], &[Family::Ipv4]]
                [self.dice(4) as usize];
        for &family in families {
            let asked = AddressEvent {
                user: user.as_str().into(),
                port: port.as_str().into(),
                family,
                offer: Offer::Number(0x0a63_0000 + self.dice(3)),
            };
            let record = self.handle(Event::Address(asked));
            let Answer::Address(given) = &record.answer else {
                self.exhausted(&record);
                return self.release_all(&live);
            };
            live.addresses.push(Address { family, number: given.number });
            let taken = self.live.iter().any(|other| other.addresses.contains(live.addresses.last().unwrap()));
            assert!(!taken, "{:?} is given to two: {}", live.addresses, self.story());
        }
        if self.dice(6) == 0 {
            return self.release_all(&live);
        }
        let seconds = [0, 0, 0, 2][self.dice(4) as usize];
        self.scene.wait(seconds);
        self.unavailable |= self.dice(12) == 0;
        let mut event = Self::event_of(&live);
        if self.dice(5) == 0 {
            event.guid = None;
        }
        if !self.notify(Event::Connection(event.clone())) {
            return self.release_all(&live);
        }
        if !live.ikev2 || self.dice(2) == 0 {
            let delivered = self.dice(8) > 0;
            if !delivered || !self.notify(Event::Link(link(live.handle, &port, Tunnel::Sstp))) {
                self.end_of(Event::Hangup(event));
                return self.release_all(&live);
            }
            live.ports.push(port);
        }
        self.live.push(live);
        self.online();
    }

    fn release_all(&mut self, live: &Live) {
        for &address in &live.addresses {
            let release = support::release(&live.user, &live.first_port, "0.0.0.0");
            let release = rasadmin_engine::event::ReleaseEvent { address: Some(address), ..release };
            self.end_of(Event::Release(release));
        }
    }

    fn finish(&mut self) {
        if self.live.is_empty() {
            return;
        }
        let which = self.dice(self.live.len() as u64) as usize;
        let live = self.live.remove(which);
        for port in &live.ports {
            self.end_of(Event::LinkHangup(link(live.handle, port, Tunnel::Sstp)));
        }
        let seconds = [0, 0, 2, 70][self.dice(4) as usize];
        self.scene.wait(seconds);
        let usage = Usage { seconds: self.dice(400), input_octets: self.dice(1000), ..Usage::default() };
        let event = Self::event_of(&live)
            .with(|e| (e.usage, e.guid) = (usage, e.guid.clone().filter(|_| !live.serial.is_multiple_of(5))));
        self.end_of(Event::Hangup(event));
        self.release_all(&live);
    }

    fn further_link(&mut self) {
        let Some(port) = self.free_port().filter(|_| !self.live.is_empty()) else { return };
        let which = self.dice(self.live.len() as u64) as usize;
        let handle = self.live[which].handle;
        if !self.live[which].ikev2 && self.notify(Event::Link(link(handle, &port, Tunnel::Sstp))) {
            self.live[which].ports.push(port);
        }
    }

    fn change_endpoint_or_reauthenticate(&mut self) {
        if self.live.is_empty() {
            return;
        }
        let which = self.dice(self.live.len() as u64) as usize;
        let event = Self::event_of(&self.live[which]).with(|e| e.source = "198.51.100.7".into());
        let event = if self.dice(2) == 0 { Event::EndpointChange(event) } else { Event::Reauthentication(event) };
        if !self.unavailable {
            self.handle(event);
        }
    }

    fn look(&mut self) {
        if self.unavailable || self.live.is_empty() {
            return;
        }
        let which = self.dice(self.live.len() as u64) as usize;
        let usage = Usage { input_octets: self.dice(2000), ..Usage::default() };
        let connection = Self::event_of(&self.live[which]).with(|e| e.usage = usage);
        let begun = self.scene.at;
        let by_guid = connection.guid.as_ref().and_then(|guid| self.scene.state.by_guid(guid));
        let known = by_guid.or_else(|| self.scene.state.by_handle(connection.handle)).map(|session| session.id);
        let alive = (self.dice(2) == 0).then_some(begun);
        let counted = |session| counted(&self.scene.state, session, &usage, begun.mono);
        let read = known.map(|session| Reading { session, counted: counted(session), alive }).into_iter().collect();
        let found = if known.is_none() { vec![connection] } else { Vec::new() };
        let not_listed = self.scene.state.live().map(|session| session.id).max().filter(|_| self.dice(4) == 0);
        let not_listed = not_listed.map(|session| NotListed { session, since: begun }).into_iter().collect();
        self.handle(Event::Look(Look { begun, read, found, not_listed }));
    }

    fn remote_session(&mut self) {
        let labels = rasadmin_engine::calendar::labels_at(self.scene.at.time, &self.scene.config.zone);
        let days = vec![DayUse { labels, seconds: self.dice(50), input_octets: 0, output_octets: self.dice(9) }];
        let user = Identity { domain: "CORP".into(), name: format!("U{}", self.dice(5)).as_str().into() };
        let number = self.dice(6);
        let other = RemoteSession {
            server: "VPN9".into(),
            session: Id(u128::from(number)),
            user,
            computer: "PC-1".into(),
            source: String::new(),
            start: self.scene.at.time - 50_000,
            live: self.dice(2) == 0,
            days,
        };
        self.handle(Event::RemoteSessions(vec![other]));
    }

    /// Until a process has received a notification, it is unknown which process receives them.
    fn hear(&mut self) {
        self.handle(Event::LinkHangup(link(9_999, "VPN2-99", Tunnel::Sstp)));
    }

    fn restart(&mut self) {
        self.unavailable = false;
        self.waiting.clear();
        self.delayed.clear();
        self.live.clear();
        if self.dice(2) == 0 {
            self.scene.at.mono = Mono(5);
        }
        self.scene.instance = Id(self.scene.instance.0 + 1);
        let instance = self.scene.instance;
        self.handle(Event::InstanceStarted { instance });
        self.hear();
    }

    // Oracles.

    fn count(&mut self, record: &Record) {
        for effect in &record.effects {
            match effect {
                Effect::Used { session, user, days } | Effect::InterimUse { session, user, days, .. } => {
                    self.used.insert((None, *session), (user.clone(), days.clone()));
                }
                Effect::SessionBegan(began) if began.adopted => {
                    self.used.insert((None, began.session), (began.user.clone().unwrap(), Vec::new()));
                }
                Effect::Counted(counted) => {
                    for one in &counted.sessions {
                        let session = self.scene.state.session(one.session);
                        let user = session.map(|session| session.user.clone().unwrap());
                        let entry = self.used.entry((None, one.session));
                        let (_, days) = entry.or_insert_with(|| (user.unwrap(), Vec::new()));
                        let input: u64 = days.iter().map(|day| day.input_octets).sum();
                        // It never shrinks: the octets of the looks are those of one direction.
                        let more = one.octets[0].saturating_sub(input);
                        if more > 0 {
                            let labels = counted.labels;
                            days.push(DayUse { labels, seconds: 0, input_octets: more, output_octets: 0 });
                        }
                    }
                }
                Effect::RemoteSession(other) => {
                    let key = (Some(other.server.to_string()), other.session);
                    // One that ended does not live again.
                    let ended = (Some("ended".to_owned()), other.session);
                    if other.live && self.used.contains_key(&ended) {
                        continue;
                    }
                    if !other.live {
                        self.used.insert(ended, (other.user.clone(), Vec::new()));
                    }
                    self.used.insert(key, (other.user.clone(), other.days.clone()));
                }
                Effect::InstanceBegan(began) => {
                    let live: Vec<_> = self.scene.state.live().cloned().collect();
                    for session in live {
                        let days = closing_of(&(&session).into(), began).days;
                        self.used.insert((None, session.id), (session.user.unwrap(), days));
                    }
                }
                _ => {}
            }
        }
    }

    fn exhausted(&self, record: &Record) {
        let Some(decision) = record.decision.as_ref().filter(|decision| decision.exhausted.is_some()) else { return };
        let Event::Address(event) = &record.event else { return };
        let pools = &self.scene.config.addresses.pools;
        for pool in pools.iter().filter(|pool| pool.family == event.family) {
            for number in pool.ranges.iter().flat_map(|&(first, last)| first..=last) {
                let held = self.scene.state.lease_at(Address { family: event.family, number }).is_some();
                let chained = decision.exhausted.as_deref() == Some(&pool.name) || pool.name == "q";
                assert!(held || !chained, "{number} is free: {}", self.story());
            }
        }
    }

    fn check(&self, record: &Record) {
        let (state, config) = (&self.scene.state, &self.scene.config);
        let mut held = std::collections::HashSet::new();
        for lease in state.leases() {
            assert!(held.insert(lease.address), "{:?} is held twice: {}", lease.address, self.story());
            if let Holding::Session(id) = lease.holding {
                assert!(state.session(id).is_some(), "{lease:?} belongs to no session: {}", self.story());
            }
        }
        for (index, _) in config.groups.names().enumerate() {
            let group = GroupId(u32::try_from(index).unwrap());
            let member = |user: &Identity| config.groups.of(user).contains(group);
            let here = state.live().filter(|s| s.counts() && s.user.as_ref().is_some_and(&member)).count();
            let users: Vec<_> =
                (0..5).map(|n| Identity { domain: "CORP".into(), name: format!("U{n}").as_str().into() }).collect();
            let there: usize =
                users.iter().filter(|user| member(user)).map(|user| state.remote_sessions_of(user).count()).sum();
            assert_eq!(state.counted_in(group) as usize, here + there, "group {index}: {}", self.story());
        }
        for (index, pool) in config.addresses.pools.iter().enumerate() {
            let all = || {
                pool.ranges
                    .iter()
                    .flat_map(|&(first, last)| first..=last)
                    .map(|number| Address { family: pool.family, number })
            };
            let held = all().filter(|address| state.lease_at(*address).is_some()).count() as u64;
            let free = all().filter(|address| state.is_free(*address)).count() as u64;
            assert_eq!((state.held_of(index), state.free_of(index)), (held, free), "{}: {}", pool.name, self.story());
            assert!(all().all(|address| state.lease_at(address).is_none() || !state.is_free(address)));
        }
        if let (Event::Address(event), Answer::Address(given)) = (&record.event, &record.answer) {
            let pool =
                config.addresses.pools.iter().any(|pool| pool.family == event.family && pool.contains(given.number));
            assert!(pool || given.origin == Origin::Offer, "{given:?} is of no pool: {}", self.story());
        }
        let labels = rasadmin_engine::calendar::labels_at(self.scene.at.time, &config.zone);
        for number in 0..5 {
            let user = Identity { domain: "CORP".into(), name: format!("U{number}").as_str().into() };
            for period in [Period::Day, Period::Week, Period::Month] {
                let label = period_label(period, labels);
                let days = self.used.values().filter(|(of, _)| *of == user).flat_map(|(_, days)| days);
                let days = days.filter(|day| period_label(period, day.labels) == label);
                let sums =
                    days.fold((0, 0), |sum, day| (sum.0 + day.seconds, sum.1 + day.input_octets + day.output_octets));
                let of = state.used(&user, period, label);
                assert_eq!(
                    (of.seconds, of.octets),
                    sums,
                    "{user} {period:?} {label} {:?}: {}",
                    self.used.iter().filter(|(_, (of, _))| *of == user).collect::<Vec<_>>(),
                    self.story()
                );
            }
        }
    }

    /// Every connected client has a lease of its address.
    fn online(&self) {
        if self.unavailable || !self.waiting.is_empty() {
            return;
        }
        for live in &self.live {
            for address in &live.addresses {
                let lease = self.scene.state.lease_at(*address);
                let own = lease.is_some_and(|lease| lease.user_name.as_str() == live.user);
                assert!(own, "{} is online without {address:?} ({lease:?}): {}", live.user, self.story());
            }
        }
    }
}

#[test]
fn random_sequences_leave_sums_and_indexes_right() {
    let runs = std::env::var("RANDOM_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(8);
    let first = std::env::var("RANDOM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    for seed in first..first + runs {
        let mut truth = Truth::new(seed);
        truth.hear();
        for _ in 0..150 {
            truth.step();
            truth.online();
        }
    }
}
