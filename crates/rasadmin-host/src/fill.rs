//! Fills the structures from plain facts, as Windows does.
#![allow(unsafe_code)] // Making structures from zeroed bytes, and writing their unions.

use crate::assumptions::{Assumptions, Ikev2Flags, Projection};
use mprapi::abi::*;
use std::net::Ipv4Addr;

/// The tunnel types of RRAS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Tunnel {
    Sstp,
    Ikev2,
    L2tp,
    Pptp,
}

impl Tunnel {
    /// All tunnel types.
    pub const ALL: [Self; 4] = [Self::Sstp, Self::Ikev2, Self::L2tp, Self::Pptp];

    /// Its name, as administrators write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sstp => "SSTP",
            Self::Ikev2 => "IKEv2",
            Self::L2tp => "L2TP",
            Self::Pptp => "PPTP",
        }
    }

    /// RAS_PORT_0.wszDeviceName.
    pub fn device_name(self) -> String {
        format!("WAN Miniport ({})", self.name())
    }

    /// The first number in its ports' names: 2 in `VPN2-127`.
    pub const fn port_family(self) -> u32 {
        match self {
            Self::Sstp => 0,
            Self::Pptp => 1,
            Self::Ikev2 => 2,
            Self::L2tp => 3,
        }
    }
}

/// The facts about a connection. The default has none.
#[derive(Clone, Debug)]
pub struct ConnectionFacts {
    /// hConnection.
    pub handle: u64,
    /// wszUserName.
    pub user: String,
    /// wszLogonDomain.
    pub domain: String,
    /// wszRemoteComputer.
    pub remote_computer: String,
    /// dwInterfaceType.
    pub interface_type: i32,
    /// The tunnel. The connection's structures show only whether it is IKEv2.
    pub tunnel: Tunnel,
    /// The connection's GUID, as bytes in memory.
    pub guid: [u8; 16],
    /// rasQuarState.
    pub quarantine: i32,
    /// dwConnectDuration, in seconds.
    pub duration: u32,
    /// Bytes received from the client. The counter in the structures wraps at 4 GiB.
    pub received: u64,
    /// Bytes sent to the client. The counter in the structures wraps at 4 GiB.
    pub sent: u64,
    /// wszRemoteEndpointAddress.
    pub remote_endpoint: String,
    /// wszLocalEndpointAddress.
    pub local_endpoint: String,
    /// dwNumSwitchOvers: how often the client's endpoint has changed.
    pub switch_overs: u32,
    /// The client's IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// The server's IPv4 address on the tunnel.
    pub server_ipv4: Option<Ipv4Addr>,
    /// The client's IPv6 interface identifier.
    pub ipv6_identifier: Option<[u8; 8]>,
    /// The IPv6 prefix, 64 bits.
    pub ipv6_prefix: [u8; 8],
    /// What to assume where it is unproven how Windows fills the structures.
    pub assumptions: Assumptions,
}

impl Default for ConnectionFacts {
    fn default() -> Self {
        Self {
            handle: 0,
            user: String::new(),
            domain: String::new(),
            remote_computer: String::new(),
            interface_type: ROUTER_IF_TYPE_CLIENT,
            tunnel: Tunnel::Sstp,
            guid: [0; 16],
            quarantine: RAS_QUAR_STATE_NORMAL,
            duration: 0,
            received: 0,
            sent: 0,
            remote_endpoint: String::new(),
            local_endpoint: String::new(),
            switch_overs: 0,
            ipv4: None,
            server_ipv4: None,
            ipv6_identifier: None,
            ipv6_prefix: [0; 8],
            assumptions: Assumptions::default(),
        }
    }
}

/// The facts about a link.
#[derive(Clone, Debug, Default)]
pub struct LinkFacts {
    /// hPort.
    pub port_handle: u64,
    /// hConnection. 0 while the connection is not known.
    pub connection_handle: u64,
    /// wszPortName, `VPN2-127`.
    pub port: String,
    /// wszDeviceName, `WAN Miniport (SSTP)`.
    pub device: String,
    /// dwConnectDuration, in seconds.
    pub duration: u32,
    /// Bytes received from the client. The counter in the structures wraps at 4 GiB.
    pub received: u64,
    /// Bytes sent to the client. The counter in the structures wraps at 4 GiB.
    pub sent: u64,
}

