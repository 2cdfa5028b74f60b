//! What tests/power_cut.rs watches: sessions one after another, some overlapping, each answer acknowledged on standard
//! output as soon as it is there.
//!
//! Arguments: a folder with rasadmin.toml, and how many sessions.
#![allow(clippy::unwrap_used)]

use rasadmin_engine::addresses::Address;
use rasadmin_engine::addresses::Family;
use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::{AddressEvent, ConnectionEvent, LinkEvent, Offer, ReleaseEvent};
use rasadmin_engine::{InterfaceType, Mono, Name, Now, Stamp, Tunnel};
use rasadmin_ledger::{Assigned, Engine, Verdict};
use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// How many are live at once.
const OVERLAP: u64 = 3;

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().expect("a folder"));
    let sessions: u64 = arguments.next().expect("how many sessions").to_str().unwrap().parse().unwrap();
    let config = rasadmin_engine::config::load(&folder.join("rasadmin.toml")).expect("a configuration");
    let engine = Engine::start(Arc::new(config), &Name::new("VPN1"), system());
    acknowledge("begin", 0);
    let mut addresses = HashMap::new();
    for handle in 1..=sessions + OVERLAP {
        if handle <= sessions {
            addresses.insert(handle, begin(&engine, handle));
        }
        if handle > OVERLAP {
            let handle = handle - OVERLAP;
            end(&engine, handle, addresses[&handle]);
        }
    }
    acknowledge("end", 0);
    engine.stop(system());
}

/// One write(2): a whole line, and standard output has nothing else.
fn acknowledge(what: &str, handle: u64) {
    std::io::stdout().write_all(format!("ack {what} {handle}\n").as_bytes()).unwrap();
}

fn user(handle: u64) -> Name {
    Name::new(&format!("user{}", handle % 7))
}

fn port(handle: u64) -> Name {
    Name::new(&format!("VPN0-{}", handle % (OVERLAP + 1)))
}

fn system() -> Now {
    let time = jiff::Timestamp::now().as_millisecond();
    let at = Stamp { time, mono: Mono(time.cast_unsigned()) };
    Now { at, random: rasadmin_ledger::random().unwrap() }
}

fn connection(handle: u64) -> ConnectionEvent {
    ConnectionEvent {
        handle,
        guid: None,
        user: user(handle),
        domain: Name::default(),
        computer: Name::new("pc"),
        source: "203.0.113.5".into(),
        interface: InterfaceType::Client,
        ikev2: Some(false),
        quarantine: None,
        usage: Usage { seconds: handle, input_octets: handle, ..Usage::default() },
        addresses: Vec::new(),
        prefix: None,
    }
}

fn link(handle: u64) -> LinkEvent {
    let (port, device) = (port(handle), Name::new("WAN Miniport (SSTP)"));
    LinkEvent { handle, port, device, tunnel: Some(Tunnel::Sstp), usage: Usage::default() }
}

fn begin(engine: &Engine, handle: u64) -> u64 {
    let (user, port) = (user(handle), port(handle));
    let event = AddressEvent { user, port, family: Family::Ipv4, offer: Offer::Nothing };
    let Assigned::Number(number) = engine.assign(&event, system()).expect("an address") else { panic!("no number") };
    assert_eq!(engine.accept_connection(&connection(handle), system()), Verdict::Accept);
    acknowledge("accept", handle);
    assert_eq!(engine.accept_link(&link(handle), system()), Verdict::Accept);
    number
}

fn end(engine: &Engine, handle: u64, number: u64) {
    engine.link_hangup(&link(handle), system());
    engine.hangup(&connection(handle), system());
    acknowledge("hangup", handle);
    let address = Some(Address { family: Family::Ipv4, number });
    engine.release(&ReleaseEvent { user: user(handle), port: port(handle), address }, system());
}
