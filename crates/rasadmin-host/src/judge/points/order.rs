//! The order of the calls of one connection.

use crate::assumptions::Assumption;
use crate::judge::judgement::Notes;
use crate::judge::trace::{Given, Session, Trace, bare};
use crate::judge::{Look, Point};
use mprapi::FunctionId as F;

pub const ADDRESSES_FIRST: Point = Point {
    name: "addresses-first",
    ids: &["R-ORDER-2", "R-ORDER-3"],
    statement: "The addresses are assigned before AcceptNewConnection.",
    assumption: None,
    how: "Connect any client.",
    look: Look::Calls(addresses_first),
};

fn addresses_first(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    let any_left = trace.ipv4.iter().any(|given| !given.taken);
    for session in &trace.sessions {
        let given = [trace.ipv4_of(session), trace.ipv6_of(session)];
        for given in given.into_iter().flatten() {
            notes.confirm("assigned before", &[given.call, session.asked()], session.who());
        }
        let end = session.hangups.first().map_or(usize::MAX, |&(_, call)| call);
        let late = |given: &&Given| {
            let during = session.asked() < given.call && given.call < end;
            during && !given.taken && bare(&given.user) == bare(&session.connection.user)
        };
        let another = trace.sessions.iter().filter(|other| {
            other.asked() > session.asked() && bare(&other.connection.user) == bare(&session.connection.user)
        });
        // With a later connection of the same user, the call may be one for that.
        if any_left
            && session.ipv4.is_none()
            && another.count() == 0
            && let Some(given) = trace.ipv4.iter().find(late)
        {
            notes.contradict("assigned after", &[session.asked(), given.call], session.who());
        }
    }
}

pub const LINK_AT_ONCE: Point = Point {
    name: "link-at-once",
    ids: &["R-ORDER-4"],
    statement: "AcceptNewLink for the first link is the next call of a connection after AcceptNewConnection.",
    assumption: None,
    how: "Connect a client by SSTP.",
    look: Look::Calls(link_at_once),
};

fn link_at_once(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for session in trace.sessions.iter().filter(|session| session.accepted()) {
        let (Some(link), Some(&next)) = (session.links.first(), session.all.get(session.accepts.len())) else {
            continue;
        };
        if next == link.call {
            notes.confirm("it was the next call", &[session.asked(), next], session.who());
        } else {
            notes.contradict("another call came between", &[session.asked(), next, link.call], session.who());
        }
    }
}

pub const END: Point = Point {
    name: "hangup-order",
    ids: &["R-ORDER-6", "R-ORDER-7", "R-HOST-16"],
    statement: "At the end come the link hangups, the connection's hangup, and then the releases.",
    assumption: Some(Assumption::HangupOrder),
    how: "Connect a client by SSTP and disconnect it.",
    look: Look::Calls(end),
};

fn end(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    // What was rejected may end in another way.
    for session in trace.sessions.iter().filter(|session| session.was_online()) {
        let Some(&(dll, hangup)) = session.hangups.first() else { continue };
        let link = session.link_hangups.iter().rev().find(|link| link.dll == dll).map(|link| link.call);
        let released = [trace.ipv4_of(session), trace.ipv6_of(session)];
        let release = released.into_iter().flatten().filter_map(|given| given.released).min();
        let mut calls: Vec<_> = link.into_iter().chain([hangup]).chain(release).collect();
        calls.sort_unstable();
        let mut value = |value, what| notes.value(value, what, &calls, session.who());
        match (link, release) {
            (Some(link), _) if hangup < link => value("connection-first", "connection, then links"),
            (_, Some(release)) if release < hangup && link.is_none_or(|link| release < link) => {
                value("releases-first", "releases, then the hangups");
            }
            (Some(link), Some(release)) if link < hangup && hangup < release => {
                value("releases-last", "links, connection, releases");
            }
            (Some(_), Some(_)) => notes.contradict("another order", &calls, session.who()),
            // Without links or releases, the rest fits more than one order.
            (None, _) | (_, None) => {}
        }
    }
}

pub const LINKS_LAST_FIRST: Point = Point {
    name: "links-last-first",
    ids: &["R-HOST-16"],
    statement: "At the end, the last link is hung up first.",
    assumption: None,
    how: "Connect a client with two links (multilink), and disconnect it.",
    look: Look::Calls(links_last_first),
};

fn links_last_first(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for session in &trace.sessions {
        let hangups = ended_together(trace, session);
        let joined = |port: &str| session.links.iter().rposition(|link| link.accepted && link.port == port);
        let order: Vec<_> = hangups.iter().filter_map(|&(_, port)| joined(port)).collect();
        if order.len() < 2 || order.len() != hangups.len() {
            continue;
        }
        let calls: Vec<_> = hangups.iter().map(|&(call, _)| call).collect();
        if order.is_sorted_by(|a, b| a > b) {
            notes.confirm("the last link came first", &calls, session.who());
        } else {
            notes.contradict("another order of the links", &calls, session.who());
        }
    }
}

/// The link hangups of one DLL that came one after the other at the end: call and port.
fn ended_together<'a>(trace: &Trace<'_>, session: &'a Session) -> Vec<(usize, &'a str)> {
    let Some(&(dll, _)) = session.hangups.first() else { return Vec::new() };
    let of_dll: Vec<_> = session.all.iter().copied().filter(|&call| trace.calls[call].dll == dll).collect();
    let accepts = of_dll.iter().rposition(|&call| {
        !matches!(trace.calls[call].function, F::LinkHangupNotification)
            && !session.hangups.iter().any(|&(_, hangup)| hangup == call)
    });
    let after = accepts.map_or(0, |at| at + 1);
    let at_end = &of_dll[after..];
    let links = session.link_hangups.iter().filter(|link| link.dll == dll && at_end.contains(&link.call));
    links.map(|link| (link.call, link.port.as_str())).collect()
}
