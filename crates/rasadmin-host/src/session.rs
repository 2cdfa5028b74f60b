//! One connection from authentication to the release of its addresses.

use crate::address::{Client, Given, Offer};
use crate::fill::{self, ConnectionFacts, LinkFacts, Tunnel};
use crate::invoke::Arg;
use crate::service::{Service, lock};
use mprapi::abi::{ALLOW_NO_AUTH, REVISION_2};
use mprapi::contract::ArgumentType;
use mprapi::{FunctionId as F, Profile};
use std::fmt;
use std::net::Ipv4Addr;

/// Who wants to connect, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The user's name as the address calls carry it: `user`, `DOMAIN\user`, `user@suffix` or `host/pc`.
    pub user: String,
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
    /// ROUTER_IF_TYPE_*.
    pub interface_type: i32,
    /// RAS_QUAR_STATE_*.
    pub quarantine: i32,
    /// Ask for pre-authentication (SSTP only).
    pub pre_authentication: bool,
}

impl Request {
    /// An ordinary client.
    pub fn new(user: impl Into<String>, tunnel: Tunnel) -> Self {
        Self {
            user: user.into(),
            domain: String::new(),
            computer: String::new(),
            tunnel,
            from: "203.0.113.1".into(),
            ipv6: false,
            offer: Offer::FromPool,
            interface_type: mprapi::abi::ROUTER_IF_TYPE_CLIENT,
            quarantine: mprapi::abi::RAS_QUAR_STATE_NORMAL,
            pre_authentication: false,
        }
    }
}

/// Why a connection did not come to be, or was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// RRAS had no address of its own, so no DLL was asked.
    PoolExhausted,
    /// GetIpAddressForUser of this DLL answered an error.
    Ipv4ByDll {
        /// Its index.
        dll: usize,
        /// Its answer.
        code: u32,
    },
    /// RRAS itself refused the address: 735 (held by another client) or 1168 (0.0.0.0 or the server's own).
    Ipv4ByRras {
        /// The error.
        code: u32,
        /// The DLL that chose or kept the address.
        dll: Option<usize>,
    },
    /// GetIpv6AddressForUser of this DLL answered an error.
    Ipv6ByDll {
        /// Its index.
        dll: usize,
        /// Its answer.
        code: u32,
    },
    /// This DLL rejected the connection.
    Connection(usize),
    /// This DLL rejected the first link.
    FirstLink(usize),
    /// This DLL rejected the reauthentication.
    Reauthentication(usize),
    /// This DLL rejected the endpoint change.
    EndpointChange(usize),
}

impl Refused {
    /// The DLL that refused; None if RRAS itself did.
    pub fn dll(&self) -> Option<usize> {
        match *self {
            Self::PoolExhausted | Self::Ipv4ByRras { .. } => None,
            Self::Ipv4ByDll { dll, .. }
            | Self::Ipv6ByDll { dll, .. }
            | Self::Connection(dll)
            | Self::FirstLink(dll)
            | Self::Reauthentication(dll)
            | Self::EndpointChange(dll) => Some(dll),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PoolExhausted => f.write_str("RRAS's own pool is exhausted"),
            Self::Ipv4ByDll { code, .. } => write!(f, "the DLL gave no IPv4 address (error {code})"),
            Self::Ipv4ByRras { code: 735, .. } => {
                f.write_str("RRAS refused the address: another client holds it (735)")
            }
            Self::Ipv4ByRras { code, .. } => write!(f, "RRAS refused the address: it is no client's ({code})"),
            Self::Ipv6ByDll { code, .. } => write!(f, "the DLL gave no IPv6 identifier (error {code})"),
            Self::Connection(_) => f.write_str("the DLL rejected the connection"),
            Self::FirstLink(_) => f.write_str("the DLL rejected the first link"),
            Self::Reauthentication(_) => f.write_str("the DLL rejected the reauthentication"),
            Self::EndpointChange(_) => f.write_str("the DLL rejected the endpoint change"),
        }
    }
}

