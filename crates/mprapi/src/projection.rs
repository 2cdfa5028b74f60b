//! The addresses that a connection has negotiated.

use std::net::Ipv4Addr;

/// The negotiated addresses. The documentation contradicts itself about which address of a pair is the client's
/// (R-STRUCT-10 in docs/rras-behaviour.md), so compare both with those that you assigned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Projection {
    /// wszAddress and wszRemoteAddress. None if IPv4 was not negotiated; an entry is None if its text is not an address.
    pub ipv4: Option<[Option<Ipv4Addr>; 2]>,
    /// bInterfaceIdentifier and bRemoteInterfaceIdentifier. None if IPv6 was not negotiated. RRAS may also report zeros
    /// then (R-STRUCT-13).
    pub ipv6_identifiers: Option<[[u8; 8]; 2]>,
    /// The first 64 bits of the IPv6 prefix, which RRAS owns. None if IPv6 was not negotiated, or if the structure does
    /// not have it.
    pub ipv6_prefix: Option<[u8; 8]>,
}
