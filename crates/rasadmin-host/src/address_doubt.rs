//! IPv4 addresses from a DLL that RRAS does not refuse, although no client can use them.

use std::fmt;
use std::net::Ipv4Addr;

/// Why an address is no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is 255.255.255.255.
    Broadcast,
    /// It is in 224.0.0.0/4 or above.
    Multicast,
    /// It is in 127.0.0.0/8.
    Loopback,
    /// It is in 0.0.0.0/8.
    ThisNetwork,
    /// With its bytes in the opposite order it would be like the addresses of this server.
    HostByteOrder,
}

/// An address that a client got from a DLL, and cannot use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressDoubt {
    /// The address.
    pub address: Ipv4Addr,
    /// The DLL's index.
    pub dll: usize,
    /// The user that got it.
    pub user: String,
    /// Why it is no use.
    pub why: Why,
}

impl fmt::Display for AddressDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, user, .. } = self;
        match self.why {
            Why::Broadcast => write!(f, "{user} got {address}, the broadcast address"),
            Why::Multicast => write!(f, "{user} got {address}, which is for multicast or reserved"),
            Why::Loopback => write!(f, "{user} got {address}, a loopback address"),
            Why::ThisNetwork => write!(f, "{user} got {address}, which no host can have"),
            Why::HostByteOrder => write!(
                f,
                "{user} got {address}, which is {} in the wrong byte order: the DWORD is in network byte order",
                mirror(*address)
            ),
        }
    }
}

fn mirror(address: Ipv4Addr) -> Ipv4Addr {
    let [a, b, c, d] = address.octets();
    Ipv4Addr::new(d, c, b, a)
}

/// Why no client can use the address that a DLL chose, if there is a reason. `like_ours` says whether an address is near
/// those of the server.
pub(crate) fn doubt(address: Ipv4Addr, like_ours: impl Fn(Ipv4Addr) -> bool) -> Option<Why> {
    if like_ours(address) {
        return None;
    }
    // This comes first: 10.8.0.224 becomes 224.0.8.10.
    if like_ours(mirror(address)) {
        return Some(Why::HostByteOrder);
    }
    match address.octets() {
        [255, 255, 255, 255] => Some(Why::Broadcast),
        [224..=255, ..] => Some(Why::Multicast),
        [127, ..] => Some(Why::Loopback),
        [0, ..] => Some(Why::ThisNetwork),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_client_can_use() {
        let ours = |address: Ipv4Addr| address.octets()[..2] == [10, 20];
        let why = |a, b, c, d| doubt(Ipv4Addr::new(a, b, c, d), ours);
        assert_eq!(why(10, 20, 20, 10), None, "its mirror image is as near");
        assert_eq!(why(192, 168, 7, 1), None, "a DLL may have a pool of its own");
        assert_eq!(why(5, 0, 20, 10), Some(Why::HostByteOrder));
        assert_eq!(why(224, 0, 20, 10), Some(Why::HostByteOrder));
        assert_eq!(why(255, 255, 255, 255), Some(Why::Broadcast));
        assert_eq!(why(239, 1, 1, 1), Some(Why::Multicast));
        assert_eq!(why(127, 0, 0, 1), Some(Why::Loopback));
        assert_eq!(why(0, 0, 0, 9), Some(Why::ThisNetwork));
    }
}
