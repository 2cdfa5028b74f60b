//! The simulation: RRAS, the product, and what passes between them.

use crate::finding::Finding;
use crate::people::{self, PEOPLE};
use crate::product::{Engine, Product};
use crate::random::Random;
use crate::rras::{Connection, Held, Note, Number, PORTS, Pending, Phase, Serial, TUNNELS, device_name, port_name};
use crate::scenario::{Script, named};
use crate::settings::{RRAS_POOL, RRAS_POOL_SIZE, SERVER_ADDRESS, Settings};
use crate::step::{Kind, Step};
use crate::switches::{Projection, Switches};
use crate::told::{Told, Use};
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::config::Config;
use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::{AddressEvent, ConnectionEvent, LinkEvent, Offer, ReleaseEvent};
use rasadmin_engine::{Answer, Event, Id, Identity, InterfaceType, Mono, Name, Now, Quarantine, Stamp};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// When the simulation begins, by the time of day: 2 March 2026, 08:00 UTC.
const BEGINNING: i64 = 1_772_438_400_000;

/// An attempt that takes longer than this fails: milliseconds.
const PATIENCE: u64 = 200_000;

/// What an event is about, in truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An address is asked for; what RRAS offers of its own.
    Address(Number, Family, Option<u64>),
    /// A connection asks to be accepted.
    Accept(Number),
    /// A link of it, on a port.
    Link(Number, usize),
    /// The end of that link.
    LinkHangup(Number, usize),
    /// The end of a connection: seconds and octets that are told.
    Hangup(Number, Usage),
    /// Its address is given back.
    Release(Number, Address),
    /// Its quarantine state changes.
    Reauthenticate(Number, Quarantine),
    /// Its endpoint changes.
    Move(Number, String),
    /// A connection that is not there any more, or none.
    Other,
}

/// A call that is under way.
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

/// All of it.
pub struct World<'e, E: ?Sized> {
    /// Faults and readings.
    pub switches: Switches,
    /// The configuration.
    pub settings: Settings,
    /// The same, compiled.
    pub config: Arc<Config>,
    /// The product.
    pub product: Product<'e, E, Subject>,
    /// Every connection there was.
    pub connections: Vec<Connection>,
    /// Those of which anything can still be told.
    pub active: Vec<Number>,
    /// Which address RRAS has given to whom.
    pub taken: HashMap<Address, Number>,
    free_handles: Vec<u64>,
    handles: u64,
    /// The names of all ports, by place.
    pub port_names: Vec<Name>,
    ports: Vec<bool>,
    /// What is to be told.
    pub pending: Vec<Pending>,
    /// The last that were told.
    told: Vec<Pending>,
    calls: Vec<Call>,
    mono: u64,
    offset: i64,
    chance: Random,
    telling_again: bool,
    /// What each user has used, by person.
    pub uses: Vec<Vec<Use>>,
    /// When leases were given on each port.
    pub given_on: HashMap<(usize, Family), Vec<(Mono, u64)>>,
    /// What each user had last, as far as it is sure.
    pub last_had: HashMap<(Identity, Family), (Option<u64>, Mono)>,
    /// When a notification was recorded last.
    pub heard_at: Mono,
    /// The same, before the last event.
    pub heard_before: Mono,
    /// Every session and every lease there was in this instance, by what tells them apart.
    pub known: (HashSet<Id>, HashSet<(Address, Mono)>),
    /// What was found.
    pub finding: Option<Finding>,
    /// What happens, for people.
    pub trace: Option<Vec<String>>,
    /// The same as a scenario.
    pub script: Script,
    /// How many events were recorded.
    pub events: u64,
    /// How many connections came to stand.
    pub stood: u64,
}

