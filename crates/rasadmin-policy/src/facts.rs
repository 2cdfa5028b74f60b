//! The facts that rules can ask about.

use crate::{Fact, Identity, Name};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The tunnel types of RRAS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[allow(missing_docs)]
pub enum Tunnel {
    #[serde(rename = "SSTP")]
    Sstp,
    #[serde(rename = "IKEv2")]
    Ikev2,
    #[serde(rename = "L2TP")]
    L2tp,
    #[serde(rename = "PPTP")]
    Pptp,
}

impl Tunnel {
    /// All tunnel types.
    pub const ALL: [Self; 4] = [Self::Sstp, Self::Ikev2, Self::L2tp, Self::Pptp];

    /// The name in the ledger and the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sstp => "SSTP",
            Self::Ikev2 => "IKEv2",
            Self::L2tp => "L2TP",
            Self::Pptp => "PPTP",
        }
    }
}

impl fmt::Display for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is not a tunnel type's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownTunnel;

impl fmt::Display for UnknownTunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write SSTP, IKEv2, L2TP or PPTP")
    }
}

impl std::error::Error for UnknownTunnel {}

/// By name, in upper or lower case.
impl FromStr for Tunnel {
    type Err = UnknownTunnel;

    fn from_str(text: &str) -> Result<Self, UnknownTunnel> {
        Self::ALL.into_iter().find(|tunnel| tunnel.name().eq_ignore_ascii_case(text)).ok_or(UnknownTunnel)
    }
}

/// The quarantine state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Quarantine {
    /// No restriction.
    Normal,
    /// In quarantine.
    Quarantine,
    /// On probation.
    Probation,
    /// The client does not support quarantine.
    NotCapable,
}

/// What connects (ROUTER_INTERFACE_TYPE).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum InterfaceType {
    /// A user.
    Client,
    /// A home router.
    HomeRouter,
    /// A site-to-site router.
    FullRouter,
    /// A dedicated interface.
    Dedicated,
    /// Internal, loopback, tunnel, dial-out.
    Other,
}

impl InterfaceType {
    pub(crate) const ALL: [Self; 5] = [Self::Client, Self::HomeRouter, Self::FullRouter, Self::Dedicated, Self::Other];

    /// From Windows' ROUTER_INTERFACE_TYPE.
    pub const fn from_windows(kind: i32) -> Self {
        match kind {
            0 => Self::Client,
            1 => Self::HomeRouter,
            2 => Self::FullRouter,
            3 => Self::Dedicated,
            _ => Self::Other,
        }
    }

    /// The name in the ledger and the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::HomeRouter => "home-router",
            Self::FullRouter => "full-router",
            Self::Dedicated => "dedicated",
            Self::Other => "other",
        }
    }

    /// Finds a value by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|i| i.name() == name)
    }
}

impl Quarantine {
    pub(crate) const ALL: [Self; 4] = [Self::Normal, Self::Quarantine, Self::Probation, Self::NotCapable];

    /// From Windows' RAS_QUARANTINE_STATE; None if the value is not documented.
    pub const fn from_windows(state: i32) -> Option<Self> {
        match state {
            0 => Some(Self::Normal),
            1 => Some(Self::Quarantine),
            2 => Some(Self::Probation),
            3 => Some(Self::NotCapable),
            _ => None,
        }
    }

    /// The name in the ledger and the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Quarantine => "quarantine",
            Self::Probation => "probation",
            Self::NotCapable => "not-capable",
        }
    }

    /// Finds a value by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|q| q.name() == name)
    }
}

/// The event at which the rules are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// GetIpAddressForUser: only user and port are known.
    Ipv4Address,
    /// GetIpv6AddressForUser.
    Ipv6Address,
    /// AcceptNewConnection: the last stage for IKEv2.
    Connection,
    /// AcceptNewLink: the first is the last stage for PPP.
    Link,
    /// AcceptReauthentication.
    Reauthentication,
    /// AcceptTunnelEndpointChangeEx.
    EndpointChange,
}

impl Stage {
    /// The name in the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ipv4Address => "ipv4-address",
            Self::Ipv6Address => "ipv6-address",
            Self::Connection => "connection",
            Self::Link => "link",
            Self::Reauthentication => "reauthentication",
            Self::EndpointChange => "endpoint-change",
        }
    }
}

/// What is known at an event, apart from what is counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct Facts {
    /// When.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "String", extend("format" = "date-time")))]
    pub time: Timestamp,
    /// The RRAS server's name.
    pub server: Name,
    /// Who.
    pub user: Fact<Identity>,
    /// Where: the first link's port.
    pub port: Fact<Name>,
    /// Through which tunnel.
    pub tunnel: Fact<Tunnel>,
    /// From which public address.
    pub source: Fact<IpAddr>,
    /// On which computer.
    pub computer: Fact<Name>,
    /// In which quarantine state.
    pub quarantine: Fact<Quarantine>,
    /// As what.
    pub interface: Fact<InterfaceType>,
}

impl Facts {
    /// Will facts that are not yet known at this stage remain unknown? The last stage is the connection for IKEv2, and
    /// the first link otherwise.
    pub fn is_last(&self, stage: Stage) -> bool {
        match stage {
            Stage::Ipv4Address | Stage::Ipv6Address => false,
            Stage::Connection => self.tunnel == Fact::Known(Tunnel::Ikev2),
            Stage::Link | Stage::Reauthentication | Stage::EndpointChange => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tunnel_is_known_by_its_name() {
        for tunnel in Tunnel::ALL {
            assert_eq!(tunnel.name().to_lowercase().parse(), Ok(tunnel));
        }
        assert_eq!("SSL".parse::<Tunnel>(), Err(UnknownTunnel));
        assert_eq!("".parse::<Tunnel>(), Err(UnknownTunnel));
    }
}
