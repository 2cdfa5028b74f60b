//! Reads attempts from a recorded trace: joins the calls that RRAS made to one DLL.
//!
//! Only the fields that make up an attempt are read from each structure, at the offsets of the contract's own types. A
//! structure is a copy of bytes here; nothing is dereferenced.

use super::{Attempt, Refused};
use crate::{Ended, PastSession};
use mprapi::FunctionId as F;
use mprapi::abi::{RAS_CONNECTION_0, RAS_CONNECTION_1, RAS_CONNECTION_EX, RAS_FLAGS_IKEV2_CONNECTION, RAS_PORT_0};
use mprapi::contract::ArgumentType as Argument;
use rasadmin_engine::effect::Usage;
use rasadmin_policy::Millis;
use rasadmin_policy::{Fact, InterfaceType, Name, Quarantine, Tunnel};
use rasadmin_trace::{Buffer, Call};
use std::collections::{HashMap, HashSet};
use std::mem::offset_of;

/// The bytes of a structure. Missing bytes read as zero.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn u32(&self, at: usize) -> u32 {
        let bytes = self.0.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes)
    }

    /// Reads a handle: eight bytes, because the contract is that of 64-bit Windows.
    fn u64(&self, at: usize) -> u64 {
        let bytes = self.0.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u64::from_le_bytes)
    }

    /// Reads a fixed array of UTF-16 units, up to its terminator or its end.
    fn text(&self, at: usize, units: usize) -> Name {
        let bytes = self.0.get(at..at + 2 * units).unwrap_or_default();
        let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        Name::from_utf16(&units.take_while(|unit| *unit != 0).collect::<Vec<_>>())
    }
}

fn structure(call: &Call, ty: Argument) -> Option<Bytes<'_>> {
    let at = call.function.row().arguments.iter().position(|argument| argument.ty == ty)?;
    match call.arguments.get(at) {
        Some(Buffer::Bytes(bytes)) => Some(Bytes(bytes)),
        _ => None,
    }
}

fn name(call: &Call, ty: Argument) -> Name {
    let at = call.function.row().arguments.iter().position(|argument| argument.ty == ty);
    match at.and_then(|at| call.arguments.get(at)) {
        Some(Buffer::Text(units)) => Name::from_utf16(units),
        _ => Name::default(),
    }
}

/// A connection's structures.
struct Connection {
    handle: u64,
    session: PastSession,
    usage: Usage,
}

fn interface(kind: u32) -> InterfaceType {
    // ROUTER_INTERFACE_TYPE of mprapi.h.
    match kind {
        0 => InterfaceType::Client,
        1 => InterfaceType::HomeRouter,
        2 => InterfaceType::FullRouter,
        3 => InterfaceType::Dedicated,
        _ => InterfaceType::Other,
    }
}

fn quarantine(state: u32) -> Option<Quarantine> {
    [Quarantine::Normal, Quarantine::Quarantine, Quarantine::Probation, Quarantine::NotCapable]
        .get(usize::try_from(state).ok()?)
        .copied()
}

fn arrived(name: Name) -> Fact<Name> {
    Fact::arrived(Some(name).filter(|name| !name.is_empty()))
}

/// A session with user and time; other facts are lacking.
fn bare(user: Name, server: &Name, time: Millis, key: String) -> PastSession {
    PastSession {
        key,
        server: server.clone(),
        user,
        domain: Name::default(),
        start: time,
        ended: None,
        last_seen: time,
        tunnel: Fact::NotYetKnown,
        port: Fact::NotYetKnown,
        source: Fact::NotYetKnown,
        computer: Fact::NotYetKnown,
        quarantine: Fact::NotYetKnown,
        interface: Fact::NotYetKnown,
        address: Fact::NotYetKnown,
        links: 1,
    }
}

