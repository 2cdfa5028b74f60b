//! IPv6 identifiers.

use crate::assumptions::Assumption;
use crate::judge::connection::bytes;
use crate::judge::judgement::Notes;
use crate::judge::trace::{Given, Trace};
use crate::judge::{Look, Point};
use std::net::Ipv6Addr;

const HOW: &str = "Connect a client that negotiates IPv6.";

/// The first and the last eight bytes.
fn halves(address: &[u8]) -> [[u8; 8]; 2] {
    [bytes(address, 0), bytes(address, 8)]
}

fn shown(address: &[u8]) -> String {
    Ipv6Addr::from(bytes::<16>(address, 0)).to_string()
}

pub const OFFER: Point = Point {
    name: "ipv6-offer",
    ids: &["R-HOST-10"],
    statement: "RRAS always has an interface identifier of its own to offer.",
    assumption: Some(Assumption::Ipv6Offer),
    how: HOW,
    look: Look::Calls(offer),
};

fn offer(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for given in &trace.ipv6 {
        let detail = shown(&given.offer);
        if given.offer.iter().all(|&byte| byte == 0) {
            notes.value("zero", "the offer is zero", &[given.call], detail);
        } else {
            notes.value("own", "the offer is not zero", &[given.call], detail);
        }
    }
}

pub const HALF: Point = Point {
    name: "identifier-half",
    ids: &["R-IP6-2", "R-HOST-11"],
    statement: "The last eight bytes of the IN6_ADDR have the interface identifier.",
    assumption: Some(Assumption::IdentifierHalf),
    how: HOW,
    look: Look::Calls(half),
};

fn half(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for given in &trace.ipv6 {
        let detail = shown(&given.offer);
        match halves(&given.offer).map(|half| half == [0; 8]) {
            [true, false] => notes.value("low", "only the last half of the offer is set", &[given.call], detail),
            [false, true] => notes.value("high", "only the first half of the offer is set", &[given.call], detail),
            _ => {}
        }
    }
    for session in &trace.sessions {
        let (Some(projection), Some(given)) = (session.connection.projection, trace.ipv6_of(session)) else { continue };
        let [high, low] = halves(&given.address);
        let has = |half: [u8; 8]| {
            half != [0; 8] && [projection.local_identifier, projection.remote_identifier].contains(&half)
        };
        let calls = [given.call, session.asked()];
        match [has(high), has(low)] {
            [false, true] => {
                notes.value("low", "the projection has the last half", &calls, shown(&given.address));
            }
            [true, false] => {
                notes.value("high", "the projection has the first half", &calls, shown(&given.address));
            }
            _ => {}
        }
    }
}

pub const FIRST_HALF_IS_ZERO: Point = Point {
    name: "first-half-is-zero",
    ids: &["R-HOST-11"],
    statement: "The first eight bytes of an IPv6 offer are zero.",
    assumption: None,
    how: HOW,
    look: Look::Calls(first_half_is_zero),
};

fn first_half_is_zero(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for given in trace.ipv6.iter().filter(|given| given.offer.iter().any(|&byte| byte != 0)) {
        let (calls, detail) = ([given.call], shown(&given.offer));
        if halves(&given.offer)[0] == [0; 8] {
            notes.confirm("they are zero", &calls, detail);
        } else {
            notes.contradict("they are not zero", &calls, detail);
        }
    }
}

pub const FAILURE_ENDS: Point = Point {
    name: "ipv6-failure-ends",
    ids: &["R-HOST-8"],
    statement: "An IPv6 call that fails ends the connection, as an IPv4 call does.",
    assumption: None,
    how: "Use a DLL that records its calls and answers MprAdminGetIpv6AddressForUser with 5, and connect a client by IPv4 \
          and IPv6.",
    look: Look::Calls(failure_ends),
};

fn failure_ends(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    let same = |a: &Given, b: &Given| a.user == b.user && a.port == b.port;
    for failed in trace.ipv6.iter().filter(|given| !given.ok) {
        let ipv4 = trace.ipv4.iter().rposition(|given| given.call < failed.call && same(given, failed));
        let Some(at) = ipv4 else { continue };
        let ipv4 = &trace.ipv4[at];
        let went_on = trace.sessions.iter().find(|s| s.ipv4 == Some(at) && s.asked() > failed.call);
        match (went_on, ipv4.released) {
            (Some(session), _) => {
                let calls = [failed.call, session.asked()];
                notes.contradict("the connection was accepted afterwards", &calls, session.who());
            }
            (None, Some(release)) => {
                notes.confirm("no connection followed", &[failed.call, release], failed.user.clone());
            }
            (None, None) => {}
        }
    }
}
