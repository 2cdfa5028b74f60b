//! Events that came out of order.

use crate::Name;
use crate::now::Id;
use rasadmin_policy::addresses::Address;
use serde::{Deserialize, Serialize};

/// Events that came out of order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Anomaly {
    HangupOfUnknownConnection {
        user: Name,
        handle: u64,
    },
    ReauthenticationOfUnknownConnection {
        user: Name,
        handle: u64,
    },
    EndpointChangeOfUnknownConnection {
        user: Name,
        handle: u64,
    },
    LinkOfUnknownConnection {
        port: Name,
        device: Name,
        handle: u64,
    },
    HangupOfUnknownLink {
        port: Name,
        device: Name,
        handle: u64,
    },
    ReleaseOfNoAddress {
        user: Name,
        port: Name,
    },
    ReleaseWithoutLease {
        user: Name,
        port: Name,
        address: Address,
    },
    /// A late answer gave an address that another lease holds by now.
    AddressGivenTwice {
        user: Name,
        port: Name,
        address: Address,
    },
    /// RRAS offered one of its own addresses that a lease still held. The lease has ended.
    OfferHeldByLease {
        user: Name,
        port: Name,
        address: Address,
        lease: Id,
    },
    /// Only the high half of an IPv6 offer was set. The offer was kept as it was.
    HighHalfOffer {
        user: Name,
        port: Name,
    },
}

impl Anomaly {
    /// The kind of anomaly, as text.
    pub const fn what(&self) -> &'static str {
        match self {
            Self::HangupOfUnknownConnection { .. } => "hangup of an unknown connection",
            Self::ReauthenticationOfUnknownConnection { .. } => "reauthentication of an unknown connection",
            Self::EndpointChangeOfUnknownConnection { .. } => "endpoint-change of an unknown connection",
            Self::LinkOfUnknownConnection { .. } => "link of an unknown connection",
            Self::HangupOfUnknownLink { .. } => "hangup of an unknown link",
            Self::ReleaseOfNoAddress { .. } => "release of no address",
            Self::ReleaseWithoutLease { .. } => "release without a lease",
            Self::AddressGivenTwice { .. } => "an address was given that a live lease holds",
            Self::OfferHeldByLease { .. } => "RRAS offered an address that a lease still held",
            Self::HighHalfOffer { .. } => "an IPv6 offer with its low half zero was kept",
        }
    }

    /// The user, the port or the address, as text.
    pub fn details(&self) -> String {
        match self {
            Self::HangupOfUnknownConnection { user, handle }
            | Self::ReauthenticationOfUnknownConnection { user, handle }
            | Self::EndpointChangeOfUnknownConnection { user, handle } => format!("{user} handle {handle:#x}"),
            Self::LinkOfUnknownConnection { port, device, .. } | Self::HangupOfUnknownLink { port, device, .. } => {
                format!("{port} {device}")
            }
            Self::ReleaseOfNoAddress { user, port } | Self::HighHalfOffer { user, port } => format!("{user} on {port}"),
            Self::ReleaseWithoutLease { user, port, address }
            | Self::AddressGivenTwice { user, port, address }
            | Self::OfferHeldByLease { user, port, address, .. } => format!("{user} on {port}: {}", show(*address)),
        }
    }
}

fn show(address: Address) -> String {
    rasadmin_policy::addresses::text::show(address.number, address.family)
}