/// A live connection.
#[derive(Debug)]
pub struct Session {
    facts: ConnectionFacts,
    user: String,
    links: Vec<Port>,
    ipv4: Option<Given<Ipv4Addr>>,
    ipv6: Option<Given<[u8; 16]>>,
    /// Was it let in without authentication?
    pub pre_authenticated: bool,
}

#[derive(Debug)]
struct Port {
    facts: LinkFacts,
    family: u32,
    number: u32,
}

/// How many address releases the DLLs were told of when a session ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// IPv4 releases.
    pub ipv4: usize,
    /// IPv6 releases.
    pub ipv6: usize,
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

    /// The name of its first port.
    pub fn port(&self) -> &str {
        self.links.first().map_or("", |port| &port.facts.port)
    }

    /// How many links it has.
    pub fn links(&self) -> usize {
        self.links.len()
    }

    /// Its tunnel.
    pub fn tunnel(&self) -> Tunnel {
        self.facts.tunnel
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
}

fn client<'a>(facts: &ConnectionFacts, user: &'a str, port: &'a str) -> Client<'a> {
    Client { user, port, tunnel: facts.tunnel, handle: facts.handle }
}

impl Service {
    /// A user has authenticated and connects: addresses, AcceptNewConnection, and at once AcceptNewLink for its first
    /// link.
    pub fn connect(&self, request: &Request) -> Result<Session, Refused> {
        let handle = self.fresh_handle();
        let mut facts = ConnectionFacts {
            handle,
            user: request.user.clone(),
            domain: request.domain.clone(),
            remote_computer: request.computer.clone(),
            interface_type: request.interface_type,
            tunnel: request.tunnel,
            guid: guid_of(handle),
            quarantine: request.quarantine,
            remote_endpoint: request.from.clone(),
            local_endpoint: "192.0.2.1".into(),
            ..ConnectionFacts::default()
        };
        let pre_authenticated =
            request.pre_authentication && request.tunnel == Tunnel::Sstp && self.pre_authenticate(&facts);
        let port = self.new_port(&facts);
        let who = client(&facts, &request.user, &port.facts.port);
        let ipv4 = self.ipv4(who, request.offer).inspect_err(|_| self.close_port(&port))?;
        let ipv6 = if request.ipv6 { Some(self.ipv6(who, identifier_of(handle))) } else { None };
        let ipv6 = ipv6.transpose().inspect_err(|_| {
            self.release_ipv4(who, ipv4);
            self.close_port(&port);
        })?;
        {
            let pool = lock(&self.pool);
            facts.ipv4 = Some(ipv4.address);
            facts.server_ipv4 = Some(pool.server);
            facts.ipv6_prefix = pool.ipv6_prefix;
        }
        facts.ipv6_identifier = ipv6.map(|given| {
            let mut identifier = [0; 8];
            identifier.copy_from_slice(&given.address[8..]);
            identifier
        });
        let user = request.user.clone();
        let mut session = Session { facts, user, links: Vec::new(), ipv4: Some(ipv4), ipv6, pre_authenticated };
        if let Err(dll) = self.ask_connection(&session.facts) {
            // Those before it had accepted: they hear of the end at once.
            if self.tells_of_rejected() {
                self.tell_connection_hangup(&session.facts, dll);
            }
            self.give_addresses_back(&session, &port.facts.port);
            self.close_port(&port);
            return Err(Refused::Connection(dll));
        }
        if let Err(dll) = self.ask_link(session.facts.tunnel, &port.facts) {
            if self.tells_of_rejected() {
                self.tell_connection_hangup(&session.facts, self.dlls.len());
            }
            self.give_addresses_back(&session, &port.facts.port);
            self.close_port(&port);
            return Err(Refused::FirstLink(dll));
        }
        session.links.push(port);
        Ok(session)
    }

