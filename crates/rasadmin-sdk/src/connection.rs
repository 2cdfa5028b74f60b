//! A connection: one view of all forms of the structures (1, 2, 3 and Ex).

use crate::projection::{address_pair, negotiated};
use crate::wide::WideStr;
use mprapi::abi::*;
use mprapi::contract::ArgumentType;
use mprapi::{FunctionId, Projection};

/// A connection, as RRAS describes it. The SDK has copied the structures, so they do not change while you read them.
///
/// A fact that the form does not have is None, zero or empty.
#[derive(Clone)]
pub struct Connection {
    pub(crate) function: FunctionId,
    pub(crate) truncated: bool,
    pub(crate) raw: Vec<(ArgumentType, Vec<u8>)>,
    pub(crate) c0: Option<RAS_CONNECTION_0>,
    pub(crate) c1: Option<RAS_CONNECTION_1>,
    pub(crate) c2: Option<RAS_CONNECTION_2>,
    pub(crate) c3: Option<RAS_CONNECTION_3>,
    pub(crate) ex: Option<RAS_CONNECTION_EX>,
}

/// The counters of a connection or link. They have 32 bits; bytes wrap at 4 GiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes from the server to the client.
    pub bytes_transmitted: u32,
    /// Bytes from the client to the server.
    pub bytes_received: u32,
    /// Frames from the server to the client.
    pub frames_transmitted: u32,
    /// Frames from the client to the server.
    pub frames_received: u32,
}

/// The quarantine state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quarantine {
    /// No restriction.
    Normal,
    /// In quarantine.
    Quarantine,
    /// On probation.
    Probation,
    /// The client does not support quarantine.
    NotCapable,
    /// An undocumented value.
    Other(i32),
}

/// A field of the first of these structures that RRAS passed.
macro_rules! field {
    ($self:ident, $field:ident, $($from:ident),+) => {
        None$(.or($self.$from.as_ref().map(|c| &c.$field)))+
    };
}

fn text(array: Option<&impl AsRef<[u16]>>) -> WideStr<'_> {
    array.map_or(WideStr::new(&[]), |array| WideStr::from_array(array.as_ref()))
}

impl Connection {
    pub(crate) fn empty(function: FunctionId) -> Self {
        Self { function, truncated: false, raw: Vec::new(), c0: None, c1: None, c2: None, c3: None, ex: None }
    }

    /// The function that RRAS called.
    pub fn function(&self) -> FunctionId {
        self.function
    }

    /// Whether RRAS passed less than the whole structure. The SDK then delivers only hangups, and missing fields are zero or
    /// empty.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// hConnection. Accept, links and hangup of one connection have the same handle. RRAS uses handles again.
    pub fn handle(&self) -> u64 {
        field!(self, hConnection, ex, c0, c2, c3).map_or(0, |handle| handle.addr() as u64)
    }

