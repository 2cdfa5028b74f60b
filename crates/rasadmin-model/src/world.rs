//! The simulation: RRAS, the product, and the calls between them.

mod blocks;
mod calls;
mod dial;
mod looks;
mod notifications;
mod online;
mod product;

use crate::finding::Finding;
use crate::people::PEOPLE;
use crate::product::{Engine, Product};
use crate::random::Random;
use crate::reported::Use;
use crate::rras::{Connection, Number, PORTS, Pending, Serial, port_name};
use crate::scenario::Script;
use crate::settings::Settings;
use crate::step::{Kind, Step};
use crate::switches::Switches;
use crate::traffic::Traffic;
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::config::Config;
use rasadmin_engine::effect::BlockSubject;
use rasadmin_engine::{Answer, Event, Id, Identity, Millis, Mono, Name, Now, Quarantine, Stamp, Tunnel};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

pub use looks::Due;

/// When the simulation begins: 2 March 2026, 08:00 UTC.
const BEGINNING: i64 = 1_772_438_400_000;

/// How long an attempt may take before it fails, in milliseconds.
const PATIENCE: u64 = 200_000;

/// What an event is really about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An address call, with the address that RRAS offers.
    Address(Number, Family, Option<u64>),
    /// A connection asks to be accepted.
    Accept(Number),
    /// A link on a port.
    Link(Number, usize),
    /// The end of that link.
    LinkHangup(Number, usize),
    /// The end of a connection, with the reported seconds and what it has sent and received in truth.
    Hangup(Number, u64, Traffic),
    /// The release of an address.
    Release(Number, Address),
    /// Its quarantine state changes.
    Reauthenticate(Number, Quarantine),
    /// Its endpoint changes.
    Move(Number, String),
    /// No connection, or one that no longer exists.
    Other,
}

/// A call in progress.
#[derive(Clone, Debug)]
pub struct Call {
    of: Number,
    subject: Subject,
    event: Event,
    serial: Serial,
    begun: u64,
    again: bool,
    answer: Option<Answer>,
}

/// An address that was given on a port.
#[derive(Clone, Copy, Debug)]
pub struct GivenAddress {
    /// The time.
    pub at: Mono,
    /// The number.
    pub number: u64,
    /// The connection.
    pub of: Number,
}

/// The simulation.
pub struct World<'e, E: ?Sized> {
    /// Faults and assumptions.
    pub switches: Switches,
    /// The configuration.
    pub settings: Settings,
    /// The compiled configuration.
    pub config: Arc<Config>,
    /// The product.
    pub product: Product<'e, E, Subject>,
    /// Every connection there was.
    pub connections: Vec<Connection>,
    /// The connections about which anything can still be reported.
    pub active: Vec<Number>,
    /// The connections that RRAS has given addresses to.
    pub taken: HashMap<Address, Number>,
    free_handles: Vec<u64>,
    handles: u64,
    /// The names of all ports.
    pub port_names: Vec<Name>,
    ports: Vec<bool>,
    /// The notifications to deliver.
    pub pending: Vec<Pending>,
    /// The notifications that were delivered last.
    delivered: Vec<Pending>,
    calls: Vec<Call>,
    mono: u64,
    offset: i64,
    chance: Random,
    sending_repeat: bool,
    /// What each person has used.
    pub uses: Vec<Vec<Use>>,
    /// Which addresses were given on each port, on record or not.
    pub given_on: HashMap<(usize, Family), Vec<GivenAddress>>,
    /// The address that each user had last, as far as it is certain.
    pub last_had: HashMap<(Identity, Family), (Option<u64>, Mono)>,
    /// When a notification was recorded last.
    pub notified_at: Mono,
    /// When a notification was recorded last, before the last event.
    pub notified_before: Mono,
    /// Who is blocked, and until when.
    blocks: BTreeMap<BlockSubject, Option<Millis>>,
    /// What the service has seen in RRAS.
    looks: looks::Looks,
    /// All sessions and leases in this instance, by what identifies them.
    pub known: (HashSet<Id>, HashSet<(Address, Mono)>),
    /// What was found.
    pub finding: Option<Finding>,
    /// What happens, as text, if requested.
    pub trace: Option<Vec<String>>,
    /// What happens, as a scenario.
    pub script: Script,
    /// How many events were recorded.
    pub events: u64,
    /// How many connections were established.
    pub established_count: u64,
}

