//! Reads RRAS's structures from copies of their bytes. Nothing outside an array is read: a name without a terminator
//! ends where its array ends.

use crate::{Connection, ConnectionHandle, Counters, Failure, Port, PortHandle, PortState, Projection};
use mprapi::abi::{
    CONNECTION_TYPE, IKEV2_PROJECTION_INFO, NO_ERROR, PPP_PROJECTION_INFO, PROJECTION_IKEV2, PROJECTION_INFO,
    PROJECTION_INFO_0, PROJECTION_PPP, RAS_CONNECTION_EX, RAS_FLAGS_IKEV2_CONNECTION, RAS_PORT_0,
};
use mprapi::guid;
use rasadmin_policy::{InterfaceType, Name, Quarantine};
use std::mem::offset_of;
use std::net::Ipv4Addr;
use windows_sys::Win32::NetworkManagement::Rras as abi;

/// The bytes of a structure. What lies beyond their end is zero.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn array<const N: usize>(self, at: usize) -> [u8; N] {
        self.0.get(at..).and_then(|bytes| bytes.first_chunk()).copied().unwrap_or([0; N])
    }

    fn byte(self, at: usize) -> u8 {
        u8::from_le_bytes(self.array(at))
    }

    fn number(self, at: usize) -> u32 {
        u32::from_le_bytes(self.array(at))
    }

    fn signed(self, at: usize) -> i32 {
        i32::from_le_bytes(self.array(at))
    }

    fn handle(self, at: usize) -> u64 {
        u64::from_le_bytes(self.array(at))
    }

    /// The text in an array of `size` bytes, up to its terminator or the array's end.
    fn text(self, (at, size): (usize, usize)) -> Name {
        let array = self.0.get(at..at + size).unwrap_or_default();
        let (units, _) = array.as_chunks::<2>();
        let units = units.iter().map(|unit| u16::from_le_bytes(*unit)).take_while(|unit| *unit != 0);
        Name::from_utf16(&units.collect::<Vec<_>>())
    }

    fn ipv4(self, place: (usize, usize)) -> Option<Ipv4Addr> {
        self.text(place).as_str().parse().ok()
    }

    fn from(self, at: usize) -> Bytes<'a> {
        Bytes(self.0.get(at..).unwrap_or_default())
    }
}

/// The offset and the size of an array in a structure.
macro_rules! array {
    ($structure:ident . $field:ident) => {
        (offset_of!($structure, $field), size_of_field(|s: &$structure| &s.$field))
    };
}

const fn size_of_field<S, T>(_: fn(&S) -> &T) -> usize {
    size_of::<T>()
}

/// Reads a RAS_CONNECTION_EX.
///
/// # Errors
/// [`Failure::Malformed`] if the bytes are not one.
pub(super) fn connection(bytes: &[u8]) -> Result<Connection, Failure> {
    macro_rules! at {
        ($field:ident) => {
            offset_of!(RAS_CONNECTION_EX, $field)
        };
    }
    let size = size_of::<RAS_CONNECTION_EX>();
    let all = Bytes(bytes);
    let [_, kind, low, high]: [u8; 4] = all.array(at!(Header));
    let stated = usize::from(u16::from_le_bytes([low, high]));
    // Whether RRAS fills the header of an entry is unproven (R-OUT-9), so one of zeros is accepted. Any other that does
    // not fit means that these bytes are not the beginning of an entry.
    if bytes.len() != size || ((kind, stated) != (0, 0) && (kind, stated) != (CONNECTION_TYPE, size)) {
        return Err(Failure::Malformed(format!(
            "a connection has type {kind} and {stated} bytes; expected type {CONNECTION_TYPE} and {size} bytes"
        )));
    }
    let handle = all.handle(at!(hConnection));
    if handle == 0 {
        return Err(Failure::Malformed("a connection has no handle".into()));
    }
    let projection = all.byte(at!(ProjectionInfo) + offset_of!(PROJECTION_INFO, projectionInfoType));
    let ikev2_flag = all.number(at!(dwConnectionFlags)) & RAS_FLAGS_IKEV2_CONNECTION != 0;
    Ok(Connection {
        handle: ConnectionHandle(handle),
        guid: guid::text(all.array(at!(guid))),
        interface: InterfaceType::from_windows(all.signed(at!(dwInterfaceType))),
        interface_name: all.text(array!(RAS_CONNECTION_EX.wszInterfaceName)),
        user: all.text(array!(RAS_CONNECTION_EX.wszUserName)),
        domain: all.text(array!(RAS_CONNECTION_EX.wszLogonDomain)),
        computer: all.text(array!(RAS_CONNECTION_EX.wszRemoteComputer)),
        source: all.text(array!(RAS_CONNECTION_EX.wszRemoteEndpointAddress)),
        // Either may be missing (R-STRUCT-9).
        ikev2: ikev2_flag || projection == PROJECTION_IKEV2,
        quarantine: Quarantine::from_windows(all.signed(at!(rasQuarState))),
        seconds: all.number(at!(dwConnectDuration)),
        counters: Counters {
            octets_received: all.number(at!(dwBytesRcved)),
            octets_transmitted: all.number(at!(dwBytesXmited)),
            frames_received: all.number(at!(dwFramesRcved)),
            frames_transmitted: all.number(at!(dwFramesXmited)),
        },
        projection: addresses(projection, all.from(at!(ProjectionInfo) + offset_of!(PROJECTION_INFO, Anonymous))),
    })
}

