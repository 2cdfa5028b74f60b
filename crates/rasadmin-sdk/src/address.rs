//! Address requests, and the DLL's answers.

use crate::wide::WideStr;
use mprapi::FunctionId;
use mprapi::abi::{ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER};
use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

/// An address call: the user, the port and the address.
#[derive(Clone, Debug)]
pub struct AddressRequest<A> {
    pub(crate) function: FunctionId,
    pub(crate) user: Vec<u16>,
    pub(crate) port: Vec<u16>,
    pub(crate) address: A,
}

impl<A: Copy> AddressRequest<A> {
    /// The function that RRAS called.
    pub fn function(&self) -> FunctionId {
        self.function
    }

    /// The user's name: `user`, `DOMAIN\user`, `user@suffix` or `host/pc`, of at most 256 UTF-16 units.
    pub fn user(&self) -> WideStr<'_> {
        WideStr::new(&self.user)
    }

    /// The port's name, like `VPN2-127`.
    pub fn port(&self) -> WideStr<'_> {
        WideStr::new(&self.port)
    }

    /// The address as RRAS passed it: its offer, or the address that is released.
    pub fn address(&self) -> A {
        self.address
    }
}

impl AddressRequest<Ipv4Addr> {
    /// The offer. None if RRAS has no usable address: for 0.0.0.0, and for 169.254/16, which it offers when DHCP is down.
    pub fn offer(&self) -> Option<Ipv4Addr> {
        Some(self.address).filter(|a| !a.is_unspecified() && !a.is_link_local())
    }
}

impl AddressRequest<Ipv6Addr> {
    /// The offered interface identifier: the last eight bytes. It is zero if RRAS passes the identifier in the first eight
    /// (R-IP6-2 in docs/rras-behaviour.md). To keep the offer, assign this in either case.
    pub fn offered_identifier(&self) -> InterfaceId {
        let [.., a, b, c, d, e, f, g, h] = self.address.octets();
        InterfaceId([a, b, c, d, e, f, g, h])
    }
}

/// A 64-bit IPv6 interface identifier, in the order of the address's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InterfaceId(pub [u8; 8]);

impl InterfaceId {
    /// Whether no host may have the identifier: it is zero, or reserved (RFC 5453).
    pub fn is_reserved(self) -> bool {
        matches!(
            u64::from_be_bytes(self.0),
            0 | 0x0200_5eff_fe00_0000..=0x0200_5eff_fe00_5213 | 0xfdff_ffff_ffff_ff80..=0xfdff_ffff_ffff_ffff
        )
    }
}

/// The address that the client gets, and whether the DLL wants a call when the client gives it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment<A> {
    /// The address.
    pub address: A,
    /// Whether RRAS calls the release method.
    pub notify_release: bool,
}

impl<A> Assignment<A> {
    /// Assigns this address. RRAS calls the release method at the end.
    pub fn of(address: A) -> Self {
        Self { address, notify_release: true }
    }

    /// Assigns this address. RRAS does not call the release method.
    pub fn without_release(address: A) -> Self {
        Self { address, notify_release: false }
    }
}

/// A refusal to assign an address. The connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub(crate) code: u32,
    pub(crate) reason: Cow<'static, str>,
}

impl Refusal {
    /// A refusal for this reason, with ERROR_ACCESS_DENIED for RRAS. The reason goes to the log; leave it empty if the DLL logs
    /// it itself.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code: ERROR_ACCESS_DENIED, reason: reason.into() }
    }

    /// Sets another Windows error code for RRAS. A code of 0 would mean success, so it becomes ERROR_INVALID_PARAMETER.
    #[must_use]
    pub fn with_code(self, code: u32) -> Self {
        Self { code: if code == 0 { ERROR_INVALID_PARAMETER } else { code }, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_identifiers_are_known() {
        for reserved in ["::", "::200:5eff:fe00:5213", "::fdff:ffff:ffff:ff80", "::fdff:ffff:ffff:ffff"] {
            assert!(id(reserved).is_reserved(), "{reserved}");
        }
        for free in ["::1", "::200:5eff:fe00:5214", "::fdff:ffff:ffff:ff7f", "::2a1b:3c4d:0:1"] {
            assert!(!id(free).is_reserved(), "{free}");
        }
    }

    fn id(text: &str) -> InterfaceId {
        let octets = text.parse::<Ipv6Addr>().unwrap().octets();
        InterfaceId(octets[8..].try_into().unwrap())
    }

    #[test]
    fn zero_and_link_local_are_no_offer() {
        let offer = |address| {
            AddressRequest { function: FunctionId::GetIpAddressForUser, user: vec![], port: vec![], address }.offer()
        };
        assert_eq!(offer(Ipv4Addr::UNSPECIFIED), None);
        assert_eq!(offer(Ipv4Addr::new(169, 254, 3, 4)), None);
        assert_eq!(offer(Ipv4Addr::new(10, 8, 0, 5)), Some(Ipv4Addr::new(10, 8, 0, 5)));
    }
}
