//! The life of connections and of the service.

use crate::assumptions::Assumption;
use crate::judge::connection::{Connection, dword, structure};
use crate::judge::judgement::Notes;
use crate::judge::trace::{Session, Trace};
use crate::judge::{Look, Point};
use mprapi::abi::RAS_PORT_0;
use mprapi::contract::ArgumentType;
use std::collections::HashMap;
use std::mem::offset_of;

pub const HANDLES: Point = Point {
    name: "handles",
    ids: &["R-HOST-15"],
    statement: "No two connections have the same handle until the service restarts.",
    assumption: Some(Assumption::Handles),
    how: "Connect and disconnect several clients, one after the other.",
    look: Look::Calls(handles),
};

fn handles(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    let mut last: HashMap<u64, usize> = HashMap::new();
    let (mut ended, mut repeated) = (None, false);
    for session in &trace.sessions {
        let asked = session.asked();
        let restarted_since = |call: usize| trace.restarts.iter().any(|&at| call < at && at < asked);
        if let Some(&before) = last.get(&session.connection.handle).filter(|&&before| !restarted_since(before)) {
            notes.value("repeated", "the handle of an earlier connection", &[before, asked], session.who());
            repeated = true;
        }
        last.insert(session.connection.handle, asked);
    }
    // A handle can repeat only after it was free.
    for session in &trace.sessions {
        if let Some(end) = session.hangups.last().map(|&(_, call)| call) {
            ended = ended.or(Some(end));
        }
        if let Some(end) = ended.filter(|&end| !repeated && end < session.asked()) {
            notes.value("fresh", "a new handle, although one was free", &[end, session.asked()], session.who());
        }
    }
}

/// Whether the connection of a call is older than the trace. If it is not, another DLL may have rejected it before this
/// one was asked.
fn began_before(trace: &Trace<'_>, call: usize) -> bool {
    let call = &trace.calls[call];
    let port = structure(call, ArgumentType::Port0).map(|port| dword(port, offset_of!(RAS_PORT_0, dwConnectDuration)));
    let duration = port.or_else(|| Connection::of(call).map(|connection| connection.duration));
    u64::from(duration.unwrap_or(0)) > call.at_us.div_ceil(1_000_000)
}

pub const FORGETS: Point = Point {
    name: "forgets",
    ids: &["R-HOST-19"],
    statement: "After the service was killed and started again, it knows none of its connections.",
    assumption: None,
    how: "End svchost.exe of RemoteAccess in the Task Manager while clients are connected. The next start begins a new \
          trace: it has calls about connections that it does not begin, or not.",
    look: Look::Calls(forgets),
};

fn forgets(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for &call in trace.strangers.iter().filter(|&&call| began_before(trace, call)) {
        notes.contradict("a call about a connection that the service never asked about", &[call], String::new());
    }
    for &restart in &trace.restarts {
        let cut = |s: &&Session| s.cut_by_restart && s.asked() < restart;
        for session in trace.sessions.iter().filter(cut) {
            notes.confirm("no call about it after the start", &[session.asked(), restart], session.who());
        }
    }
}