impl<'e, E: Engine + ?Sized> World<'e, E> {
    /// A server that nobody has dialled yet. None: the configuration does not compile, and the finding says why.
    pub fn new(engine: &'e E, switches: Switches, seed: u64) -> Result<Self, Finding> {
        let mut random = Random::new(seed ^ 0x5e77_1465);
        let settings = Settings::draw(&switches, &mut random);
        let config = compile(&settings)?;
        let processes = processes(&switches, &mut random);
        let instance = identifier(&mut random);
        let product = Product::new(engine, &config, &processes, Id(instance));
        let script = Script::new(&switches);
        let ports = TUNNELS.len() * PORTS;
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
            told: Vec::new(),
            calls: Vec::new(),
            mono: 1_000_000,
            offset: BEGINNING,
            chance: Random::new(seed),
            telling_again: false,
            uses: vec![Vec::new(); PEOPLE.len()],
            given_on: HashMap::new(),
            last_had: HashMap::new(),
            heard_at: Mono(0),
            heard_before: Mono(0),
            known: Default::default(),
            finding: None,
            trace: None,
            script,
            events: 0,
            stood: 0,
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

    /// One line of what happens, if somebody wants to read it.
    pub fn say(&mut self, text: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(text());
        }
    }

    /// One line of the scenario.
    fn write(&mut self, text: impl FnOnce(&Self) -> String) {
        if self.trace.is_some() {
            let text = text(self);
            self.script.line(self.mono, &text);
        }
    }