impl<'e, E: Engine + ?Sized> World<'e, E> {
    /// Makes a server without connections.
    ///
    /// # Errors
    ///
    /// If the configuration does not compile.
    pub fn new(engine: &'e E, switches: Switches, seed: u64) -> Result<Self, Finding> {
        let mut random = Random::new(seed ^ 0x5e77_1465);
        let settings = Settings::draw(&switches, &mut random);
        let config = compile(&settings)?;
        let processes = processes(&switches, &mut random);
        let instance = identifier(&mut random);
        let product = Product::new(engine, &config, &processes, Id(instance));
        let script = Script::new(&switches);
        let ports = Tunnel::ALL.len() * PORTS;
        let mut world = Self {
            switches,
            settings,
            config,
            product,
            connections: Vec::new(),
            active: Vec::new(),
            taken: HashMap::new(),
            free_handles: Vec::new(),
            handles: 0x10,
            port_names: (0..ports).map(port_name).collect(),
            ports: vec![false; ports],
            pending: Vec::new(),
            delivered: Vec::new(),
            calls: Vec::new(),
            mono: 1_000_000,
            offset: BEGINNING,
            chance: Random::new(seed),
            sending_repeat: false,
            uses: vec![Vec::new(); PEOPLE.len()],
            given_on: HashMap::new(),
            last_had: HashMap::new(),
            notified_at: Mono(0),
            notified_before: Mono(0),
            blocks: BTreeMap::new(),
            looks: Default::default(),
            known: Default::default(),
            finding: None,
            trace: None,
            script,
            events: 0,
            established_count: 0,
        };
        world.start_instance();
        Ok(world)
    }

    /// The time.
    pub fn stamp(&self) -> Stamp {
        Stamp { time: self.offset + i64::try_from(self.mono).unwrap_or(i64::MAX), mono: Mono(self.mono) }
    }

    fn now(&mut self) -> Now {
        Now { at: self.stamp(), random: identifier(&mut self.chance).to_be_bytes() }
    }