    /// A further link (multilink). `Err` has the DLL that rejected it; the connection stands.
    pub fn add_link(&self, session: &mut Session) -> Result<(), usize> {
        let port = self.new_port(&session.facts);
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
        if session.links.len() > 1
            && let Some(port) = session.links.pop()
        {
            self.tell_link_hangup(session.facts.tunnel, &port.facts, self.dlls.len());
            self.close_port(&port);
        }
    }

    /// The quarantine state changes. On a rejection the connection is cut, and every DLL gets the hangup notification.
    pub fn reauthenticate(&self, mut session: Session, quarantine: i32) -> Result<Session, (Refused, Released)> {
        session.facts.quarantine = quarantine;
        let facts = &session.facts;
        let answer = self.ask(facts.tunnel, |dll| {
            let has = self.dlls[dll].functions();
            let forms = [F::AcceptReauthenticationEx, F::AcceptReauthentication];
            forms.into_iter().find(|&form| has.contains(form)).map(|form| (form, connection_arguments(form, facts)))
        });
        self.or_cut(session, answer, Refused::Reauthentication)
    }

    /// The client's endpoint changes (MOBIKE, IKEv2). On a rejection the connection is cut.
    pub fn change_endpoint(&self, mut session: Session, to: &str) -> Result<Session, (Refused, Released)> {
        session.facts.remote_endpoint = to.to_owned();
        session.facts.switch_overs += 1;
        let facts = &session.facts;
        let form = F::AcceptTunnelEndpointChangeEx;
        let answer = self.ask(facts.tunnel, |dll| {
            self.dlls[dll].functions().contains(form).then(|| (form, connection_arguments(form, facts)))
        });
        self.or_cut(session, answer, Refused::EndpointChange)
    }

    /// The connection ends: LinkHangupNotification for every link, ConnectionHangupNotification when the last is gone,
    /// then the releases.
    pub fn hang_up(&self, session: Session) -> Released {
        for port in session.links.iter().rev() {
            self.tell_link_hangup(session.facts.tunnel, &port.facts, self.dlls.len());
        }
        self.tell_connection_hangup(&session.facts, self.dlls.len());
        let released = self.give_addresses_back(&session, session.port());
        for port in &session.links {
            self.close_port(port);
        }
        released
    }

