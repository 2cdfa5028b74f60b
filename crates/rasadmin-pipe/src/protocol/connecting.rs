//! A connection to explain.

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};

/// Who connects, how and when. What is missing counts as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connecting {
    /// The user, as RRAS would pass the name: `alice`, `CORP\\alice`, `alice@corp.example`.
    pub user: String,
    /// The logon domain, which RRAS passes with the connection.
    pub domain: Option<String>,
    /// `SSTP`, `IKEv2`, `L2TP` or `PPTP`; `None`: each of them.
    pub tunnel: Option<String>,
    /// The client's public address.
    pub source: Option<IpAddr>,
    /// The name of the client's computer.
    pub computer: Option<String>,
    /// The port: `VPN2-127`.
    pub port: Option<String>,
    /// The time, in milliseconds since 1970, UTC; `None`: now.
    pub at: Option<i64>,
    /// `normal`, `quarantine`, `probation` or `not-capable`; `None`: `normal`.
    pub quarantine: Option<String>,
    /// `client`, `home-router`, `full-router`, `dedicated` or `other`; `None`: `client`.
    pub interface: Option<String>,
    /// The IPv4 address that RRAS would offer.
    pub offer: Option<Ipv4Addr>,
    /// Does RRAS also ask for an IPv6 interface identifier?
    pub ipv6: bool,
}
