//! How long RRAS waited for its calls.

use serde::{Deserialize, Serialize};

/// A function of the DLL that RRAS calls about a user, in each of its forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Callback {
    /// MprAdminGetIpAddressForUser.
    GetIpAddressForUser,
    /// MprAdminGetIpv6AddressForUser.
    GetIpv6AddressForUser,
    /// MprAdminAcceptNewConnection.
    AcceptNewConnection,
    /// MprAdminAcceptNewLink.
    AcceptNewLink,
    /// MprAdminAcceptReauthentication.
    AcceptReauthentication,
    /// MprAdminAcceptTunnelEndpointChangeEx.
    AcceptTunnelEndpointChange,
    /// MprAdminLinkHangupNotification.
    LinkHangupNotification,
    /// MprAdminConnectionHangupNotification.
    ConnectionHangupNotification,
    /// MprAdminReleaseIpAddress.
    ReleaseIpAddress,
    /// MprAdminReleaseIpv6AddressForUser.
    ReleaseIpv6AddressForUser,
    /// A function that a newer program times.
    #[serde(other)]
    Other,
}

impl Callback {
    /// Its name in RRAS's interface, without `MprAdmin` and without the number or `Ex` of its form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GetIpAddressForUser => "GetIpAddressForUser",
            Self::GetIpv6AddressForUser => "GetIpv6AddressForUser",
            Self::AcceptNewConnection => "AcceptNewConnection",
            Self::AcceptNewLink => "AcceptNewLink",
            Self::AcceptReauthentication => "AcceptReauthentication",
            Self::AcceptTunnelEndpointChange => "AcceptTunnelEndpointChange",
            Self::LinkHangupNotification => "LinkHangupNotification",
            Self::ConnectionHangupNotification => "ConnectionHangupNotification",
            Self::ReleaseIpAddress => "ReleaseIpAddress",
            Self::ReleaseIpv6AddressForUser => "ReleaseIpv6AddressForUser",
            Self::Other => "other",
        }
    }
}

/// A call that has returned, and how long it took, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Took(pub Callback, pub u32);
