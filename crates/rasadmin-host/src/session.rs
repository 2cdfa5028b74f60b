//! One connection from authentication to the release of its addresses.

use crate::address::{Client, Given, IdentifierOffer, Offer, identifier};
use crate::farewell::{Delivery, Part};
use crate::fill::{self, ConnectionFacts, LinkFacts, Tunnel};
use crate::pool::{Serial, Taken};
use crate::readings::{self, HangupOrder, IdentifierHalf, Ikev2Computer, Ikev2Link, UserForm};
pub use crate::refused::{Refused, Released};
use crate::service::{Service, lock};
use mprapi::abi::{ALLOW_NO_AUTH, REVISION_2};
use mprapi::{FunctionId as F, Profile};
use std::net::Ipv4Addr;

/// Who wants to connect, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The user's name: `user`, `DOMAIN\user`, `user@suffix` or `host/pc`.
    pub user: String,
    /// As the address calls carry it; None: as the reading `user-form` says.
    pub address_user: Option<String>,
    /// wszLogonDomain.
    pub domain: String,
    /// wszRemoteComputer: empty for some clients for good.
    pub computer: String,
    /// The tunnel.
    pub tunnel: Tunnel,
    /// The client's public address.
    pub from: String,
    /// Does it negotiate IPv6?
    pub ipv6: bool,
    /// What RRAS offers.
    pub offer: Offer,
    /// What RRAS offers for IPv6.
    pub ipv6_offer: IdentifierOffer,
    /// ROUTER_IF_TYPE_*.
    pub interface_type: i32,
    /// RAS_QUAR_STATE_*.
    pub quarantine: i32,
    /// Ask for pre-authentication (SSTP only).
    pub pre_authentication: bool,
    /// Its first port, whoever uses it; None: the lowest that is free.
    pub port: Option<String>,
    /// hConnection; None: as the reading `handles` says.
    pub handle: Option<u64>,
    /// Its GUID, as bytes in memory; None: one that no other connection has.
    pub guid: Option<[u8; 16]>,
    /// Is AcceptNewLink called for its first link at once? None: yes, but for IKEv2 as the reading `ikev2-link` says.
    pub first_link: Option<bool>,
}

impl Request {
    /// An ordinary client.
    pub fn new(user: impl Into<String>, tunnel: Tunnel) -> Self {
        Self {
            user: user.into(),
            address_user: None,
            domain: String::new(),
            computer: String::new(),
            tunnel,
            from: "203.0.113.1".into(),
            ipv6: false,
            offer: Offer::FromPool,
            ipv6_offer: IdentifierOffer::Own,
            interface_type: mprapi::abi::ROUTER_IF_TYPE_CLIENT,
            quarantine: mprapi::abi::RAS_QUAR_STATE_NORMAL,
            pre_authentication: false,
            port: None,
            handle: None,
            guid: None,
            first_link: None,
        }
    }
}

/// A connection: asked for, live, or ended.
#[derive(Debug)]
pub struct Session {
    facts: ConnectionFacts,
    /// No other connection of the run has it.
    serial: Serial,
    /// As the address calls carry the user.
    user: String,
    /// The port of the address calls.
    port: String,
    /// Its first port, until its link is asked for.
    first: Option<Port>,
    first_link: bool,
    /// Those that were accepted and live.
    links: Vec<Port>,
    /// Those that were accepted and ended.
    ended_links: Vec<LinkFacts>,
    /// Was it accepted?
    connected: bool,
    half: IdentifierHalf,
    ipv4: Option<Given<Ipv4Addr>>,
    ipv6: Option<Given<[u8; 16]>>,
    /// Was it let in without authentication?
    pub pre_authenticated: bool,
}

#[derive(Debug)]
struct Port {
    facts: LinkFacts,
    /// What is given back at its end, if it is ours.
    taken: Option<Taken>,
}

impl Session {
    /// The client's IPv4 address.
    pub fn ipv4(&self) -> Option<Ipv4Addr> {
        self.ipv4.map(|given| given.address)
    }

