//! A state with a clock that the test moves, and RRAS's calls in short.
#![allow(dead_code, clippy::unwrap_used)]

mod calls;

pub use calls::*;
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::config::Config;
use rasadmin_engine::config::file::Period;
use rasadmin_engine::counters::Counted;
use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::{AddressEvent, ConnectionEvent, Event, Look, Offer, Reading};
use rasadmin_engine::state::{Checkpoint, Holding, Session};
use rasadmin_engine::{
    Answer, Context, Decision, Effect, Id, Identity, LateEvent, Mono, Name, Now, Process, Record, Stamp, State, Tunnel,
    decide, decide_late,
};
use std::net::Ipv4Addr;
use std::sync::Arc;

pub struct Scene {
    pub state: State,
    pub config: Arc<Config>,
    pub at: Stamp,
    pub records: Vec<Record>,
    pub process: Process,
    pub instance: Id,
    server: Name,
    chance: u128,
}

pub fn config(text: &str) -> Arc<Config> {
    let mut none = |name: &str| Err(format!("no members file {name}"));
    match rasadmin_engine::config::parse("test.toml", text, std::path::Path::new("."), &mut none) {
        Ok(config) => Arc::new(config),
        Err(errors) => panic!("{errors}"),
    }
}

impl Scene {
    pub fn new(text: &str) -> Self {
        let config = config(text);
        let mut state = State::new();
        state.derive(&config);
        let at = Stamp { time: MONDAY, mono: Mono(1_000_000) };
        let server = Name::new("VPN1");
        let mut scene =
            Self { state, config, at, records: Vec::new(), process: Process(1), instance: Id(1), server, chance: 0 };
        scene.handle(Event::InstanceStarted { instance: Id(1) });
        scene
    }

    pub fn reload(&mut self, text: &str) {
        self.config = config(text);
        self.state.derive(&self.config);
    }

    /// RRAS's processes have died, and a new instance starts.
    pub fn restart(&mut self) {
        self.instance = Id(self.instance.0 + 1);
        self.handle(Event::InstanceStarted { instance: self.instance });
    }

    pub fn wait(&mut self, seconds: u64) {
        self.at.mono = self.at.mono.after(seconds * 1000);
        self.at.time += i64::try_from(seconds).unwrap() * 1000;
    }

    /// The time of day is set; the monotonic clock goes on as it was.
    pub fn step_clock(&mut self, seconds: i64) {
        self.at.time += seconds * 1000;
    }

    fn random(&mut self) -> [u8; 16] {
        self.chance += 1;
        (self.chance << 64 | self.chance.wrapping_mul(0x9e37_79b9_7f4a_7c15) & 0xffff_ffff_ffff_ffff).to_be_bytes()
    }