/// ERROR_PPP_CP_REJECTED: the error of a network protocol that was not negotiated.
const ERROR_PROTOCOL_NOT_CONFIGURED: u32 = 733;

/// The size of a frame in bytes, from which frame counts are made up.
const FRAME: u64 = 1000;

/// Fills a zeroed structure in place and returns its bytes. Padding stays zero.
fn filled<T>(fill: impl FnOnce(&mut T)) -> Vec<u8> {
    let mut words = vec![0u64; size_of::<T>().div_ceil(8)];
    const { assert!(align_of::<T>() <= 8) };
    // SAFETY: the buffer is zeroed, aligned to 8 and at least as large as T; T is one of the contract's structures,
    // made of integers, arrays of them and handles, for which all zeroes is a value.
    fill(unsafe { &mut *words.as_mut_ptr().cast::<T>() });
    words.iter().flat_map(|word| word.to_ne_bytes()).take(size_of::<T>()).collect()
}

/// Copies a string and its terminator into a fixed array. A string that does not fit is truncated, as Windows does.
pub fn put(array: &mut [u16], text: &str) {
    let room = array.len() - 1;
    for (to, unit) in array[..room].iter_mut().zip(text.encode_utf16()) {
        *to = unit;
    }
}

fn handle(value: u64) -> HANDLE {
    std::ptr::without_provenance_mut(value as usize)
}

/// INVALID_HANDLE_VALUE, which RRAS passes as a client's interface handle.
const NO_INTERFACE: u64 = u64::MAX;

fn guid(bytes: [u8; 16]) -> GUID {
    let [a, b, c, d, e, f, g, h, data4 @ ..] = bytes;
    GUID {
        data1: u32::from_le_bytes([a, b, c, d]),
        data2: u16::from_le_bytes([e, f]),
        data3: u16::from_le_bytes([g, h]),
        data4,
    }
}

/// How many frames carry this many bytes.
pub fn frames(bytes: u64) -> u64 {
    bytes.div_ceil(FRAME)
}

/// The low 32 bits of a count, because the counters wrap at 4 GiB.
pub fn wrapped(count: u64) -> u32 {
    count as u32
}

fn error_if_none<T>(value: Option<T>) -> u32 {
    if value.is_some() { NO_ERROR } else { ERROR_PROTOCOL_NOT_CONFIGURED }
}

fn flags(facts: &ConnectionFacts) -> u32 {
    if facts.tunnel == Tunnel::Ikev2 && facts.assumptions.ikev2_flags == Ikev2Flags::Zero {
        return 0;
    }
    let kind = if facts.tunnel == Tunnel::Ikev2 { RAS_FLAGS_IKEV2_CONNECTION } else { RAS_FLAGS_PPP_CONNECTION };
    let quarantine = if facts.quarantine == RAS_QUAR_STATE_NORMAL { 0 } else { RAS_FLAGS_QUARANTINE_PRESENT };
    kind | RAS_FLAGS_RAS_CONNECTION | quarantine
}

fn address(array: &mut [u16], address: Option<Ipv4Addr>) {
    if let Some(address) = address {
        put(array, &address.to_string());
    }
}

/// Fills a RAS_CONNECTION_0.
pub fn connection_0(facts: &ConnectionFacts) -> Vec<u8> {
    filled(|c: &mut RAS_CONNECTION_0| {
        c.hConnection = handle(facts.handle);
        c.hInterface = handle(NO_INTERFACE);
        c.dwConnectDuration = facts.duration;
        c.dwInterfaceType = facts.interface_type;
        c.dwConnectionFlags = flags(facts);
        put(&mut c.wszUserName, &facts.user);
        put(&mut c.wszLogonDomain, &facts.domain);
        put(&mut c.wszRemoteComputer, &facts.remote_computer);
    })
}

/// Fills a RAS_CONNECTION_1.
pub fn connection_1(facts: &ConnectionFacts) -> Vec<u8> {
    filled(|c: &mut RAS_CONNECTION_1| {
        c.hConnection = handle(facts.handle);
        c.hInterface = handle(NO_INTERFACE);
        c.PppInfo.nbf.dwError = ERROR_PROTOCOL_NOT_CONFIGURED;
        c.PppInfo.ip.dwError = error_if_none(facts.ipv4);
        address(&mut c.PppInfo.ip.wszAddress, facts.server_ipv4);
        address(&mut c.PppInfo.ip.wszRemoteAddress, facts.ipv4);
        c.PppInfo.ipx.dwError = ERROR_PROTOCOL_NOT_CONFIGURED;
        c.PppInfo.at.dwError = ERROR_PROTOCOL_NOT_CONFIGURED;
        c.dwBytesXmited = wrapped(facts.sent);
        c.dwBytesRcved = wrapped(facts.received);
        c.dwFramesXmited = wrapped(frames(facts.sent));
        c.dwFramesRcved = wrapped(frames(facts.received));
    })
}

