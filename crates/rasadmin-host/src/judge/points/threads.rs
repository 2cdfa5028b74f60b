//! Threads and processes.

use crate::judge::judgement::Notes;
use crate::judge::trace::Trace;
use crate::judge::{Look, Point};
use mprapi::FunctionId as F;
use mprapi::contract::SerialGroup;
use rasadmin_trace::Call;

/// When a call ended, in microseconds since the trace began. None if the trace does not say: the recorder cannot.
fn end(call: &Call) -> Option<u64> {
    (call.took_ns > 0).then(|| call.at_us.saturating_add(call.took_ns / 1000))
}

pub const OVERLAP: Point = Point {
    name: "overlap",
    ids: &["R-THREAD-3"],
    statement: "Calls of different groups overlap.",
    assumption: None,
    how: "The recorder's calls have no duration. Use a DLL that waits in AcceptNewLink and notes the time, and connect two \
          clients at once.",
    look: Look::Calls(overlap),
};

fn overlap(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    // A call is written when it ends, so one that it overlaps was written shortly before.
    let mut latest: Option<(usize, u64)> = None;
    for (at, call) in trace.calls.iter().enumerate() {
        let Some(ends) = end(call) else { continue };
        if let Some((before, ended)) = latest {
            let (a, b) = (trace.calls[before].function.row(), call.function.row());
            let groups = a.serial != b.serial || (a.serial == SerialGroup::Own && a.id != b.id);
            let life = [a.serial, b.serial].contains(&SerialGroup::LifeCycle);
            // Times are rounded to microseconds.
            if groups && !life && call.at_us.saturating_add(1) < ended {
                notes.confirm("two calls at the same time", &[before, at], format!("{} and {}", a.name, b.name));
            }
        }
        if latest.is_none_or(|(_, ended)| ended < ends) {
            latest = Some((at, ends));
        }
    }
}

pub const ONE_PROCESS: Point = Point {
    name: "one-process",
    ids: &["R-THREAD-5"],
    statement: "The address functions and the notifications run in one process.",
    assumption: None,
    how: "Connect any client. If the trace is damaged or has only one kind of calls, run `tasklist /m recorder.dll` while \
          clients are connected: it lists the processes.",
    look: Look::Calls(one_process),
};

fn one_process(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    if trace.by_host {
        // The host writes the calls of all its processes. A recorder writes those of its own.
        return;
    }
    let addresses = trace.ipv4.iter().chain(&trace.ipv6).map(|given| given.call).next();
    let connection = trace.sessions.first().map(|session| session.asked());
    if let (Some(address), Some(connection)) = (addresses, connection) {
        notes.confirm("one process recorded both kinds of calls", &[address, connection], String::new());
    }
}

pub const CALLS_AT_STOP: Point = Point {
    name: "calls-at-stop",
    ids: &["R-STOP-3"],
    statement: "A call can be inside a DLL when MprAdminTerminateDll is called.",
    assumption: None,
    how: "The recorder's calls have no duration. Use a DLL that waits ten seconds in AcceptNewConnection and notes the \
          times, connect a client, and stop the service meanwhile.",
    look: Look::Calls(calls_at_stop),
};

fn calls_at_stop(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for (at, stop) in trace.calls.iter().enumerate().filter(|(_, call)| call.function == F::TerminateDll) {
        for (inside, call) in trace.calls.iter().enumerate() {
            let during = call.dll == stop.dll && inside != at && call.at_us < stop.at_us;
            if during && end(call).is_some_and(|end| end > stop.at_us + 1) {
                notes.confirm("a call was inside", &[inside, at], call.function.name().to_owned());
            }
        }
    }
}
