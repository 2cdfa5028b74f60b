//! One connection, from authentication to the release of its addresses.

use crate::address_calls::{Assigned, Client, IdentifierOffer, Offer, identifier};
use crate::assumptions::{self, HangupOrder, IdentifierHalf, Ikev2Computer, Ikev2Link, UserForm};
use crate::fill::{self, ConnectionFacts, LinkFacts, Tunnel};
use crate::hangup_calls::{Delivery, HangupCall};
use crate::outside::Listed;
use crate::pool::{ConnectionId, TakenPort};
use crate::refusal::{Refusal, ReleaseCounts};
use crate::service::{Service, lock};
use mprapi::abi::{ALLOW_NO_AUTH, REVISION_2};
use mprapi::{FunctionId as F, Profile};
use std::net::Ipv4Addr;

/// A client's request to connect.
#[derive(Clone, Debug)]
pub struct Request {
    /// The user's name: `user`, `DOMAIN\user`, `user@suffix` or `host/pc`.
    pub user: String,
    /// The user's name in the address calls. None: as the assumption `user-form` says.
    pub address_user: Option<String>,
    /// wszLogonDomain.
    pub domain: String,
    /// wszRemoteComputer. Always empty for some clients.
    pub computer: String,
    /// The tunnel.
    pub tunnel: Tunnel,
    /// The client's public address.
    pub from: String,
    /// Whether the client negotiates IPv6.
    pub ipv6: bool,
    /// The IPv4 address that RRAS offers.
    pub offer: Offer,
    /// The IPv6 interface identifier that RRAS offers.
    pub ipv6_offer: IdentifierOffer,
    /// ROUTER_IF_TYPE_*.
    pub interface_type: i32,
    /// RAS_QUAR_STATE_*.
    pub quarantine: i32,
    /// Whether the client asks for pre-authentication (SSTP only).
    pub pre_authentication: bool,
    /// Its first port, even if another session uses it. None: the lowest free port.
    pub port: Option<String>,
    /// hConnection. None: as the assumption `handles` says.
    pub handle: Option<u64>,
    /// Its GUID, as bytes in memory. None: one that no other connection has.
    pub guid: Option<[u8; 16]>,
    /// Whether AcceptNewLink for the first link follows at once. None: yes, but for IKEv2 as the assumption `ikev2-link`
    /// says.
    pub first_link: Option<bool>,
}

impl Request {
    /// The request of an ordinary client.
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

/// A connection. It has its addresses only, is online, or has ended.
#[derive(Debug)]
pub struct Session {
    facts: ConnectionFacts,
    /// No other connection of the run has this id.
    id: ConnectionId,
    /// The user's name in the address calls.
    user: String,
    /// The port of the address calls.
    port: String,
    /// The first port, until AcceptNewLink is called for it.
    first: Option<Port>,
    first_link: bool,
    /// Links that were accepted and have not ended.
    links: Vec<Port>,
    /// Links that were accepted and have ended.
    ended_links: Vec<LinkFacts>,
    /// Whether the connection was accepted.
    connected: bool,
    half: IdentifierHalf,
    ipv4: Option<Assigned<Ipv4Addr>>,
    ipv6: Option<Assigned<[u8; 16]>>,
    /// Whether the DLLs let the client in without authentication.
    pub pre_authenticated: bool,
}

#[derive(Debug)]
struct Port {
    facts: LinkFacts,
    /// The port to free at the end, if it is one of ours.
    taken: Option<TakenPort>,
}

impl Session {
    /// The client's IPv4 address.
    pub fn ipv4(&self) -> Option<Ipv4Addr> {
        self.ipv4.map(|given| given.address)
    }

    /// The client's IPv6 identifier, in the IN6_ADDR that the DLL returned.
    pub fn ipv6(&self) -> Option<[u8; 16]> {
        self.ipv6.map(|given| given.address)
    }

    /// The half of the IN6_ADDR that has the interface identifier.
    pub fn identifier(&self) -> Option<[u8; 8]> {
        self.ipv6().map(|address| identifier(address, self.half))
    }

    /// Whether AcceptNewLink for the first link is still to come.
    pub fn waits_for_first_link(&self) -> bool {
        self.first.is_some()
    }

    /// The name of the first port.
    pub fn port(&self) -> &str {
        &self.port
    }

    /// The number of links.
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

    /// Sets the duration (in seconds) and the traffic (in bytes) that the structures will report.
    pub fn set_usage(&mut self, duration: u32, received: u64, sent: u64) {
        self.facts.duration = duration;
        (self.facts.received, self.facts.sent) = (received, sent);
        let count = self.links.len().max(1) as u64;
        for link in &mut self.links {
            link.facts.duration = duration;
            (link.facts.received, link.facts.sent) = (received / count, sent / count);
        }
    }

