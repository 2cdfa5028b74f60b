//! Arguments for calls: as Windows fills them, and as it never should.

use mprapi::abi::*;
use mprapi::contract::ArgumentType;
use mprapi::{Function, FunctionId};
use rasadmin_host::fill::{self, ConnectionFacts, LinkFacts, Tunnel};
use rasadmin_host::invoke::Arg;
use std::mem::offset_of;
use std::net::Ipv4Addr;

/// The number of accessible bytes after an argument that is not under test. Other checks find over-reads.
const SLACK: usize = 4096;

/// An argument that ends at an inaccessible page.
pub(super) fn guarded(bytes: &[u8]) -> Arg {
    Arg::bytes(bytes)
}

/// An argument that is followed by accessible zeros.
pub(super) fn padded(bytes: &[u8]) -> Arg {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(16) + SLACK, 0);
    Arg::bytes(&bytes)
}

/// The bytes of a terminated UTF-16 string.
pub(super) fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

fn connection(n: u32) -> ConnectionFacts {
    let [_, _, high, low] = n.to_be_bytes();
    let mut guid = [7; 16];
    guid[..4].copy_from_slice(&n.to_le_bytes());
    ConnectionFacts {
        handle: 0x100 + u64::from(n),
        user: format!("user{n}"),
        domain: "CORP".into(),
        remote_computer: format!("PC-{n}"),
        tunnel: if n.is_multiple_of(2) { Tunnel::Sstp } else { Tunnel::Ikev2 },
        guid,
        duration: 60,
        received: 10_000,
        sent: 20_000,
        remote_endpoint: "198.51.100.7".into(),
        local_endpoint: "203.0.113.1".into(),
        ipv4: Some(Ipv4Addr::new(10, 8, high, low)),
        server_ipv4: Some(Ipv4Addr::new(10, 8, 0, 1)),
        ipv6_identifier: Some([0x02, 0, 0, 0, 0, 0, high, low]),
        ipv6_prefix: [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1],
        ..ConnectionFacts::default()
    }
}

fn link(n: u32) -> LinkFacts {
    LinkFacts {
        port_handle: 0x200 + u64::from(n),
        connection_handle: 0x100 + u64::from(n),
        port: format!("VPN0-{n}"),
        device: Tunnel::Sstp.device_name(),
        duration: 60,
        received: 10_000,
        sent: 20_000,
    }
}

/// What an argument of an ordinary call for user `n` points to, as bytes in memory.
pub(super) fn ordinary(ty: ArgumentType, n: u32) -> Vec<u8> {
    match ty {
        ArgumentType::Callbacks => vec![0; size_of::<MPRAPI_ADMIN_DLL_CALLBACKS>()],
        ArgumentType::Connection0 => fill::connection_0(&connection(n)),
        ArgumentType::Connection1 => fill::connection_1(&connection(n)),
        ArgumentType::Connection2 => fill::connection_2(&connection(n)),
        ArgumentType::Connection3 => fill::connection_3(&connection(n)),
        ArgumentType::ConnectionEx => fill::connection_ex(&connection(n)),
        ArgumentType::Port0 => fill::port_0(&link(n)),
        ArgumentType::Port1 => fill::port_1(&link(n)),
        ArgumentType::AuthValidation => fill::auth_validation(&connection(n), &[1; 24]),
        ArgumentType::UserName => wide(&format!("CORP\\user{n}")),
        ArgumentType::PortName => wide(&format!("VPN0-{n}")),
        // Network byte order: 10.8.x.y.
        ArgumentType::Ipv4Address => {
            let [_, _, high, low] = n.to_be_bytes();
            vec![10, 8, high, low]
        }
        // The identifier is in the last eight bytes.
        ArgumentType::Ipv6Address => {
            let mut address = vec![0; 8];
            address.extend([2, 0, 0, 0]);
            address.extend(n.to_be_bytes());
            address
        }
        ArgumentType::NotifyRelease => vec![0; 4],
    }
}

