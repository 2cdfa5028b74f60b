//! A list of DLLs, and DLLs of revision 1. The host's traces have every DLL of the list; those of the recorder only its own.

use crate::judge::judgement::Notes;
use crate::judge::trace::Trace;
use crate::judge::{Look, Point};
use mprapi::FunctionId as F;

pub const FAILED_START: Point = Point {
    name: "failed-start",
    ids: &["R-HOST-1"],
    statement: "A DLL that fails to initialise is freed without MprAdminTerminateDll; those before it are terminated.",
    assumption: None,
    how: "Put a DLL that fails to initialise behind the recorder: its trace then ends with MprAdminTerminateDll, or \
          without. A DLL that records its calls and fails shows the rest.",
    look: Look::Calls(failed_start),
};

fn failed_start(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    let initialises = |f: F| matches!(f, F::InitializeDll | F::InitializeDllEx);
    for (at, failed) in trace.calls.iter().enumerate() {
        if !initialises(failed.function) || failed.result == Some(0) {
            continue;
        }
        let rest = trace.calls[at + 1..].iter().enumerate().map(|(i, call)| (at + 1 + i, call));
        let until = rest.take_while(|(_, call)| !initialises(call.function));
        let ended: Vec<_> = until.filter(|(_, c)| c.function == F::TerminateDll).map(|(i, c)| (i, c.dll)).collect();
        match ended.iter().find(|&&(_, dll)| dll == failed.dll) {
            Some(&(call, _)) => notes.contradict("the one that failed was terminated", &[at, call], String::new()),
            None => notes.confirm("the one that failed was not terminated", &[at], String::new()),
        }
        for earlier in 0..failed.dll {
            match ended.iter().find(|&&(_, dll)| dll == earlier) {
                Some(&(call, _)) => notes.confirm("one before it was terminated", &[at, call], String::new()),
                None => notes.contradict("one before it was not terminated", &[at], String::new()),
            }
        }
    }
}

/// Whether a DLL was initialised without a callbacks table.
fn is_old(trace: &Trace<'_>, dll: usize) -> bool {
    let has = |function| trace.calls.iter().any(|call| call.dll == dll && call.function == function);
    has(F::InitializeDll) && !has(F::InitializeDllEx)
}

pub const OLD_EX_EXPORTS: Point = Point {
    name: "old-ex-exports",
    ids: &["R-HOST-2"],
    statement: "The Ex exports of a revision 1 DLL are not used.",
    assumption: None,
    how: "Use a DLL that records its calls and exports MprAdminInitializeDll with AcceptNewConnection3 and \
          AcceptNewConnectionEx, and connect a client by SSTP.",
    look: Look::Calls(old_ex_exports),
};

fn old_ex_exports(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for dll in (0..trace.dlls).filter(|&dll| is_old(trace, dll)) {
        for (at, call) in trace.calls.iter().enumerate().filter(|(_, call)| call.dll == dll) {
            match call.function {
                F::AcceptNewConnectionEx | F::ConnectionHangupNotificationEx | F::AcceptReauthenticationEx => {
                    notes.contradict("an Ex export was called", &[at], String::new());
                }
                F::AcceptNewConnection3 | F::AcceptNewConnection2 | F::AcceptNewConnection => {
                    notes.confirm("an older export was called", &[at], String::new());
                }
                _ => {}
            }
        }
    }
}

pub const OLD_ADDRESS_PAIR: Point = Point {
    name: "old-address-pair",
    ids: &["R-HOST-7"],
    statement: "If a revision 1 DLL owns an address pair, it is skipped for IKEv2, and no later DLL takes its place.",
    assumption: None,
    how: "Put a revision 1 DLL with the IPv4 pair before the recorder, and connect a client by IKEv2: the \
          recorder then has no address call for it.",
    look: Look::Calls(old_address_pair),
};

fn old_address_pair(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    // The owner shows itself by its calls for other tunnels.
    let owner = trace.ipv4.iter().map(|given| trace.calls[given.call].dll).find(|&dll| is_old(trace, dll));
    let Some(owner) = owner else { return };
    for session in trace.sessions.iter().filter(|session| session.connection.is_ikev2()) {
        match trace.ipv4_of(session) {
            None => notes.confirm("no DLL was asked for an address", &[session.asked()], session.who()),
            Some(given) if trace.calls[given.call].dll == owner => {
                notes.contradict("the revision 1 DLL was asked", &[given.call, session.asked()], session.who());
            }
            Some(given) => notes.contradict("a later DLL was asked", &[given.call, session.asked()], session.who()),
        }
    }
}
