//! Reads the addresses that a connection has negotiated.
#![allow(unsafe_code)] // Reading the arm of a union.

use crate::wide::WideStr;
use mprapi::Projection;
use mprapi::abi::{NO_ERROR, PROJECTION_IKEV2, PROJECTION_INFO, PROJECTION_PPP};
use std::net::Ipv4Addr;

/// The two addresses, if IPv4 was negotiated.
pub(crate) fn address_pair(error: u32, a: &[u16], b: &[u16]) -> Option<[Option<Ipv4Addr>; 2]> {
    let parse = |array| WideStr::from_array(array).to_text().and_then(|text| text.parse().ok());
    (error == NO_ERROR).then(|| [parse(a), parse(b)])
}

/// The addresses of a projection. None if its type is neither PPP nor IKEv2.
pub(crate) fn negotiated(info: &PROJECTION_INFO) -> Option<Projection> {
    macro_rules! of {
        ($arm:expr) => {{
            let arm = $arm;
            let identifiers = [arm.bInterfaceIdentifier, arm.bRemoteInterfaceIdentifier];
            Some(Projection {
                ipv4: address_pair(arm.dwIPv4NegotiationError, &arm.wszAddress, &arm.wszRemoteAddress),
                ipv6_identifiers: (arm.dwIPv6NegotiationError == NO_ERROR).then_some(identifiers),
                ipv6_prefix: (arm.dwIPv6NegotiationError == NO_ERROR).then_some(arm.bPrefix),
            })
        }};
    }
    match info.projectionInfoType {
        // SAFETY: the type names the arm (CONTRACT section 2), and both are integers and arrays of them.
        PROJECTION_PPP => of!(unsafe { &info.Anonymous.PppProjectionInfo }),
        // SAFETY: as above.
        PROJECTION_IKEV2 => of!(unsafe { &info.Anonymous.Ikev2ProjectionInfo }),
        _ => None,
    }
}
