//! A link.

use crate::connection::Counters;
use crate::wide::WideStr;
use mprapi::FunctionId;
use mprapi::abi::{RAS_PORT_0, RAS_PORT_1};
use mprapi::contract::ArgumentType;
use std::fmt;

/// A link, as RRAS describes it: the part of a connection on one port.
#[derive(Clone)]
pub struct Link {
    pub(crate) function: FunctionId,
    pub(crate) truncated: bool,
    pub(crate) raw: Vec<(ArgumentType, Vec<u8>)>,
    pub(crate) p0: Option<RAS_PORT_0>,
    pub(crate) p1: Option<RAS_PORT_1>,
}

/// The tunnel types of RRAS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Tunnel {
    Sstp,
    Ikev2,
    L2tp,
    Pptp,
}

impl fmt::Display for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sstp => "SSTP",
            Self::Ikev2 => "IKEv2",
            Self::L2tp => "L2TP",
            Self::Pptp => "PPTP",
        })
    }
}

impl Link {
    /// The function that RRAS called.
    pub fn function(&self) -> FunctionId {
        self.function
    }

    /// Whether RRAS passed only one of the two structures. The SDK then delivers only hangups, and missing fields are zero or
    /// empty.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// hConnection: the handle of the link's connection.
    pub fn connection_handle(&self) -> u64 {
        self.p0.as_ref().map_or(0, |p| p.hConnection.addr() as u64)
    }

    /// hPort.
    pub fn port_handle(&self) -> u64 {
        self.p0.as_ref().map_or(0, |p| p.hPort.addr() as u64)
    }

    /// The port's name, like `VPN2-127`.
    pub fn port(&self) -> WideStr<'_> {
        self.text(|p| &p.wszPortName)
    }

    /// The device's name, like `WAN Miniport (SSTP)`.
    pub fn device_name(&self) -> WideStr<'_> {
        self.text(|p| &p.wszDeviceName)
    }

    /// The device's type: `vpn` for tunnels.
    pub fn device_type(&self) -> WideStr<'_> {
        self.text(|p| &p.wszDeviceType)
    }

    /// The tunnel, according to the device's name. Nothing else distinguishes the PPP tunnels.
    pub fn tunnel(&self) -> Option<Tunnel> {
        let device = self.device_name().to_text()?;
        [Tunnel::Sstp, Tunnel::Ikev2, Tunnel::L2tp, Tunnel::Pptp]
            .into_iter()
            .find(|tunnel| device.contains(&format!("({tunnel})")))
    }

    /// The duration of the link, in seconds.
    pub fn duration_seconds(&self) -> u32 {
        self.p0.as_ref().map_or(0, |p| p.dwConnectDuration)
    }

    /// The bytes and frames of this link so far.
    pub fn counters(&self) -> Counters {
        self.p1.as_ref().map_or_else(Counters::default, |p| Counters {
            bytes_transmitted: p.dwBytesXmited,
            bytes_received: p.dwBytesRcved,
            frames_transmitted: p.dwFramesXmited,
            frames_received: p.dwFramesRcved,
        })
    }

    /// The bytes of each structure that RRAS passed. For DLLs that record calls.
    pub fn structures(&self) -> &[(ArgumentType, Vec<u8>)] {
        &self.raw
    }

    fn text<'a, const N: usize>(&'a self, field: impl FnOnce(&'a RAS_PORT_0) -> &'a [u16; N]) -> WideStr<'a> {
        self.p0.as_ref().map_or(WideStr::new(&[]), |p| WideStr::from_array(field(p)))
    }
}