    /// The connection as RRAS lists it.
    pub(crate) fn listed(&self) -> Listed {
        let mut links: Vec<LinkFacts> = self.links.iter().map(|port| port.facts.clone()).collect();
        if links.is_empty() {
            links.extend(self.first.iter().map(|port| port.facts.clone()));
        }
        Listed { connection: self.facts.clone(), links }
    }

    fn client(&self) -> Client<'_> {
        Client { user: &self.user, port: &self.port, tunnel: self.facts.tunnel, connection: self.id }
    }
}

/// A user's name without its domain.
fn bare(user: &str) -> &str {
    let user = user.split_once('\\').map_or(user, |(_, name)| name);
    user.split_once('@').map_or(user, |(name, _)| name)
}

impl Service {
    /// Connects a user who has authenticated: addresses, AcceptNewConnection, and at once AcceptNewLink for the first link.
    pub fn connect(&self, request: &Request) -> Result<Session, (Refusal, ReleaseCounts)> {
        self.accept(self.ask_addresses(request)?)
    }

    /// Makes only the address calls for a user who has authenticated.
    pub fn ask_addresses(&self, request: &Request) -> Result<Session, (Refusal, ReleaseCounts)> {
        let assumptions = self.assumptions;
        let id = self.fresh_handle();
        let handle = request.handle.unwrap_or_else(|| self.connection_handle(id));
        let ikev2 = request.tunnel == Tunnel::Ikev2;
        let (mut user, mut domain, mut address_user) = (&*request.user, &*request.domain, &*request.user);
        match assumptions.user_form {
            UserForm::Same => {}
            UserForm::BareAtAddress => address_user = bare(user),
            UserForm::BareAtConnection => {
                domain = user.split_once('\\').map_or(domain, |(domain, _)| domain);
                user = bare(user);
            }
        }
        let nameless = ikev2 && assumptions.ikev2_computer == Ikev2Computer::Empty;
        let facts = ConnectionFacts {
            handle,
            user: user.to_owned(),
            domain: domain.to_owned(),
            remote_computer: if nameless { String::new() } else { request.computer.clone() },
            interface_type: request.interface_type,
            tunnel: request.tunnel,
            guid: request.guid.unwrap_or_else(|| guid_of(id)),
            quarantine: request.quarantine,
            remote_endpoint: request.from.clone(),
            local_endpoint: "192.0.2.1".into(),
            assumptions,
            ..ConnectionFacts::default()
        };
        let pre_authenticated =
            request.pre_authentication && request.tunnel == Tunnel::Sstp && self.pre_authenticate(&facts);
        let first = self.new_port(&facts, request.port.as_deref());
        let called = !(ikev2 && assumptions.ikev2_link == Ikev2Link::NotCalled);
        let high = request.ipv6_offer == IdentifierOffer::HighOnly;
        let mut session = Session {
            facts,
            id,
            user: request.address_user.clone().unwrap_or_else(|| address_user.to_owned()),
            port: first.facts.port.clone(),
            first: Some(first),
            first_link: request.first_link.unwrap_or(called),
            links: Vec::new(),
            ended_links: Vec::new(),
            connected: false,
            half: if high { IdentifierHalf::High } else { assumptions.identifier_half },
            ipv4: None,
            ipv6: None,
            pre_authenticated,
        };
        let offer = match (request.offer, assumptions.ipv4_offer) {
            (Offer::FromPool, assumptions::Ipv4Offer::Zero) => Offer::Nothing,
            (offer, _) => offer,
        };
        let asked = self.ipv4(session.client(), offer).and_then(|ipv4| {
            session.ipv4 = Some(ipv4);
            if request.ipv6 {
                let offer = self.identifier_offer(request.ipv6_offer, id);
                session.ipv6 = Some(self.ipv6(session.client(), offer, session.half)?);
            }
            Ok(())
        });
        if let Err((refused, mut released)) = asked {
            released += self.end(&mut session, Delivery::only(HangupCall::Release));
            return Err((refused, released));
        }
        let pool = lock(&self.pool);
        session.facts.ipv4 = session.ipv4();
        session.facts.server_ipv4 = Some(pool.server);
        session.facts.ipv6_prefix = pool.ipv6_prefix;
        session.facts.ipv6_identifier = session.identifier();
        drop(pool);
        Ok(session)
    }

