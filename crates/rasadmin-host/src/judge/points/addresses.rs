//! IPv4 addresses.

use crate::assumptions::Assumption;
use crate::judge::judgement::Notes;
use crate::judge::trace::Trace;
use crate::judge::{Look, Point};

pub const IPV4_OFFER: Point = Point {
    name: "ipv4-offer",
    ids: &["R-HOST-10"],
    statement: "RRAS always has an IPv4 address of its own to offer.",
    assumption: Some(Assumption::Ipv4Offer),
    how: "Connect a client, also while the pool or DHCP has no address left.",
    look: Look::Calls(ipv4_offer),
};

fn ipv4_offer(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for given in &trace.ipv4 {
        match given.offer[..] {
            [0, 0, 0, 0] => notes.value("zero", "the offer is 0.0.0.0", &[given.call], String::new()),
            [169, 254, ..] => {
                notes.contradict("the offer is of 169.254/16, as without DHCP", &[given.call], String::new());
            }
            _ => notes.value("pool", "the offer is an address", &[given.call], String::new()),
        }
    }
}

pub const OWN_ADDRESS_RETURNS: Point = Point {
    name: "own-address-returns",
    ids: &["R-HOST-9"],
    statement: "RRAS's own IPv4 address goes back to its pool when the DLL replaces it.",
    assumption: None,
    how: "Use a DLL that replaces the address and records its calls, and connect two clients: the second is offered the \
          same address.",
    look: Look::Calls(own_address_returns),
};

fn own_address_returns(trace: &Trace<'_>, notes: &mut Notes<'_>) {
    for (at, given) in trace.ipv4.iter().enumerate() {
        if !given.ok || given.offer == given.address {
            continue;
        }
        let end = given.released.unwrap_or(usize::MAX);
        let again = trace.ipv4[at + 1..].iter().take_while(|other| other.call < end).find(|o| o.offer == given.offer);
        if let Some(again) = again {
            let offered = shown(&again.offer);
            notes.confirm("it was offered again while the client was connected", &[given.call, again.call], offered);
        }
    }
}

fn shown(address: &[u8]) -> String {
    address.iter().map(u8::to_string).collect::<Vec<_>>().join(".")
}
