//! A trace, with its calls sorted into connections and addresses.

use super::connection::{self, Connection};
use mprapi::FunctionId as F;
use mprapi::abi::{RAS_PORT_0, RAS_PORT_1};
use mprapi::contract::ArgumentType;
use rasadmin_trace::{Buffer, Call, Header};
use std::collections::HashMap;
use std::mem::offset_of;

/// The calls of a trace. Calls are named by their index in `calls`.
pub struct Trace<'a> {
    pub calls: &'a [Call],
    /// Whether our host made the trace: then all DLLs are in it, and times are not those of a server.
    pub by_host: bool,
    /// The number of DLLs.
    pub dlls: usize,
    pub sessions: Vec<Session>,
    /// Calls that assign an IPv4 address.
    pub ipv4: Vec<Given>,
    /// Calls that assign an IPv6 address.
    pub ipv6: Vec<Given>,
    /// Calls about a connection that no DLL was asked to accept in this trace.
    pub strangers: Vec<usize>,
    /// The first initialise call of every start but the first.
    pub restarts: Vec<usize>,
}

/// One connection.
pub struct Session {
    /// As the first accept call shows it.
    pub connection: Connection,
    pub accepts: Vec<Asked>,
    pub links: Vec<LinkCall>,
    pub link_hangups: Vec<LinkCall>,
    /// Of the connection: DLL and call.
    pub hangups: Vec<(usize, usize)>,
    /// Its endpoint changes.
    pub moves: Vec<Asked>,
    /// All its calls except those about addresses, in order.
    pub all: Vec<usize>,
    /// The index in [`Trace::ipv4`].
    pub ipv4: Option<usize>,
    /// The index in [`Trace::ipv6`].
    pub ipv6: Option<usize>,
    /// Whether the service was started again while it was online.
    pub cut_by_restart: bool,
}

/// A question to a DLL, and its answer.
#[derive(Clone, Copy)]
pub struct Asked {
    pub dll: usize,
    pub call: usize,
    pub accepted: bool,
}

/// A call about a link.
#[derive(Clone)]
pub struct LinkCall {
    pub dll: usize,
    pub call: usize,
    /// Of AcceptNewLink.
    pub accepted: bool,
    pub port: String,
}

/// A call that assigned an address.
pub struct Given {
    pub call: usize,
    pub user: String,
    pub port: String,
    /// Before the call.
    pub offer: Vec<u8>,
    /// After the call.
    pub address: Vec<u8>,
    /// Whether the DLL returned 0.
    pub ok: bool,
    /// The call that released it.
    pub released: Option<usize>,
    /// Whether a session has it.
    pub taken: bool,
}

/// A user's name without its domain, in lower case.
pub fn bare(user: &str) -> String {
    let user = user.rsplit('\\').next().unwrap_or(user);
    user.split('@').next().unwrap_or(user).to_lowercase()
}

impl<'a> Trace<'a> {
    pub fn new(header: &Header, calls: &'a [Call]) -> Self {
        let mut trace = Self {
            calls,
            by_host: header.recorder.starts_with("rasadmin host"),
            dlls: header.dlls.len(),
            sessions: Vec::new(),
            ipv4: Vec::new(),
            ipv6: Vec::new(),
            strangers: Vec::new(),
            restarts: Vec::new(),
        };
        let mut open = HashMap::new();
        let mut started = false;
        for at in 0..calls.len() {
            trace.add(at, &mut open, &mut started);
        }
        trace
    }