    /// Calls AcceptNewConnection for a session that has its addresses, then AcceptNewLink for its first link.
    pub fn accept(&self, mut session: Session) -> Result<Session, (Refusal, ReleaseCounts)> {
        if let Err(dll) = self.ask_connection(&session.facts) {
            self.notify_rejected_connection(&session.facts, dll);
            let released = self.end(&mut session, Delivery::only(HangupCall::Release));
            return Err((Refusal::Connection(dll), released));
        }
        session.connected = true;
        if session.first_link {
            return self.first_link(session, None);
        }
        Ok(session)
    }

    /// Calls AcceptNewLink for the first link. If `port` is named, it replaces the port of the address calls. A rejection
    /// ends the connection.
    pub fn first_link(&self, mut session: Session, port: Option<&str>) -> Result<Session, (Refusal, ReleaseCounts)> {
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
                if self.notifies_rejected_first_link() {
                    self.notify_connection_hangup(&session.facts, 0..self.descriptions().len());
                }
                self.close_port(&first);
                let released = self.end(&mut session, Delivery::only(HangupCall::Release));
                Err((Refusal::FirstLink(dll), released))
            }
        }
    }

    /// Adds a further link (multilink). `Err` has the DLL that rejected it; the connection stays online.
    pub fn add_link(&self, session: &mut Session) -> Result<(), usize> {
        self.add_link_on(session, None)
    }

    /// As [`add_link`](Self::add_link), on this port if one is named.
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

    /// Ends the last further link. Does nothing if there is only the first link.
    pub fn drop_link(&self, session: &mut Session) {
        if session.links.len() > 1 {
            self.drop_link_on(session, None, 1);
        }
    }

    /// Ends the link on this port, or the last link if no port is named. LinkHangupNotification is called `times` times.
    pub fn drop_link_on(&self, session: &mut Session, port: Option<&str>, times: u8) {
        let at = match port {
            Some(name) => session.links.iter().position(|link| link.facts.port == name),
            None => session.links.len().checked_sub(1),
        };
        if let Some(at) = at {
            let port = session.links.remove(at);
            for _ in 0..times {
                self.notify_link_hangup(session.facts.tunnel, &port.facts, self.descriptions().len());
            }
            self.close_port(&port);
            session.ended_links.push(port.facts);
        }
    }

    /// Changes the quarantine state. A rejection cuts the connection, and every DLL gets the hangup notification.
    pub fn reauthenticate(&self, mut session: Session, quarantine: i32) -> Result<Session, (Refusal, ReleaseCounts)> {
        let answer = self.ask_reauthentication(&mut session, quarantine);
        self.or_cut(session, answer, Refusal::Reauthentication)
    }

    /// Makes the reauthentication call for a session that has ended. The answer has no effect.
    pub fn reauthenticate_ended(&self, session: &mut Session, quarantine: i32) -> Result<(), Refusal> {
        self.ask_reauthentication(session, quarantine).map_err(Refusal::Reauthentication)
    }

    /// Changes the client's endpoint (MOBIKE, IKEv2). A rejection cuts the connection.
    pub fn change_endpoint(&self, mut session: Session, to: &str) -> Result<Session, (Refusal, ReleaseCounts)> {
        session.facts.remote_endpoint = to.to_owned();
        session.facts.switch_overs += 1;
        let answer = self.ask_endpoint_change(&session.facts);
        self.or_cut(session, answer, Refusal::EndpointChange)
    }

    /// Ends the connection: LinkHangupNotification for every link, ConnectionHangupNotification after the last, then the
    /// releases.
    pub fn hang_up(&self, mut session: Session) -> ReleaseCounts {
        self.end(&mut session, Delivery::default())
    }

    /// Ends the connection, even if it was not accepted. Each call arrives as often as `delivery` says. RRAS itself forgets
    /// the connection in any case.
    pub fn end(&self, session: &mut Session, delivery: Delivery) -> ReleaseCounts {
        let ipv4 = session.ipv4;
        if let Some(given) = ipv4 {
            self.clear_ipv4_holder(session.client(), given);
        }
        if let Some(given) = session.ipv6 {
            self.clear_ipv6_holder(session.client(), given, session.half);
        }
        let links: Vec<_> = session.links.drain(..).rev().collect();
        let before = session.ended_links.len();
        session.ended_links.extend(links.iter().map(|port| port.facts.clone()));
        let released = self.notify_end(session, delivery, before);
        if let Some(given) = ipv4 {
            self.give_back_ipv4(given);
        }
        for port in links.iter().chain(session.first.take().as_ref()) {
            self.close_port(port);
        }
        lock(&self.pool).free_handle(session.facts.handle);
        released
    }

    /// Makes one kind of hangup call for an ended session, late or again. If `port` is named, only for that link.
    pub fn deliver(&self, session: &Session, call: HangupCall, port: Option<&str>) -> ReleaseCounts {
        if call == HangupCall::Link {
            for link in session.ended_links.iter().filter(|link| port.is_none_or(|port| link.port == port)) {
                self.notify_link_hangup(session.facts.tunnel, link, self.descriptions().len());
            }
            return ReleaseCounts::default();
        }
        self.notify_end(session, Delivery::only(call), session.ended_links.len())
    }

    /// Makes the hangup calls in their order. `links` is the index of the first ended link to report.
    fn notify_end(&self, session: &Session, delivery: Delivery, links: usize) -> ReleaseCounts {
        let order = match self.assumptions.hangup_order {
            HangupOrder::ReleasesLast => [HangupCall::Link, HangupCall::Connection, HangupCall::Release],
            HangupOrder::ReleasesFirst => [HangupCall::Release, HangupCall::Link, HangupCall::Connection],
            HangupOrder::ConnectionFirst => [HangupCall::Connection, HangupCall::Link, HangupCall::Release],
        };
        let all = self.descriptions().len();
        let mut released = ReleaseCounts::default();
        for call in order {
            for _ in 0..delivery.times(call) {
                match call {
                    HangupCall::Link => session.ended_links[links..]
                        .iter()
                        .for_each(|link| self.notify_link_hangup(session.facts.tunnel, link, all)),
                    HangupCall::Connection if session.connected => {
                        self.notify_connection_hangup(&session.facts, 0..all)
                    }
                    // No DLL has accepted it.
                    HangupCall::Connection => {}
                    HangupCall::Release => {
                        released += self.notify_releases(session);
                    }
                }
            }
        }
        released
    }

    fn notify_releases(&self, session: &Session) -> ReleaseCounts {
        let client = session.client();
        ReleaseCounts {
            ipv4: session.ipv4.map_or(0, |given| usize::from(self.notify_ipv4_release(client, given))),
            ipv6: session.ipv6.map_or(0, |given| usize::from(self.notify_ipv6_release(client, given))),
        }
    }

    /// Asks the revision 2 DLLs that have the callback, in order, until one does not return 1.
    fn pre_authenticate(&self, facts: &ConnectionFacts) -> bool {
        let mut asked = false;
        for dll in (0..self.descriptions().len()).filter(|&dll| self.descriptions()[dll].revision == REVISION_2) {
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

    /// Whether DLLs get the hangup of a connection or link that was rejected. Windows 2000 and older do not send it.
    pub(crate) fn notifies_rejected(&self) -> bool {
        self.profile != Profile::Nt4
    }

    fn or_cut(
        &self,
        mut session: Session,
        answer: Result<(), usize>,
        refused: fn(usize) -> Refusal,
    ) -> Result<Session, (Refusal, ReleaseCounts)> {
        match answer {
            Ok(()) => Ok(session),
            Err(dll) => Err((refused(dll), self.end(&mut session, Delivery::default()))),
        }
    }

    fn ask_reauthentication(&self, session: &mut Session, quarantine: i32) -> Result<(), usize> {
        session.facts.quarantine = quarantine;
        self.ask_in_form(&session.facts, &[F::AcceptReauthenticationEx, F::AcceptReauthentication])
    }

    fn identifier_offer(&self, offer: IdentifierOffer, id: ConnectionId) -> [u8; 16] {
        let own = identifier_of(id);
        let mut bytes = [0; 16];
        match (offer, self.assumptions.ipv6_offer, self.assumptions.identifier_half) {
            (IdentifierOffer::This(address), ..) => bytes = address,
            (IdentifierOffer::HighOnly, ..) => bytes[..8].copy_from_slice(&own),
            (IdentifierOffer::Own, assumptions::Ipv6Offer::Zero, _) => {}
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

/// A GUID that no other connection of this run has. It is the same in every run.
fn guid_of(id: ConnectionId) -> [u8; 16] {
    let mut guid = *b"\0\0\0\0\0\0\x40\0\x80\0rasadm";
    guid[..4].copy_from_slice(&(id as u32).to_le_bytes());
    guid
}

/// The interface identifier that RRAS offers. It is never zero or reserved, and the same in every run.
fn identifier_of(id: ConnectionId) -> [u8; 8] {
    (0x2a1b_3c4d_0000_0000 | id).to_be_bytes()
}