fn ipcp(ip: &mut PPP_IPCP_INFO2, facts: &ConnectionFacts) {
    ip.dwError = error_if_none(facts.ipv4);
    address(&mut ip.wszAddress, facts.server_ipv4);
    address(&mut ip.wszRemoteAddress, facts.ipv4);
}

/// Fills a RAS_CONNECTION_2.
pub fn connection_2(facts: &ConnectionFacts) -> Vec<u8> {
    filled(|c: &mut RAS_CONNECTION_2| {
        c.hConnection = handle(facts.handle);
        put(&mut c.wszUserName, &facts.user);
        c.dwInterfaceType = facts.interface_type;
        c.guid = guid(facts.guid);
        c.PppInfo2.nbf.dwError = ERROR_PROTOCOL_NOT_CONFIGURED;
        ipcp(&mut c.PppInfo2.ip, facts);
        c.PppInfo2.ipx.dwError = ERROR_PROTOCOL_NOT_CONFIGURED;
        c.PppInfo2.at.dwError = ERROR_PROTOCOL_NOT_CONFIGURED;
    })
}

/// Fills a RAS_CONNECTION_3.
pub fn connection_3(facts: &ConnectionFacts) -> Vec<u8> {
    filled(|c: &mut RAS_CONNECTION_3| {
        c.dwVersion = 1;
        c.dwSize = size_of::<RAS_CONNECTION_3>() as u32;
        c.hConnection = handle(facts.handle);
        put(&mut c.wszUserName, &facts.user);
        c.dwInterfaceType = facts.interface_type;
        c.guid = guid(facts.guid);
        c.PppInfo3.nbf.dwError = ERROR_PROTOCOL_NOT_CONFIGURED;
        ipcp(&mut c.PppInfo3.ip, facts);
        let ipv6 = &mut c.PppInfo3.ipv6;
        ipv6.dwVersion = 1;
        ipv6.dwSize = size_of::<PPP_IPV6_CP_INFO>() as u32;
        ipv6.dwError = error_if_none(facts.ipv6_identifier);
        if let Some(identifier) = facts.ipv6_identifier {
            // Microsoft's sample RasNapAdmin reads the client's from the remote field.
            ipv6.bInterfaceIdentifier = SERVER_IDENTIFIER;
            ipv6.bRemoteInterfaceIdentifier = identifier;
            ipv6.bPrefix = facts.ipv6_prefix;
            ipv6.dwPrefixLength = 64;
        }
        c.rasQuarState = facts.quarantine;
    })
}

/// The server's own interface identifier, ::1.
const SERVER_IDENTIFIER: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];

/// Fills a RAS_CONNECTION_EX, with header revision 1, type 1 and size 1672.
pub fn connection_ex(facts: &ConnectionFacts) -> Vec<u8> {
    filled(|c: &mut RAS_CONNECTION_EX| {
        c.Header.revision = CONNECTION_REVISION;
        c.Header.r#type = CONNECTION_TYPE;
        c.Header.size = size_of::<RAS_CONNECTION_EX>() as u16;
        c.dwConnectDuration = facts.duration;
        c.dwInterfaceType = facts.interface_type;
        c.dwConnectionFlags = flags(facts);
        put(&mut c.wszUserName, &facts.user);
        put(&mut c.wszLogonDomain, &facts.domain);
        put(&mut c.wszRemoteComputer, &facts.remote_computer);
        c.guid = guid(facts.guid);
        c.rasQuarState = facts.quarantine;
        c.dwBytesXmited = wrapped(facts.sent);
        c.dwBytesRcved = wrapped(facts.received);
        c.dwFramesXmited = wrapped(frames(facts.sent));
        c.dwFramesRcved = wrapped(frames(facts.received));
        c.dwNumSwitchOvers = facts.switch_overs;
        put(&mut c.wszRemoteEndpointAddress, &facts.remote_endpoint);
        put(&mut c.wszLocalEndpointAddress, &facts.local_endpoint);
        projection(&mut c.ProjectionInfo, facts);
        c.hConnection = handle(facts.handle);
        c.hInterface = handle(NO_INTERFACE);
    })
}

