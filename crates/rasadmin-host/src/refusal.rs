//! Why a connection was refused or cut, and how many addresses its end released.

use std::fmt;

/// Why a connection was refused, or cut later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// RRAS had no address of its own, so it asked no DLL.
    PoolExhausted,
    /// GetIpAddressForUser of this DLL returned an error.
    Ipv4ByDll {
        /// The DLL's index.
        dll: usize,
        /// The error.
        code: u32,
    },
    /// RRAS itself refused the address: 735 (held by another client) or 1168 (0.0.0.0 or the server's own).
    Ipv4ByRras {
        /// The error.
        code: u32,
        /// The DLL that chose or kept the address; None if no DLL was asked.
        dll: Option<usize>,
    },
    /// GetIpv6AddressForUser of this DLL returned an error.
    Ipv6ByDll {
        /// The DLL's index.
        dll: usize,
        /// The error.
        code: u32,
    },
    /// This DLL rejected the connection.
    Connection(usize),
    /// This DLL rejected the first link.
    FirstLink(usize),
    /// This DLL rejected the reauthentication.
    Reauthentication(usize),
    /// This DLL rejected the endpoint change.
    EndpointChange(usize),
}

impl Refusal {
    /// The DLL that refused. None if RRAS itself did.
    pub fn dll(&self) -> Option<usize> {
        match *self {
            Self::PoolExhausted | Self::Ipv4ByRras { .. } => None,
            Self::Ipv4ByDll { dll, .. }
            | Self::Ipv6ByDll { dll, .. }
            | Self::Connection(dll)
            | Self::FirstLink(dll)
            | Self::Reauthentication(dll)
            | Self::EndpointChange(dll) => Some(dll),
        }
    }

    /// The error with which an address was refused. None for every other refusal.
    pub fn code(&self) -> Option<u32> {
        match *self {
            Self::Ipv4ByDll { code, .. } | Self::Ipv4ByRras { code, .. } | Self::Ipv6ByDll { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether the connection was refused at its address calls, before any DLL was asked to accept it.
    pub fn at_address(&self) -> bool {
        matches!(self, Self::PoolExhausted | Self::Ipv4ByDll { .. } | Self::Ipv4ByRras { .. } | Self::Ipv6ByDll { .. })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PoolExhausted => f.write_str("RRAS's own pool is exhausted"),
            Self::Ipv4ByDll { code, .. } => write!(f, "the DLL gave no IPv4 address (error {code})"),
            Self::Ipv4ByRras { code: 735, .. } => {
                f.write_str("RRAS refused the address: another client holds it (735)")
            }
            Self::Ipv4ByRras { code, .. } => write!(f, "RRAS refused the address: no client can have it ({code})"),
            Self::Ipv6ByDll { code, .. } => write!(f, "the DLL gave no IPv6 identifier (error {code})"),
            Self::Connection(_) => f.write_str("the DLL rejected the connection"),
            Self::FirstLink(_) => f.write_str("the DLL rejected the first link"),
            Self::Reauthentication(_) => f.write_str("the DLL rejected the reauthentication"),
            Self::EndpointChange(_) => f.write_str("the DLL rejected the endpoint change"),
        }
    }
}

/// How many addresses were released to the DLLs when a session ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReleaseCounts {
    /// IPv4 addresses.
    pub ipv4: usize,
    /// IPv6 identifiers.
    pub ipv6: usize,
}
