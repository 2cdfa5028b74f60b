//! What a connection's structures say.

use mprapi::abi::*;
use mprapi::contract::ArgumentType;
use rasadmin_trace::{Buffer, Call};
use std::mem::offset_of;
use std::net::Ipv4Addr;

/// A connection, as one call shows it.
#[derive(Clone, Debug)]
pub struct Connection {
    pub handle: u64,
    pub user: String,
    pub domain: String,
    pub computer: String,
    pub flags: u32,
    /// dwConnectDuration, in seconds.
    pub duration: u32,
    /// The projection of a RAS_CONNECTION_EX.
    pub projection: Option<Projection>,
    /// Both addresses that the structures name, of the server and of the client.
    pub addresses: [Option<Ipv4Addr>; 2],
}

/// A projection of IPv4 and IPv6, as far as they were negotiated.
#[derive(Clone, Copy, Debug)]
pub struct Projection {
    pub ikev2: bool,
    /// wszAddress.
    pub local: Option<Ipv4Addr>,
    /// wszRemoteAddress.
    pub remote: Option<Ipv4Addr>,
    /// bInterfaceIdentifier; zero if there is none.
    pub local_identifier: [u8; 8],
    /// bRemoteInterfaceIdentifier; zero if there is none.
    pub remote_identifier: [u8; 8],
}

/// The bytes of the call's argument of this type. None if it has none, or a null pointer.
pub fn structure(call: &Call, ty: ArgumentType) -> Option<&[u8]> {
    let at = call.function.row().arguments.iter().position(|argument| argument.ty == ty)?;
    match call.arguments.get(at) {
        Some(Buffer::Bytes(bytes)) => Some(bytes),
        _ => None,
    }
}

/// `N` bytes of a structure. Zero beyond its end.
pub fn bytes<const N: usize>(structure: &[u8], offset: usize) -> [u8; N] {
    structure.get(offset..offset + N).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; N])
}

pub fn dword(structure: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes(structure, offset))
}

pub fn handle(structure: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(bytes(structure, offset))
}

/// A string of at most `units` UTF-16 units, up to its terminator.
pub fn text(structure: &[u8], offset: usize, units: usize) -> String {
    let units = (0..units).map(|unit| u16::from_le_bytes(bytes(structure, offset + 2 * unit)));
    let units: Vec<u16> = units.take_while(|&unit| unit != 0).collect();
    String::from_utf16_lossy(&units)
}

/// An address as text, as the structures have it.
fn address(structure: &[u8], offset: usize) -> Option<Ipv4Addr> {
    text(structure, offset, 16).parse().ok()
}

impl Connection {
    /// The connection of a call that has one.
    pub fn of(call: &Call) -> Option<Self> {
        if let Some(ex) = structure(call, ArgumentType::ConnectionEx) {
            return Some(Self::of_ex(ex));
        }
        let zero = structure(call, ArgumentType::Connection0)?;
        let one = structure(call, ArgumentType::Connection1).unwrap_or_default();
        let ip = offset_of!(RAS_CONNECTION_1, PppInfo) + offset_of!(PPP_INFO, ip);
        Some(Self {
            handle: handle(zero, offset_of!(RAS_CONNECTION_0, hConnection)),
            user: text(zero, offset_of!(RAS_CONNECTION_0, wszUserName), 257),
            domain: text(zero, offset_of!(RAS_CONNECTION_0, wszLogonDomain), 16),
            computer: text(zero, offset_of!(RAS_CONNECTION_0, wszRemoteComputer), 17),
            flags: dword(zero, offset_of!(RAS_CONNECTION_0, dwConnectionFlags)),
            duration: dword(zero, offset_of!(RAS_CONNECTION_0, dwConnectDuration)),
            projection: None,
            addresses: [
                address(one, ip + offset_of!(PPP_IPCP_INFO, wszAddress)),
                address(one, ip + offset_of!(PPP_IPCP_INFO, wszRemoteAddress)),
            ],
        })
    }

    fn of_ex(ex: &[u8]) -> Self {
        let projection = Projection::of(ex);
        Self {
            handle: handle(ex, offset_of!(RAS_CONNECTION_EX, hConnection)),
            user: text(ex, offset_of!(RAS_CONNECTION_EX, wszUserName), 257),
            domain: text(ex, offset_of!(RAS_CONNECTION_EX, wszLogonDomain), 16),
            computer: text(ex, offset_of!(RAS_CONNECTION_EX, wszRemoteComputer), 17),
            flags: dword(ex, offset_of!(RAS_CONNECTION_EX, dwConnectionFlags)),
            duration: dword(ex, offset_of!(RAS_CONNECTION_EX, dwConnectDuration)),
            projection,
            addresses: projection.map_or([None; 2], |p| [p.local, p.remote]),
        }
    }

    /// Whether it is an IKEv2 connection.
    pub fn is_ikev2(&self) -> bool {
        self.projection.is_some_and(|projection| projection.ikev2) || self.flags & RAS_FLAGS_IKEV2_CONNECTION != 0
    }
}

macro_rules! arm {
    ($ex:ident, $arm:ident) => {{
        let base = offset_of!(RAS_CONNECTION_EX, ProjectionInfo) + offset_of!(PROJECTION_INFO, Anonymous);
        let no_error = |offset| dword($ex, base + offset) == NO_ERROR;
        let ipv4 = no_error(offset_of!($arm, dwIPv4NegotiationError));
        let ipv6 = no_error(offset_of!($arm, dwIPv6NegotiationError));
        let address = |offset| address($ex, base + offset).filter(|_| ipv4);
        let identifier = |offset| if ipv6 { bytes($ex, base + offset) } else { [0; 8] };
        Projection {
            ikev2: false,
            local: address(offset_of!($arm, wszAddress)),
            remote: address(offset_of!($arm, wszRemoteAddress)),
            local_identifier: identifier(offset_of!($arm, bInterfaceIdentifier)),
            remote_identifier: identifier(offset_of!($arm, bRemoteInterfaceIdentifier)),
        }
    }};
}

impl Projection {
    fn of(ex: &[u8]) -> Option<Self> {
        let kind = offset_of!(RAS_CONNECTION_EX, ProjectionInfo) + offset_of!(PROJECTION_INFO, projectionInfoType);
        match ex.get(kind) {
            Some(&PROJECTION_PPP) => Some(arm!(ex, PPP_PROJECTION_INFO)),
            Some(&PROJECTION_IKEV2) => Some(Self { ikev2: true, ..arm!(ex, IKEV2_PROJECTION_INFO) }),
            _ => None,
        }
    }
}
