//! A connection, as RRAS tells of it: one view of all forms (1, 2, 3 and Ex).

use crate::WideStr;
use mprapi::FunctionId;
use mprapi::abi::*;
use mprapi::contract::ArgumentType;
use std::net::Ipv4Addr;

/// A connection. The structures were copied at the boundary, so that nothing changes under the reader.
///
/// A fact that the form does not carry is None or empty.
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

/// A connection's or link's counters. They are 32-bit and wrap at 4 GiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes, server to client.
    pub bytes_transmitted: u32,
    /// Bytes, client to server.
    pub bytes_received: u32,
    /// Frames, server to client.
    pub frames_transmitted: u32,
    /// Frames, client to server.
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
    /// The client knows no quarantine.
    NotCapable,
    /// A value that is not documented.
    Other(i32),
}

/// The addresses that were negotiated. Which of the pair is the client's is contradictory in the documentation
/// (docs/rras-behaviour.md): compare both with what you gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Projection {
    /// wszAddress and wszRemoteAddress; None if IPv4 was not negotiated or the text is no address.
    pub ipv4: Option<[Option<Ipv4Addr>; 2]>,
    /// bInterfaceIdentifier and bRemoteInterfaceIdentifier; None if IPv6 was not negotiated.
    pub ipv6_identifiers: Option<[[u8; 8]; 2]>,
    /// The IPv6 prefix, which RRAS owns: its first 64 bits. None where the form does not carry it.
    pub ipv6_prefix: Option<[u8; 8]>,
}

/// Takes a field from the Ex structure or from one of the older ones.
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

    /// The function that was called.
    pub fn function(&self) -> FunctionId {
        self.function
    }

    /// Did the caller pass less than the whole structure? Only a hangup is delivered then, and what was missing is
    /// zero or empty.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// hConnection: what accept, links and hangup of one connection have in common while it lives. Handles repeat.
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

    /// The client's computer name; empty for some clients for good.
    pub fn remote_computer(&self) -> WideStr<'_> {
        text(field!(self, wszRemoteComputer, ex, c0))
    }

    /// The interface's name: a demand-dial interface, for a router.
    pub fn interface_name(&self) -> WideStr<'_> {
        text(field!(self, wszInterfaceName, ex, c0))
    }

    /// ROUTER_INTERFACE_TYPE: 0 is a client, 2 a full router.
    pub fn interface_type(&self) -> i32 {
        field!(self, dwInterfaceType, ex, c0, c2, c3).copied().unwrap_or(0)
    }

    /// RAS_FLAGS.
    pub fn flags(&self) -> u32 {
        field!(self, dwConnectionFlags, ex, c0).copied().unwrap_or(0)
    }

    /// Is it an IKEv2 connection? Only the Ex form tells, by the flag or by the kind of its projection: the flags may be 0
    /// (MS-RRASM 2.2.1.2.133). In the other forms the same bit means something else. None if the form cannot tell.
    pub fn is_ikev2(&self) -> Option<bool> {
        self.ex.as_ref().map(|ex| {
            ex.dwConnectionFlags & RAS_FLAGS_IKEV2_CONNECTION != 0
                || ex.ProjectionInfo.projectionInfoType == PROJECTION_IKEV2
        })
    }

    /// How long it has lasted, in seconds.
    pub fn duration_seconds(&self) -> u32 {
        field!(self, dwConnectDuration, ex, c0).copied().unwrap_or(0)
    }

    /// The connection's GUID, in the order of its bytes in memory.
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

    /// Bytes and frames so far.
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

    /// The client's public address, as text; empty in the older forms.
    pub fn remote_endpoint(&self) -> WideStr<'_> {
        text(field!(self, wszRemoteEndpointAddress, ex))
    }

    /// The server's public address, as text; empty in the older forms.
    pub fn local_endpoint(&self) -> WideStr<'_> {
        text(field!(self, wszLocalEndpointAddress, ex))
    }

    /// What was negotiated; None if the structure does not say PPP or IKEv2.
    pub fn projection(&self) -> Option<Projection> {
        if let Some(ex) = &self.ex {
            return crate::boundary::projection(&ex.ProjectionInfo);
        }
        if let Some(c) = &self.c3 {
            let (ip, ipv6) = (&c.PppInfo3.ip, &c.PppInfo3.ipv6);
            return Some(Projection {
                ipv4: pair(ip.dwError, &ip.wszAddress, &ip.wszRemoteAddress),
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
        ip.map(|(&error, a, b)| Projection { ipv4: pair(error, a, b), ipv6_identifiers: None, ipv6_prefix: None })
    }

    /// The bytes of each structure that was passed, in the order of the arguments: for recorders.
    pub fn structures(&self) -> &[(ArgumentType, Vec<u8>)] {
        &self.raw
    }
}

/// The two addresses, if IPv4 was negotiated.
pub(crate) fn pair(error: u32, a: &[u16], b: &[u16]) -> Option<[Option<Ipv4Addr>; 2]> {
    let parse = |array| WideStr::from_array(array).to_text().and_then(|text| text.parse().ok());
    (error == NO_ERROR).then(|| [parse(a), parse(b)])
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
