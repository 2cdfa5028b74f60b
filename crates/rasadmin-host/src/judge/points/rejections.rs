//! What follows a rejection.
//!
//! The host's traces have every DLL. In those of the recorder, only the recorder's own calls can be seen: another DLL behind
//! it has rejected something if what the recorder accepted ends at once.

use crate::assumptions::Assumption;
use crate::judge::judgement::Notes;
use crate::judge::trace::{LinkCall, Session, Trace};
use crate::judge::{Look, Point};
use std::collections::BTreeSet;

/// The DLLs that were notified of the connection's end, and the calls.
fn notified(session: &Session) -> (BTreeSet<usize>, Vec<usize>) {
    (session.hangups.iter().map(|&(dll, _)| dll).collect(), session.hangups.iter().map(|&(_, call)| call).collect())
}

/// Whether what a DLL behind the recorder did can only be seen by what follows.
fn only_the_recorder(trace: &Trace<'_>) -> bool {
    !trace.by_host && trace.dlls == 1
}

pub const CONNECTION: Point = Point {
    name: "rejected-connection",
    ids: &["R-MULTI-3", "R-HOST-3"],
    statement: "When a DLL rejects a connection, the DLLs before it get ConnectionHangupNotification.",
    assumption: Some(Assumption::RejectedConnection),
    how: "Put a DLL that rejects connections behind the recorder (examples/reject), and connect a client by SSTP.",
    look: Look::Calls(connection),
};

fn connection(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for session in &trace.sessions {
        let (hung_up, hangups) = notified(session);
        if let Some(rejected) = session.accepts.iter().find(|asked| !asked.accepted) {
            let before: BTreeSet<_> = session.accepts.iter().map(|a| a.dll).filter(|&d| d != rejected.dll).collect();
            let calls: Vec<_> = [rejected.call].into_iter().chain(hangups).collect();
            if hung_up.contains(&rejected.dll) {
                notes.value("every-dll", "the DLL that rejected it was notified too", &calls, session.who());
            } else if before.is_empty() {
                // Without a DLL before it, nobody and the earlier ones are the same.
            } else if hung_up.is_empty() {
                notes.value("nobody", "no DLL was notified", &calls, session.who());
            } else if hung_up == before {
                notes.value("earlier-dlls", "the DLLs before it were notified", &calls, session.who());
            } else {
                notes.contradict("only some of the DLLs before it were notified", &calls, session.who());
            }
        } else if only_the_recorder(trace) && session.links.is_empty() && !session.connection.is_ikev2() {
            match hangups.first() {
                Some(&hangup) => {
                    let calls = [session.asked(), hangup];
                    notes.confirm("a hangup, although no link had followed", &calls, session.who());
                }
                None if session.is_over(trace) => {
                    notes.value("nobody", "no link and no hangup followed", &[session.asked()], session.who());
                }
                None => {}
            }
        }
    }
}

pub const FIRST_LINK: Point = Point {
    name: "rejected-first-link",
    ids: &["R-HOST-4"],
    statement: "When the first link is rejected, the connection ends and every DLL gets ConnectionHangupNotification.",
    assumption: Some(Assumption::RejectedFirstLink),
    how: "Put a DLL that rejects links behind the recorder (examples/reject with RASADMIN_REJECT=links), and connect a \
          client by SSTP.",
    look: Look::Calls(first_link),
};