fn projection(info: &mut PROJECTION_INFO, facts: &ConnectionFacts) {
    // The two structures' pages contradict the specification and PPP_IPCP_INFO (R-STRUCT-10).
    let remote_is_client = facts.assumptions.projection == Projection::Remote;
    let sides = |client, server| if remote_is_client { (server, client) } else { (client, server) };
    macro_rules! common {
        ($arm:expr) => {{
            let arm = $arm;
            arm.dwIPv4NegotiationError = error_if_none(facts.ipv4);
            let (local, remote) = sides(facts.ipv4, facts.server_ipv4);
            address(&mut arm.wszAddress, local);
            address(&mut arm.wszRemoteAddress, remote);
            arm.dwIPv6NegotiationError = error_if_none(facts.ipv6_identifier);
            if let Some(identifier) = facts.ipv6_identifier {
                let mut sides = [identifier, SERVER_IDENTIFIER];
                if remote_is_client {
                    sides.reverse();
                }
                [arm.bInterfaceIdentifier, arm.bRemoteInterfaceIdentifier] = sides;
                arm.bPrefix = facts.ipv6_prefix;
                arm.dwPrefixLength = 64;
            }
        }};
    }
    if facts.tunnel == Tunnel::Ikev2 {
        info.projectionInfoType = PROJECTION_IKEV2;
        // SAFETY: the whole union is zeroed, which is a value of either arm.
        common!(unsafe { &mut info.Anonymous.Ikev2ProjectionInfo });
    } else {
        info.projectionInfoType = PROJECTION_PPP;
        // SAFETY: as above.
        common!(unsafe { &mut info.Anonymous.PppProjectionInfo });
    }
}

/// Fills a RAS_PORT_0.
pub fn port_0(facts: &LinkFacts) -> Vec<u8> {
    filled(|p: &mut RAS_PORT_0| {
        p.hPort = handle(facts.port_handle);
        p.hConnection = handle(facts.connection_handle);
        p.dwPortCondition = RAS_PORT_AUTHENTICATED;
        p.dwTotalNumberOfCalls = 1;
        p.dwConnectDuration = facts.duration;
        put(&mut p.wszPortName, &facts.port);
        put(&mut p.wszMediaName, "RASTAPI");
        put(&mut p.wszDeviceName, &facts.device);
        put(&mut p.wszDeviceType, "vpn");
    })
}

/// Fills a RAS_PORT_1.
pub fn port_1(facts: &LinkFacts) -> Vec<u8> {
    filled(|p: &mut RAS_PORT_1| {
        p.hPort = handle(facts.port_handle);
        p.hConnection = handle(facts.connection_handle);
        p.dwHardwareCondition = RAS_HARDWARE_OPERATIONAL;
        p.dwLineSpeed = 1_000_000_000;
        p.dwBytesXmited = wrapped(facts.sent);
        p.dwBytesRcved = wrapped(facts.received);
        p.dwFramesXmited = wrapped(frames(facts.sent));
        p.dwFramesRcved = wrapped(frames(facts.received));
    })
}

/// Fills an AUTH_VALIDATION_EX with its variable part. The header has revision 1, type 4 and the whole size, rounded up to
/// the structure's alignment.
pub fn auth_validation(facts: &ConnectionFacts, auth_info: &[u8]) -> Vec<u8> {
    let size = (AUTH_INFO_OFFSET + auth_info.len().max(1)).next_multiple_of(align_of::<AUTH_VALIDATION_EX>());
    let mut bytes = filled(|a: &mut AUTH_VALIDATION_EX| {
        a.Header.revision = CONNECTION_REVISION;
        a.Header.r#type = AUTH_VALIDATION_TYPE;
        a.Header.size = size as u16;
        a.hRasConnection = handle(facts.handle);
        put(&mut a.wszUserName, &facts.user);
        put(&mut a.wszLogonDomain, &facts.domain);
        a.AuthInfoSize = auth_info.len() as u32;
    });
    bytes.resize(size, 0);
    bytes[AUTH_INFO_OFFSET..AUTH_INFO_OFFSET + auth_info.len()].copy_from_slice(auth_info);
    bytes
}
