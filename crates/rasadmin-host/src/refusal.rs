//! Why a connection was refused or cut, and how many addresses its end released.

use crate::address_calls::ERROR_ADDRESS_HELD;
use std::fmt;
use std::net::Ipv4Addr;

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
        /// The address.
        address: Ipv4Addr,
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

impl Refusal {
    /// In words. `name` names a DLL, such as `the DLL`.
    pub fn describe(&self, name: &dyn Fn(usize) -> String) -> String {
        match *self {
            Self::PoolExhausted => "RRAS's own pool is exhausted".into(),
            Self::Ipv4ByDll { dll, code } => format!("{} gave no IPv4 address (error {code})", name(dll)),
            Self::Ipv4ByRras { code: ERROR_ADDRESS_HELD, .. } => {
                "RRAS refused the address: another client holds it (735)".into()
            }
            Self::Ipv4ByRras { code, address, .. } => {
                format!("RRAS refused the address {address}: no client can have it ({code})")
            }
            Self::Ipv6ByDll { dll, code } => format!("{} gave no IPv6 identifier (error {code})", name(dll)),
            Self::Connection(dll) => format!("{} rejected the connection", name(dll)),
            Self::FirstLink(dll) => format!("{} rejected the first link", name(dll)),
            Self::Reauthentication(dll) => format!("{} rejected the reauthentication", name(dll)),
            Self::EndpointChange(dll) => format!("{} rejected the endpoint change", name(dll)),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe(&|_| "the DLL".into()))
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

impl std::ops::AddAssign for ReleaseCounts {
    fn add_assign(&mut self, more: Self) {
        self.ipv4 += more.ipv4;
        self.ipv6 += more.ipv6;
    }
}