    pub fn context(&self) -> Context<'_> {
        Context::new(&self.config, &self.server, self.instance, self.process)
    }

    pub fn handle(&mut self, event: Event) -> Record {
        let now = Now { at: self.at, random: self.random() };
        let record = decide(&self.state, &self.context(), &event, &now);
        self.keep(record)
    }

    /// An event that was answered then, and is recorded now.
    pub fn tell_late(&mut self, at: Stamp, event: Event, answer: Answer) -> Record {
        let waited = LateEvent { at, random: self.random(), event, decision: None, answer };
        let record = decide_late(&self.state, &self.context(), &waited);
        self.keep(record)
    }

    fn keep(&mut self, record: Record) -> Record {
        // What is kept on disk is read back.
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record, "{text}");
        self.state.apply(&record);
        self.records.push(record.clone());
        self.invariants();
        record
    }

    /// A state that was made again of all records, or of a checkpoint, is the same.
    fn invariants(&self) {
        let held: Vec<Address> = self.state.leases().map(|lease| lease.address).collect();
        for address in &held {
            assert_eq!(held.iter().filter(|other| *other == address).count(), 1, "{address:?} is held twice");
        }
        let checkpoint = Checkpoint::of(&self.state);
        let text = serde_json::to_string(&checkpoint).unwrap();
        let again = serde_json::from_str::<Checkpoint>(&text).unwrap().into_state();
        assert_eq!(Checkpoint::of(&again), checkpoint);
        let mut again = State::new();
        self.records.iter().for_each(|record| again.apply(record));
        assert_eq!(Checkpoint::of(&again), checkpoint);
    }

    // RRAS's calls.

    pub fn address(&mut self, user: &str, port: &str, offer: &str) -> Result<String, String> {
        answer(&self.handle(Event::Address(address(user, port, calls::offer(offer)))))
    }

    pub fn release(&mut self, user: &str, port: &str, address: &str) -> Record {
        self.handle(Event::Release(release(user, port, address)))
    }

    pub fn connect(&mut self, event: ConnectionEvent) -> Result<(), String> {
        verdict(&self.handle(Event::Connection(event)))
    }

    pub fn link(&mut self, handle: u64, port: &str) -> Result<(), String> {
        verdict(&self.handle(Event::Link(link(handle, port, Tunnel::Sstp))))
    }

    pub fn link_hangup(&mut self, handle: u64, port: &str) -> Record {
        self.handle(Event::LinkHangup(link(handle, port, Tunnel::Sstp)))
    }

    /// A look that lists these connections, none of which shows a sign of life.
    pub fn look(&mut self, connections: &[ConnectionEvent]) -> Record {
        let mut look = Look { begun: self.at, ..Look::default() };
        for connection in connections {
            let by_guid = connection.guid.as_ref().and_then(|guid| self.state.by_guid(guid));
            match by_guid.or_else(|| self.state.by_handle(connection.handle)) {
                Some(session) => {
                    let counted = counted(&self.state, session.id, &connection.usage, self.at.mono);
                    look.read.push(Reading { session: session.id, counted, alive: None });
                }
                None => look.found.push(connection.clone()),
            }
        }
        self.handle(Event::Look(look))
    }

    pub fn hangup(&mut self, event: ConnectionEvent) -> Record {
        self.handle(Event::Hangup(event))
    }

    /// A whole session begins: address, connection, link.
    pub fn begin(&mut self, handle: u64, user: &str, port: &str) -> Result<String, String> {
        self.begin_as(connection(handle, user), port)
    }

    pub fn begin_as(&mut self, event: ConnectionEvent, port: &str) -> Result<String, String> {
        let user = event.user.to_string();
        let given = self.address(&user, port, "172.16.0.9")?;
        let handle = event.handle;
        let done = self.connect(event.with(|e| e.addresses = vec![number(&given)]));
        if let Err(why) = done.and_then(|()| self.link(handle, port)) {
            self.release(&user, port, &given);
            return Err(why);
        }
        Ok(given)
    }

    /// It ends: link, connection, address.
    pub fn end(&mut self, handle: u64, user: &str, port: &str, given: &str) {
        self.link_hangup(handle, port);
        self.hangup(connection(handle, user));
        self.release(user, port, given);
    }

    // What is so.

    pub fn session(&self, handle: u64) -> Option<&Session> {
        self.state.by_handle(handle)
    }

    /// Live sessions: user and address, in the order of their names.
    pub fn live(&self) -> String {
        let mut all: Vec<String> = self
            .state
            .live()
            .map(|session| {
                let held: Vec<String> = self.state.leases_of(session.id).map(|lease| show(lease.address)).collect();
                format!("{} {}", session.user_name, held.join("+"))
            })
            .collect();
        all.sort();
        all.join("; ")
    }

    /// Leases: address, whose, how.
    pub fn leases(&self) -> String {
        let mut all: Vec<String> = self
            .state
            .leases()
            .map(|lease| {
                let how = match lease.holding {
                    Holding::Waiting(_) => "waits",
                    Holding::Session(_) => "live",
                    Holding::Ended(..) => "held",
                };
                let user = lease.user.as_ref().map_or("-".to_owned(), ToString::to_string);
                format!("{} {user} {how}", show(lease.address))
            })
            .collect();
        all.sort();
        all.join("; ")
    }

    /// The anomalies of the last record.
    pub fn anomalies(&self) -> Vec<&'static str> {
        let effects = self.records.last().map(|record| &record.effects[..]).unwrap_or_default();
        effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Anomaly(anomaly) => Some(anomaly.what()),
                _ => None,
            })
            .collect()
    }

    /// How the sessions ended so far: reason and seconds.
    pub fn ended(&self) -> String {
        let all = self.records.iter().flat_map(Record::ended);
        all.map(|ended| format!("{} {}", ended.by.name(), ended.usage.seconds)).collect::<Vec<_>>().join("; ")
    }
}