    /// The client's IPv6 identifier, in the IN6_ADDR that was exchanged.
    pub fn ipv6(&self) -> Option<[u8; 16]> {
        self.ipv6.map(|given| given.address)
    }

    /// The half of it that carries the interface identifier.
    pub fn identifier(&self) -> Option<[u8; 8]> {
        self.ipv6().map(|address| identifier(address, self.half))
    }

    /// Does it wait for the call of its first link?
    pub fn waits_for_first_link(&self) -> bool {
        self.first.is_some()
    }

    /// The name of its first port.
    pub fn port(&self) -> &str {
        &self.port
    }

    /// How many links it has.
    pub fn links(&self) -> usize {
        self.links.len()
    }

    /// Its tunnel.
    pub fn tunnel(&self) -> Tunnel {
        self.facts.tunnel
    }

    /// hConnection.
    pub fn handle(&self) -> u64 {
        self.facts.handle
    }

    /// Its GUID, as bytes in memory.
    pub fn guid(&self) -> [u8; 16] {
        self.facts.guid
    }

    /// Sets what will be reported as used and how long it has lasted (seconds).
    pub fn used(&mut self, duration: u32, received: u64, sent: u64) {
        self.facts.duration = duration;
        (self.facts.received, self.facts.sent) = (received, sent);
        let count = self.links.len().max(1) as u64;
        for link in &mut self.links {
            link.facts.duration = duration;
            (link.facts.received, link.facts.sent) = (received / count, sent / count);
        }
    }

    fn client(&self) -> Client<'_> {
        Client { user: &self.user, port: &self.port, tunnel: self.facts.tunnel, serial: self.serial }
    }
}

/// A user's name without its domain.
fn bare(user: &str) -> &str {
    let user = user.split_once('\\').map_or(user, |(_, name)| name);
    user.split_once('@').map_or(user, |(name, _)| name)
}

impl Service {
    /// A user has authenticated and connects: addresses, AcceptNewConnection, and at once AcceptNewLink for its first
    /// link.
    pub fn connect(&self, request: &Request) -> Result<Session, Refused> {
        self.accept(self.ask_addresses(request)?)
    }

    /// A user has authenticated: the addresses alone.
    pub fn ask_addresses(&self, request: &Request) -> Result<Session, Refused> {
        let readings = self.readings;
        let serial = self.fresh_handle();
        let handle = request.handle.unwrap_or_else(|| self.connection_handle(serial));
        let ikev2 = request.tunnel == Tunnel::Ikev2;
        let (mut user, mut domain, mut address_user) = (&*request.user, &*request.domain, &*request.user);
        match readings.user_form {
            UserForm::Same => {}
            UserForm::BareAtAddress => address_user = bare(user),
            UserForm::BareAtConnection => {
                domain = user.split_once('\\').map_or(domain, |(domain, _)| domain);
                user = bare(user);
            }
        }
        let nameless = ikev2 && readings.ikev2_computer == Ikev2Computer::Empty;
        let facts = ConnectionFacts {
            handle,
            user: user.to_owned(),
            domain: domain.to_owned(),
            remote_computer: if nameless { String::new() } else { request.computer.clone() },
            interface_type: request.interface_type,
            tunnel: request.tunnel,
            guid: request.guid.unwrap_or_else(|| guid_of(serial)),
            quarantine: request.quarantine,
            remote_endpoint: request.from.clone(),
            local_endpoint: "192.0.2.1".into(),
            readings,
            ..ConnectionFacts::default()
        };
        let pre_authenticated =
            request.pre_authentication && request.tunnel == Tunnel::Sstp && self.pre_authenticate(&facts);
        let first = self.new_port(&facts, request.port.as_deref());
        let called = !(ikev2 && readings.ikev2_link == Ikev2Link::NotCalled);
        let high = request.ipv6_offer == IdentifierOffer::HighOnly;
        let mut session = Session {
            facts,
            serial,
            user: request.address_user.clone().unwrap_or_else(|| address_user.to_owned()),
            port: first.facts.port.clone(),
            first: Some(first),
            first_link: request.first_link.unwrap_or(called),
            links: Vec::new(),
            ended_links: Vec::new(),
            connected: false,
            half: if high { IdentifierHalf::High } else { readings.identifier_half },
            ipv4: None,
            ipv6: None,
            pre_authenticated,
        };
        let offer = match (request.offer, readings.ipv4_offer) {
            (Offer::FromPool, readings::Ipv4Offer::Zero) => Offer::Nothing,
            (offer, _) => offer,
        };
        let asked = self.ipv4(session.client(), offer).and_then(|ipv4| {
            session.ipv4 = Some(ipv4);
            if request.ipv6 {
                let offer = self.identifier_offer(request.ipv6_offer, serial);
                session.ipv6 = Some(self.ipv6(session.client(), offer, session.half)?);
            }
            Ok(())
        });
        if let Err(refused) = asked {
            self.end(&mut session, Delivery::only(Part::Release));
            return Err(refused);
        }
        let pool = lock(&self.pool);
        session.facts.ipv4 = session.ipv4();
        session.facts.server_ipv4 = Some(pool.server);
        session.facts.ipv6_prefix = pool.ipv6_prefix;
        session.facts.ipv6_identifier = session.identifier();
        drop(pool);
        Ok(session)
    }

