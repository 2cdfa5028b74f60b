//! RRAS's calls, as events.

use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::{AddressEvent, ConnectionEvent, LinkEvent, Offer, ReleaseEvent};
use rasadmin_engine::{InterfaceType, Name, Quarantine, Tunnel};
use std::net::Ipv4Addr;

/// Monday, 2026-11-23, 09:00 UTC.
pub const MONDAY: i64 = 1_795_424_400_000;

/// What the reports of costs are measured with: a large pool, and two rules that count.
pub const COUNTING: &str = r#"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.0.0.0/8"]
    [groups.all]
    users = ["CORP\\*"]
    [[rules]]
    name = "everybody"
    action = "deny"
    users = ["*"]
    group_sessions = { group = "all", at_least = 1000000 }
    [[rules]]
    name = "two each"
    action = "deny"
    users = ["*"]
    user_sessions = { at_least = 2 }
"#;

pub fn number(text: &str) -> Address {
    Address { family: Family::Ipv4, number: u64::from(text.parse::<Ipv4Addr>().unwrap().to_bits()) }
}

/// What RRAS offers; empty: nothing.
pub fn offer(address: &str) -> Offer {
    if address.is_empty() { Offer::Nothing } else { Offer::Number(number(address).number) }
}

pub fn address(user: &str, port: &str, offer: Offer) -> AddressEvent {
    AddressEvent { user: user.into(), port: port.into(), family: Family::Ipv4, offer }
}

pub fn release(user: &str, port: &str, address: &str) -> ReleaseEvent {
    ReleaseEvent { user: user.into(), port: port.into(), address: Some(number(address)) }
}

pub fn link(handle: u64, port: &str, tunnel: Tunnel) -> LinkEvent {
    LinkEvent {
        handle,
        port: port.into(),
        device: Name::new(&format!("WAN Miniport ({})", tunnel.name())),
        tunnel: Some(tunnel),
        usage: Usage::default(),
    }
}

pub fn connection(handle: u64, user: &str) -> ConnectionEvent {
    ConnectionEvent {
        handle,
        guid: Some(format!("{handle:032x}")),
        user: user.into(),
        domain: Name::default(),
        computer: Name::default(),
        source: "203.0.113.9".into(),
        interface: InterfaceType::Client,
        ikev2: Some(false),
        quarantine: Some(Quarantine::Normal),
        usage: Usage::default(),
        addresses: Vec::new(),
        prefix: None,
    }
}

pub trait With: Sized {
    fn with(self, change: impl FnOnce(&mut Self)) -> Self;
}

impl With for ConnectionEvent {
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}