    /// The user's name.
    pub fn user(&self) -> WideStr<'_> {
        text(field!(self, wszUserName, ex, c0, c2, c3))
    }

    /// The domain that the user logged on to.
    pub fn logon_domain(&self) -> WideStr<'_> {
        text(field!(self, wszLogonDomain, ex, c0))
    }

    /// The client's computer name. Always empty for some clients.
    pub fn remote_computer(&self) -> WideStr<'_> {
        text(field!(self, wszRemoteComputer, ex, c0))
    }

    /// The interface's name: for a router, its demand-dial interface.
    pub fn interface_name(&self) -> WideStr<'_> {
        text(field!(self, wszInterfaceName, ex, c0))
    }

    /// ROUTER_INTERFACE_TYPE: 0 for a client, 2 for a full router.
    pub fn interface_type(&self) -> i32 {
        field!(self, dwInterfaceType, ex, c0, c2, c3).copied().unwrap_or(0)
    }

    /// RAS_FLAGS.
    pub fn flags(&self) -> u32 {
        field!(self, dwConnectionFlags, ex, c0).copied().unwrap_or(0)
    }

    /// Whether it is an IKEv2 connection. None if the form does not say: only Ex does, by a flag or by the type of its
    /// projection, because the flags may be 0 (MS-RRASM 2.2.1.2.133). In the other forms the flag means something else.
    pub fn is_ikev2(&self) -> Option<bool> {
        self.ex.as_ref().map(|ex| {
            ex.dwConnectionFlags & RAS_FLAGS_IKEV2_CONNECTION != 0
                || ex.ProjectionInfo.projectionInfoType == PROJECTION_IKEV2
        })
    }

    /// The duration of the connection, in seconds.
    pub fn duration_seconds(&self) -> u32 {
        field!(self, dwConnectDuration, ex, c0).copied().unwrap_or(0)
    }

    /// The connection's GUID, as bytes in memory. None for form 1.
    pub fn guid(&self) -> Option<[u8; 16]> {
        field!(self, guid, ex, c2, c3).map(|guid| {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&guid.data1.to_le_bytes());
            bytes[4..6].copy_from_slice(&guid.data2.to_le_bytes());
            bytes[6..8].copy_from_slice(&guid.data3.to_le_bytes());
            bytes[8..].copy_from_slice(&guid.data4);
            bytes
        })
    }

    /// The bytes and frames so far.
    pub fn counters(&self) -> Counters {
        macro_rules! of {
            ($c:expr) => {
                Counters {
                    bytes_transmitted: $c.dwBytesXmited,
                    bytes_received: $c.dwBytesRcved,
                    frames_transmitted: $c.dwFramesXmited,
                    frames_received: $c.dwFramesRcved,
                }
            };
        }
        match (&self.ex, &self.c1) {
            (Some(c), _) => of!(c),
            (None, Some(c)) => of!(c),
            (None, None) => Counters::default(),
        }
    }

    /// The quarantine state, in the forms that carry it (3 and Ex).
    pub fn quarantine(&self) -> Option<Quarantine> {
        field!(self, rasQuarState, ex, c3).map(|&state| match state {
            RAS_QUAR_STATE_NORMAL => Quarantine::Normal,
            RAS_QUAR_STATE_QUARANTINE => Quarantine::Quarantine,
            RAS_QUAR_STATE_PROBATION => Quarantine::Probation,
            RAS_QUAR_STATE_NOT_CAPABLE => Quarantine::NotCapable,
            other => Quarantine::Other(other),
        })
    }

    /// The client's public address, as text. Empty for forms other than Ex.
    pub fn remote_endpoint(&self) -> WideStr<'_> {
        text(field!(self, wszRemoteEndpointAddress, ex))
    }

    /// The server's public address, as text. Empty for forms other than Ex.
    pub fn local_endpoint(&self) -> WideStr<'_> {
        text(field!(self, wszLocalEndpointAddress, ex))
    }

    /// The negotiated addresses. None if the structure's projection is neither PPP nor IKEv2.
    pub fn projection(&self) -> Option<Projection> {
        if let Some(ex) = &self.ex {
            return negotiated(&ex.ProjectionInfo);
        }
        if let Some(c) = &self.c3 {
            let (ip, ipv6) = (&c.PppInfo3.ip, &c.PppInfo3.ipv6);
            return Some(Projection {
                ipv4: address_pair(ip.dwError, &ip.wszAddress, &ip.wszRemoteAddress),
                ipv6_identifiers: (ipv6.dwError == NO_ERROR)
                    .then_some([ipv6.bInterfaceIdentifier, ipv6.bRemoteInterfaceIdentifier]),
                ipv6_prefix: None,
            });
        }
        let ip = self
            .c2
            .as_ref()
            .map(|c| (&c.PppInfo2.ip.dwError, &c.PppInfo2.ip.wszAddress, &c.PppInfo2.ip.wszRemoteAddress));
        let ip = ip.or(self
            .c1
            .as_ref()
            .map(|c| (&c.PppInfo.ip.dwError, &c.PppInfo.ip.wszAddress, &c.PppInfo.ip.wszRemoteAddress)));
        ip.map(|(&error, a, b)| Projection {
            ipv4: address_pair(error, a, b),
            ipv6_identifiers: None,
            ipv6_prefix: None,
        })
    }

    /// The bytes of each structure that RRAS passed, in the order of the arguments. For DLLs that record calls.
    pub fn structures(&self) -> &[(ArgumentType, Vec<u8>)] {
        &self.raw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ikev2_shows_in_the_flag_or_in_the_projection() {
        let is = |flags, projection| {
            let mut ex = RAS_CONNECTION_EX { dwConnectionFlags: flags, ..Default::default() };
            ex.ProjectionInfo.projectionInfoType = projection;
            let function = FunctionId::AcceptNewConnectionEx;
            let (c0, c1, c2, c3) = (None, None, None, None);
            Connection { function, truncated: false, raw: Vec::new(), c0, c1, c2, c3, ex: Some(ex) }.is_ikev2()
        };
        assert_eq!(is(RAS_FLAGS_IKEV2_CONNECTION, PROJECTION_IKEV2), Some(true));
        assert_eq!(is(RAS_FLAGS_IKEV2_CONNECTION, 0), Some(true));
        assert_eq!(is(0, PROJECTION_IKEV2), Some(true));
        assert_eq!(is(0, PROJECTION_PPP), Some(false));
        assert_eq!(is(RAS_FLAGS_PPP_CONNECTION, PROJECTION_PPP), Some(false));
    }
}