    /// AcceptNewConnection for a session that has its addresses, and AcceptNewLink for its first link.
    pub fn accept(&self, mut session: Session) -> Result<Session, Refused> {
        if let Err(dll) = self.ask_connection(&session.facts) {
            self.tell_of_rejected_connection(&session.facts, dll);
            self.end(&mut session, Delivery::only(Part::Release));
            return Err(Refused::Connection(dll));
        }
        session.connected = true;
        if session.first_link {
            return self.first_link(session, None).map_err(|(refused, _)| refused);
        }
        Ok(session)
    }

    /// AcceptNewLink for the first link, at another port than that of the address calls if one is named. On a rejection
    /// the connection ends.
    pub fn first_link(&self, mut session: Session, port: Option<&str>) -> Result<Session, (Refused, Released)> {
        let first = match (session.first.take(), port) {
            (Some(first), Some(name)) if first.facts.port != name => {
                self.close_port(&first);
                self.new_port(&session.facts, Some(name))
            }
            (Some(first), _) => first,
            (None, name) => self.new_port(&session.facts, name),
        };
        match self.ask_link(session.facts.tunnel, &first.facts) {
            Ok(()) => {
                session.links.push(first);
                Ok(session)
            }
            Err(dll) => {
                if self.tells_of_rejected_first_link() {
                    self.tell_connection_hangup(&session.facts, 0..self.about().len());
                }
                self.close_port(&first);
                let released = self.end(&mut session, Delivery::only(Part::Release));
                Err((Refused::FirstLink(dll), released))
            }
        }
    }

    /// A further link (multilink). `Err` has the DLL that rejected it; the connection stands.
    pub fn add_link(&self, session: &mut Session) -> Result<(), usize> {
        self.add_link_on(session, None)
    }

    /// A further link, on this port if one is named.
    pub fn add_link_on(&self, session: &mut Session, port: Option<&str>) -> Result<(), usize> {
        let port = self.new_port(&session.facts, port);
        match self.ask_link(session.facts.tunnel, &port.facts) {
            Ok(()) => {
                session.links.push(port);
                Ok(())
            }
            Err(dll) => {
                self.close_port(&port);
                Err(dll)
            }
        }
    }

    /// The last further link ends. Does nothing if there is only the first.
    pub fn drop_link(&self, session: &mut Session) {
        if session.links.len() > 1 {
            self.drop_link_on(session, None, 1);
        }
    }

    /// The link on this port ends, the last one if none is named; LinkHangupNotification comes so many `times`.
    pub fn drop_link_on(&self, session: &mut Session, port: Option<&str>, times: u8) {
        let at = match port {
            Some(name) => session.links.iter().position(|link| link.facts.port == name),
            None => session.links.len().checked_sub(1),
        };
        if let Some(at) = at {
            let port = session.links.remove(at);
            for _ in 0..times {
                self.tell_link_hangup(session.facts.tunnel, &port.facts, self.about().len());
            }
            self.close_port(&port);
            session.ended_links.push(port.facts);
        }
    }