    /// Something is wrong. The first thing counts.
    pub fn found(&mut self, oracle: &'static str, what: String) {
        if self.finding.is_none() {
            self.say(|| format!("FOUND {oracle}: {what}"));
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
                    self.go_on(which);
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
            Kind::Double => self.double(),
            Kind::Drop => self.drop_online(),
            Kind::Fail => self.fail(),
            Kind::AddLink => self.add_link(),
            Kind::DropLink => self.drop_link(),
            Kind::Reauthenticate => self.reauthenticate(),
            Kind::Move => self.move_endpoint(),
            Kind::Away => {
                let which = self.chance.below(self.product.members.len());
                self.product.members[which].away = true;
                self.write(|_| "lock-ledger".to_owned());
                self.say(|| format!("process {which} cannot write"));
            }
            Kind::Back => {
                let which = self.chance.below(self.product.members.len());
                self.back(which);
            }
            Kind::Restart => self.restart(),
            Kind::Reload => self.reload(),
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
            self.go_on(which);
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
        self.write(|_| {
            let (sign, by) = (if by < 0 { '-' } else { '+' }, by.unsigned_abs() / 1000);
            format!("clock {sign}{:02}:{:02}:{:02}", by / 3600, by / 60 % 60, by % 60)
        });
        self.say(|| format!("the time of day is set by {by} ms"));
    }

    // Attempts.

    fn dial(&mut self) {
        let attempts = self.active.iter().filter(|&&of| self.connections[of].is_attempt()).count();
        let random = &mut self.chance;
        let who = if random.below(3) == 0 { random.below(3) } else { random.below(PEOPLE.len()) };
        let mut tunnel = random.below(TUNNELS.len());
        if TUNNELS[tunnel] == rasadmin_engine::Tunnel::Ikev2 && !self.switches.guids {
            // Only the newest form of the calls is used for IKEv2, and it carries the GUID.
            tunnel = 0;
        }
        let free = (tunnel * PORTS..(tunnel + 1) * PORTS).find(|&port| !self.ports[port]);
        let Some(port) = free.filter(|_| attempts < 8) else { return };
        let spelling = people::spell(PEOPLE[who], self.switches.forms_differ, random);
        let mut device = people::device(who, random);
        if TUNNELS[tunnel] == rasadmin_engine::Tunnel::Ikev2 && random.below(2) == 0 {
            device.computer = Name::default();
        }
        let wants = match random.below(8) {
            0..=4 => vec![Family::Ipv4],
            5 | 6 => vec![Family::Ipv4, Family::Ipv6],
            _ => vec![Family::Ipv6],
        };
        let guid = identifier(random);
        let handle = self.handle_for(port);
        self.ports[port] = true;
        let number = self.connections.len();
        self.connections.push(Connection {
            who,
            spelling,
            device,
            tunnel: TUNNELS[tunnel],
            handle,
            guid: self.switches.guids.then(|| Id(guid).to_string()),
            port,
            ports: vec![port],
            links: Vec::new(),
            wants,
            asked_on: [port; 2],
            held: [None; 2],
            phase: Phase::Addressing,
            busy: 0,
            dropped: false,
            dialled: Mono(self.mono),
            accepted: None,
            quarantine: Quarantine::Normal,
            told: Told::default(),
        });
        self.active.push(number);
        if self.trace.is_some() {
            let text = named(number, &self.connections[number]);
            self.say(|| format!("{text} dials"));
        }
    }

    /// A handle: those that are free are used again at once, but not where a late link hangup could not be told apart.
    fn handle_for(&mut self, port: usize) -> u64 {
        let confused = |handle: u64| self.links_due(handle, port);
        match self.free_handles.iter().rposition(|&handle| !confused(handle)) {
            Some(at) => self.free_handles.remove(at),
            None => {
                self.handles += 4;
                self.handles
            }
        }
    }

    fn links_due(&self, handle: u64, port: usize) -> bool {
        let of = |number: Number| self.connections[number].handle == handle;
        self.pending.iter().any(|due| due.note == Note::LinkHangup(port) && of(due.of))
            || self
                .calls
                .iter()
                .any(|call| matches!(call.subject, Subject::LinkHangup(number, p) if p == port && of(number)))
    }

    fn some_of(&mut self, fits: impl Fn(&Connection) -> bool) -> Option<Number> {
        let all: Vec<Number> = self.active.iter().copied().filter(|&of| fits(&self.connections[of])).collect();
        (!all.is_empty()).then(|| all[self.chance.below(all.len())])
    }

    fn advance(&mut self) {
        let late = self.switches.late_ipv6;
        let online = |c: &Connection| c.phase == Phase::Online && !c.wants.is_empty();
        let Some(of) = self.some_of(|c| c.busy == 0 && (c.is_attempt() || (late && online(c)))) else {
            return self.dial();
        };
        match self.connections[of].phase {
            Phase::Addressing | Phase::Online => self.ask_address(of),
            Phase::Connecting => {
                let event = Event::Connection(self.connection_event(of, Usage::default()));
                self.write(|_| format!("accept c{of}"));
                self.begin(of, Subject::Accept(of), event, Serial::Connections);
            }
            Phase::Linking => self.ask_link(of, self.connections[of].port),
            Phase::Gone => {}
        }
    }

    fn ask_address(&mut self, of: Number) {
        if self.is_busy(Serial::Addresses) {
            return;
        }
        let Some(&family) = self.connections[of].wants.first() else { return };
        let (offer, own) = match family {
            Family::Ipv4 => match self.offer_ipv4() {
                // RRAS's own pool is empty: no DLL is asked.
                None => return self.end(of),
                Some(0) => (Offer::Nothing, None),
                Some(number) => (Offer::Number(number), Some(number)),
            },
            Family::Ipv6 => self.offer_ipv6(),
        };
        if let Some(number) = own {
            self.taken.insert(Address { family, number }, of);
        }
        let on = self.connections[of].address_port();
        if on != self.connections[of].port {
            self.script.cannot("a protocol that comes up on another link's port");
        }
        self.connections[of].asked_on[family.index()] = on;
        let (user, port) = (self.connections[of].spelling.early.clone(), self.port_names[on].clone());
        let event = Event::Address(AddressEvent { user, port, family, offer });
        if self.trace.is_some() {
            self.script.address(self.mono, of, &self.connections[of], offer);
        }
        self.begin(of, Subject::Address(of, family, own), event, Serial::Addresses);
    }

    /// RRAS takes an address of its own; 0: it offers nothing; None: it has none.
    fn offer_ipv4(&mut self) -> Option<u64> {
        if self.chance.below(25) == 0 {
            return Some(0);
        }
        let free = |number: &u64| !self.taken.contains_key(&Address { family: Family::Ipv4, number: *number });
        (RRAS_POOL..RRAS_POOL + RRAS_POOL_SIZE).find(free)
    }

    fn offer_ipv6(&mut self) -> (Offer, Option<u64>) {
        let random = &mut self.chance;
        let number = random.any() | 1 << 40;
        match random.below(12) {
            0 | 1 => (Offer::Nothing, None),
            2 => (Offer::HighHalf(number), None),
            3 => (Offer::Number(0xfdff_ffff_ffff_ff80 + number % 0x80), None),
            _ => (Offer::Number(number), Some(number)),
        }
    }

    fn ask_link(&mut self, of: Number, port: usize) {
        let event = Event::Link(self.link_event(of, port, 0));
        self.write(|_| format!("link c{of} port={}", port_name(port)));
        self.begin(of, Subject::Link(of, port), event, Serial::Links);
    }

    fn connection_event(&self, of: Number, usage: Usage) -> ConnectionEvent {
        let c = &self.connections[of];
        let mut addresses: Vec<Address> = Vec::new();
        if self.switches.projection != Projection::Empty {
            addresses.extend(c.held.iter().flatten().map(|held| held.address));
        }
        if self.switches.projection == Projection::Both {
            addresses.push(Address { family: Family::Ipv4, number: SERVER_ADDRESS });
        }
        ConnectionEvent {
            handle: c.handle,
            guid: c.guid.clone(),
            user: c.spelling.late.clone(),
            domain: c.spelling.logon_domain.clone(),
            computer: c.device.computer.clone(),
            source: c.device.source.clone(),
            interface: InterfaceType::Client,
            ikev2: Some(c.is_ikev2()),
            quarantine: Some(c.quarantine),
            usage,
            addresses,
            prefix: None,
        }
    }

    fn link_event(&self, of: Number, port: usize, seconds: u64) -> LinkEvent {
        let c = &self.connections[of];
        LinkEvent {
            handle: c.handle,
            port: self.port_names[port].clone(),
            device: device_name(c.tunnel),
            tunnel: Some(c.tunnel),
            usage: Usage { seconds, ..Usage::default() },
        }
    }

    fn fail(&mut self) {
        if let Some(of) = self.some_of(Connection::is_attempt) {
            self.say(|| format!("attempt #{of} fails"));
            self.end(of);
        }
    }

    // Connections that stand.

    fn drop_online(&mut self) {
        if let Some(of) = self.some_of(|c| c.phase == Phase::Online) {
            self.say(|| format!("connection #{of} ends"));
            self.end(of);
        }
    }

    fn add_link(&mut self) {
        let Some(of) =
            self.some_of(|c| c.phase == Phase::Online && !c.is_ikev2() && c.busy == 0 && !c.links.is_empty())
        else {
            return;
        };
        if self.is_busy(Serial::Links) {
            return;
        }
        let (handle, tunnel) = (self.connections[of].handle, self.connections[of].port / PORTS);
        let ports = tunnel * PORTS..(tunnel + 1) * PORTS;
        let Some(port) = ports.into_iter().find(|&port| !self.ports[port] && !self.links_due(handle, port)) else {
            return;
        };
        self.ports[port] = true;
        self.connections[of].ports.push(port);
        self.ask_link(of, port);
    }

    fn drop_link(&mut self) {
        let Some(of) = self.some_of(|c| c.phase == Phase::Online && c.links.len() > 1) else { return };
        let which = self.chance.below(self.connections[of].links.len());
        let port = self.connections[of].links.remove(which);
        self.connections[of].ports.retain(|&other| other != port);
        self.ports[port] = false;
        self.pending.push(Pending { of, note: Note::LinkHangup(port), again: false });
        self.write(|_| format!("unlink c{of} port={} lose=link", port_name(port)));
        self.say(|| format!("connection #{of} loses its link on {}", port_name(port)));
    }

    fn reauthenticate(&mut self) {
        let Some(of) = self.some_of(|c| c.phase == Phase::Online && c.busy == 0) else { return };
        let quarantine = match self.chance.below(3) {
            0 => Quarantine::Quarantine,
            1 => Quarantine::Probation,
            _ => Quarantine::Normal,
        };
        if self.is_busy(Serial::Reauthentications) {
            return;
        }
        self.connections[of].quarantine = quarantine;
        self.write(|_| {
            let quarantine = format!("{quarantine:?}").to_lowercase();
            format!("reauthenticate c{of} quarantine={quarantine}")
        });
        let event = Event::Reauthentication(self.connection_event(of, Usage::default()));
        self.begin(of, Subject::Reauthenticate(of, quarantine), event, Serial::Reauthentications);
    }

    fn move_endpoint(&mut self) {
        let Some(of) = self.some_of(|c| c.phase == Phase::Online && c.busy == 0 && c.is_ikev2()) else { return };
        if self.is_busy(Serial::EndpointChanges) {
            return;
        }
        let source = people::source(self.connections[of].who, &mut self.chance);
        self.connections[of].device.source.clone_from(&source);
        self.write(|_| format!("move c{of} to={source}"));
        let event = Event::EndpointChange(self.connection_event(of, Usage::default()));
        self.begin(of, Subject::Move(of, source), event, Serial::EndpointChanges);
    }

    /// The end of a connection or an attempt, in truth. While a call of it is under way it waits for that.
    fn end(&mut self, of: Number) {
        let c = &mut self.connections[of];
        if c.phase == Phase::Gone {
            return;
        }
        if c.busy > 0 {
            c.dropped = true;
            return;
        }
        let began = c.accepted.is_some() || c.held.iter().any(Option::is_some);
        c.phase = Phase::Gone;
        if began {
            self.write(|_| format!("hangup c{of} lose=link,connection,release"));
        }
        let c = &mut self.connections[of];
        let due = |note| Pending { of, note, again: false };
        self.pending.extend(c.links.drain(..).map(|port| due(Note::LinkHangup(port))));
        let seconds = c.accepted.map(|accepted| (self.mono - accepted.0) / 1000);
        self.pending.extend(seconds.map(|seconds| due(Note::Hangup(seconds))));
        let hangup = |due: &Pending| due.of == of && matches!(due.note, Note::Hangup(_));
        let handle_is_due = self.pending.iter().any(hangup);
        for port in c.ports.drain(..) {
            self.ports[port] = false;
        }
        let handle = c.handle;
        for held in c.held.iter().flatten().copied().collect::<Vec<_>>() {
            self.pending.push(due(Note::Release(held)));
            if !held.own || self.switches.early_pool {
                self.give_back(of, held.address);
            }
        }
        // Without a GUID nothing but the handle tells whose hangup it is.
        if self.switches.guids || !handle_is_due {
            self.free_handles.push(handle);
        }
    }

    /// RRAS's pool has an address back.
    fn give_back(&mut self, of: Number, address: Address) {
        if self.taken.get(&address) == Some(&of) {
            self.taken.remove(&address);
        }
    }

    // Notifications.

    /// Tells what is due, or what is due before it.
    fn deliver(&mut self, which: usize) {
        let mut which = which;
        let of = self.pending[which].of;
        if !self.switches.disorder {
            which = self.pending.iter().position(|due| due.of == of).unwrap_or(which);
            if self.connections[of].busy > 0 {
                return;
            }
        }
        let due = self.pending[which];
        let serial = match due.note {
            Note::LinkHangup(_) => Serial::LinkHangups,
            Note::Hangup(_) => Serial::Connections,
            Note::Release(_) => Serial::Addresses,
        };
        if self.is_busy(serial) {
            return;
        }
        let confusing = self.is_confusing(due);
        if due.again || !confusing {
            self.pending.remove(which);
        }
        if confusing {
            return;
        }
        self.told.push(due);
        if self.told.len() > 8 {
            self.told.remove(0);
        }
        self.tell_note(due, serial);
    }

    fn tell_note(&mut self, due: Pending, serial: Serial) {
        let of = due.of;
        self.write(|_| match due.note {
            Note::LinkHangup(port) => format!("deliver c{of} link port={}", port_name(port)),
            Note::Hangup(_) => format!("deliver c{of} connection"),
            Note::Release(_) => format!("deliver c{of} release"),
        });
        let (subject, event) = match due.note {
            Note::LinkHangup(port) => (Subject::LinkHangup(of, port), Event::LinkHangup(self.link_event(of, port, 1))),
            Note::Hangup(seconds) => {
                let odd = self.switches.odd_durations && self.chance.below(4) == 0;
                let octets = 1000 * (1 + of as u64 % 97) * (1 + seconds.min(1000));
                let seconds = if odd { 0xffff_ffff } else { seconds };
                let usage = Usage {
                    seconds,
                    input_octets: octets,
                    output_octets: 2 * octets,
                    input_packets: octets / 900,
                    output_packets: octets / 500,
                };
                (Subject::Hangup(of, usage), Event::Hangup(self.connection_event(of, usage)))
            }
            Note::Release(held) => {
                let c = &self.connections[of];
                let on = c.asked_on[held.address.family.index()];
                let (user, port) = (c.spelling.early.clone(), self.port_names[on].clone());
                let event = Event::Release(ReleaseEvent { user, port, address: Some(held.address) });
                (Subject::Release(of, held.address), event)
            }
        };
        self.telling_again = due.again;
        self.begin(of, subject, event, serial);
        self.telling_again = false;
    }

    /// Would nothing that is told set it apart from what concerns a newer connection? Then RRAS does not tell it now.
    fn is_confusing(&self, due: Pending) -> bool {
        let old = &self.connections[due.of];
        let others = || self.active.iter().filter(|&&of| of != due.of).map(|&of| &self.connections[of]);
        match due.note {
            Note::LinkHangup(port) => {
                let links = |c: &Connection| c.told.links.iter().any(|(on, _)| *on == port);
                let newer =
                    |c: &Connection| c.handle == old.handle && (c.ports.contains(&port) || links(c) || due.again);
                (due.again && old.ports.contains(&port)) || others().any(newer)
            }
            Note::Hangup(_) => {
                let lives = |c: &Connection| c.phase != Phase::Gone || c.told.lives() != crate::told::Lives::No;
                !self.switches.guids && (due.again || others().any(|c| c.handle == old.handle && lives(c)))
            }
            Note::Release(Held { address, .. }) => {
                let at = address.family.index();
                let of = |c: &Connection| c.told.leases[at].filter(|lease| lease.number == address.number);
                let Some(own) = of(old) else { return false };
                // One that has it, also if that could not be recorded yet.
                let has = |c: &Connection| {
                    let told = of(c).filter(|lease| lease.at != own.at).map(|lease| lease.at.mono);
                    told.or_else(|| c.held[at].filter(|held| held.address == address).map(|_| Mono(self.mono)))
                };
                let newer = others().filter(|c| c.asked_on[at] == old.asked_on[at] && c.phase != Phase::Gone);
                let Some(newer) = newer.filter_map(has).next() else { return false };
                // It is set apart where the product still waits for it: the last release of a port that it misses.
                let given = self.given_on.get(&(old.asked_on[at], address.family));
                // Another's of the same address may have been taken for it.
                let between = given
                    .into_iter()
                    .flatten()
                    .any(|&(on, number)| own.at.mono < on && on < newer || number == own.number && on < own.at.mono);
                due.again || own.released || between
            }
        }
    }

    /// What is told of it is over: RRAS can use its things again.
    fn settle(&mut self, due: Pending) {
        if due.again {
            return;
        }
        match due.note {
            Note::LinkHangup(_) => {}
            Note::Hangup(_) => {
                if !self.switches.guids {
                    self.free_handles.push(self.connections[due.of].handle);
                }
            }
            Note::Release(held) => self.give_back(due.of, held.address),
        }
    }

    fn lose(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let which = self.chance.below(self.pending.len());
        let due = self.pending.remove(which);
        if !due.again {
            self.connections[due.of].told.lost = true;
        }
        self.settle(due);
        self.say(|| format!("lost: {:?} of #{}", due.note, due.of));
    }

    fn double(&mut self) {
        if !self.told.is_empty() {
            let which = self.chance.below(self.told.len());
            self.pending.push(Pending { again: true, ..self.told[which] });
        }
    }

    // Calls.

    fn is_busy(&self, serial: Serial) -> bool {
        self.calls.iter().any(|call| call.serial == serial)
    }

    fn begin(&mut self, of: Number, subject: Subject, event: Event, serial: Serial) {
        if self.is_busy(serial) {
            return;
        }
        self.connections[of].busy += 1;
        self.calls.push(Call { of, subject, event, serial, begun: self.mono, again: self.telling_again, answer: None });
        if !self.switches.overlap {
            let which = self.calls.len() - 1;
            self.go_on(which);
            self.go_on(which);
        }
    }

    /// A call goes on: it is decided, or its answer reaches RRAS.
    fn go_on(&mut self, which: usize) {
        if self.calls[which].answer.is_none() {
            let (subject, event) = (self.calls[which].subject.clone(), self.calls[which].event.clone());
            let answer = self.tell(subject, event);
            self.calls[which].answer = Some(answer);
            return;
        }
        let call = self.calls.remove(which);
        self.connections[call.of].busy -= 1;
        self.answered(call);
    }

    fn answered(&mut self, call: Call) {
        let of = call.of;
        let answer = call.answer.unwrap_or(Answer::Nothing);
        let accepted = answer == Answer::Accept;
        let another = self.switches.another_dll && self.chance.below(10) == 0;
        match call.subject {
            Subject::Address(_, family, offered) => self.address_answered(of, family, offered, &answer),
            Subject::Accept(_) if accepted && !another => {
                let linked = !self.connections[of].is_ikev2() || self.switches.ikev2_links;
                let c = &mut self.connections[of];
                c.accepted = Some(Mono(self.mono));
                c.phase = if linked { Phase::Linking } else { Phase::Online };
                self.stood += u64::from(!linked);
            }
            Subject::Accept(_) => {
                let hangup = self.switches.hangup_of_rejected;
                if hangup {
                    self.pending.push(Pending { of, note: Note::Hangup(0), again: false });
                } else if accepted {
                    self.connections[of].told.lost = true;
                }
                self.end(of);
            }
            Subject::Link(_, port) if accepted && !another => {
                let c = &mut self.connections[of];
                c.links.push(port);
                if c.phase == Phase::Linking {
                    c.phase = Phase::Online;
                    self.stood += 1;
                }
            }
            Subject::Link(_, port) => {
                if accepted {
                    self.pending.push(Pending { of, note: Note::LinkHangup(port), again: false });
                }
                if self.connections[of].phase == Phase::Linking {
                    self.end(of);
                } else {
                    self.connections[of].ports.retain(|&other| other != port);
                    self.ports[port] = false;
                }
            }
            Subject::Reauthenticate(..) | Subject::Move(..) => {
                if !accepted {
                    self.end(of);
                }
            }
            Subject::LinkHangup(..) | Subject::Other => {}
            Subject::Hangup(..) => self.settle(Pending { of, note: Note::Hangup(0), again: call.again }),
            Subject::Release(_, address) => self.give_back(of, address),
        }
        if self.connections[of].dropped && self.connections[of].busy == 0 {
            self.end(of);
        }
    }

    fn address_answered(&mut self, of: Number, family: Family, offered: Option<u64>, answer: &Answer) {
        self.connections[of].wants.retain(|&wanted| wanted != family);
        let own = offered.map(|number| Address { family, number });
        let number = match answer {
            Answer::Address(given) => Some(given.number),
            Answer::AsOffered => offered,
            _ => None,
        };
        if *answer == Answer::Reject || *answer == Answer::Accept || *answer == Answer::Nothing {
            if let Some(own) = own {
                self.give_back(of, own);
            }
            return self.end(of);
        }
        if let Some(number) = number {
            let address = Address { family, number };
            let kept = offered == Some(number);
            if let Some(own) = own.filter(|_| !kept) {
                self.give_back(of, own);
            }
            let held = Held { address, own: kept };
            let server = family == Family::Ipv4 && (number == 0 || number == SERVER_ADDRESS);
            let another = self.taken.get(&address).is_some_and(|&other| other != of);
            if server || another {
                // Errors 1168 and 735: notify_release was set, so what was written is released.
                self.say(|| format!("RRAS refuses {number:#x} to #{of}"));
                self.pending.push(Pending { of, note: Note::Release(Held { own: false, ..held }), again: false });
                return self.end(of);
            }
            self.taken.insert(address, of);
            self.connections[of].held[family.index()] = Some(held);
        }
        let c = &mut self.connections[of];
        let later = self.switches.late_ipv6 && c.wants == [Family::Ipv6];
        if c.phase == Phase::Addressing && (c.wants.is_empty() || later) {
            c.phase = Phase::Connecting;
        }
    }

    // The product.

    /// The process that is called for an event.
    fn member_for(&self, event: &Event) -> usize {
        if matches!(event, Event::Address(_) | Event::Release(_)) { 0 } else { self.product.members.len() - 1 }
    }

    /// One call into the product.
    pub fn tell(&mut self, subject: Subject, event: Event) -> Answer {
        let member = self.member_for(&event);
        self.events += 1;
        // No two events at one moment: by their moments leases and sessions are told apart.
        self.mono += 1;
        if self.product.members[member].away {
            let now = self.now();
            let answer = self.product.answer_alone(member, subject.clone(), event.clone(), &now);
            self.say_event(&subject, &event, &answer, "waits");
            return answer;
        }
        self.write_what_waits(member);
        let now = self.now();
        self.time_passes(now.at, false);
        let expected = self.expect(member, &subject, &event, now.at);
        let answer = match self.product.record(member, &event, &now) {
            Ok(answer) => answer,
            Err(what) => {
                self.say(|| format!("{:>9} {subject:?} {event:?}", now.at.mono.0));
                self.found("always: what is told is recorded and answered", what);
                return Answer::Nothing;
            }
        };
        self.say_event(&subject, &event, &answer, "");
        self.heard(member, &subject, &answer, now.at, false);
        self.compare(member, &subject, &expected, &answer);
        self.always(member, now.at);
        answer
    }

    fn write_what_waits(&mut self, member: usize) {
        self.product.catch_up(member);
        while let Some((subject, waited)) = self.product.record_late(member) {
            self.say_event(&subject, &waited.event, &waited.answer, "is written");
            self.heard(member, &subject, &waited.answer, waited.at, true);
            self.always(member, waited.at);
        }
    }

    fn say_event(&mut self, subject: &Subject, event: &Event, answer: &Answer, how: &str) {
        if self.trace.is_none() {
            return;
        }
        let at = self.stamp();
        let effects = self.product.journal.last().filter(|record| record.event == *event).map(|record| &record.effects);
        let text = format!("{:>9} {} {subject:?} {event:?} -> {answer:?} {how} {effects:?}", at.mono.0, at.time);
        self.say(|| text);
    }

    fn back(&mut self, member: usize) {
        if self.product.members[member].away {
            self.say(|| format!("process {member} can write again"));
            self.product.members[member].away = false;
            self.write(|_| "unlock-ledger".to_owned());
            self.write_what_waits(member);
        }
    }

    fn start_instance(&mut self) {
        let event = Event::InstanceStarted { instance: self.product.instance };
        self.tell(Subject::Other, event);
    }

    /// RRAS's processes are killed. Nothing of what they had is ever told.
    fn restart(&mut self) {
        self.write(|_| "kill".to_owned());
        self.write(|_| "restart".to_owned());
        self.say(|| "the service is killed, and starts".to_owned());
        let at = self.stamp();
        for of in std::mem::take(&mut self.active) {
            self.connections[of].phase = Phase::Gone;
            self.count_estimate(of, at);
            self.connections[of].told.over = true;
        }
        self.calls.clear();
        self.pending.clear();
        self.told.clear();
        self.taken.clear();
        self.given_on.clear();
        self.last_had.clear();
        self.known = Default::default();
        self.free_handles.clear();
        self.handles = 0x10;
        self.ports.fill(false);
        let power_cut = self.switches.reboots && self.switches.power_cuts && self.chance.below(2) == 0;
        let lost = if power_cut { self.chance.below(6) } else { 0 };
        if self.switches.reboots {
            let time = at.time + 30_000;
            self.mono = 2_000 + self.chance.below(60_000) as u64;
            self.offset = time - i64::try_from(self.mono).unwrap_or(0);
        } else {
            self.mono += 1_000 + self.chance.below(100_000) as u64;
        }
        let processes = processes(&self.switches, &mut self.chance);
        let instance = Id(identifier(&mut self.chance));
        self.product.restart(&self.config, &processes, instance, lost);
        self.start_instance();
        self.nothing_is_left("a new instance");
    }

    fn reload(&mut self) {
        self.script.cannot("a configuration that changes");
        let mut random = Random::new(self.chance.any());
        let settings = self.settings.reshape(&self.switches, &mut random);
        match compile(&settings) {
            Ok(config) => {
                self.settings = settings;
                self.config = config.clone();
                for member in 0..self.product.members.len() {
                    self.product.reload(member, &config);
                }
                let text = self.settings.text();
                self.say(|| format!("another configuration is read:\n{text}"));
            }
            Err(finding) => self.finding = Some(finding),
        }
    }

    /// All that was begun ends, and all that is due is told, as far as it was not lost.
    pub fn quiesce(&mut self) {
        self.say(|| "everything ends, and is told".to_owned());
        self.chance = Random::new(self.mono);
        for member in 0..self.product.members.len() {
            self.back(member);
        }
        while !self.calls.is_empty() {
            self.go_on(0);
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
                self.go_on(0);
            }
            turns += 1;
        }
        for _ in 0..3 {
            self.mono += 6 * 60 * 1000;
            self.tell(Subject::Other, Event::Lost { events: 0 });
        }
        if self.pending.is_empty() {
            self.all_is_over();
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