    /// Adds a line to the trace, if one was requested.
    pub fn log(&mut self, text: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(text());
        }
    }

    /// Adds a line to the scenario.
    fn script_line(&mut self, text: impl FnOnce(&Self) -> String) {
        if self.trace.is_some() {
            let text = text(self);
            self.script.line(self.mono, &text);
        }
    }

    /// Reports a finding. Only the first one counts.
    pub fn found(&mut self, oracle: &'static str, what: String) {
        if self.finding.is_none() {
            self.log(|| format!("FOUND {oracle}: {what}"));
            self.finding = Some(Finding { oracle, what });
        }
    }

    /// Does one step.
    pub fn step(&mut self, step: Step) {
        self.chance = Random::new(step.chance);
        match step.kind {
            Kind::Tick => self.tick(),
            Kind::ClockStep => self.clock_step(),
            Kind::Dial => self.dial(),
            Kind::Advance => self.advance(),
            Kind::Call => {
                if !self.calls.is_empty() {
                    let which = self.chance.below(self.calls.len());
                    self.advance_call(which);
                } else {
                    self.advance();
                }
            }
            Kind::Deliver => {
                if !self.pending.is_empty() {
                    let which = self.chance.below(self.pending.len());
                    self.deliver(which);
                } else {
                    self.advance();
                }
            }
            Kind::Lose => self.lose(),
            Kind::Repeat => self.repeat(),
            Kind::Drop => self.drop_online(),
            Kind::Fail => self.fail(),
            Kind::AddLink => self.add_link(),
            Kind::DropLink => self.drop_link(),
            Kind::Reauthenticate => self.reauthenticate(),
            Kind::Move => self.move_endpoint(),
            Kind::Unavailable => {
                let which = self.chance.below(self.product.members.len());
                self.product.members[which].unavailable = true;
                self.script_line(|_| "lock-journal".to_owned());
                self.log(|| format!("process {which} cannot write"));
            }
            Kind::Available => {
                let which = self.chance.below(self.product.members.len());
                self.make_available(which);
            }
            Kind::Restart => self.restart(),
            Kind::Reload => self.reload(),
            Kind::Block => self.change_blocks(),
            Kind::Look => self.look(),
        }
    }

    // Time.

    fn tick(&mut self) {
        let below = |random: &mut Random, end: usize| random.below(end) as u64;
        let random = &mut self.chance;
        let mut delta = match random.below(24) {
            0..=12 => below(random, 2_000),
            13..=18 => below(random, 15_000),
            19..=21 => 20_000 + below(random, 50_000),
            22 => 60_000 + below(random, 140_000),
            _ => 200_000 + below(random, 220_000),
        };
        if !self.calls.is_empty() {
            delta %= 5_000;
        }
        self.mono += delta;
        while let Some(which) = self.calls.iter().position(|call| self.mono - call.begun > 60_000) {
            self.advance_call(which);
        }
        let late = |c: &Connection, mono: u64| c.is_attempt() && mono - c.dialled.0 > PATIENCE;
        for of in self.active.clone() {
            if late(&self.connections[of], self.mono) {
                self.end(of);
            }
        }
    }

    fn clock_step(&mut self) {
        const HOUR: i64 = 3_600_000;
        let by = match self.chance.below(6) {
            0 => HOUR,
            1 => -HOUR,
            2 => 30 * HOUR,
            3 => -30 * HOUR,
            4 => -(self.chance.below(600_000) as i64),
            _ => self.chance.below(600_000) as i64,
        };
        self.offset += by;
        self.script_line(|_| {
            let (sign, by) = (if by < 0 { '-' } else { '+' }, by.unsigned_abs() / 1000);
            format!("clock {sign}{:02}:{:02}:{:02}", by / 3600, by / 60 % 60, by % 60)
        });
        self.log(|| format!("the time of day is set by {by} ms"));
    }

    /// Ends everything that was begun, and delivers all pending notifications that were not lost.
    pub fn quiesce(&mut self) {
        self.log(|| "everything ends, and is reported".to_owned());
        self.chance = Random::new(self.mono);
        for member in 0..self.product.members.len() {
            self.make_available(member);
        }
        while !self.calls.is_empty() {
            self.advance_call(0);
        }
        self.mono += 1_000;
        for of in self.active.clone() {
            self.end(of);
        }
        let mut turns = 0;
        while !self.pending.is_empty() && turns < 10_000 {
            let which = turns % self.pending.len();
            self.deliver(which);
            while !self.calls.is_empty() {
                self.advance_call(0);
            }
            turns += 1;
        }
        for _ in 0..3 {
            self.mono += 6 * 60 * 1000;
            self.call_product(Subject::Other, Event::Lost { events: 0 });
        }
        self.look_at_nothing();
        if self.pending.is_empty() {
            self.check_all_over();
        }
        if self.finding.is_none() {
            self.restart();
        }
    }
}

fn processes(switches: &Switches, random: &mut Random) -> Vec<u64> {
    (0..if switches.two_processes { 2 } else { 1 }).map(|_| random.any()).collect()
}

fn identifier(random: &mut Random) -> u128 {
    u128::from(random.any()) << 64 | u128::from(random.any())
}

fn compile(settings: &Settings) -> Result<Arc<Config>, Finding> {
    let text = settings.text();
    let mut members = |name: &str| Err(format!("{name} is not there"));
    let config = rasadmin_engine::config::parse("model.toml", &text, Path::new("."), &mut members);
    config.map(Arc::new).map_err(|errors| Finding { oracle: "configuration", what: format!("{errors:?}\n{text}") })
}