    /// The quarantine state changes. On a rejection the connection is cut, and every DLL gets the hangup notification.
    pub fn reauthenticate(&self, mut session: Session, quarantine: i32) -> Result<Session, (Refused, Released)> {
        let answer = self.ask_reauthentication(&mut session, quarantine);
        self.or_cut(session, answer, Refused::Reauthentication)
    }

    /// A reauthentication that comes for a session that has ended: nothing follows from the answer.
    pub fn reauthenticate_ended(&self, session: &mut Session, quarantine: i32) -> Result<(), Refused> {
        self.ask_reauthentication(session, quarantine).map_err(Refused::Reauthentication)
    }

    /// The client's endpoint changes (MOBIKE, IKEv2). On a rejection the connection is cut.
    pub fn change_endpoint(&self, mut session: Session, to: &str) -> Result<Session, (Refused, Released)> {
        session.facts.remote_endpoint = to.to_owned();
        session.facts.switch_overs += 1;
        let answer = self.ask_endpoint_change(&session.facts);
        self.or_cut(session, answer, Refused::EndpointChange)
    }

    /// The connection ends: LinkHangupNotification for every link, ConnectionHangupNotification when the last is gone,
    /// then the releases.
    pub fn hang_up(&self, mut session: Session) -> Released {
        self.end(&mut session, Delivery::default())
    }

    /// The connection ends, or what there was of it. Each part of what the DLLs are told arrives as often as `delivery`
    /// says. RRAS itself has forgotten it then, whatever it has told.
    pub fn end(&self, session: &mut Session, delivery: Delivery) -> Released {
        let ipv4 = session.ipv4;
        if let Some(given) = ipv4 {
            self.let_go_ipv4(session.client(), given);
        }
        if let Some(given) = session.ipv6 {
            self.let_go_ipv6(session.client(), given, session.half);
        }
        let links: Vec<_> = session.links.drain(..).rev().collect();
        let before = session.ended_links.len();
        session.ended_links.extend(links.iter().map(|port| port.facts.clone()));
        let released = self.tell_end(session, delivery, before);
        if let Some(given) = ipv4 {
            self.give_back_ipv4(given);
        }
        for port in links.iter().chain(session.first.take().as_ref()) {
            self.close_port(port);
        }
        lock(&self.pool).free_handle(session.facts.handle);
        released
    }

    /// A part of what an ended session tells, late or again; of the links only that on `port`, if one is named.
    pub fn deliver(&self, session: &Session, part: Part, port: Option<&str>) -> Released {
        if part == Part::Link {
            for link in session.ended_links.iter().filter(|link| port.is_none_or(|port| link.port == port)) {
                self.tell_link_hangup(session.facts.tunnel, link, self.about().len());
            }
            return Released::default();
        }
        self.tell_end(session, Delivery::only(part), session.ended_links.len())
    }

    /// The parts in their order; the links from the one of this index.
    fn tell_end(&self, session: &Session, delivery: Delivery, links: usize) -> Released {
        let order = match self.readings.hangup_order {
            HangupOrder::ReleasesLast => [Part::Link, Part::Connection, Part::Release],
            HangupOrder::ReleasesFirst => [Part::Release, Part::Link, Part::Connection],
            HangupOrder::ConnectionFirst => [Part::Connection, Part::Link, Part::Release],
        };
        let all = self.about().len();
        let mut released = Released::default();
        for part in order {
            for _ in 0..delivery.times(part) {
                match part {
                    Part::Link => session.ended_links[links..]
                        .iter()
                        .for_each(|link| self.tell_link_hangup(session.facts.tunnel, link, all)),
                    Part::Connection if session.connected => self.tell_connection_hangup(&session.facts, 0..all),
                    // Nobody was asked whether it may be.
                    Part::Connection => {}
                    Part::Release => {
                        let told = self.tell_releases(session);
                        (released.ipv4, released.ipv6) = (released.ipv4 + told.ipv4, released.ipv6 + told.ipv6);
                    }
                }
            }
        }
        released
    }