/// Reads an arm of a projection. Any other type than these two names no arm (R-STRUCT-8).
fn addresses(kind: u8, union: Bytes<'_>) -> Option<Projection> {
    macro_rules! arm {
        ($structure:ident, $arm:ident) => {{
            let arm = union.from(offset_of!(PROJECTION_INFO_0, $arm));
            let ipv4 = || [array!($structure.wszAddress), array!($structure.wszRemoteAddress)].map(|at| arm.ipv4(at));
            let [own, remote, prefix] = [
                arm.array(offset_of!($structure, bInterfaceIdentifier)),
                arm.array(offset_of!($structure, bRemoteInterfaceIdentifier)),
                arm.array(offset_of!($structure, bPrefix)),
            ];
            let ipv6 = arm.number(offset_of!($structure, dwIPv6NegotiationError)) == NO_ERROR;
            Some(Projection {
                ipv4: (arm.number(offset_of!($structure, dwIPv4NegotiationError)) == NO_ERROR).then(ipv4),
                ipv6_identifiers: ipv6.then_some([own, remote]),
                ipv6_prefix: ipv6.then_some(prefix),
            })
        }};
    }
    match kind {
        PROJECTION_PPP => arm!(PPP_PROJECTION_INFO, PppProjectionInfo),
        PROJECTION_IKEV2 => arm!(IKEV2_PROJECTION_INFO, Ikev2ProjectionInfo),
        _ => None,
    }
}

/// Reads a RAS_PORT_0.
///
/// # Errors
/// [`Failure::Malformed`] if the bytes are not one.
pub(super) fn port(bytes: &[u8]) -> Result<Port, Failure> {
    let all = Bytes(bytes);
    let handle = all.handle(offset_of!(RAS_PORT_0, hPort));
    if bytes.len() != size_of::<RAS_PORT_0>() || handle == 0 {
        return Err(Failure::Malformed("a port has no handle".into()));
    }
    Ok(Port {
        handle: PortHandle(handle),
        connection: ConnectionHandle(all.handle(offset_of!(RAS_PORT_0, hConnection))),
        name: all.text(array!(RAS_PORT_0.wszPortName)),
        device: all.text(array!(RAS_PORT_0.wszDeviceName)),
        device_type: all.text(array!(RAS_PORT_0.wszDeviceType)),
        state: match all.signed(offset_of!(RAS_PORT_0, dwPortCondition)) {
            abi::RAS_PORT_NON_OPERATIONAL => PortState::NonOperational,
            abi::RAS_PORT_DISCONNECTED => PortState::Disconnected,
            abi::RAS_PORT_CALLING_BACK => PortState::CallingBack,
            abi::RAS_PORT_LISTENING => PortState::Listening,
            abi::RAS_PORT_AUTHENTICATING => PortState::Authenticating,
            abi::RAS_PORT_AUTHENTICATED => PortState::Authenticated,
            abi::RAS_PORT_INITIALIZING => PortState::Initializing,
            other => PortState::Other(other),
        },
    })
}

#[cfg(test)]
mod tests;