/// An AUTH_VALIDATION_EX of a client that nobody knows.
pub(super) fn stranger(auth_info: &[u8]) -> Vec<u8> {
    let facts = ConnectionFacts { user: "stranger".into(), domain: "ELSEWHERE".into(), ..connection(77) };
    fill::auth_validation(&facts, auth_info)
}

/// The arguments of an ordinary call for user `n`, each followed by accessible zeros.
pub(super) fn ordinary_call(id: FunctionId, n: u32) -> Vec<Arg> {
    id.row().arguments.iter().map(|a| padded(&ordinary(a.ty, n))).collect()
}

/// The arguments of an ordinary call, with the one at `index` replaced.
pub(super) fn with_one(row: &Function, index: usize, one: Arg) -> Vec<Arg> {
    let mut arguments: Vec<_> = row.arguments.iter().map(|a| padded(&ordinary(a.ty, 1))).collect();
    arguments[index] = one;
    arguments
}

/// A fixed array of UTF-16 units in a structure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Array {
    pub field: &'static str,
    /// In bytes, from the structure's start.
    pub offset: usize,
    /// In bytes.
    pub len: usize,
}

macro_rules! arrays {
    ($ty:ty: $($($field:ident).+),*) => {
        const {
            // The length comes from the field's type, without a value of it.
            const fn bytes_of<const N: usize>(_: fn(&$ty) -> &[u16; N]) -> usize { 2 * N }
            &[$(Array {
                field: stringify!($($field).+),
                offset: offset_of!($ty, $($field).+),
                len: bytes_of(|s: &$ty| &s.$($field).+),
            }),*]
        }
    };
}

/// The fixed string arrays of a structure.
pub(super) fn arrays(ty: ArgumentType) -> &'static [Array] {
    match ty {
        ArgumentType::Connection0 => {
            arrays!(RAS_CONNECTION_0: wszInterfaceName, wszUserName, wszLogonDomain, wszRemoteComputer)
        }
        ArgumentType::Connection1 => {
            arrays!(RAS_CONNECTION_1: PppInfo.nbf.wszWksta, PppInfo.ip.wszAddress, PppInfo.ip.wszRemoteAddress, PppInfo.ipx.wszAddress, PppInfo.at.wszAddress)
        }
        ArgumentType::Connection2 => {
            arrays!(RAS_CONNECTION_2: wszUserName, PppInfo2.nbf.wszWksta, PppInfo2.ip.wszAddress, PppInfo2.ip.wszRemoteAddress, PppInfo2.ipx.wszAddress, PppInfo2.at.wszAddress)
        }
        ArgumentType::Connection3 => {
            arrays!(RAS_CONNECTION_3: wszUserName, PppInfo3.nbf.wszWksta, PppInfo3.ip.wszAddress, PppInfo3.ip.wszRemoteAddress)
        }
        ArgumentType::ConnectionEx => {
            arrays!(RAS_CONNECTION_EX: wszInterfaceName, wszUserName, wszLogonDomain, wszRemoteComputer, wszRemoteEndpointAddress, wszLocalEndpointAddress)
        }
        ArgumentType::Port0 => arrays!(RAS_PORT_0: wszPortName, wszMediaName, wszDeviceName, wszDeviceType),
        ArgumentType::AuthValidation => arrays!(AUTH_VALIDATION_EX: wszUserName, wszLogonDomain),
        _ => &[],
    }
}

/// Pseudo-random numbers (SplitMix64). A seed gives the same numbers on every platform.
pub(super) struct Random(pub u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub(super) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_lie_in_their_structures() {
        for ty in FunctionId::all().flat_map(|id| id.row().arguments).map(|a| a.ty) {
            let size = ordinary(ty, 1).len();
            for array in arrays(ty) {
                assert!(array.len >= 8 && array.offset + array.len <= size, "{array:?}");
            }
        }
        assert_eq!(arrays(ArgumentType::ConnectionEx)[1].len, 514);
    }

    #[test]
    fn a_seed_gives_the_same_bytes_everywhere() {
        let mut random = Random(1);
        assert_eq!(random.next(), 0x910a_2dec_8902_5cc1);
    }
}
