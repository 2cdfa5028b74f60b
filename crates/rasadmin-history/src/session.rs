//! A past session.

use rasadmin_engine::effect::Usage;
use rasadmin_policy::Millis;
use rasadmin_policy::{Fact, InterfaceType, Name, Quarantine, Tunnel};
use std::net::{IpAddr, Ipv4Addr};

/// A past session as its source has it. A fact that the source lacks is [`Fact::NotYetKnown`]; a fact that the source
/// has and that was empty is [`Fact::Absent`].
#[derive(Clone, Debug, PartialEq)]
pub struct PastSession {
    /// Its key in a ledger, a UUID: the ledger's own, or derived from the log's identifiers, so that it is always the
    /// same.
    pub key: String,
    /// The RRAS server's name.
    pub server: Name,
    /// The user's name as the source writes it.
    pub user: Name,
    /// The logon domain; empty if unknown.
    pub domain: Name,
    /// When it began.
    pub start: Millis,
    /// How it ended; `None` if the source does not say, because the session was still connected or its end is missing.
    pub ended: Option<Ended>,
    /// The last time at which the source shows it connected. This is its end, if that is known.
    pub last_seen: Millis,
    /// The tunnel.
    pub tunnel: Fact<Tunnel>,
    /// The port's name, such as `VPN2-127`. Logs have only its number.
    pub port: Fact<Name>,
    /// The client's public address.
    pub source: Fact<IpAddr>,
    /// The client's computer.
    pub computer: Fact<Name>,
    /// The quarantine state.
    pub quarantine: Fact<Quarantine>,
    /// The interface type.
    pub interface: Fact<InterfaceType>,
    /// The IPv4 address that the user had.
    pub address: Fact<Ipv4Addr>,
    /// How many links it had; at least 1.
    pub links: u32,
}

/// The end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The time.
    pub stop: Millis,
    /// The usage; zero if the source does not say.
    pub usage: Usage,
    /// Acct-Terminate-Cause (RFC 2866) as a number, if the source has it.
    pub cause: Option<u32>,
    /// Is the time an estimate?
    pub estimated: bool,
}