    fn tell_releases(&self, session: &Session) -> Released {
        let client = session.client();
        Released {
            ipv4: session.ipv4.map_or(0, |given| usize::from(self.tell_ipv4_release(client, given))),
            ipv6: session.ipv6.map_or(0, |given| usize::from(self.tell_ipv6_release(client, given))),
        }
    }

    /// Every revision 2 DLL that has the callback is asked in order until one does not answer 1.
    fn pre_authenticate(&self, facts: &ConnectionFacts) -> bool {
        let mut asked = false;
        for dll in (0..self.about().len()).filter(|&dll| self.about()[dll].revision == REVISION_2) {
            let mut arguments = [crate::invoke::Arg::bytes(&fill::auth_validation(facts, &[0; 16]))];
            let form = F::ValidatePreAuthenticatedConnectionEx;
            match self.call(dll, form, &mut arguments).and_then(|r| r.result) {
                Some(ALLOW_NO_AUTH) => asked = true,
                Some(_) => return false,
                None => {}
            }
        }
        asked
    }

    /// Windows 2000 and older send no hangup for a connection or link that was rejected.
    pub(crate) fn tells_of_rejected(&self) -> bool {
        self.profile != Profile::Nt4
    }

    fn or_cut(
        &self,
        mut session: Session,
        answer: Result<(), usize>,
        refused: fn(usize) -> Refused,
    ) -> Result<Session, (Refused, Released)> {
        match answer {
            Ok(()) => Ok(session),
            Err(dll) => Err((refused(dll), self.end(&mut session, Delivery::default()))),
        }
    }

    fn ask_reauthentication(&self, session: &mut Session, quarantine: i32) -> Result<(), usize> {
        session.facts.quarantine = quarantine;
        self.ask_again(&session.facts, &[F::AcceptReauthenticationEx, F::AcceptReauthentication])
    }

    fn identifier_offer(&self, offer: IdentifierOffer, serial: Serial) -> [u8; 16] {
        let own = identifier_of(serial);
        let mut bytes = [0; 16];
        match (offer, self.readings.ipv6_offer, self.readings.identifier_half) {
            (IdentifierOffer::This(address), ..) => bytes = address,
            (IdentifierOffer::HighOnly, ..) => bytes[..8].copy_from_slice(&own),
            (IdentifierOffer::Own, readings::Ipv6Offer::Zero, _) => {}
            (IdentifierOffer::Own, _, IdentifierHalf::High) => bytes[..8].copy_from_slice(&own),
            (IdentifierOffer::Own, _, IdentifierHalf::Low) => bytes[8..].copy_from_slice(&own),
        }
        bytes
    }

    fn new_port(&self, facts: &ConnectionFacts, name: Option<&str>) -> Port {
        let (port, taken) = {
            let mut pool = lock(&self.pool);
            match name {
                Some(name) => (name.to_owned(), pool.take_this_port(name)),
                None => {
                    let (name, taken) = pool.take_port(facts.tunnel.port_family());
                    (name, Some(taken))
                }
            }
        };
        let facts = LinkFacts {
            port_handle: self.fresh_handle(),
            connection_handle: facts.handle,
            port,
            device: facts.tunnel.device_name(),
            ..LinkFacts::default()
        };
        Port { facts, taken }
    }

    fn close_port(&self, port: &Port) {
        if let Some(taken) = port.taken {
            lock(&self.pool).free_port(taken);
        }
    }
}

/// A GUID that no other connection of this run has, and the same in every run.
fn guid_of(serial: Serial) -> [u8; 16] {
    let mut guid = *b"\0\0\0\0\0\0\x40\0\x80\0rasadm";
    guid[..4].copy_from_slice(&(serial as u32).to_le_bytes());
    guid
}

/// The interface identifier that RRAS offers: never zero, never reserved, the same in every run.
fn identifier_of(serial: Serial) -> [u8; 8] {
    (0x2a1b_3c4d_0000_0000 | serial).to_be_bytes()
}
