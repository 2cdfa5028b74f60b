//! Attempts: a client dials, and RRAS asks for addresses, a connection and a link.

use super::{Subject, World, identifier};
use crate::people;
use crate::people::PEOPLE;
use crate::product::Engine;
use crate::reported::Reported;
use crate::rras::{Connection, Notification, Number, PORTS, Phase, Serial, device_name, port_name};
use crate::scenario::named;
use crate::settings::{RRAS_POOL, RRAS_POOL_SIZE, SERVER_ADDRESS};
use crate::switches::Projection;
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::{AddressEvent, ConnectionEvent, LinkEvent, Offer};
use rasadmin_engine::{Event, Id, InterfaceType, Mono, Name, Quarantine, Tunnel};

impl<E: Engine + ?Sized> World<'_, E> {
    pub(super) fn dial(&mut self) {
        let attempts = self.active.iter().filter(|&&of| self.connections[of].is_attempt()).count();
        let random = &mut self.chance;
        let person = if random.below(3) == 0 { random.below(3) } else { random.below(PEOPLE.len()) };
        let mut tunnel = random.below(Tunnel::ALL.len());
        if Tunnel::ALL[tunnel] == Tunnel::Ikev2 && !self.switches.guids {
            // Only the newest form of the calls is used for IKEv2, and it carries the GUID.
            tunnel = 0;
        }
        let free = (tunnel * PORTS..(tunnel + 1) * PORTS).find(|&port| !self.ports[port]);
        let Some(port) = free.filter(|_| attempts < 8) else { return };
        let mut spelling = people::spell(PEOPLE[person], self.switches.forms_differ, random);
        let ikev2 = Tunnel::ALL[tunnel] == Tunnel::Ikev2;
        if self.switches.certificates && ikev2 && random.below(2) == 0 {
            spelling = people::spell_certificate(person, spelling);
        }
        let mut device = people::device(person, random);
        if ikev2 && random.below(2) == 0 {
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
            person,
            spelling,
            device,
            tunnel: Tunnel::ALL[tunnel],
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
            asked: None,
            accepted: None,
            silent: None,
            quarantine: Quarantine::Normal,
            reported: Reported::default(),
        });
        self.active.push(number);
        if self.trace.is_some() {
            let text = named(number, &self.connections[number]);
            self.log(|| format!("{text} dials"));
        }
    }

    /// Returns a handle. Free handles are reused at once, unless a late link hangup would then be ambiguous.
    pub(super) fn handle_for(&mut self, port: usize) -> u64 {
        let confused = |handle: u64| self.links_due(handle, port);
        match self.free_handles.iter().rposition(|&handle| !confused(handle)) {
            Some(at) if !self.switches.fresh_handles => self.free_handles.remove(at),
            _ => {
                self.handles += 4;
                self.handles
            }
        }
    }

    pub(super) fn links_due(&self, handle: u64, port: usize) -> bool {
        let of = |number: Number| self.connections[number].handle == handle;
        self.pending.iter().any(|due| due.notification == Notification::LinkHangup(port) && of(due.of))
            || self
                .calls
                .iter()
                .any(|call| matches!(call.subject, Subject::LinkHangup(number, p) if p == port && of(number)))
    }

    pub(super) fn some_of(&mut self, fits: impl Fn(&Connection) -> bool) -> Option<Number> {
        let all: Vec<Number> = self.active.iter().copied().filter(|&of| fits(&self.connections[of])).collect();
        (!all.is_empty()).then(|| all[self.chance.below(all.len())])
    }

    pub(super) fn advance(&mut self) {
        let late = self.switches.late_ipv6;
        let online = |c: &Connection| c.phase == Phase::Online && c.silent.is_none() && !c.wants.is_empty();
        let Some(of) = self.some_of(|c| c.busy == 0 && (c.is_attempt() || (late && online(c)))) else {
            return self.dial();
        };
        match self.connections[of].phase {
            Phase::Addressing | Phase::Online => self.ask_address(of),
            Phase::Connecting => {
                let event = Event::Connection(self.connection_event(of, Usage::default()));
                self.connections[of].asked = Some(Mono(self.mono));
                self.script_line(|_| format!("accept c{of}"));
                self.begin(of, Subject::Accept(of), event, Serial::Connections);
            }
            Phase::Linking => self.ask_link(of, self.connections[of].port),
            Phase::Gone => {}
        }
    }

    pub(super) fn ask_address(&mut self, of: Number) {
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

    /// RRAS's own offer: 0 means that it offers nothing, `None` that its pool is empty.
    pub(super) fn offer_ipv4(&mut self) -> Option<u64> {
        if self.chance.below(25) == 0 {
            return Some(0);
        }
        let free = |number: &u64| !self.taken.contains_key(&Address { family: Family::Ipv4, number: *number });
        (RRAS_POOL..RRAS_POOL + RRAS_POOL_SIZE).find(free)
    }

    pub(super) fn offer_ipv6(&mut self) -> (Offer, Option<u64>) {
        let random = &mut self.chance;
        let number = random.any() | 1 << 40;
        match random.below(12) {
            0 | 1 => (Offer::Nothing, None),
            // Such an offer is not recorded. If no connection shows it either, what another connection of the user
            // left on the port looks like this connection's address.
            2 if self.switches.projection != Projection::Empty => (Offer::HighHalf(number), None),
            3 => (Offer::Number(0xfdff_ffff_ffff_ff80 + number % 0x80), None),
            _ => (Offer::Number(number), Some(number)),
        }
    }

    pub(super) fn ask_link(&mut self, of: Number, port: usize) {
        let event = Event::Link(self.link_event(of, port, 0));
        self.script_line(|_| format!("link c{of} port={}", port_name(port)));
        self.begin(of, Subject::Link(of, port), event, Serial::Links);
    }

    pub(super) fn connection_event(&self, of: Number, usage: Usage) -> ConnectionEvent {
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
            ikev2: Some(self.is_flagged(c)),
            quarantine: Some(c.quarantine),
            usage,
            addresses,
            prefix: None,
        }
    }

    /// Do the connection's own calls show that it is IKEv2?
    pub fn is_flagged(&self, c: &Connection) -> bool {
        c.is_ikev2() && !self.switches.ikev2_unflagged
    }

    pub(super) fn link_event(&self, of: Number, port: usize, seconds: u64) -> LinkEvent {
        let c = &self.connections[of];
        LinkEvent {
            handle: c.handle,
            port: self.port_names[port].clone(),
            device: device_name(c.tunnel),
            tunnel: Some(c.tunnel),
            usage: Usage { seconds, ..Usage::default() },
        }
    }

    pub(super) fn fail(&mut self) {
        if let Some(of) = self.some_of(Connection::is_attempt) {
            self.log(|| format!("attempt #{of} fails"));
            self.end(of);
        }
    }
}