    /// Every revision 2 DLL that has the callback is asked in order until one does not answer 1.
    fn pre_authenticate(&self, facts: &ConnectionFacts) -> bool {
        let mut asked = false;
        for dll in (0..self.dlls.len()).filter(|&dll| self.dlls[dll].revision() == REVISION_2) {
            let mut arguments = [Arg::bytes(&fill::auth_validation(facts, &[0; 16]))];
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
    fn tells_of_rejected(&self) -> bool {
        self.profile != Profile::Nt4
    }

    fn or_cut(
        &self,
        session: Session,
        answer: Result<(), usize>,
        refused: fn(usize) -> Refused,
    ) -> Result<Session, (Refused, Released)> {
        match answer {
            Ok(()) => Ok(session),
            Err(dll) => Err((refused(dll), self.hang_up(session))),
        }
    }

    /// Asks every DLL in order for a verdict; `Err` has the first that rejects. A DLL without the function is passed
    /// over, and for IKEv2 every revision 1 DLL is.
    fn ask(&self, tunnel: Tunnel, form: impl Fn(usize) -> Option<(F, Vec<Arg>)>) -> Result<(), usize> {
        for dll in self.called(tunnel, self.dlls.len()) {
            if let Some((function, mut arguments)) = form(dll)
                && self.call(dll, function, &mut arguments).is_some_and(|returned| !returned.accepted())
            {
                return Err(dll);
            }
        }
        Ok(())
    }

    /// The DLLs before `end` that are called for this tunnel.
    fn called(&self, tunnel: Tunnel, end: usize) -> impl Iterator<Item = usize> {
        (0..end).filter(move |&dll| tunnel != Tunnel::Ikev2 || self.dlls[dll].serves_ikev2())
    }

    fn ask_connection(&self, facts: &ConnectionFacts) -> Result<(), usize> {
        const FORMS: [F; 4] =
            [F::AcceptNewConnectionEx, F::AcceptNewConnection3, F::AcceptNewConnection2, F::AcceptNewConnection];
        self.ask(facts.tunnel, |dll| self.preferred(dll, FORMS).map(|form| (form, connection_arguments(form, facts))))
    }

    fn tell_connection_hangup(&self, facts: &ConnectionFacts, end: usize) {
        const FORMS: [F; 4] = [
            F::ConnectionHangupNotificationEx,
            F::ConnectionHangupNotification3,
            F::ConnectionHangupNotification2,
            F::ConnectionHangupNotification,
        ];
        for dll in self.called(facts.tunnel, end) {
            if let Some(form) = self.preferred(dll, FORMS) {
                self.call(dll, form, &mut connection_arguments(form, facts));
            }
        }
    }

    /// The form that is called: Ex before 3 before 2 before 1.
    fn preferred(&self, dll: usize, forms: [F; 4]) -> Option<F> {
        let has = self.dlls[dll].functions();
        forms.into_iter().find(|&form| has.contains(form))
    }

    /// When DLL n rejects a link, those before it get LinkHangupNotification at once; n itself does not.
    fn ask_link(&self, tunnel: Tunnel, link: &LinkFacts) -> Result<(), usize> {
        let answer = self.ask(tunnel, |_| Some((F::AcceptNewLink, link_arguments(link))));
        if let Err(dll) = answer
            && self.tells_of_rejected()
        {
            self.tell_link_hangup(tunnel, link, dll);
        }
        answer
    }

    fn tell_link_hangup(&self, tunnel: Tunnel, link: &LinkFacts, end: usize) {
        for dll in self.called(tunnel, end) {
            self.call(dll, F::LinkHangupNotification, &mut link_arguments(link));
        }
    }

    fn give_addresses_back(&self, session: &Session, port: &str) -> Released {
        let who = client(&session.facts, &session.user, port);
        Released {
            ipv4: session.ipv4.map_or(0, |given| usize::from(self.release_ipv4(who, given))),
            ipv6: session.ipv6.map_or(0, |given| usize::from(self.release_ipv6(who, given))),
        }
    }

    fn new_port(&self, facts: &ConnectionFacts) -> Port {
        let family = facts.tunnel.port_family();
        let (number, port) = lock(&self.pool).take_port(family);
        let facts = LinkFacts {
            port_handle: self.fresh_handle(),
            connection_handle: facts.handle,
            port,
            device: facts.tunnel.device_name(),
            ..LinkFacts::default()
        };
        Port { facts, family, number }
    }

    fn close_port(&self, port: &Port) {
        lock(&self.pool).free_port(port.family, port.number);
    }
}

/// The structures that a form takes.
fn connection_arguments(form: F, facts: &ConnectionFacts) -> Vec<Arg> {
    let bytes = |ty| match ty {
        ArgumentType::Connection0 => fill::connection_0(facts),
        ArgumentType::Connection1 => fill::connection_1(facts),
        ArgumentType::Connection2 => fill::connection_2(facts),
        ArgumentType::Connection3 => fill::connection_3(facts),
        _ => fill::connection_ex(facts),
    };
    form.row().arguments.iter().map(|argument| Arg::bytes(&bytes(argument.ty))).collect()
}

fn link_arguments(link: &LinkFacts) -> Vec<Arg> {
    vec![Arg::bytes(&fill::port_0(link)), Arg::bytes(&fill::port_1(link))]
}

/// A GUID that no other connection of this run has, and the same in every run.
fn guid_of(handle: u64) -> [u8; 16] {
    let mut guid = *b"\0\0\0\0\0\0\x40\0\x80\0rasadm";
    guid[..4].copy_from_slice(&(handle as u32).to_le_bytes());
    guid
}

/// The interface identifier that RRAS offers: never zero, never reserved, the same in every run.
fn identifier_of(handle: u64) -> [u8; 8] {
    (0x2a1b_3c4d_0000_0000 | handle).to_be_bytes()
}
