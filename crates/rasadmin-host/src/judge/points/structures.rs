//! What the structures have in them.

use crate::assumptions::Assumption;
use crate::judge::connection::{bytes, dword, structure};
use crate::judge::judgement::Notes;
use crate::judge::trace::Trace;
use crate::judge::{Look, Point};
use mprapi::abi::{CONNECTION_REVISION, CONNECTION_TYPE, RAS_CONNECTION_3, RAS_CONNECTION_EX};
use mprapi::contract::ArgumentType;
use rasadmin_trace::Buffer;
use std::mem::offset_of;

pub const HEADERS: Point = Point {
    name: "headers",
    ids: &["R-STRUCT-1", "R-STRUCT-2"],
    statement: "RAS_CONNECTION_EX arrives with revision 1, type 1 and size 1672, and RAS_CONNECTION_3 with size 792.",
    assumption: None,
    how: "Connect any client.",
    look: Look::Calls(headers),
};

fn headers(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    const SIZE: u16 = size_of::<RAS_CONNECTION_EX>() as u16;
    for (at, call) in trace.calls.iter().enumerate() {
        let ex = call.function.row().arguments.iter().position(|a| a.ty == ArgumentType::ConnectionEx);
        match ex.and_then(|ex| call.arguments.get(ex)) {
            Some(Buffer::Bytes(ex)) => {
                let [revision, ty, low, high] = bytes(ex, 0);
                let size = u16::from_le_bytes([low, high]);
                if (revision, ty, size) == (CONNECTION_REVISION, CONNECTION_TYPE, SIZE) {
                    notes.confirm("a RAS_CONNECTION_EX with this header", &[at], String::new());
                } else {
                    let detail = format!("revision {revision}, type {ty}, size {size}");
                    notes.contradict("a RAS_CONNECTION_EX with another header", &[at], detail);
                }
            }
            Some(Buffer::Null) if !trace.by_host => {
                notes.contradict("a RAS_CONNECTION_EX that the recorder could not read", &[at], String::new());
            }
            _ => {}
        }
        if let Some(three) = structure(call, ArgumentType::Connection3) {
            let size = dword(three, offset_of!(RAS_CONNECTION_3, dwSize));
            if size as usize == size_of::<RAS_CONNECTION_3>() {
                notes.confirm("a RAS_CONNECTION_3 with this size", &[at], String::new());
            } else {
                notes.contradict("a RAS_CONNECTION_3 with another size", &[at], format!("size {size}"));
            }
        }
    }
}

pub const CLIENT_ADDRESS: Point = Point {
    name: "client-address",
    ids: &["R-STRUCT-10", "R-HOST-14"],
    statement: "In a projection, wszRemoteAddress is the client's address and wszAddress is the server's.",
    assumption: Some(Assumption::Projection),
    how: "Connect a client that gets an IPv4 address.",
    look: Look::Calls(client_address),
};

fn client_address(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for session in &trace.sessions {
        let (Some(projection), Some(given)) = (session.connection.projection, trace.ipv4_of(session)) else { continue };
        let is_given = |address: Option<std::net::Ipv4Addr>| address.is_some_and(|a| given.address == a.octets());
        let calls = [given.call, session.asked()];
        match (is_given(projection.local), is_given(projection.remote)) {
            (false, true) => notes.value(
                "remote-is-client",
                "wszRemoteAddress has the address that was assigned",
                &calls,
                session.who(),
            ),
            (true, false) => {
                notes.value("local-is-client", "wszAddress has the address that was assigned", &calls, session.who())
            }
            _ => {}
        }
    }
}

pub const CLIENT_IDENTIFIER: Point = Point {
    name: "client-identifier",
    ids: &["R-STRUCT-11", "R-HOST-14"],
    statement: "In a projection, bRemoteInterfaceIdentifier is the client's and bInterfaceIdentifier is the server's.",
    assumption: Some(Assumption::Projection),
    how: "Connect a client that negotiates IPv6.",
    look: Look::Calls(client_identifier),
};

fn client_identifier(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for session in &trace.sessions {
        let (Some(projection), Some(given)) = (session.connection.projection, trace.ipv6_of(session)) else { continue };
        let halves: [[u8; 8]; 2] = [bytes(&given.address, 0), bytes(&given.address, 8)];
        let is_given = |identifier: [u8; 8]| identifier != [0; 8] && halves.contains(&identifier);
        let calls = [given.call, session.asked()];
        match (is_given(projection.local_identifier), is_given(projection.remote_identifier)) {
            (false, true) => notes.value(
                "remote-is-client",
                "bRemoteInterfaceIdentifier has the identifier that was assigned",
                &calls,
                session.who(),
            ),
            (true, false) => notes.value(
                "local-is-client",
                "bInterfaceIdentifier has the identifier that was assigned",
                &calls,
                session.who(),
            ),
            _ => {}
        }
    }
}