    /// `open` has the last session of each handle.
    fn add(&mut self, at: usize, open: &mut HashMap<u64, usize>, started: &mut bool) {
        let call = &self.calls[at];
        match call.function {
            F::InitializeDll | F::InitializeDllEx => {
                if call.dll == 0 && std::mem::replace(started, true) {
                    self.restarts.push(at);
                    for (_, session) in open.drain() {
                        self.sessions[session].cut_by_restart = self.sessions[session].hangups.is_empty();
                    }
                }
            }
            F::GetIpAddressForUser => self.ipv4.extend(Given::of(call, at, ArgumentType::Ipv4Address)),
            F::GetIpv6AddressForUser => self.ipv6.extend(Given::of(call, at, ArgumentType::Ipv6Address)),
            F::ReleaseIpAddress => release(&mut self.ipv4, Given::of(call, at, ArgumentType::Ipv4Address)),
            F::ReleaseIpv6AddressForUser => release(&mut self.ipv6, Given::of(call, at, ArgumentType::Ipv6Address)),
            F::AcceptNewConnection | F::AcceptNewConnection2 | F::AcceptNewConnection3 | F::AcceptNewConnectionEx => {
                if let Some(connection) = Connection::of(call) {
                    self.accept(at, connection, open);
                }
            }
            F::AcceptNewLink | F::LinkHangupNotification => self.link(at, open),
            F::TerminateDll | F::ValidatePreAuthenticatedConnectionEx => {}
            _ => {
                let Some(connection) = Connection::of(call) else { return };
                let Some(&session) = open.get(&connection.handle) else { return self.strangers.push(at) };
                let session = &mut self.sessions[session];
                session.all.push(at);
                match call.function {
                    F::AcceptTunnelEndpointChangeEx => session.moves.push(Asked::of(call, at)),
                    F::AcceptReauthentication | F::AcceptReauthenticationEx => {}
                    _ => session.hangups.push((call.dll, at)),
                }
            }
        }
    }

    fn accept(&mut self, at: usize, connection: Connection, open: &mut HashMap<u64, usize>) {
        let asked = Asked::of(&self.calls[at], at);
        let same = open.get(&connection.handle).copied().filter(|&session| {
            let session = &self.sessions[session];
            // The question goes from DLL to DLL; anything else in between belongs to an earlier connection.
            session.all.len() == session.accepts.len() && session.accepts.iter().all(|a| a.dll < asked.dll)
        });
        if let Some(session) = same {
            self.sessions[session].accepts.push(asked);
            self.sessions[session].all.push(at);
            return;
        }
        let ipv4 = self.take_ipv4(&connection);
        let ipv6 = self.take_ipv6(&connection, ipv4);
        open.insert(connection.handle, self.sessions.len());
        self.sessions.push(Session {
            connection,
            accepts: vec![asked],
            links: Vec::new(),
            link_hangups: Vec::new(),
            hangups: Vec::new(),
            moves: Vec::new(),
            all: vec![at],
            ipv4,
            ipv6,
            cut_by_restart: false,
        });
    }

    /// The address that was assigned for this connection: one that its structures name, else the last for its user.
    fn take_ipv4(&mut self, connection: &Connection) -> Option<usize> {
        let free = |given: &&Given| given.ok && !given.taken && given.released.is_none();
        let named = |given: &&Given| connection.addresses.iter().flatten().any(|a| given.address == a.octets());
        let of_user = |given: &&Given| bare(&given.user) == bare(&connection.user);
        let last = |fits: &dyn Fn(&&Given) -> bool| self.ipv4.iter().rposition(|given| free(&given) && fits(&given));
        let found = last(&named).or_else(|| last(&of_user))?;
        self.ipv4[found].taken = true;
        Some(found)
    }

    fn take_ipv6(&mut self, connection: &Connection, ipv4: Option<usize>) -> Option<usize> {
        let ipv4 = ipv4.map(|at| &self.ipv4[at]);
        let fits = |given: &Given| match ipv4 {
            Some(ipv4) => given.user == ipv4.user && given.port == ipv4.port,
            None => bare(&given.user) == bare(&connection.user),
        };
        let free = |given: &Given| given.ok && !given.taken && given.released.is_none();
        let found = self.ipv6.iter().rposition(|given| free(given) && fits(given))?;
        self.ipv6[found].taken = true;
        Some(found)
    }