fn first_link(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for session in &trace.sessions {
        let Some(first) = session.links.first() else { continue };
        let asked = session.links.iter().take_while(|link| link.port == first.port);
        let (hung_up, hangups) = notified(session);
        if let Some(rejected) = asked.clone().find(|link| !link.accepted) {
            let calls: Vec<_> = [rejected.call].into_iter().chain(hangups).collect();
            let every: BTreeSet<_> = session.accepts.iter().map(|asked| asked.dll).collect();
            if hung_up.is_empty() {
                notes.value("nobody", "no DLL was notified", &calls, session.who());
            } else if hung_up == every {
                notes.value("every-dll", "every DLL was notified", &calls, session.who());
            } else {
                notes.contradict("only some DLLs were notified", &calls, session.who());
            }
        } else if only_the_recorder(trace)
            && let Some(taken_back) = session.link_hangups.first().filter(|link| at_once(trace, first, link))
        {
            match hangups.first() {
                Some(&hangup) if trace.seconds_between(session.asked(), hangup) == 0 => {
                    let calls = [first.call, taken_back.call, hangup];
                    notes.value("every-dll", "link and connection were hung up at once", &calls, session.who());
                }
                None if session.is_over(trace) => {
                    let calls = [first.call, taken_back.call];
                    notes.value("nobody", "the link was hung up at once, the connection never", &calls, session.who());
                }
                _ => {}
            }
        }
    }
}

/// Whether a link was hung up within a second of its acceptance.
fn at_once(trace: &Trace<'_>, accepted: &LinkCall, hung_up: &LinkCall) -> bool {
    hung_up.port == accepted.port && trace.seconds_between(accepted.call, hung_up.call) == 0
}

pub const FURTHER_LINK: Point = Point {
    name: "rejected-further-link",
    ids: &["R-HOST-5"],
    statement: "A further link that is rejected ends, and the connection goes on.",
    assumption: None,
    how: "Use a DLL that records its calls and rejects the second link of a client with multilink.",
    look: Look::Calls(further_link),
};

fn further_link(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for session in &trace.sessions {
        let mut online = false;
        for link in &session.links {
            if link.accepted {
                online |= link.dll + 1 == trace.dlls;
                continue;
            }
            if !online {
                break;
            }
            let is_hangup = |&call: &usize| {
                let hung_up = session.link_hangups.iter().any(|hangup| hangup.call == call);
                hung_up || session.hangups.iter().any(|&(_, hangup)| hangup == call)
            };
            let goes_on = session.all.iter().copied().find(|call| *call > link.call && !is_hangup(call));
            let ended = session.hangups.iter().map(|&(_, call)| call).find(|&call| call > link.call);
            match (goes_on, ended) {
                (Some(call), _) => notes.confirm("other calls followed", &[link.call, call], session.who()),
                (None, Some(end)) if trace.seconds_between(session.asked(), end) > 0 => {
                    notes.confirm("the connection went on", &[link.call, end], session.who());
                }
                (None, Some(end)) => {
                    notes.contradict("the connection ended at once", &[link.call, end], session.who());
                }
                (None, None) => {}
            }
        }
    }
}

pub const MOVE: Point = Point {
    name: "rejected-move",
    ids: &["R-HOST-6"],
    statement: "An endpoint change that is rejected ends the connection.",
    assumption: None,
    how: "Put a DLL that rejects endpoint changes behind the recorder, and move an IKEv2 client to another network.",
    look: Look::Calls(rejected_move),
};

fn rejected_move(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for session in &trace.sessions {
        for moved in &session.moves {
            let ending = |call: usize| {
                session.link_hangups.iter().any(|link| link.call == call)
                    || session.hangups.iter().any(|&(_, hangup)| hangup == call)
            };
            let next = session.all.iter().copied().find(|&call| call > moved.call);
            let seen = next.is_some_and(|next| trace.seconds_between(moved.call, next) == 0);
            match next {
                Some(next) if !moved.accepted && ending(next) => {
                    notes.confirm("the connection was hung up", &[moved.call, next], session.who());
                }
                Some(next) if !moved.accepted => {
                    notes.contradict("the connection went on", &[moved.call, next], session.who());
                }
                Some(next) if only_the_recorder(trace) && seen && ending(next) => {
                    let what = "the connection was hung up at once after a change that the recorder accepted";
                    notes.confirm(what, &[moved.call, next], session.who());
                }
                _ => {}
            }
        }
    }
}
