//! A session of the past.

use rasadmin_engine::effect::Usage;
use rasadmin_policy::Millis;
use rasadmin_policy::{Fact, InterfaceType, Name, Quarantine, Tunnel};
use std::net::{IpAddr, Ipv4Addr};

/// A session as its source tells it. A fact that the source does not carry is [`Fact::NotYetKnown`]; one that it carries
/// and that was empty is [`Fact::Absent`].
#[derive(Clone, Debug, PartialEq)]
pub struct PastSession {
    /// Its key in a ledger (a UUID): the ledger's own, or made of what the log calls it, always the same.
    pub key: String,
    /// The RRAS server's name.
    pub server: Name,
    /// The user's name as it was written.
    pub user: Name,
    /// The logon domain; empty if it is not known.
    pub domain: Name,
    /// When it began.
    pub start: Millis,
    /// How it ended; None if the source does not say: it was still connected, or its end is missing.
    pub ended: Option<Ended>,
    /// The last time at which the source shows it alive: its end if that is known.
    pub last_seen: Millis,
    /// Through which tunnel.
    pub tunnel: Fact<Tunnel>,
    /// On which port (`VPN2-127`; a log has only its number, which is no name).
    pub port: Fact<Name>,
    /// From which public address.
    pub source: Fact<IpAddr>,
    /// On which computer.
    pub computer: Fact<Name>,
    /// In which quarantine state.
    pub quarantine: Fact<Quarantine>,
    /// As what.
    pub interface: Fact<InterfaceType>,
    /// The IPv4 address that the user had.
    pub address: Fact<Ipv4Addr>,
    /// How many links it had; at least 1.
    pub links: u32,
}

/// The end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub stop: Millis,
    /// What was used; zero where the source does not say.
    pub usage: Usage,
    /// Acct-Terminate-Cause (RFC 2866) as a number, if the source says it.
    pub cause: Option<u32>,
    /// The time is an estimate.
    pub estimated: bool,
}