    fn link(&mut self, at: usize, open: &HashMap<u64, usize>) {
        let call = &self.calls[at];
        let port0 = connection::structure(call, ArgumentType::Port0).unwrap_or_default();
        let port1 = connection::structure(call, ArgumentType::Port1).unwrap_or_default();
        let port = connection::text(port0, offset_of!(RAS_PORT_0, wszPortName), 17);
        let handles = [
            connection::handle(port0, offset_of!(RAS_PORT_0, hConnection)),
            connection::handle(port1, offset_of!(RAS_PORT_1, hConnection)),
        ];
        let Some(&session) = handles.iter().find_map(|handle| open.get(handle)) else {
            if !handles.iter().all(|handle| *handle == 0) {
                self.strangers.push(at);
            }
            return;
        };
        let session = &mut self.sessions[session];
        session.all.push(at);
        let of_link = LinkCall { dll: call.dll, call: at, accepted: call.result != Some(0), port };
        if call.function == F::AcceptNewLink {
            session.links.push(of_link);
        } else {
            session.link_hangups.push(of_link);
        }
    }

    /// Seconds from a call about a connection to a later one, by the clock or by the connection's duration.
    pub fn seconds_between(&self, first: usize, second: usize) -> u64 {
        let (first, second) = (&self.calls[first], &self.calls[second]);
        let by_clock = second.at_us.saturating_sub(first.at_us) / 1_000_000;
        let duration = |call| Connection::of(call).map_or(0, |connection| connection.duration);
        by_clock.max(duration(second).saturating_sub(duration(first)).into())
    }

    /// The address that the session got, and the call that assigned it.
    pub fn ipv4_of(&self, session: &Session) -> Option<&Given> {
        session.ipv4.map(|at| &self.ipv4[at])
    }

    /// As [`ipv4_of`](Self::ipv4_of).
    pub fn ipv6_of(&self, session: &Session) -> Option<&Given> {
        session.ipv6.map(|at| &self.ipv6[at])
    }
}

impl Session {
    /// The call that asked the first DLL.
    pub fn asked(&self) -> usize {
        self.accepts[0].call
    }

    /// Whether every DLL that was asked accepted the connection.
    pub fn accepted(&self) -> bool {
        self.accepts.iter().all(|asked| asked.accepted)
    }

    /// Whether every DLL that was asked accepted the connection and its first link, if there was one.
    pub fn was_online(&self) -> bool {
        let first = self.links.first().map(|link| &link.port);
        let mut links = self.links.iter().take_while(|link| Some(&link.port) == first);
        self.accepted() && links.all(|link| link.accepted)
    }

    /// Whether anything shows that it is over.
    pub fn is_over(&self, trace: &Trace<'_>) -> bool {
        !self.hangups.is_empty() || trace.ipv4_of(self).is_some_and(|given| given.released.is_some())
    }

    /// Whether it ended within a second.
    pub fn ended_at_once(&self, trace: &Trace<'_>) -> bool {
        let release = trace.ipv4_of(self).and_then(|given| given.released);
        let end = self.hangups.first().map(|&(_, call)| call).or(release);
        end.is_some_and(|end| trace.seconds_between(self.asked(), end) == 0)
    }

    /// For people: the user.
    pub fn who(&self) -> String {
        self.connection.user.clone()
    }
}

impl Asked {
    fn of(call: &Call, at: usize) -> Self {
        Self { dll: call.dll, call: at, accepted: call.result != Some(0) }
    }
}

impl Given {
    fn of(call: &Call, at: usize, ty: ArgumentType) -> Option<Self> {
        let name = |of| match call.after(of) {
            Some(Buffer::Text(units)) => Some(String::from_utf16_lossy(units)),
            _ => None,
        };
        let Some(Buffer::Bytes(address)) = call.after(ty) else { return None };
        Some(Self {
            call: at,
            user: name(ArgumentType::UserName)?,
            port: name(ArgumentType::PortName)?,
            offer: connection::structure(call, ty)?.to_vec(),
            address: address.clone(),
            ok: call.result == Some(0),
            released: None,
            taken: false,
        })
    }
}

/// Notes a release at the call that assigned the address.
fn release(all: &mut [Given], release: Option<Given>) {
    let Some(release) = release else { return };
    let same = |given: &&mut Given| {
        given.released.is_none()
            && given.user == release.user
            && given.port == release.port
            && given.address == release.address
    };
    if let Some(given) = all.iter_mut().rev().find(same) {
        given.released = Some(release.call);
    }
}