/// What a session has sent and received, with another reading.
pub fn counted(state: &State, session: Id, usage: &Usage, at: Mono) -> Counted {
    state.counted(session).map_or_else(|| Counted::first(usage, at), |before| before.then(usage, at))
}

pub fn show(address: Address) -> String {
    rasadmin_engine::addresses::text::show(address.number, address.family)
}

pub fn why(decision: &Decision) -> String {
    let rule = decision.rule.clone().unwrap_or_else(|| "default".to_owned());
    decision.why().map_or(rule.clone(), |why| format!("{rule}: {why}"))
}

pub fn answer(record: &Record) -> Result<String, String> {
    match &record.answer {
        Answer::Address(given) => Ok(match &record.event {
            Event::Address(AddressEvent { family: Family::Ipv6, .. }) => format!("::{:x}", given.number),
            _ => Ipv4Addr::from_bits(u32::try_from(given.number).unwrap()).to_string(),
        }),
        Answer::AsOffered => Ok("as offered".to_owned()),
        _ => Err(why(record.decision.as_ref().unwrap())),
    }
}

pub fn verdict(record: &Record) -> Result<(), String> {
    match record.answer {
        Answer::Accept => Ok(()),
        _ => Err(why(record.decision.as_ref().unwrap())),
    }
}

/// A connection whose projection names one address.
pub fn shows(event: ConnectionEvent, address: &str) -> ConnectionEvent {
    event.with(|e| e.addresses = vec![number(address)])
}

pub const OPEN: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.1-10.8.0.2"]
"#;

pub const TWO: &str = r#"
    default_domain = "CORP"
    time_zone = "UTC"
    default.action = "allow"
    addresses.pool = "staff"
    addresses.ipv6_pool = "six"
    [pools.staff]
    addresses = ["10.8.0.1-10.8.0.2"]
    [pools.six]
    identifiers = ["::a:1-::a:9"]
"#;

pub fn limit(text: &str) -> String {
    format!("default_domain = \"CORP\"\ntime_zone = \"UTC\"\ndefault.action = \"allow\"\n{text}")
}

pub fn one_session() -> String {
    format!("{TWO}\n[[rules]]\nname = \"one\"\naction = \"deny\"\nusers = [\"*\"]\nuser_sessions = {{ at_least = 1 }}")
}

pub fn from_computer(handle: u64, user: &str, computer: &str) -> ConnectionEvent {
    connection(handle, user).with(|e| e.computer = computer.into())
}

pub fn ikev2(handle: u64, user: &str) -> ConnectionEvent {
    connection(handle, user).with(|e| e.ikev2 = Some(true))
}

pub fn corp(name: &str) -> Identity {
    Identity { domain: "CORP".into(), name: name.into() }
}

pub fn six(user: &str, port: &str) -> Event {
    Event::Address(AddressEvent { user: user.into(), port: port.into(), family: Family::Ipv6, offer: Offer::Nothing })
}

pub fn given6(scene: &mut Scene, user: &str, port: &str) -> Address {
    match scene.handle(six(user, port)).answer {
        Answer::Address(given) => Address { family: Family::Ipv6, number: given.number },
        other => panic!("{other:?}"),
    }
}

/// What a user has used today.
pub fn today(scene: &Scene, name: &str) -> u64 {
    let labels = rasadmin_engine::calendar::labels_at(scene.at.time, &scene.config.zone);
    scene.state.used(&corp(name), Period::Day, labels.day).seconds
}

/// No lease belongs to a session that does not live.
pub fn no_lease_of_the_dead(scene: &Scene) {
    for lease in scene.state.leases() {
        if let Holding::Session(id) = lease.holding {
            assert!(scene.state.session(id).is_some(), "{lease:?} belongs to a session that has ended");
        }
    }
}