fn connection(call: &Call, server: &Name, time: Millis) -> Option<Connection> {
    let key = format!("call {}", call.seq);
    if let Some(ex) = structure(call, Argument::ConnectionEx) {
        type Ex = RAS_CONNECTION_EX;
        let mut session = bare(ex.text(offset_of!(Ex, wszUserName), 257), server, time, key);
        session.domain = ex.text(offset_of!(Ex, wszLogonDomain), 16);
        session.computer = arrived(ex.text(offset_of!(Ex, wszRemoteComputer), 17));
        let source = ex.text(offset_of!(Ex, wszRemoteEndpointAddress), 65);
        session.source = Fact::arrived(source.as_str().parse().ok());
        session.interface = Fact::Known(interface(ex.u32(offset_of!(Ex, dwInterfaceType))));
        session.quarantine = Fact::arrived(quarantine(ex.u32(offset_of!(Ex, rasQuarState))));
        if ex.u32(offset_of!(Ex, dwConnectionFlags)) & RAS_FLAGS_IKEV2_CONNECTION != 0 {
            session.tunnel = Fact::Known(Tunnel::Ikev2);
        }
        let usage = Usage {
            seconds: ex.u32(offset_of!(Ex, dwConnectDuration)).into(),
            input_octets: ex.u32(offset_of!(Ex, dwBytesRcved)).into(),
            output_octets: ex.u32(offset_of!(Ex, dwBytesXmited)).into(),
            input_packets: ex.u32(offset_of!(Ex, dwFramesRcved)).into(),
            output_packets: ex.u32(offset_of!(Ex, dwFramesXmited)).into(),
        };
        return Some(Connection { handle: ex.u64(offset_of!(Ex, hConnection)), session, usage });
    }
    let c0 = structure(call, Argument::Connection0)?;
    type C0 = RAS_CONNECTION_0;
    type C1 = RAS_CONNECTION_1;
    let mut session = bare(c0.text(offset_of!(C0, wszUserName), 257), server, time, key);
    session.domain = c0.text(offset_of!(C0, wszLogonDomain), 16);
    session.computer = arrived(c0.text(offset_of!(C0, wszRemoteComputer), 17));
    session.interface = Fact::Known(interface(c0.u32(offset_of!(C0, dwInterfaceType))));
    // The older structures carry no public address and, except for level 3, no quarantine state.
    let c1 = structure(call, Argument::Connection1).unwrap_or(Bytes(&[]));
    let usage = Usage {
        seconds: c0.u32(offset_of!(C0, dwConnectDuration)).into(),
        input_octets: c1.u32(offset_of!(C1, dwBytesRcved)).into(),
        output_octets: c1.u32(offset_of!(C1, dwBytesXmited)).into(),
        input_packets: c1.u32(offset_of!(C1, dwFramesRcved)).into(),
        output_packets: c1.u32(offset_of!(C1, dwFramesXmited)).into(),
    };
    Some(Connection { handle: c0.u64(offset_of!(C0, hConnection)), session, usage })
}

/// The attempts found so far.
#[derive(Default)]
struct Reported {
    attempts: Vec<Attempt>,
    /// Accepted connections without a link, by handle.
    waiting: HashMap<u64, PastSession>,
    /// Live connections, with their index in `attempts`.
    live: HashMap<u64, usize>,
    /// Ports for which RRAS asked for an IPv6 identifier.
    ipv6: HashSet<Name>,
}

const REFUSED: &str = "the DLL of the trace refused";

/// Reads the attempts that one DLL saw in a trace. `began` is the time at which the trace began, because a trace
/// contains only offsets.
pub fn from_trace(calls: &[Call], dll: usize, server: &Name, began: Millis) -> Vec<Attempt> {
    let mut reported = Reported::default();
    let mut last = began;
    for call in calls.iter().filter(|call| call.dll == dll) {
        let time = began.saturating_add(i64::try_from(call.at_us / 1000).unwrap_or(i64::MAX));
        last = last.max(time);
        reported.call(call, server, time);
    }
    for at in reported.live.into_values() {
        reported.attempts[at].session.last_seen = last;
    }
    reported.attempts
}

