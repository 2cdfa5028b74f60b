//! IKEv2 connections.

use crate::assumptions::Assumption;
use crate::judge::judgement::Notes;
use crate::judge::trace::{Session, Trace};
use crate::judge::{Look, Point};
use mprapi::abi::RAS_FLAGS_IKEV2_CONNECTION;

fn sessions<'a>(trace: &'a Trace<'_>) -> impl Iterator<Item = &'a Session> {
    trace.sessions.iter().filter(|session| session.connection.is_ikev2())
}

pub const COMPUTER: Point = Point {
    name: "ikev2-computer",
    ids: &["R-STRUCT-20", "R-HOST-13"],
    statement: "An IKEv2 connection has the name of the client's computer.",
    assumption: Some(Assumption::Ikev2Computer),
    how: "Connect a Windows laptop by IKEv2; a phone has no such name.",
    look: Look::Calls(computer),
};

fn computer(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for session in sessions(trace) {
        let (calls, computer) = ([session.asked()], &session.connection.computer);
        if computer.is_empty() {
            notes.value("empty", "wszRemoteComputer is empty, as it always is for a phone", &calls, session.who());
        } else {
            let detail = format!("{} on `{computer}`", session.who());
            notes.value("named", "wszRemoteComputer has a name", &calls, detail);
        }
    }
}

pub const FLAGS: Point = Point {
    name: "ikev2-flags",
    ids: &["R-STRUCT-9", "R-HOST-13"],
    statement: "dwConnectionFlags of an IKEv2 connection has the flag 0x10.",
    assumption: Some(Assumption::Ikev2Flags),
    how: "Connect a client by IKEv2.",
    look: Look::Calls(flags),
};

fn flags(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    // The flag must not be what says that a connection is IKEv2.
    let by_projection = |session: &&Session| session.connection.projection.is_some_and(|p| p.ikev2);
    for session in trace.sessions.iter().filter(by_projection) {
        let (calls, flags) = ([session.asked()], session.connection.flags);
        if flags & RAS_FLAGS_IKEV2_CONNECTION != 0 {
            notes.value("set", "the flag is set", &calls, format!("flags {flags:#x}"));
        } else if flags == 0 {
            notes.value("zero", "all flags are zero", &calls, String::new());
        } else {
            notes.contradict("other flags are set", &calls, format!("flags {flags:#x}"));
        }
    }
}

pub const LINK: Point = Point {
    name: "ikev2-link",
    ids: &["R-HOST-13"],
    statement: "AcceptNewLink is called for the one link of an IKEv2 connection.",
    assumption: Some(Assumption::Ikev2Link),
    how: "Connect a client by IKEv2, and disconnect it.",
    look: Look::Calls(link),
};

fn link(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for session in sessions(trace).filter(|session| session.accepted()) {
        match session.links.first() {
            Some(link) => notes.value("called", "it was called", &[session.asked(), link.call], session.who()),
            // One that ended at once may have been rejected by a DLL whose calls are not in the trace.
            None if session.is_over(trace) && !session.ended_at_once(trace) => {
                notes.value("not-called", "it was not called before the end", &[session.asked()], session.who());
            }
            None => {}
        }
    }
}