impl Reported {
    fn refuse(&mut self, session: PastSession, ipv6: bool) {
        self.attempts.push(Attempt { session, ipv6, refused: Some(Refused::ByDll(REFUSED.to_owned())) });
    }

    fn call(&mut self, call: &Call, server: &Name, time: Millis) {
        let accepted = call.result.is_some_and(|result| result != 0);
        match call.function {
            F::GetIpAddressForUser | F::GetIpv6AddressForUser => {
                let port = name(call, Argument::PortName);
                let ipv6 = call.function == F::GetIpv6AddressForUser;
                if ipv6 {
                    self.ipv6.insert(port.clone());
                } else {
                    self.ipv6.remove(&port);
                }
                // Here 0 is success.
                if call.result != Some(0) {
                    let key = format!("call {}", call.seq);
                    let mut session = bare(name(call, Argument::UserName), server, time, key);
                    session.port = arrived(port);
                    self.refuse(session, ipv6);
                }
            }
            F::AcceptNewConnection | F::AcceptNewConnection2 | F::AcceptNewConnection3 | F::AcceptNewConnectionEx => {
                let Some(Connection { handle, session, .. }) = connection(call, server, time) else { return };
                self.end_unreported(handle, time);
                if accepted {
                    self.waiting.insert(handle, session);
                } else {
                    self.refuse(session, false);
                }
            }
            F::AcceptNewLink => self.link(call, accepted, time),
            F::ConnectionHangupNotification
            | F::ConnectionHangupNotification2
            | F::ConnectionHangupNotification3
            | F::ConnectionHangupNotificationEx => {
                let Some(Connection { handle, mut usage, .. }) = connection(call, server, time) else { return };
                self.waiting.remove(&handle);
                let Some(at) = self.live.remove(&handle) else { return };
                let session = &mut self.attempts[at].session;
                if usage.seconds == 0 {
                    usage.seconds = u64::try_from((time - session.start) / 1000).unwrap_or(0);
                }
                session.ended = Some(Ended { stop: time, usage, cause: None, estimated: false });
                session.last_seen = time;
            }
            _ => {}
        }
    }

    /// Ends a connection without a hangup, because its handle or port begins again.
    fn end_unreported(&mut self, handle: u64, time: Millis) {
        if let Some(at) = self.live.remove(&handle) {
            self.attempts[at].session.last_seen = time;
        }
    }

    fn link(&mut self, call: &Call, accepted: bool, time: Millis) {
        type P0 = RAS_PORT_0;
        let Some(port) = structure(call, Argument::Port0) else { return };
        let handle = port.u64(offset_of!(P0, hConnection));
        if let Some(&at) = self.live.get(&handle) {
            self.attempts[at].session.links += u32::from(accepted);
            return;
        }
        let Some(mut session) = self.waiting.remove(&handle) else { return };
        let name = port.text(offset_of!(P0, wszPortName), 17);
        let device = port.text(offset_of!(P0, wszDeviceName), 129);
        let tunnel = Tunnel::ALL.into_iter().find(|tunnel| device.as_str().contains(&format!("({})", tunnel.name())));
        session.tunnel = match (tunnel, &session.tunnel) {
            (Some(tunnel), _) => Fact::Known(tunnel),
            (None, Fact::Known(known)) => Fact::Known(*known),
            (None, _) => Fact::Absent,
        };
        let on_port = |at: &usize| self.attempts[*at].session.port.known() == Some(&name);
        let earlier = self.live.iter().find(|(_, at)| on_port(at)).map(|(earlier, _)| *earlier);
        if let Some(earlier) = earlier {
            self.end_unreported(earlier, time);
        }
        let ipv6 = self.ipv6.remove(&name);
        session.port = arrived(name);
        if accepted {
            self.live.insert(handle, self.attempts.len());
            self.attempts.push(Attempt { session, ipv6, refused: None });
        } else {
            self.refuse(session, ipv6);
        }
    }
}
